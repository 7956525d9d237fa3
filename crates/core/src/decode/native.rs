//! Our own JSON (CONTRACT section 2): strict where a mistake would mislead, open to any member.

mod part;
mod shape;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::faults::{At, Faults};
use super::json::{Fault, Node, Object, Parser};
use crate::draft::{Draft, Format, ThreadKey};
use crate::event::{Code, Segment};
use crate::id::UserId;
use crate::rejection::{Reason, Rejection};
use crate::time::Timestamp;
use crate::vocabulary::Action;

/// Names that only an event of ours would have together with a title.
const TELLING: &[&str] = &[
    "texts",
    "category",
    "severity",
    "urgency",
    "certainty",
    "occurred",
    "sent",
    "onset",
    "expires",
    "ends",
    "lat",
    "lon",
    "radius_km",
    "magnitude",
    "measures",
    "thread",
    "audience",
    "segments",
    "areas",
    "severity_native",
];
/// Names that many forms of JSON have.
const COMMON: &[&str] = &["id", "title", "source", "type", "status", "action", "geometry", "updated", "links", "extra"];

/// True for an object that is surely meant as our own form.
pub(super) fn claims(object: &Object<'_>) -> bool {
    let is_titled = object.has("title") || object.has("texts");
    let is_ours = |(name, _): &(std::borrow::Cow<'_, str>, Node<'_>)| is_in(TELLING, name) || is_in(COMMON, name);
    is_titled && (object.members.iter().any(|(name, _)| is_in(TELLING, name)) || object.members.iter().all(is_ours))
}

/// True for an object that may be meant as our own form, so that what it lacks can be told.
pub(super) fn resembles(object: &Object<'_>) -> bool {
    object.has("title") || object.members.iter().any(|(name, _)| is_in(TELLING, name))
}

fn is_in(list: &[&str], name: &str) -> bool {
    list.contains(&name)
}

/// Reads one item of our own JSON.
pub(super) fn read(node: Node<'_>, raw: Bytes, media_type: &str) -> Result<Draft, Rejection> {
    let Node::Object(object) = node else {
        let detail = format!("an event is a JSON object, not {}", node.kind());
        return Err(Rejection::decode(Reason::InvalidField, "", detail));
    };
    let mut draft = Draft::new(Format::Native, media_type, raw);
    let mut item = Item::new(&mut draft);
    for (name, node) in object.members {
        item.member(&name, node);
    }
    item.finish()?;
    Ok(draft)
}

/// Reads the item that is next straight from its text into an empty draft. False for anything but
/// a good item of our own JSON: then the parser is somewhere within, and the item is to be read
/// again as a whole.
pub(super) fn stream(parser: &mut Parser<'_>, draft: &mut Draft) -> Result<bool, Fault> {
    let mut item = Item::new(draft);
    let is_read = parser.each_member(|name, node| {
        let is_foreign = match &*name {
            "specversion" | "features" => true,
            "type" => matches!(node.as_text(), Some("Feature" | "FeatureCollection")),
            _ => false,
        };
        if !is_foreign {
            item.member(&name, node);
        }
        !is_foreign
    })?;
    Ok(is_read && item.finish().is_ok())
}

/// One item while it is read.
struct Item<'d> {
    draft: &'d mut Draft,
    faults: Faults,
    part: part::Part,
    /// What the item says as a whole: its one segment, or what its segments inherit.
    whole: Vec<Segment>,
    thread: Option<String>,
    has_severity: bool,
}

impl<'d> Item<'d> {
    fn new(draft: &'d mut Draft) -> Self {
        let (faults, part) = (Faults::default(), part::Part::default());
        Self { draft, faults, part, whole: vec![Segment::default()], thread: None, has_severity: false }
    }

    fn member(&mut self, name: &str, node: Node<'_>) {
        let (draft, faults, whole) = (&mut *self.draft, &mut self.faults, &mut self.whole[0]);
        match name {
            "id" => draft.native_id = faults.name(node, "/id"),
            "thread" => self.thread = faults.name(node, "/thread"),
            "source" => draft.sender = faults.text(node, "/source").unwrap_or_default(),
            "action" => draft.action = faults.word(node, "/action"),
            "status" => draft.status = faults.word(node, "/status").unwrap_or(draft.status),
            "title" => draft.title = faults.text(node, "/title"),
            "codes" => draft.codes = part::codes(node, "/codes", faults),
            "severity" => {
                self.has_severity = node != Node::Null;
                self.part.member(whole, name, node, "", faults, draft);
            }
            "severity_origin" => {
                draft.severity_origin = faults.word(node, "/severity_origin").unwrap_or(draft.severity_origin)
            }
            "severity_native" => draft.severity_native = part::code(node, "/severity_native", faults),
            "confidence" => self.confidence(node),
            "occurred" => self.time(name, "/occurred", node, |draft, time| draft.occurred = time),
            "sent" => self.time(name, "/sent", node, |draft, time| draft.sent = time),
            "updated" => self.time(name, "/updated", node, |draft, time| draft.updated = time),
            "measures" => self.measures(node),
            "magnitude" => {
                if let Some(magnitude) = faults.number(node, "/magnitude") {
                    draft.measures.insert("magnitude".to_owned(), magnitude);
                }
            }
            "links" => draft.links = part::links(node, "/links", faults),
            "references" => draft.references = faults.texts(node, "/references"),
            "related" => draft.related = part::codes(node, "/related", faults),
            "audience" => self.audience(node),
            "segments" => {
                for (index, segment) in faults.list(node, "/segments").into_iter().enumerate() {
                    let pointer = format!("/segments/{index}");
                    if let Some(segment) = part::segment(segment, &pointer, faults, draft) {
                        draft.segments.push(segment);
                    }
                }
            }
            "extra" => match node {
                Node::Object(object) => draft.extra.extend(object.into_map()),
                Node::Null => {}
                other => drop(draft.extra.insert(name.to_owned(), other.into_value())),
            },
            _ => {
                if let Some(node) = self.part.member(whole, name, node, "", faults, draft) {
                    draft.extra.insert(name.to_owned(), node.into_value());
                }
            }
        }
    }

    fn time(&mut self, name: &str, pointer: &str, node: Node<'_>, set: fn(&mut Draft, Option<Timestamp>)) {
        if let Some((time, text)) = self.faults.time(node, pointer) {
            set(self.draft, Some(time));
            if let Some(text) = text {
                self.draft.time_texts.insert(name.to_owned(), text);
            }
        }
    }

    fn confidence(&mut self, node: Node<'_>) {
        self.draft.confidence = self.faults.number(node, "/confidence");
        if self.draft.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
            self.faults.add(Reason::InvalidField, "/confidence", "confidence is a number from 0 to 1");
        }
    }

    fn measures(&mut self, node: Node<'_>) {
        match node {
            Node::Object(object) => {
                for (name, node) in object.members {
                    match node {
                        Node::Number(number) => {
                            self.draft.measures.insert(name.into_owned(), number.as_f64().unwrap_or_default());
                        }
                        Node::Null => {}
                        other => self.faults.wrong(At("/measures", &name), "a number", &other),
                    }
                }
            }
            Node::Null => {}
            other => self.faults.wrong("/measures", "an object of numbers", &other),
        }
    }

    fn audience(&mut self, node: Node<'_>) {
        if node == Node::Null {
            return;
        }
        let mut users: Vec<UserId> = Vec::new();
        for (index, name) in self.faults.texts(node, "/audience").into_iter().enumerate() {
            match name.parse() {
                Ok(user) => users.push(user),
                Err(_) => {
                    let detail = format!("`{name}` is not a user id of the form usr_…");
                    self.faults.add(Reason::InvalidField, format!("/audience/{index}"), detail);
                }
            }
        }
        self.draft.audience = Some(users);
    }

    fn finish(self) -> Result<(), Rejection> {
        let Self { draft, mut faults, part, mut whole, thread, has_severity } = self;
        part.finish(&mut whole[0], "", &mut faults, &mut draft.warnings);
        let is_silent = draft.title.as_ref().is_none_or(|title| title.trim().is_empty())
            && whole[0].texts.is_empty()
            && draft.segments.iter().all(|segment| segment.texts.is_empty());
        // A message that ends or takes back something known needs no words of its own.
        let names_known = draft.action.is_some_and(|action| !matches!(action, Action::New))
            && (thread.is_some() || draft.native_id.is_some() || !draft.references.is_empty());
        if is_silent && !names_known {
            faults.add(Reason::MissingField, "/title", "an event needs a `title` or `texts`");
        }
        if let Some(rejection) = faults.rejection() {
            return Err(rejection);
        }
        if !has_severity {
            super::severity::infer_native(draft, &mut whole[0]);
        }
        draft.native_version = draft.updated.or(draft.sent).map(|time| time.to_string());
        if let Some(name) = thread.or_else(|| draft.native_id.clone()) {
            draft.thread_keys.push(ThreadKey { scheme: "thread", value: name });
        }
        if draft.segments.is_empty() {
            draft.segments = whole;
        } else {
            inherit(&mut draft.segments, &whole[0]);
        }
        Ok(())
    }
}

/// Gives the segments what the item says as a whole.
fn inherit(segments: &mut [Segment], whole: &Segment) {
    let plain = Segment::default();
    for segment in segments {
        if segment.category == plain.category && segment.kind == plain.kind {
            (segment.category, segment.kind) = (whole.category, whole.kind.clone());
        }
        if segment.severity == plain.severity {
            segment.severity = whole.severity;
        }
        if segment.urgency == plain.urgency {
            segment.urgency = whole.urgency;
        }
        if segment.certainty == plain.certainty {
            segment.certainty = whole.certainty;
        }
        segment.onset = segment.onset.or(whole.onset);
        segment.expires = segment.expires.or(whole.expires);
        segment.ends = segment.ends.or(whole.ends);
        segment.effective = segment.effective.or(whole.effective);
        if segment.geometry.is_none() && segment.areas.is_empty() {
            segment.geometry.clone_from(&whole.geometry);
            segment.geometry_origin = whole.geometry_origin;
            segment.areas.clone_from(&whole.areas);
        }
        if segment.texts.is_empty() {
            segment.texts.clone_from(&whole.texts);
        }
    }
}

/// Members of nested objects that we have no field for, kept under the same name in `extra`.
fn keep(extra: &mut Map<String, Value>, name: &str, left: Vec<(String, Value)>) {
    if !left.is_empty() {
        extra.insert(name.to_owned(), Value::Object(left.into_iter().collect()));
    }
}

#[cfg(test)]
mod tests;
