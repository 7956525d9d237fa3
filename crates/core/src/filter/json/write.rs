//! Writing the JSON form.

use serde_json::{Map, Value, json};

use crate::event::Code;
use crate::filter::Filter;
use crate::geometry::{Geometry, Point};

pub(super) fn filter(filter: &Filter) -> Value {
    match filter {
        Filter::All(parts) if is_one_object(parts) => {
            Value::Object(parts.iter().map(|part| (part.key().to_owned(), value(part))).collect())
        }
        other => single(other.key(), value(other)),
    }
}

/// Several conditions are one object when reading it, key by key in order of the alphabet, gives
/// them back.
fn is_one_object(parts: &[Filter]) -> bool {
    parts.len() != 1 && parts.windows(2).all(|pair| pair[0].key() < pair[1].key())
}

fn single(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

fn value(condition: &Filter) -> Value {
    match condition {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().map(filter).collect(),
        Filter::Not(inner) => filter(inner),
        Filter::Category(words) => list(words, |word| json!(word)),
        Filter::Type(words)
        | Filter::Source(words)
        | Filter::Sender(words)
        | Filter::Country(words)
        | Filter::Region(words) => list(words, |word| json!(word)),
        Filter::Urgency(words) => list(words, |word| json!(word)),
        Filter::Certainty(words) => list(words, |word| json!(word)),
        Filter::Status(words) => list(words, |word| json!(word)),
        Filter::State(words) => list(words, |word| json!(word)),
        Filter::SeverityMin { at_least, unknown: None } => json!(at_least),
        Filter::SeverityMin { at_least, unknown } => json!({"at_least": at_least, "unknown": unknown}),
        Filter::Measure { name, op, value } => json!({"name": name, "op": op.as_str(), "value": number(*value)}),
        Filter::Text(query) => query.as_line().map_or_else(
            || {
                let lists = query.lists().into_iter().filter(|(_, entries)| !entries.is_empty());
                Value::Object(lists.map(|(name, entries)| (name.to_owned(), json!(entries))).collect())
            },
            Value::String,
        ),
        Filter::AreaCode(codes) => list(codes, |Code { scheme, value }| json!({"scheme": scheme, "value": value})),
        Filter::Near { center, radius_km } => {
            json!({"lat": number(center.lat), "lon": number(center.lon), "radius_km": number(*radius_km)})
        }
        Filter::Bbox(bounds) => bounds.0.iter().map(|degrees| number(*degrees)).collect(),
        Filter::Within(area) => within(area),
        Filter::Time { field, from, to } => {
            let mut span = Map::from_iter([("field".to_owned(), json!(field.as_str()))]);
            for (name, time) in [("from", from), ("to", to)] {
                if let Some(time) = time {
                    span.insert(name.to_owned(), json!(time));
                }
            }
            Value::Object(span)
        }
    }
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Value {
    match items {
        [one] => write(one),
        many => many.iter().map(write).collect(),
    }
}

/// Whole numbers without a fraction, as people write them.
pub(in crate::filter) fn number(value: f64) -> Value {
    let is_whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
    if is_whole { json!(value as i64) } else { json!(value) }
}

/// GeoJSON with every digit of the coordinates.
fn within(area: &Geometry) -> Value {
    let ring = |points: &Vec<Point>| -> Value {
        points.iter().map(|point| json!([number(point.lon), number(point.lat)])).collect()
    };
    let rings = |part: &Geometry| -> Value {
        match part {
            Geometry::Polygon(polygon) => std::iter::once(&polygon.exterior).chain(&polygon.holes).map(ring).collect(),
            _ => Value::Null,
        }
    };
    match area {
        Geometry::Many(parts) => {
            json!({"type": "MultiPolygon", "coordinates": parts.iter().map(rings).collect::<Value>()})
        }
        single => json!({"type": "Polygon", "coordinates": rings(single)}),
    }
}

/// Calls `visit` with each condition and where it stands in the JSON form, in the order of the
/// filter.
pub(in crate::filter) fn pointers(filter: &Filter, visit: &mut dyn FnMut(&Filter, &str)) {
    walk(filter, "", visit);
}

fn walk(filter: &Filter, object: &str, visit: &mut dyn FnMut(&Filter, &str)) {
    match filter {
        Filter::All(parts) if is_one_object(parts) => {
            parts.iter().for_each(|part| walk_member(part, object, visit));
        }
        other => walk_member(other, object, visit),
    }
}

/// Visits what stands under its key in the object at `object`.
fn walk_member(member: &Filter, object: &str, visit: &mut dyn FnMut(&Filter, &str)) {
    let pointer = format!("{object}/{}", member.key());
    match member {
        Filter::All(parts) | Filter::Any(parts) => {
            if parts.is_empty() {
                visit(member, &pointer);
            }
            for (index, part) in parts.iter().enumerate() {
                walk(part, &format!("{pointer}/{index}"), visit);
            }
        }
        Filter::Not(inner) => walk(inner, &pointer, visit),
        condition => visit(condition, &pointer),
    }
}
