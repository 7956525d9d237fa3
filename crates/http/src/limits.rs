//! How much anyone may do in how long: token buckets for each user, each tenant, each address of those
//! who do not say who they are, and all together, by requests, bytes of bodies and events.
//!
//! A request is decided once, before any work, by all its buckets: it spends of each, or of none. Bodies
//! and events are spent when they are known, into debt where need be; the next request waits for it.
//!
//! Own buckets rather than `governor`'s: that crate refuses what is above the quota instead of letting it
//! be owed, cannot ask several buckets before it spends of any, and bounds no table.
//!
//! All this is of one process. In a cluster each node counts for itself, so a client that spreads its
//! requests over n nodes has up to n times its allowance, until the buckets stand behind a `Cache` port.

mod rate;
mod account;
mod table;
mod own;
mod fields;
mod request;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use tidings_core::id::{TenantId, UserId, fingerprint};
use tidings_core::principal::Principal;

use self::account::Account;
pub use self::own::{NamedRate, OwnRates, RateFault};
pub use self::rate::{AddressRates, Rate, RateLimits, Rates};
pub(crate) use self::request::{
    answer_unrouted, enter, enter_account, enter_as, enter_tokens, spend_bytes, spend_events, tell,
};
use self::table::Table;

/// The order of an account's allowances. Addresses have attempts to sign in in place of events.
const REQUESTS: usize = 0;
const BYTES: usize = 1;
const EVENTS: usize = 2;

/// Whose allowances those of an account are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Global,
    Tenant,
    User,
    Address,
}

/// The names of all limits, by scope and kind: in headers, problems, metrics and `/v1/meta`.
const NAMES: [[&str; 3]; 4] = [
    ["global-requests", "global-bytes", "global-events"],
    ["tenant-requests", "tenant-bytes", "tenant-events"],
    ["user-requests", "user-bytes", "user-events"],
    ["address-requests", "address-bytes", "address-sign-ins"],
];

/// The limit of attempts to sign in as one person.
const PERSON_SIGN_INS: &str = "person-sign-ins";
/// The limit of requests at the token endpoint from one address.
const ADDRESS_TOKENS: &str = "address-tokens";

/// What a request is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It has no body.
    Look,
    /// It has a body.
    Send,
    /// It has a body with events.
    Publish,
    /// It says who one is, in its body.
    SignIn,
}

impl Purpose {
    /// What a request spends at once of each allowance of a scope: none where it is not asked, 0 where
    /// there must be no debt.
    const fn costs(self, scope: Scope) -> [Option<u64>; 3] {
        let bytes = match self {
            Self::Look => None,
            Self::Send | Self::Publish | Self::SignIn => Some(0),
        };
        let third = match (self, scope) {
            (Self::SignIn, Scope::Address) => Some(1),
            (Self::Publish, Scope::Global | Scope::Tenant | Scope::User) => Some(0),
            _ => None,
        };
        [Some(1), bytes, third]
    }
}

/// Who is asking.
#[derive(Debug, Clone, Copy)]
pub enum Spender<'a> {
    /// One who said who they are, and rightly.
    Known(&'a TenantId, UserId),
    /// Anyone else, by the address they come from; those without one count as one.
    Stranger(Option<IpAddr>),
}

impl<'a> From<&'a Principal> for Spender<'a> {
    fn from(principal: &'a Principal) -> Self {
        Self::Known(&principal.tenant, principal.user)
    }
}

/// The allowances that a request is held against, besides those of all.
#[derive(Debug, Clone)]
pub struct Standing {
    purpose: Purpose,
    accounts: Accounts,
    /// What the tenant may do, where that is not what every tenant may.
    own: Option<Arc<OwnRates>>,
}

#[derive(Debug, Clone)]
enum Accounts {
    Known { user: Arc<Account>, tenant: Arc<Account> },
    Stranger { address: Arc<Account> },
}

/// The limit for which a request has to wait longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSoon {
    /// Its name.
    pub limit: &'static str,
    /// What it allows.
    pub rate: Rate,
    /// After which time to ask again.
    pub wait: Duration,
    /// True where it is not the spender's own, but that of all together.
    pub is_global: bool,
}

/// An address of IPv4, or a network of 64 bits of IPv6: what one subscriber usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place(u64);

impl Place {
    fn of(address: Option<IpAddr>) -> Self {
        Self(match address.map(|address| address.to_canonical()) {
            // As networks of IPv6, small numbers are reserved and the last is for groups: none asks.
            None => u64::MAX,
            Some(IpAddr::V4(address)) => u64::from(u32::from(address)),
            Some(IpAddr::V6(address)) => u64::try_from(u128::from(address) >> 64).unwrap_or_default(),
        })
    }
}

/// Everyone's allowances.
#[derive(Debug)]
pub struct Limits {
    rates: [[Rate; 3]; 4],
    global: Account,
    tenants: Table<TenantId>,
    users: Table<(TenantId, UserId)>,
    addresses: Table<Place>,
    /// By the hash of an email address.
    people: Table<[u8; 16]>,
    person_sign_ins: Rate,
    /// Addresses again, by what programs ask from them.
    programs: Table<Place>,
    address_tokens: Rate,
    policies: Vec<HeaderValue>,
    own: own::Known,
}

impl Limits {
    /// All allowances whole.
    pub fn new(limits: &RateLimits) -> Self {
        let of = |rates: &Rates| [rates.requests, rates.bytes, rates.events];
        let AddressRates { requests, bytes, sign_ins } = limits.address;
        let rates = [of(&limits.global), of(&limits.tenant), of(&limits.user), [requests, bytes, sign_ins]];
        let [_, of_tenant, of_user, of_address] = rates;
        Self {
            rates,
            global: Account::default(),
            tenants: Table::new(of_tenant, limits.remembered),
            users: Table::new(of_user, limits.remembered),
            addresses: Table::new(of_address, limits.remembered),
            people: Table::new([limits.person_sign_ins; 3], limits.remembered),
            person_sign_ins: limits.person_sign_ins,
            programs: Table::new([limits.address_tokens; 3], limits.remembered),
            address_tokens: limits.address_tokens,
            policies: fields::policies(&rates),
            own: own::Known::default(),
        }
    }

    /// Spends one attempt to sign in as the person with an email address, whether there is one or not.
    ///
    /// # Errors
    /// When there were too many of late.
    pub fn sign_in_as(&self, email: &str, now: Duration) -> Result<(), TooSoon> {
        let (now, rate) = (nanos(now), self.person_sign_ins);
        let account = self.people.account(&fingerprint(&[email.trim().to_lowercase().as_bytes()]), now);
        spend_one(&account, rate, now).map_err(|wait| TooSoon { limit: PERSON_SIGN_INS, rate, wait, is_global: false })
    }

    /// Spends one request of a program at the token endpoint.
    ///
    /// # Errors
    /// When there were too many of late.
    pub fn ask_for_tokens(&self, address: Option<IpAddr>, now: Duration) -> Result<(), TooSoon> {
        let (now, rate) = (nanos(now), self.address_tokens);
        let account = self.programs.account(&Place::of(address), now);
        spend_one(&account, rate, now).map_err(|wait| TooSoon { limit: ADDRESS_TOKENS, rate, wait, is_global: false })
    }

    /// Finds the allowances of one who asks. Times are those of [`tidings_core::port::Clock::elapsed`].
    pub fn standing(&self, spender: Spender<'_>, purpose: Purpose, now: Duration) -> Standing {
        let now = nanos(now);
        let accounts = match spender {
            Spender::Known(tenant, user) => Accounts::Known {
                user: self.users.account(&(tenant.clone(), user), now),
                tenant: self.tenants.account(tenant, now),
            },
            Spender::Stranger(address) => {
                Accounts::Stranger { address: self.addresses.account(&Place::of(address), now) }
            }
        };
        Standing { purpose, accounts, own: None }
    }

    /// Spends one request of every allowance it is held against, or of none.
    ///
    /// # Errors
    /// Where one of them does not suffice, or is in debt.
    pub fn enter(&self, standing: &Standing, now: Duration) -> Result<(), TooSoon> {
        let now = nanos(now);
        let mut longest = (0, Scope::Global, REQUESTS);
        for (scope, account) in self.accounts(standing) {
            for (kind, units) in asked(standing.purpose, scope) {
                let wait = account.wait(kind, self.rate_of(standing, scope, kind), units, now);
                if wait > longest.0 {
                    longest = (wait, scope, kind);
                }
            }
        }
        let (wait, scope, kind) = longest;
        if wait > 0 {
            return Err(TooSoon {
                limit: NAMES[scope as usize][kind],
                rate: self.rate_of(standing, scope, kind),
                wait: Duration::from_nanos(wait),
                is_global: scope == Scope::Global,
            });
        }
        for (scope, account) in self.accounts(standing) {
            for (kind, units) in asked(standing.purpose, scope).filter(|(_, units)| *units > 0) {
                account.spend(kind, self.rate_of(standing, scope, kind), units, now);
            }
        }
        Ok(())
    }

    /// Spends bytes of a body.
    pub fn spend_bytes(&self, standing: &Standing, bytes: u64, now: Duration) {
        self.spend(standing, BYTES, bytes, now);
    }

    /// Spends events that a principal published.
    pub fn spend_events(&self, standing: &Standing, events: u64, now: Duration) {
        if matches!(standing.accounts, Accounts::Known { .. }) {
            self.spend(standing, EVENTS, events, now);
        }
    }

    fn spend(&self, standing: &Standing, kind: usize, units: u64, now: Duration) {
        for (scope, account) in self.accounts(standing) {
            account.spend(kind, self.rate_of(standing, scope, kind), units, nanos(now));
        }
    }

    fn rate_of(&self, standing: &Standing, scope: Scope, kind: usize) -> Rate {
        match &standing.own {
            Some(own) if scope == Scope::Tenant => own.rates[kind],
            _ => self.rates[scope as usize][kind],
        }
    }

    /// The narrowest first.
    fn accounts<'a>(&'a self, standing: &'a Standing) -> impl Iterator<Item = (Scope, &'a Account)> {
        let (own, wider) = standing.own();
        [Some(own), wider, Some((Scope::Global, &self.global))].into_iter().flatten()
    }
}

impl Standing {
    fn own(&self) -> ((Scope, &Account), Option<(Scope, &Account)>) {
        match &self.accounts {
            Accounts::Known { user, tenant } => ((Scope::User, user), Some((Scope::Tenant, tenant))),
            Accounts::Stranger { address } => ((Scope::Address, address), None),
        }
    }
}

/// Spends one of an allowance, or says how long to wait for it.
fn spend_one(account: &Account, rate: Rate, now: u64) -> Result<(), Duration> {
    match account.wait(REQUESTS, rate, 1, now) {
        0 => {
            account.spend(REQUESTS, rate, 1, now);
            Ok(())
        }
        wait => Err(Duration::from_nanos(wait)),
    }
}

/// The kinds of allowances that are asked in a scope, and how much each must have.
fn asked(purpose: Purpose, scope: Scope) -> impl Iterator<Item = (usize, u64)> {
    let costs = purpose.costs(scope).into_iter().enumerate();
    costs.filter_map(|(kind, units)| units.map(|units| (kind, units)))
}

fn nanos(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
