//! CloudEvents 1.0: structured JSON, batches, and the binary mode of the HTTP binding.

mod attributes;
mod binary;

use std::borrow::Cow;

use base64::Engine;
use bytes::Bytes;

use super::json::{Node, Object, Parser};
use super::{features, lenient, native};
use crate::draft::{Draft, Format, ThreadKey};
use crate::event::{Code, Segment, Text, Warning};
use crate::geometry::{Geometry, Point};
use crate::rejection::{Reason, Rejection};
use crate::shape;
use crate::vocabulary::{Category, GeometryOrigin, Severity};

use attributes::Attributes;
pub(super) use binary::from_headers;

/// The media type of one event in structured mode.
pub(super) const MEDIA_TYPE: &str = "application/cloudevents+json";

/// What an event carries.
pub(super) enum Data<'a> {
    /// Nothing.
    None,
    /// A JSON value.
    Json(Node<'a>),
    /// Anything else, as the bytes it is.
    Bytes(Bytes),
}

/// A checked event before its data is read.
pub(super) struct Occurrence<'a> {
    attributes: Attributes,
    pub(super) data: Data<'a>,
}

/// True for an object in structured mode.
pub(super) fn claims(object: &Object<'_>) -> bool {
    object.has("specversion")
}

/// Checks an event in structured mode.
///
/// # Errors
/// Every attribute that breaks the specification.
pub(super) fn structured<'a>(node: Node<'a>) -> Result<Occurrence<'a>, Rejection> {
    let Node::Object(mut object) = node else {
        let detail = format!("a CloudEvent is a JSON object, not {}", node.kind());
        return Err(Rejection::decode(Reason::InvalidField, "", detail));
    };
    let (data, encoded) = (object.take("data"), object.take("data_base64"));
    let attributes = Attributes::read(object)?;
    let data = match (data, encoded) {
        (Some(_), Some(_)) => {
            let detail = "an event has `data` or `data_base64`, not both";
            return Err(Rejection::validate(Reason::InvalidField, "/data_base64", detail));
        }
        (None, Some(node)) => Data::Bytes(decoded(&node)?),
        (Some(Node::Text(text)), None) if !attributes.carries_json() => Data::Bytes(text.into_owned().into()),
        (Some(node), None) => Data::Json(node),
        (None, None) => Data::None,
    };
    Ok(Occurrence { attributes, data })
}

fn decoded(node: &Node<'_>) -> Result<Bytes, Rejection> {
    let bytes = node.as_text().and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    let fault = || Rejection::validate(Reason::InvalidField, "/data_base64", "`data_base64` is base64 text (RFC 4648)");
    bytes.map(Bytes::from).ok_or_else(fault)
}

impl<'a> Occurrence<'a> {
    /// The declared media type of its data, without parameters, in lower case.
    pub(super) fn data_type(&self) -> Cow<'_, str> {
        self.attributes.data_type()
    }

    /// The event itself, for data that is no feed's message.
    pub(super) fn into_draft(self, raw: Bytes, media_type: &str, depth: usize) -> Draft {
        let Self { attributes, data } = self;
        match data {
            Data::Json(node) => attributes.with_json(node, raw, media_type),
            Data::Bytes(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) if attributes.carries_json() => match Parser::document(text, depth) {
                    Ok(node) => attributes.with_json(node, raw, media_type),
                    Err(rejection) => {
                        let mut draft = attributes.plain(raw, media_type);
                        draft.warnings.push(Warning::new("data_unreadable", "/data", rejection.detail));
                        draft
                    }
                },
                Ok(text) => {
                    let mut draft = attributes.plain(raw, media_type);
                    attributes::describe(&mut draft, text);
                    draft
                }
                // The bytes stay in the raw form.
                Err(_) => attributes.plain(raw, media_type),
            },
            Data::None => attributes.plain(raw, media_type),
        }
    }
}

impl Attributes {
    /// Data in our own form is read as such; of any other, title and place are taken where they
    /// have the names of our form.
    fn with_json(self, node: Node<'_>, raw: Bytes, media_type: &str) -> Draft {
        let mut warning = None;
        if let Node::Object(object) = &node
            && native::claims(object)
        {
            match native::read(node.clone(), raw.clone(), media_type) {
                Ok(draft) => return self.around(draft),
                Err(fault) => warning = Some(Warning::new("data_not_native", "/data", fault.to_string())),
            }
        }
        let mut draft = self.plain(raw, media_type);
        draft.warnings.extend(warning);
        if let Node::Object(mut object) = node.clone() {
            place(&mut object, &mut draft);
            let title =
                ["title", "headline", "message", "summary"].iter().find_map(|name| lenient::text(&mut object, name));
            draft.title = title.or(draft.title);
            if let Some(text) = lenient::text(&mut object, "description") {
                attributes::describe(&mut draft, &text);
            }
        }
        if let Node::Text(text) = &node {
            attributes::describe(&mut draft, text);
        }
        draft.extra.insert("data".to_owned(), node.into_value());
        draft
    }

    /// The event's id and source name a message in our own form, whatever it says itself.
    fn around(self, mut draft: Draft) -> Draft {
        draft.format = Format::CloudEvents;
        draft.native_version = None;
        if draft.native_id.as_ref() != Some(&self.id) {
            draft.thread_keys.push(ThreadKey { scheme: "thread", value: self.id.clone() });
        }
        draft.native_id = Some(self.id);
        draft.sender = self.source;
        draft.sent = draft.sent.or(self.time);
        draft.codes.push(Code::new("ce:type", self.kind));
        for (name, value) in self.extensions {
            draft.extra.entry(name).or_insert(value);
        }
        draft
    }

    /// The event with nothing but its attributes.
    fn plain(&self, raw: Bytes, media_type: &str) -> Draft {
        let mut draft = Draft::new(Format::CloudEvents, media_type, raw);
        let mut segment = Segment { kind: self.kind.clone(), category: self.category(), ..Segment::default() };
        segment.severity = self.extension("severity").and_then(|word| word.parse().ok()).unwrap_or(Severity::Unknown);
        draft.native_id = Some(self.id.clone());
        draft.sender.clone_from(&self.source);
        draft.sent = self.time;
        draft.thread_keys.push(ThreadKey { scheme: "thread", value: self.id.clone() });
        draft.codes.push(Code::new("ce:type", &self.kind));
        draft.title = Some(match &self.subject {
            Some(subject) => format!("{}: {subject}", self.kind),
            None => self.kind.clone(),
        });
        draft.segments.push(segment);
        draft.extra.extend(self.extensions.iter().cloned());
        draft
    }

    /// By extension, else by a word of the type: `org.example.earthquake.detected`.
    fn category(&self) -> Category {
        let given = self.extension("category").and_then(|word| word.parse().ok());
        let named = || self.kind.split(['.', '/', ':']).find_map(|word| word.parse().ok());
        given.or_else(named).unwrap_or(Category::Other)
    }
}

/// A point under the names of our form, where the numbers are sound.
fn place(object: &mut Object<'_>, draft: &mut Draft) {
    let (Some(lat), Some(lon)) = (lenient::number(object, "lat"), lenient::number(object, "lon")) else { return };
    let point = shape::point(Point::new(lon, lat), "/data/lat", &mut draft.warnings, false).ok().flatten();
    if let (Some(point), Some(segment)) = (point, draft.segments.first_mut()) {
        segment.geometry = Some(Geometry::Point(point));
        segment.geometry_origin = GeometryOrigin::Point;
    }
}

/// True for data that is one or many features of a feed.
pub(super) fn carries_features(data: &Data<'_>) -> bool {
    matches!(data, Data::Json(Node::Object(object)) if features::claims(object))
}

#[cfg(test)]
mod tests;
