//! How much in how long, for whom.

/// The largest number that a structured field can say (RFC 9651, section 3.3.1).
pub(super) const FIELD_MAX: u64 = 999_999_999_999_999;
/// The longest time over which anything is counted: a day.
pub(super) const SECONDS_MAX: u64 = 86_400;

/// So many of something in so many seconds. All of them may come at once; what was spent comes back
/// evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    quota: u64,
    seconds: u64,
    /// Nanoseconds in which one comes back, rounded down.
    each: u64,
}

impl Rate {
    /// `quota` in `seconds`. Both are at least 1; a quota above 10^15 - 1 and a time above a day are
    /// cut to that.
    pub const fn new(quota: u64, seconds: u64) -> Self {
        let quota = within(quota, FIELD_MAX);
        let seconds = within(seconds, SECONDS_MAX);
        Self { quota, seconds, each: seconds * 1_000_000_000 / quota }
    }

    /// How many.
    pub const fn quota(self) -> u64 {
        self.quota
    }

    /// In how many seconds.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// The time in nanoseconds after which an empty allowance is whole again.
    pub(super) const fn window(self) -> u64 {
        self.seconds * 1_000_000_000
    }

    /// The time in nanoseconds after which so many have come back, rounded down: never more than the
    /// window for the whole quota.
    pub(super) fn cost(self, units: u64) -> u64 {
        match units {
            0 => 0,
            1 => self.each,
            _ => {
                let nanos = u128::from(units) * u128::from(self.window()) / u128::from(self.quota);
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        }
    }

    /// How many are left to one who has `owed` nanoseconds to wait until all are back.
    pub(super) fn left(self, owed: u64) -> u64 {
        let left = u128::from(self.window().saturating_sub(owed)) * u128::from(self.quota);
        u64::try_from(left / u128::from(self.window())).unwrap_or(self.quota)
    }
}

const fn within(number: u64, max: u64) -> u64 {
    match number {
        0 => 1,
        _ if number > max => max,
        _ => number,
    }
}

/// What one tenant, one user, or all together may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests.
    pub requests: Rate,
    /// Bytes of bodies: as they are sent, and once more what they inflate to.
    pub bytes: Rate,
    /// Events published, whatever becomes of them.
    pub events: Rate,
}

impl Rates {
    const fn times(factor: u64) -> Self {
        Self {
            requests: Rate::new(500_000 * factor, 10),
            bytes: Rate::new((10 << 30) * factor, 10),
            events: Rate::new(5_000_000 * factor, 10),
        }
    }
}

/// What one address may do without saying who it is, or saying it wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRates {
    /// Requests.
    pub requests: Rate,
    /// Bytes of bodies, as [`Rates::bytes`].
    pub bytes: Rate,
    /// Attempts to sign in, right or wrong.
    pub sign_ins: Rate,
}

/// How much anyone may do in how long. The defaults are above what one machine manages: they stop
/// runaway clients and guessers, and are to be lowered to what was agreed with tenants and users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// All together; default 200,000 requests, 4 GiB and 2,000,000 events a second, over 10 s.
    pub global: Rates,
    /// The users of one tenant together; default 100,000 requests, 2 GiB and 1,000,000 events a second,
    /// over 10 s.
    pub tenant: Rates,
    /// One user, by whichever keys and sessions; default 50,000 requests, 1 GiB and 500,000 events a
    /// second, over 10 s.
    pub user: Rates,
    /// One address of IPv4, or network of 64 bits of IPv6; default 12,000 requests, 64 MiB and 20
    /// attempts to sign in a minute.
    pub address: AddressRates,
    /// Attempts to sign in as one person, from wherever; default 30 in a quarter of an hour. It slows
    /// those who guess from many addresses, and can be used to keep someone out for a while.
    pub person_sign_ins: Rate,
    /// Requests of programs at the token endpoint and those beside it from one address; default 600 a
    /// minute.
    pub address_tokens: Rate,
    /// Tenants, users and addresses remembered, of each; default 65,536. When there are more, the
    /// eighth part that has spent least of its allowance is forgotten.
    pub remembered: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            global: Rates::times(4),
            tenant: Rates::times(2),
            user: Rates::times(1),
            address: AddressRates {
                requests: Rate::new(12_000, 60),
                bytes: Rate::new(64 << 20, 60),
                sign_ins: Rate::new(20, 60),
            },
            person_sign_ins: Rate::new(30, 15 * 60),
            address_tokens: Rate::new(600, 60),
            remembered: 1 << 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quota: u64, seconds: u64) {
        let rate = Rate::new(quota, seconds);
        assert!(rate.cost(quota) <= rate.window(), "{rate:?}");
        assert_eq!((rate.left(0), rate.left(rate.window()), rate.left(u64::MAX)), (quota, 0, 0), "{rate:?}");
        let owed = rate.cost(1).min(rate.window());
        assert!(rate.left(owed) >= quota - 1, "{rate:?}");
    }

    #[test]
    fn the_whole_quota_fits_and_is_counted_down() {
        for quota in [1, 3, 7, 100, 999, 500_000, 10 << 30, FIELD_MAX] {
            for seconds in [1, 10, 60, SECONDS_MAX] {
                check(quota, seconds);
            }
        }
        assert_eq!(Rate::new(0, 0), Rate::new(1, 1));
        assert_eq!(Rate::new(u64::MAX, u64::MAX), Rate::new(FIELD_MAX, SECONDS_MAX));
    }
}
