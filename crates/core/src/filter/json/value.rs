//! Reading single values of the JSON form, each with its fault where it stands.

use std::str::FromStr;

use serde_json::Value;

use super::read::Faults;
use crate::filter::Fault;
use crate::filter::keys::suggestion;
use crate::filter::value::{self, Verdict};
use crate::geometry::BoundingBox;
use crate::time::Timestamp;

pub(super) fn wrong_type<T>(value: &Value, wanted: &str, at: &str, faults: Faults<'_>) -> Option<T> {
    faults.push(Fault::new(at, "invalid_type", format!("{wanted} is needed here, not {}", kind(value))));
    None
}

/// One item, or a list of them.
pub(super) fn list<T>(
    value: &Value,
    at: &str,
    faults: Faults<'_>,
    read: impl Fn(&Value, &str, Faults<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::Array(items) = value else { return read(value, at, faults).map(|one| vec![one]) };
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        list.extend(read(item, &format!("{at}/{index}"), faults));
    }
    (list.len() == items.len()).then_some(list)
}

pub(super) fn string(value: &Value, at: &str, faults: Faults<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        other => wrong_type(other, "a text", at, faults),
    }
}

/// What was read, where it is a value that may stand there.
pub(super) fn judged<T>(found: T, verdict: Verdict, at: &str, faults: Faults<'_>) -> Option<T> {
    match verdict {
        None => Some(found),
        Some((code, detail)) => {
            faults.push(Fault::new(at, code, detail));
            None
        }
    }
}

pub(super) fn filled(value: &Value, at: &str, faults: Faults<'_>) -> Option<String> {
    let word = string(value, at, faults)?;
    let verdict = value::filled(&word);
    judged(word, verdict, at, faults)
}

pub(super) fn upper(value: &Value, judge: fn(&str) -> Verdict, at: &str, faults: Faults<'_>) -> Option<String> {
    let code = string(value, at, faults)?;
    judged(code.to_uppercase(), judge(&code), at, faults)
}

pub(super) fn entry(value: &Value, at: &str, faults: Faults<'_>) -> Option<String> {
    let entry = string(value, at, faults)?;
    let verdict = value::entry(&entry);
    judged(entry, verdict, at, faults)
}

/// Words of a closed list.
pub(super) fn words<T: Word>(value: &Value, at: &str, faults: Faults<'_>) -> Option<Vec<T>> {
    list(value, at, faults, word)
}

pub(super) fn word<T: Word>(value: &Value, at: &str, faults: Faults<'_>) -> Option<T> {
    let text = string(value, at, faults)?;
    T::read(&text).map_err(|detail| faults.push(Fault::new(at, "invalid_enum", detail))).ok()
}

/// A word of a closed list.
pub(in crate::filter) trait Word: Sized {
    /// Reads it, or says what would be right.
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! word {
    ($($name:ident)*) => {$(
        impl Word for crate::vocabulary::$name {
            fn read(text: &str) -> Result<Self, String> {
                let hint = || suggestion(text, Self::ALL.iter().map(|word| word.as_str()));
                Self::from_str(text).map_err(|error| format!("{error}{}", hint()))
            }
        }
    )*};
}
word! { Category Urgency Certainty Status State Severity }

pub(super) fn number(value: &Value, at: &str, faults: Faults<'_>) -> Option<f64> {
    match value.as_f64() {
        Some(number) => Some(number),
        None => wrong_type(value, "a number", at, faults),
    }
}

pub(super) fn latitude(value: &Value, at: &str, faults: Faults<'_>) -> Option<f64> {
    let lat = number(value, at, faults)?;
    judged(lat, value::latitude(lat), at, faults)
}

/// A longitude, moved into ±180.
pub(super) fn longitude(value: &Value, at: &str, faults: Faults<'_>) -> Option<f64> {
    let lon = wrapped(number(value, at, faults)?);
    judged(lon, value::longitude(lon), at, faults)
}

pub(super) fn truth(value: &Value, at: &str, faults: Faults<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        other => wrong_type(other, "true or false", at, faults),
    }
}

/// A longitude to ±360 moved into ±180.
pub(in crate::filter) fn wrapped(lon: f64) -> f64 {
    if lon > 180.0 && lon <= 360.0 {
        lon - 360.0
    } else if (-360.0..-180.0).contains(&lon) {
        lon + 360.0
    } else {
        lon
    }
}

/// A longitude as it stands, once it can be moved into ±180.
pub(super) fn turned(value: &Value, at: &str, faults: Faults<'_>) -> Option<f64> {
    longitude(value, at, faults)?;
    value.as_f64()
}

/// A box with its longitudes moved into ±180; one of a whole turn is all longitudes.
pub(in crate::filter) fn bounding_box([west, south, east, north]: [f64; 4]) -> BoundingBox {
    let is_whole_turn = east - west >= 360.0 && [west, east].iter().all(|lon| lon.abs() <= 360.0);
    let (west, east) = if is_whole_turn { (-180.0, 180.0) } else { (wrapped(west), wrapped(east)) };
    BoundingBox([west, south, east, north])
}

pub(super) fn instant(value: &Value, at: &str, faults: Faults<'_>) -> Option<Timestamp> {
    let text = string(value, at, faults)?;
    Timestamp::parse(&text).map_err(|error| faults.push(Fault::new(at, "invalid_time", error.to_string()))).ok()
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
