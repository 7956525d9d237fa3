//! What issuers say in parameters.

use serde_json::{Map, Value};

use super::ids::references;
use super::message::SHORT_LIST;
use super::read::Info;
use crate::draft::{Draft, ThreadKey};
use crate::event::Code;
use crate::time::Timestamp;
use crate::vocabulary::Category;

/// Parameters of all info blocks by name, and what some issuers say in them.
pub(super) fn read(infos: &[Info<'_>], draft: &mut Draft) {
    let mut all = infos.iter().flat_map(|info| &info.parameters).peekable();
    if all.peek().is_none() {
        return;
    }
    let mut parameters = Map::new();
    for (name, value) in all {
        add_parameter(&mut parameters, name, value);
    }
    let first = |name: &str| parameters.get(name)?.as_array()?.first()?.as_str();
    if let (Some(kind), Some(id)) = (first("eventtype"), first("eventid")) {
        // GDACS numbers its happenings; each message is an episode of one.
        let value = format!("{kind}{id}");
        draft.related.push(Code::new("gdacs", value.clone()));
        if draft.native_id.as_deref().is_some_and(|id| id.starts_with("GDACS_")) {
            draft.thread_keys.push(ThreadKey { scheme: "gdacs", value });
        }
    }
    draft.related.extend(first("glide").map(|glide| Code::new("glide", glide)));
    for text in parameters.get("expiredReferences").and_then(Value::as_array).into_iter().flatten() {
        let expired = references(text.as_str().unwrap_or_default()).ids;
        draft.related.extend(expired.into_iter().map(|id| Code::new("cap:expired_reference", id)));
    }
    for (name, measure) in MEASURES {
        if let Some(number) = first(name).and_then(leading_number) {
            draft.measures.entry((*measure).to_owned()).or_insert(number);
        }
    }
    if first("eventtype") == Some("EQ") {
        let strength = first("severity").unwrap_or_default();
        for (word, measure) in [("Magnitude", "magnitude"), ("Depth:", "depth_km")] {
            if let Some(number) = number_after(strength, word) {
                draft.measures.entry(measure.to_owned()).or_insert(number);
            }
        }
    }
    let said = ["EventTime", "EventOriginTime"].into_iter().find_map(first).and_then(origin_time);
    if let Some(quake) = draft.segments.iter().find(|part| part.category == Category::Earthquake) {
        draft.occurred = said.or(quake.onset);
    }
    draft.extra.insert("parameters".to_owned(), Value::Object(parameters));
}

/// Adds a value under its name, once as far as a short list tells: languages repeat them.
fn add_parameter(parameters: &mut Map<String, Value>, name: &str, value: &str) {
    if let Some(Value::Array(values)) = parameters.get_mut(name) {
        let is_known = values.iter().take(SHORT_LIST).any(|known| known == value);
        if !is_known {
            values.push(value.into());
        }
    } else {
        parameters.insert(name.to_owned(), Value::Array(vec![value.into()]));
    }
}

/// Parameters of seismic and tsunami centers that are numbers with a known unit.
const MEASURES: &[(&str, &str)] = &[
    ("Magnitude", "magnitude"),
    ("EventPreliminaryMagnitude", "magnitude"),
    ("Depth", "depth_km"),
    ("EventDepth", "depth_km"),
];

/// The number that a text begins with, if what follows is no unit but kilometers.
fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
    let unit = text[end..].trim_start().to_ascii_lowercase();
    let is_known = unit.is_empty() || unit == "km" || unit.starts_with("km ") || unit.starts_with("kilomet");
    text[..end].parse().ok().filter(|number: &f64| is_known && number.is_finite())
}

/// The number after a word: 5 in `Magnitude 5M, Depth:596.851km`.
fn number_after(text: &str, word: &str) -> Option<f64> {
    let rest = text.split_once(word)?.1.trim_start();
    let end = rest.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-')).unwrap_or(rest.len());
    rest[..end].parse().ok().filter(|number: &f64| number.is_finite())
}

/// When a quake began: as CAP writes times, or without any separators, `20110906T013357.600Z`.
fn origin_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    let is_compact = text.is_ascii() && text.len() >= 16 && text.as_bytes()[8] == b'T';
    let part = |from: usize, to: usize| &text[from..to];
    let spelled = is_compact.then(|| {
        let (date, clock) = ([part(0, 4), part(4, 6), part(6, 8)].join("-"), [part(9, 11), part(11, 13)].join(":"));
        format!("{date}T{clock}:{}", &text[13..])
    });
    Timestamp::parse(&spelled?).ok()
}
