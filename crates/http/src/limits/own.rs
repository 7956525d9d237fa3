//! Limits that are not the default ones: of one tenant, and as they are written.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderValue;
use tidings_core::id::TenantId;
use tidings_core::tenant::{RateSetting, TenantRates};

use super::rate::{FIELD_MAX, Rate, RateLimits, SECONDS_MAX};
use super::{ADDRESS_TOKENS, Limits, NAMES, PERSON_SIGN_INS, Scope, Standing, fields};

/// What one tenant may do.
#[derive(Debug)]
pub struct OwnRates {
    revision: u32,
    pub(super) rates: [Rate; 3],
    pub(super) policies: Vec<HeaderValue>,
}

/// Those of tenants that have asked since the start.
#[derive(Debug, Default)]
pub(super) struct Known(RwLock<HashMap<TenantId, Arc<OwnRates>>>);

impl Limits {
    /// Holds a request against what its tenant may do, as that is since a revision of the tenant. What was
    /// spent before stays spent.
    pub fn of_tenant(&self, standing: &mut Standing, tenant: &TenantId, revision: u32, rates: &TenantRates) {
        let known = self.own.0.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        let known = known.filter(|known| known.revision == revision);
        standing.own = Some(known.unwrap_or_else(|| self.learn(tenant, revision, rates)));
    }

    /// Every limit by name, as it is for a tenant.
    pub fn all_of(&self, rates: Option<&TenantRates>) -> impl Iterator<Item = (&'static str, Rate)> {
        let mut all = self.rates;
        if let Some(rates) = rates {
            all[Scope::Tenant as usize] = self.over(rates);
        }
        let others = [(PERSON_SIGN_INS, self.person_sign_ins), (ADDRESS_TOKENS, self.address_tokens)];
        NAMES.into_iter().flatten().zip(all.into_iter().flatten()).chain(others)
    }

    fn learn(&self, tenant: &TenantId, revision: u32, rates: &TenantRates) -> Arc<OwnRates> {
        let rates = self.over(rates);
        let mut all = self.rates;
        all[Scope::Tenant as usize] = rates;
        let own = Arc::new(OwnRates { revision, rates, policies: fields::policies(&all) });
        self.own.0.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), Arc::clone(&own));
        own
    }

    /// What is set, over what every tenant may.
    fn over(&self, rates: &TenantRates) -> [Rate; 3] {
        let [requests, bytes, events] = self.rates[Scope::Tenant as usize];
        let own = |set: Option<RateSetting>, other| set.map_or(other, |it| Rate::new(it.quota, it.window_seconds));
        [own(rates.requests, requests), own(rates.bytes, bytes), own(rates.events, events)]
    }
}

/// A limit by its name, as it is written: `user-requests=1000/10`, a thousand in ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedRate {
    place: Place,
    rate: Rate,
}

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// One of an account, by scope and kind.
    Account(usize, usize),
    /// Attempts to sign in as one person.
    PersonSignIns,
    /// Requests for tokens of one address.
    AddressTokens,
}

/// A text that sets no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateFault {
    /// It has another form.
    Form,
    /// There is no such limit.
    Name(String),
}

impl fmt::Display for RateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => write!(
                f,
                "write NAME=QUOTA/SECONDS, like user-requests=1000/10; at most {FIELD_MAX} in at most {SECONDS_MAX} seconds"
            ),
            Self::Name(name) => {
                let all = NAMES.concat().join(", ");
                write!(f, "there is no limit `{name}`; there are {all}, {PERSON_SIGN_INS}, {ADDRESS_TOKENS}")
            }
        }
    }
}

impl std::error::Error for RateFault {}

impl FromStr for NamedRate {
    type Err = RateFault;

    fn from_str(text: &str) -> Result<Self, RateFault> {
        let (name, rate) = text.split_once('=').ok_or(RateFault::Form)?;
        let (quota, seconds) = rate.split_once('/').ok_or(RateFault::Form)?;
        let number = |text: &str, max| text.parse::<u64>().ok().filter(|number| (1..=max).contains(number));
        let (Some(quota), Some(seconds)) = (number(quota, FIELD_MAX), number(seconds, SECONDS_MAX)) else {
            return Err(RateFault::Form);
        };
        let (name, rate) = (name.trim(), Rate::new(quota, seconds));
        match name {
            PERSON_SIGN_INS => return Ok(Self { place: Place::PersonSignIns, rate }),
            ADDRESS_TOKENS => return Ok(Self { place: Place::AddressTokens, rate }),
            _ => {}
        }
        let place = NAMES.iter().enumerate().find_map(|(scope, kinds)| {
            let kind = kinds.iter().position(|known| *known == name)?;
            Some(Place::Account(scope, kind))
        });
        let place = place.ok_or_else(|| RateFault::Name(name.chars().take(64).collect()))?;
        Ok(Self { place, rate })
    }
}

impl RateLimits {
    /// Sets one limit.
    pub fn set(&mut self, named: NamedRate) {
        let NamedRate { place, rate } = named;
        let (scope, kind) = match place {
            Place::Account(scope, kind) => (scope, kind),
            Place::PersonSignIns => return self.person_sign_ins = rate,
            Place::AddressTokens => return self.address_tokens = rate,
        };
        let rates = match scope {
            scope if scope == Scope::Global as usize => &mut self.global,
            scope if scope == Scope::Tenant as usize => &mut self.tenant,
            scope if scope == Scope::User as usize => &mut self.user,
            _ => {
                *[&mut self.address.requests, &mut self.address.bytes, &mut self.address.sign_ins][kind] = rate;
                return;
            }
        };
        *[&mut rates.requests, &mut rates.bytes, &mut rates.events][kind] = rate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_written() {
        for (scope, kinds) in NAMES.iter().enumerate() {
            for (kind, name) in kinds.iter().enumerate() {
                let mut limits = RateLimits::default();
                limits.set(format!("{name}=7/30").parse().expect("a limit"));
                let all: Vec<(&str, Rate)> = Limits::new(&limits).all_of(None).collect();
                let changed: Vec<_> = all.iter().filter(|(_, rate)| *rate == Rate::new(7, 30)).collect();
                assert_eq!(changed, [&(*name, Rate::new(7, 30))], "{scope} {kind}");
            }
        }
        let mut limits = RateLimits::default();
        limits.set("person-sign-ins=3/60".parse().expect("a limit"));
        assert_eq!(limits.person_sign_ins, Rate::new(3, 60));
        for wrong in [
            "",
            "user-requests",
            "user-requests=5",
            "user-requests=0/1",
            "user-requests=1/86401",
            "x=1/1",
            "user-requests=a/b",
        ] {
            assert!(wrong.parse::<NamedRate>().is_err(), "{wrong}");
        }
    }
}
