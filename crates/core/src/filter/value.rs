//! What a single value of a filter may not be: judged where it is read, so that its fault has its place.

use super::keys::shown;
use super::words::phrases;
use crate::event::Code;
use crate::time::Timestamp;

/// Half the length of a meridian circle in kilometers: no point of Earth is farther from another.
const FARTHEST_KM: f64 = 20_037.6;

/// The stable name of a fault and what is wrong; `None` for a good value.
pub(super) type Verdict = Option<(&'static str, String)>;

fn unless(is_good: bool, code: &'static str, detail: impl FnOnce() -> String) -> Verdict {
    (!is_good).then(|| (code, detail()))
}

/// A word of an open list: a type, a source, a sender.
pub(super) fn filled(word: &str) -> Verdict {
    unless(!word.trim().is_empty(), "invalid_value", || "it is empty".to_owned())
}

pub(super) fn country(code: &str) -> Verdict {
    unless(is_country(code), "invalid_value", || format!("`{}` is not an ISO 3166-1 code like IT", shown(code)))
}

pub(super) fn region(code: &str) -> Verdict {
    unless(is_region(code), "invalid_value", || format!("`{}` is not an ISO 3166-2 code like IT-55", shown(code)))
}

pub(super) fn area_code(code: &Code) -> Verdict {
    let is_whole = !code.scheme.trim().is_empty() && !code.value.trim().is_empty();
    unless(is_whole, "invalid_value", || "a code needs a scheme and a value".to_owned())
}

pub(super) fn measure_name(name: &str) -> Verdict {
    unless(!name.trim().is_empty(), "invalid_value", || "a measure needs a name".to_owned())
}

/// What a measure is compared with.
pub(super) fn operand(value: f64) -> Verdict {
    unless(value.is_finite(), "invalid_value", || format!("{value} is not a number to compare with"))
}

/// One of the entries to find in a text.
pub(super) fn entry(entry: &str) -> Verdict {
    unless(!phrases(entry).is_empty(), "invalid_value", || format!("`{}` has no word to find", shown(entry)))
}

pub(super) fn latitude(lat: f64) -> Verdict {
    let is_good = (-90.0..=90.0).contains(&lat);
    unless(is_good, "invalid_coordinates", || format!("latitude {lat} is not between -90 and 90"))
}

/// A longitude that was moved into ±180 where that was possible.
pub(super) fn longitude(lon: f64) -> Verdict {
    let is_good = (-180.0..=180.0).contains(&lon);
    unless(is_good, "invalid_coordinates", || format!("longitude {lon} is not between -180 and 180"))
}

pub(super) fn radius(km: f64) -> Verdict {
    let is_good = km > 0.0 && km <= FARTHEST_KM;
    unless(is_good, "invalid_value", || format!("{km} is not a radius above 0 and at most {FARTHEST_KM} km"))
}

/// The lower and the upper edge of a box.
pub(super) fn heights(south: f64, north: f64) -> Verdict {
    unless(south <= north, "invalid_value", || format!("south {south} is above north {north}"))
}

/// The two ends of a span of time.
pub(super) fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> Verdict {
    match (from, to) {
        (None, None) => Some(("missing_field", "`from` or `to` is needed".to_owned())),
        (Some(from), Some(to)) => unless(from <= to, "invalid_value", || "`from` is after `to`".to_owned()),
        _ => None,
    }
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_alphabetic())
}

fn is_region(code: &str) -> bool {
    code.split_once('-').is_some_and(|(country, part)| {
        is_country(country)
            && (1..=3).contains(&part.len())
            && part.bytes().all(|letter| letter.is_ascii_alphanumeric())
    })
}
