//! Reading the JSON form, collecting every fault on the way.

use serde_json::{Map, Value};

use super::area;
use super::value::{
    bounding_box, entry, filled, instant, judged, kind, latitude, list, longitude, number, string, truth, turned,
    upper, word, words, wrong_type,
};
use crate::event::Code;
use crate::filter::keys::{KEYS, TIME_FIELDS, shown, suggestion};
use crate::filter::{Comparison, Fault, Filter, TextQuery, TimeField, check, text, value};
use crate::geometry::{BoundingBox, Point};

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

fn condition(key: &str, value: &Value, at: &str, level: usize, faults: Faults<'_>) -> Option<Filter> {
    Some(match key {
        "all" => Filter::All(filters(value, at, level, faults)?),
        "any" => Filter::Any(filters(value, at, level, faults)?),
        "not" => Filter::Not(Box::new(filter(value, at, level + 1, faults)?)),
        "category" => Filter::Category(words(value, at, faults)?),
        "type" => Filter::Type(list(value, at, faults, filled)?),
        "source" => Filter::Source(list(value, at, faults, filled)?),
        "sender" => Filter::Sender(list(value, at, faults, filled)?),
        "urgency" => Filter::Urgency(words(value, at, faults)?),
        "certainty" => Filter::Certainty(words(value, at, faults)?),
        "status" => Filter::Status(words(value, at, faults)?),
        "state" => Filter::State(words(value, at, faults)?),
        "severity_min" => severity_min(value, at, faults)?,
        "measure" => measure(value, at, faults)?,
        "text" => Filter::Text(text_query(value, at, faults)?),
        "country" => {
            Filter::Country(list(value, at, faults, |value, at, faults| upper(value, value::country, at, faults))?)
        }
        "region" => {
            Filter::Region(list(value, at, faults, |value, at, faults| upper(value, value::region, at, faults))?)
        }
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
    let name = needed(object, "name", at, faults, |value, at, faults| {
        let name = string(value, at, faults)?;
        let verdict = value::measure_name(&name);
        judged(name, verdict, at, faults)
    });
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
    let mut entries = |name| {
        optional(object, name, at, faults, |value, at, faults| list(value, at, faults, entry))
            .map(Option::unwrap_or_default)
    };
    let (any, all, none) = (entries("any"), entries("all"), entries("none"));
    Some(TextQuery { any: any?, all: all?, none: none? })
}

fn area_code(value: &Value, at: &str, faults: Faults<'_>) -> Option<Code> {
    let object = members(value, &["scheme", "value"], at, faults)?;
    let scheme = needed(object, "scheme", at, faults, string);
    let value = needed(object, "value", at, faults, string);
    let code = Code::new(scheme?, value?);
    let verdict = value::area_code(&code);
    judged(code, verdict, at, faults)
}

fn near(value: &Value, at: &str, faults: Faults<'_>) -> Option<Filter> {
    let object = members(value, &["lat", "lon", "radius_km"], at, faults)?;
    let lat = needed(object, "lat", at, faults, latitude);
    let lon = needed(object, "lon", at, faults, longitude);
    let radius_km = needed(object, "radius_km", at, faults, |value, at, faults| {
        let radius_km = number(value, at, faults)?;
        judged(radius_km, value::radius(radius_km), at, faults)
    });
    Some(Filter::Near { center: Point::new(lon?, lat?), radius_km: radius_km? })
}

fn bounds(value: &Value, at: &str, faults: Faults<'_>) -> Option<BoundingBox> {
    let Some([west, south, east, north]) =
        value.as_array().and_then(|edges| edges.first_chunk().filter(|_| edges.len() == 4))
    else {
        let detail = "a box is four numbers: west, south, east, north";
        faults.push(Fault::new(at, "invalid_type", detail));
        return None;
    };
    let mut edge =
        |index, value, read: fn(&Value, &str, Faults<'_>) -> Option<f64>| read(value, &format!("{at}/{index}"), faults);
    let (west, south) = (edge(0, west, turned), edge(1, south, latitude));
    let (east, north) = (edge(2, east, turned), edge(3, north, latitude));
    let (south, north) = (south?, north?);
    judged((), value::heights(south, north), at, faults)?;
    Some(bounding_box([west?, south, east?, north]))
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
    let (from, to) = (from?, to?);
    judged((), value::span(from, to), at, faults)?;
    Some(Filter::Time { field: field?, from, to })
}
