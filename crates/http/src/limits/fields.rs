//! `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10, which are structured
//! fields (RFC 9651).
//!
//! An answer names the limits that its request was held against. The global ones are left out: what
//! others do is nobody's business.

use std::fmt::Write;
use std::time::Duration;

use axum::http::HeaderValue;

use super::rate::Rate;
use super::{Accounts, BYTES, EVENTS, Limits, NAMES, Purpose, Scope, Standing, asked, nanos};

const PURPOSES: [Purpose; 4] = [Purpose::Look, Purpose::Send, Purpose::Publish, Purpose::SignIn];
const KNOWN: &[Scope] = &[Scope::User, Scope::Tenant];
const STRANGER: &[Scope] = &[Scope::Address];

/// `RateLimit-Policy` for each purpose, of the known and then of strangers.
pub(super) fn policies(rates: &[[Rate; 3]; 4]) -> Vec<HeaderValue> {
    let of = |scopes: &[Scope], purpose: Purpose| {
        let mut text = String::new();
        for scope in scopes {
            for (kind, _) in asked(purpose, *scope) {
                let rate = rates[*scope as usize][kind];
                let unit = match kind {
                    BYTES => ";qu=\"content-bytes\"",
                    EVENTS if *scope != Scope::Address => ";qu=\"events\"",
                    _ => "",
                };
                separate(&mut text);
                let (name, quota, seconds) = (NAMES[*scope as usize][kind], rate.quota(), rate.seconds());
                write!(text, "\"{name}\";q={quota}{unit};w={seconds}").expect("a text takes it");
            }
        }
        HeaderValue::try_from(text).expect("names and digits")
    };
    [KNOWN, STRANGER].into_iter().flat_map(|scopes| PURPOSES.map(|purpose| of(scopes, purpose))).collect()
}

impl Limits {
    /// `RateLimit-Policy`: the limits that a request was held against.
    pub fn policy_field(&self, standing: &Standing) -> HeaderValue {
        let first = match standing.accounts {
            Accounts::Known { .. } => 0,
            Accounts::Stranger { .. } => PURPOSES.len(),
        };
        match &standing.own {
            Some(own) => own.policies[standing.purpose as usize].clone(),
            None => self.policies[first + standing.purpose as usize].clone(),
        }
    }

    /// `RateLimit`: what is left of each (`r`), and in how many seconds all of it is back (`t`).
    pub fn rate_field(&self, standing: &Standing, now: Duration) -> HeaderValue {
        let now = nanos(now);
        let mut text = String::with_capacity(256);
        let (own, wider) = standing.own();
        for (scope, account) in std::iter::once(own).chain(wider) {
            for (kind, _) in asked(standing.purpose, scope) {
                let owed = account.owed(kind, now);
                separate(&mut text);
                text.push('"');
                text.push_str(NAMES[scope as usize][kind]);
                text.push_str("\";r=");
                push_number(&mut text, self.rate_of(standing, scope, kind).left(owed));
                text.push_str(";t=");
                push_number(&mut text, owed.div_ceil(1_000_000_000));
            }
        }
        HeaderValue::try_from(text).expect("names and digits")
    }
}

fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push_str(", ");
    }
}

/// What `write!` does, in a tenth of its time.
fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().copied().map(char::from));
}
