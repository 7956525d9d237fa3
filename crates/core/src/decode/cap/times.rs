//! Times as senders of CAP write them.

use crate::time::Timestamp;

/// Years of the Buddhist Era that a present-day message can hold; they run 543 ahead.
const BUDDHIST_YEARS: std::ops::RangeInclusive<i64> = 2400..=2700;
/// From this year on a time means "open": `9999-12-31T23:59:59`.
const OPEN_FROM_YEAR: i64 = 9000;

/// A time that could be read, and what was repaired to read it.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    /// The instant; `None` when the text is a way to say "open".
    pub(super) time: Option<Timestamp>,
    /// Code and detail of a repair.
    pub(super) repair: Option<(&'static str, String)>,
}

/// Reads a time, repairing what has one meaning only; `None` when it cannot be read.
pub(super) fn read(text: &str) -> Option<Reading> {
    let year: i64 = text.get(..4).and_then(|year| year.parse().ok())?;
    if BUDDHIST_YEARS.contains(&year) {
        let gregorian = format!("{:04}{}", year - 543, &text[4..]);
        let time = Timestamp::parse(&gregorian).ok().or_else(|| Timestamp::parse(&respell(&gregorian)?).ok())?;
        let detail = format!("`{text}` is in the Buddhist Era; it was read as {gregorian}");
        return Some(Reading { time: Some(time), repair: Some(("buddhist_era", detail)) });
    }
    let (time, mut repair) = match Timestamp::parse(text) {
        Ok(time) => (time, None),
        Err(_) => {
            let better = respell(text)?;
            let time = Timestamp::parse(&better).ok()?;
            (time, Some(("time_respelled", format!("`{text}` was read as {better}"))))
        }
    };
    if year >= OPEN_FROM_YEAR || year <= 1 {
        repair = Some(("time_open", format!("`{text}` was taken to mean that the time is open")));
        return Some(Reading { time: None, repair });
    }
    Some(Reading { time: Some(time), repair })
}

/// The text with a `T`, seconds and a colon in its offset where those lack.
fn respell(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 17 || bytes.len() > 40 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let zone_at = 11 + text[11..].find(['Z', 'z', '+', '-', ' '])?;
    let (clock, zone) = (&text[11..zone_at], text[zone_at..].trim_ascii_start());
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let zone = match zone.len() {
        5 => format!("{}:{}", &zone[..3], &zone[3..]),
        3 => format!("{zone}:00"),
        _ => zone.to_owned(),
    };
    Some(format!("{}T{clock}{seconds}{zone}", &text[..10]))
}

/// True where the text is more than the instant in our own form.
pub(super) fn is_worth_keeping(text: &str) -> bool {
    !text.ends_with('Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>, code: &str) {
        let reading = read(text);
        let time = reading.as_ref().and_then(|reading| reading.time).map(|time| time.to_string());
        assert_eq!(time.as_deref(), expected, "{text}");
        let found =
            reading.as_ref().map_or("unreadable", |reading| reading.repair.as_ref().map_or("", |repair| repair.0));
        assert_eq!(found, code, "{text}");
    }

    #[test]
    fn reads_what_has_one_meaning() {
        check("2024-07-12T05:50:00+02:00", Some("2024-07-12T03:50:00.000Z"), "");
        check("2024-07-12T05:50:00+0200", Some("2024-07-12T03:50:00.000Z"), "time_respelled");
        check("2024-07-12 05:50:00 +02:00", Some("2024-07-12T03:50:00.000Z"), "time_respelled");
        check("2024-07-12T05:50-03", Some("2024-07-12T08:50:00.000Z"), "time_respelled");
        check("2568-03-01T07:00:00+07:00", Some("2025-03-01T00:00:00.000Z"), "buddhist_era");
        check("2567-02-29T07:00:00+07:00", Some("2024-02-29T00:00:00.000Z"), "buddhist_era");
        check("9999-12-31T23:59:59Z", None, "time_open");
        check("0001-01-01T00:00:00Z", None, "time_open");
        for text in
            ["", "soon", "2024-07-12", "2024-07-12T05:50:00", "2024-13-12T05:50:00Z", "２０２４-07-12T05:50:00Z"]
        {
            check(text, None, "unreadable");
        }
    }
}
