//! Reading the JSON form, collecting every fault on the way.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::area;
use crate::event::Code;
use crate::filter::keys::{KEYS, TIME_FIELDS, shown, suggestion};
use crate::filter::{Comparison, Fault, Filter, TextQuery, TimeField, check, text};
use crate::geometry::{BoundingBox, Point};
use crate::time::Timestamp;

/// JSON nested deeper is not looked at; the exact limit is judged on what was read.
const LEVELS_MAX: usize = 64;

pub(super) type Faults<'a> = &'a mut Vec<Fault>;

/// Reads a filter that stands at `pointer`; `None` adds at least one fault.
pub(super) fn filter(value: &Value, pointer: &str, level: usize, faults: Faults<'_>) -> Option<Filter> {
    if level > LEVELS_MAX {
        let detail = format!("filters stand more than {} deep in each other", check::DEPTH_MAX);
        faults.push(Fault::new(pointer, "too_deep", detail));
        return None;
    }
    let object = match value {
        Value::String(line) => return text::read(line, pointer, faults),
        Value::Object(object) => object,
        other => {
            let detail = format!("a filter is an object or a text, not {}", kind(other));
            faults.push(Fault::new(pointer, "invalid_type", detail));
            return None;
        }
    };
    let mut keys: Vec<&String> = object.keys().collect();
    keys.sort_unstable();
    let mut parts = Vec::with_capacity(keys.len());
    let mut is_whole = true;
    for key in keys {
        let pointer = format!("{pointer}/{}", escaped(key));
        let before = faults.len();
        let part = condition(key, &object[key], &pointer, level, faults);
        match part {
            Some(part) if faults.len() == before => {
                check::values(&part, &pointer, faults);
                parts.push(part);
            }
            _ => is_whole = false,
        }
    }
    let only = if parts.len() == 1 { parts.pop() } else { None };
    is_whole.then(|| only.unwrap_or(Filter::All(parts)))
}

/// A key as it stands in a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    shown(key).replace('~', "~0").replace('/', "~1")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn condition(key: &str, value: &Value, at: &str, level: usize, faults: Faults<'_>) -> Option<Filter> {
    Some(match key {
        "all" => Filter::All(filters(value, at, level, faults)?),
        "any" => Filter::Any(filters(value, at, level, faults)?),
        "not" => Filter::Not(Box::new(filter(value, at, level + 1, faults)?)),
        "category" => Filter::Category(words(value, at, faults)?),
        "type" => Filter::Type(strings(value, at, faults)?),
        "source" => Filter::Source(strings(value, at, faults)?),
        "sender" => Filter::Sender(strings(value, at, faults)?),
        "urgency" => Filter::Urgency(words(value, at, faults)?),
        "certainty" => Filter::Certainty(words(value, at, faults)?),
        "status" => Filter::Status(words(value, at, faults)?),
        "state" => Filter::State(words(value, at, faults)?),
        "severity_min" => severity_min(value, at, faults)?,
        "measure" => measure(value, at, faults)?,
        "text" => Filter::Text(text_query(value, at, faults)?),
        "country" => Filter::Country(codes(value, at, faults)?),
        "region" => Filter::Region(codes(value, at, faults)?),
        "area_code" => Filter::AreaCode(list(value, at, faults, area_code)?),
        "near" => near(value, at, faults)?,
        "bbox" => Filter::Bbox(bounds(value, at, faults)?),
        "within" => Filter::Within(area::read(value, at, faults)?),
        "time" => time(value, at, faults)?,
        other => {
            let detail = format!("`{}` is not a key of a filter{}", shown(other), key_hint(other));
            faults.push(Fault::new(at, "unknown_key", detail));
            return None;
        }
    })
}

fn key_hint(key: &str) -> String {
    match key {
        "and" => "; did you mean `all`?".to_owned(),
        "or" => "; did you mean `any`?".to_owned(),
        "severity" => "; did you mean `severity_min`?".to_owned(),
        "q" | "query" => "; did you mean `text`?".to_owned(),
        "polygon" | "geometry" => "; did you mean `within`?".to_owned(),
        "magnitude" => "; did you mean `measure` with the name `magnitude`?".to_owned(),
        _ => suggestion(key, KEYS.iter().copied()),
    }
}

fn filters(value: &Value, at: &str, level: usize, faults: Faults<'_>) -> Option<Vec<Filter>> {
    let Value::Array(items) = value else { return wrong_type(value, "a list of filters", at, faults) };
    let mut parts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        parts.extend(filter(item, &format!("{at}/{index}"), level + 1, faults));
    }
    (parts.len() == items.len()).then_some(parts)
}

pub(super) fn wrong_type<T>(value: &Value, wanted: &str, at: &str, faults: Faults<'_>) -> Option<T> {
    faults.push(Fault::new(at, "invalid_type", format!("{wanted} is needed here, not {}", kind(value))));
    None
}

/// One item, or a list of them.
fn list<T>(
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

fn strings(value: &Value, at: &str, faults: Faults<'_>) -> Option<Vec<String>> {
    list(value, at, faults, string)
}

fn codes(value: &Value, at: &str, faults: Faults<'_>) -> Option<Vec<String>> {
    list(value, at, faults, |value, at, faults| Some(string(value, at, faults)?.to_uppercase()))
}

/// Words of a closed list.
fn words<T: Word>(value: &Value, at: &str, faults: Faults<'_>) -> Option<Vec<T>> {
    list(value, at, faults, word)
}

fn word<T: Word>(value: &Value, at: &str, faults: Faults<'_>) -> Option<T> {
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

/// The members of an object, with a fault for each that is not `known`.
pub(super) fn members<'a>(
    value: &'a Value,
    known: &[&str],
    at: &str,
    faults: Faults<'_>,
) -> Option<&'a Map<String, Value>> {
    let Value::Object(object) = value else { return wrong_type(value, "an object", at, faults) };
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let hint = suggestion(key, known.iter().copied());
        let detail = format!("`{}` is not one of {}{hint}", shown(key), known.join(", "));
        faults.push(Fault::new(format!("{at}/{}", escaped(key)), "unknown_key", detail));
    }
    Some(object)
}

/// A member that must be there.
pub(super) fn needed<T>(
    object: &Map<String, Value>,
    name: &str,
    at: &str,
    faults: Faults<'_>,
    read: impl Fn(&Value, &str, Faults<'_>) -> Option<T>,
) -> Option<T> {
    match object.get(name) {
        Some(value) => read(value, &format!("{at}/{name}"), faults),
        None => {
            faults.push(Fault::new(format!("{at}/{name}"), "missing_field", format!("`{name}` is needed")));
            None
        }
    }
}

/// A member that may be missing; the outer `None` is a fault.
#[expect(clippy::option_option, reason = "a fault and a missing member are different answers")]
fn optional<T>(
    object: &Map<String, Value>,
    name: &str,
    at: &str,
    faults: Faults<'_>,
    read: impl Fn(&Value, &str, Faults<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match object.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => read(value, &format!("{at}/{name}"), faults).map(Some),
    }
}

fn number(value: &Value, at: &str, faults: Faults<'_>) -> Option<f64> {
    match value.as_f64() {
        Some(number) => Some(number),
        None => wrong_type(value, "a number", at, faults),
    }
}

fn truth(value: &Value, at: &str, faults: Faults<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        other => wrong_type(other, "true or false", at, faults),
    }
}

fn severity_min(value: &Value, at: &str, faults: Faults<'_>) -> Option<Filter> {
    if value.is_string() {
        return Some(Filter::SeverityMin { at_least: word(value, at, faults)?, unknown: None });
    }
    let object = members(value, &["at_least", "unknown"], at, faults)?;
    let at_least = needed(object, "at_least", at, faults, word);
    let unknown = optional(object, "unknown", at, faults, truth);
    Some(Filter::SeverityMin { at_least: at_least?, unknown: unknown? })
}

fn measure(value: &Value, at: &str, faults: Faults<'_>) -> Option<Filter> {
    let object = members(value, &["name", "op", "value"], at, faults)?;
    let name = needed(object, "name", at, faults, string);
    let op = needed(object, "op", at, faults, |value, at, faults| {
        let sign = string(value, at, faults)?;
        let op = Comparison::from_sign(&sign);
        if op.is_none() {
            let detail = format!("`{}` is not one of = != < <= > >=", shown(&sign));
            faults.push(Fault::new(at, "invalid_enum", detail));
        }
        op
    });
    let value = needed(object, "value", at, faults, number);
    Some(Filter::Measure { name: name?, op: op?, value: value? })
}

fn text_query(value: &Value, at: &str, faults: Faults<'_>) -> Option<TextQuery> {
    if let Value::String(line) = value {
        return Some(TextQuery::all_of(line));
    }
    let object = members(value, &["any", "all", "none"], at, faults)?;
    let mut entries = |name| optional(object, name, at, faults, strings).map(Option::unwrap_or_default);
    let (any, all, none) = (entries("any"), entries("all"), entries("none"));
    Some(TextQuery { any: any?, all: all?, none: none? })
}

fn area_code(value: &Value, at: &str, faults: Faults<'_>) -> Option<Code> {
    let object = members(value, &["scheme", "value"], at, faults)?;
    let scheme = needed(object, "scheme", at, faults, string);
    let value = needed(object, "value", at, faults, string);
    Some(Code::new(scheme?, value?))
}

fn near(value: &Value, at: &str, faults: Faults<'_>) -> Option<Filter> {
    let object = members(value, &["lat", "lon", "radius_km"], at, faults)?;
    let lat = needed(object, "lat", at, faults, number);
    let lon = needed(object, "lon", at, faults, number);
    let radius_km = needed(object, "radius_km", at, faults, number);
    Some(Filter::Near { center: Point::new(wrapped(lon?), lat?), radius_km: radius_km? })
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

fn bounds(value: &Value, at: &str, faults: Faults<'_>) -> Option<BoundingBox> {
    let numbers = list(value, at, faults, number)?;
    let Ok(bounds) = <[f64; 4]>::try_from(numbers) else {
        let detail = "a box is four numbers: west, south, east, north";
        faults.push(Fault::new(at, "invalid_type", detail));
        return None;
    };
    Some(bounding_box(bounds))
}

/// A box with its longitudes moved into ±180; one of a whole turn is all longitudes.
pub(in crate::filter) fn bounding_box([west, south, east, north]: [f64; 4]) -> BoundingBox {
    let is_whole_turn = east - west >= 360.0 && [west, east].iter().all(|lon| lon.abs() <= 360.0);
    let (west, east) = if is_whole_turn { (-180.0, 180.0) } else { (wrapped(west), wrapped(east)) };
    BoundingBox([west, south, east, north])
}

fn time(value: &Value, at: &str, faults: Faults<'_>) -> Option<Filter> {
    let object = members(value, &["field", "from", "to"], at, faults)?;
    let field = needed(object, "field", at, faults, |value, at, faults| {
        let name = string(value, at, faults)?;
        let field = TimeField::from_name(&name);
        if field.is_none() {
            let names: Vec<&str> = TIME_FIELDS.iter().map(|(name, _)| *name).collect();
            let hint = suggestion(&name, names.iter().copied());
            let detail = format!("`{}` is not one of {}{hint}", shown(&name), names.join(", "));
            faults.push(Fault::new(at, "invalid_enum", detail));
        }
        field
    });
    let from = optional(object, "from", at, faults, instant);
    let to = optional(object, "to", at, faults, instant);
    Some(Filter::Time { field: field?, from: from?, to: to? })
}

fn instant(value: &Value, at: &str, faults: Faults<'_>) -> Option<Timestamp> {
    let text = string(value, at, faults)?;
    Timestamp::parse(&text).map_err(|error| faults.push(Fault::new(at, "invalid_time", error.to_string()))).ok()
}
