//! Times as people write them: `1h`, a date, or RFC 3339.

use tidings_core::port::Clock;
use tidings_core::time::Timestamp;

/// Reads a time to come: a span from now (`30m`, `12h`, `7d`, `2w`), a date (its first moment, UTC)
/// or an RFC 3339 time.
///
/// # Errors
/// What would be right.
pub fn to_come(text: &str) -> Result<Timestamp, String> {
    read(text, tidings_adapters::clock::SystemClock.now())
}

/// Reads a length of time (`30m`, `12h`, `7d`, `2w`).
///
/// # Errors
/// What would be right.
pub fn span(text: &str) -> Result<std::time::Duration, String> {
    let millis = span_millis(text).and_then(|millis| u64::try_from(millis).ok());
    millis.map(std::time::Duration::from_millis).ok_or_else(|| "write a length of time like 30m, 12h or 7d".to_owned())
}

fn read(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let time = match span_millis(text) {
        Some(span) => now.plus_millis(span),
        None => Timestamp::parse(text)
            .or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")))
            .map_err(|_| "write a span like 1h or 7d, a date like 2026-12-24, or a time like 2026-12-24T18:00:00Z")?,
    };
    if time <= now {
        return Err("this time is over".to_owned());
    }
    Ok(time)
}

fn span_millis(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'w' => 7 * 86_400_000,
        _ => return None,
    };
    let count: u32 = text[..text.len() - 1].parse().ok()?;
    Some(i64::from(count).saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let now = Timestamp::parse("2026-01-02T03:04:05Z").expect("a time");
        let expected = expected.map(|text| Timestamp::parse(text).expect("a time"));
        assert_eq!(read(text, now).ok(), expected, "{text}");
    }

    #[test]
    fn reads_spans_dates_and_times_to_come() {
        check("1h", Some("2026-01-02T04:04:05Z"));
        check("2d", Some("2026-01-04T03:04:05Z"));
        check("2026-02-01", Some("2026-02-01T00:00:00Z"));
        check("2026-02-01T10:00:00+02:00", Some("2026-02-01T08:00:00Z"));
        for wrong in ["", "h", "-1h", "1y", "soon", "ü", "2020-01-01", "0s"] {
            check(wrong, None);
        }
    }
}
