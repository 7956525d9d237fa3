//! Instants and the time texts that senders write.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC, microseconds since 1970, kept to the millisecond.
///
/// Every way in truncates to the millisecond, which is what the JSON form shows, so an instant
/// survives storage unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant a sender's time is used for; older ones are kept and marked suspect.
    pub const EARLIEST_USED: Self = Self::from_millis(631_152_000_000); // 1990-01-01
    /// The first instant there is.
    pub const MIN: Self = Self::from_millis(-62_135_596_800_000); // 0001-01-01
    /// The last instant there is.
    pub const MAX: Self = Self::from_millis(253_402_300_799_999); // 9999-12-31

    /// The instant `millis` milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0 / 1_000
    }

    /// This instant moved by `millis` milliseconds, within the years 1 to 9999.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.as_millis().saturating_add(millis)).clamp(Self::MIN, Self::MAX)
    }

    /// This instant moved by `hours` hours.
    #[must_use]
    pub fn plus_hours(self, hours: i64) -> Self {
        self.plus_millis(hours.saturating_mul(3_600_000))
    }

    /// Milliseconds from `earlier` to this instant; negative when this one is the earlier.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.as_millis() - earlier.as_millis()
    }

    /// Reads an RFC 3339 time with an offset, as CAP, CloudEvents and our own JSON require it.
    ///
    /// # Errors
    /// [`TimeError`] when the text has another shape, lacks seconds or an offset, or names no
    /// instant of the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let fault = || TimeError(text.chars().take(64).collect());
        let bytes = text.as_bytes();
        // RFC 3339 is stricter than ISO 8601: full date, `T`, seconds, and `Z` or `±hh:mm`.
        let long_enough = bytes.len() >= 20 && bytes[10].eq_ignore_ascii_case(&b'T');
        if !long_enough || bytes[13] != b':' || bytes[16] != b':' {
            return Err(fault());
        }
        let offset = if bytes[bytes.len() - 1].eq_ignore_ascii_case(&b'Z') {
            0
        } else {
            offset_seconds(&bytes[bytes.len() - 6..]).ok_or_else(fault)?
        };
        let zone_bytes = if bytes[bytes.len() - 1].eq_ignore_ascii_case(&b'Z') { 1 } else { 6 };
        let local = civil_millis(&bytes[..bytes.len() - zone_bytes]).ok_or_else(fault)?;
        let instant = Self::from_millis(local - offset * 1_000);
        if instant < Self::MIN || instant > Self::MAX {
            return Err(fault());
        }
        Ok(instant)
    }
}

/// Seconds east of UTC of `±hh:mm`.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let sign = match text[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if text[3] != b':' {
        return None;
    }
    let hours = digits(&text[1..3])?;
    let minutes = digits(&text[4..6])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Milliseconds since 1970 of `yyyy-mm-ddThh:mm:ss[.fraction]`, read as UTC.
fn civil_millis(text: &[u8]) -> Option<i64> {
    if text.len() < 19 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
    let millis = match text.get(19) {
        None => 0,
        Some(b'.') if text.len() > 20 && text[20..].iter().all(u8::is_ascii_digit) => {
            text[20..].iter().chain(b"000").take(3).fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'))
        }
        Some(_) => return None,
    };
    // A leap second is the last instant of its minute; POSIX time has no place for it.
    let (second, millis) = if second == 60 { (59, 999) } else { (second, millis) };
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && year >= 1;
    in_range
        .then(|| (days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000 + millis)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that
/// begin on 1 March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month, day of a day number; the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A time text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time with seconds and an offset, like 2026-01-02T03:04:05Z")]
pub struct TimeError(String);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.as_millis();
        let (year, month, day) = civil_from_days(millis.div_euclid(86_400_000));
        let in_day = millis.rem_euclid(86_400_000);
        let (hour, minute, second) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1_000 % 60);
        // Every stored event prints a dozen of these: digits by hand are several times as fast.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [(year, 0..4), (month, 5..7), (day, 8..10), (hour, 11..13), (minute, 14..16), (second, 17..19)];
        for (mut value, digits) in parts.into_iter().chain([(in_day % 1_000, 20..23)]) {
            for digit in text[digits].iter_mut().rev() {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        }
        f.pad(std::str::from_utf8(&text).expect("digits and signs are ASCII"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = Timestamp::parse(text).map_or_else(|error| error.to_string(), |time| time.to_string());
        assert!(shown.starts_with(expected), "{text}: {shown}");
    }

    #[test]
    fn reads_and_prints_rfc_3339() {
        check("2018-04-05T18:31:00+01:00", "2018-04-05T17:31:00.000Z");
        check("2018-04-05T17:31:00.123456789Z", "2018-04-05T17:31:00.123Z");
        check("2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00.000Z");
        check("1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.900Z");
        check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z");
        check("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn refuses_what_names_no_instant() {
        for text in [
            "lunchtime",
            "2018-04-05T18:31Z",
            "2018-04-05T18:31:00X",
            "2018-04-05T18:31:00+25:00",
            "2018-04-05T18:31:00+xx:00",
            "2018-04-05T18:31:00+05",
            "2018-04-05",
            "2023-02-29T00:00:00Z",
            "2018-04-05T24:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2018-04-05T18:31:00.Z",
            "",
            "2018-04-05T18:31:0é0Z",
        ] {
            check(text, &format!("`{text}`"));
        }
    }

    #[test]
    fn counts_days_like_jiff() {
        for day in (-700_000..2_900_000).step_by(977) {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, date), day);
            let jiff = jiff::Timestamp::from_second(day * 86_400).expect("in range").to_string();
            assert_eq!(format!("{year:04}-{month:02}-{date:02}T00:00:00Z"), jiff);
        }
    }
}
