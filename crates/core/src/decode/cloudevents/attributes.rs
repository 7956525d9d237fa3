//! The context attributes of an event, checked as CloudEvents 1.0.2 says.

use std::borrow::Cow;

use serde_json::Value;

use super::super::faults::{At, Faults};
use super::super::json::{Node, Object};
use super::{Draft, Reason, Rejection, Text};
use crate::time::Timestamp;

/// The checked attributes.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) subject: Option<String>,
    pub(super) time: Option<Timestamp>,
    content_type: Option<String>,
    /// Extensions and `dataschema`.
    pub(super) extensions: Vec<(String, Value)>,
}

impl Attributes {
    /// Reads the members of an object that is without its data.
    pub(super) fn read(object: Object<'_>) -> Result<Self, Rejection> {
        let mut attributes = Self::default();
        let mut faults = Faults::default();
        let mut version = None;
        for (name, node) in object.members {
            let at = At("", &name);
            if node == Node::Null {
                continue;
            }
            match &*name {
                "specversion" => version = full(node, at, &mut faults),
                "id" => attributes.id = full(node, at, &mut faults).unwrap_or_default(),
                "source" => attributes.source = full(node, at, &mut faults).unwrap_or_default(),
                "type" => attributes.kind = full(node, at, &mut faults).unwrap_or_default(),
                "subject" => attributes.subject = full(node, at, &mut faults),
                "time" => attributes.time = faults.time(node, at).map(|(time, _)| time),
                "datacontenttype" => {
                    attributes.content_type = full(node, at, &mut faults);
                    if attributes.content_type.as_deref().is_some_and(|text| !is_media_type(text)) {
                        let detail = "`datacontenttype` is a media type like application/json";
                        faults.add(Reason::InvalidField, at, detail);
                    }
                }
                "dataschema" => {
                    let schema = full(node, at, &mut faults);
                    attributes.extensions.extend(schema.map(|uri| ("dataschema".to_owned(), Value::String(uri))));
                }
                _ => attributes.extension_member(&name, node, &mut faults),
            }
        }
        let missing = [("specversion", version.is_none()), ("id", attributes.id.is_empty())];
        let missing =
            missing.into_iter().chain([("source", attributes.source.is_empty()), ("type", attributes.kind.is_empty())]);
        for (name, is_missing) in missing {
            if is_missing {
                faults.add(Reason::MissingField, At("", name), format!("an event has a `{name}`, not empty"));
            }
        }
        if version.is_some_and(|version| version != "1.0") {
            faults.add(Reason::InvalidField, "/specversion", "only `1.0` is known");
        }
        match faults.rejection() {
            Some(rejection) => Err(rejection),
            None => Ok(attributes),
        }
    }

    fn extension_member(&mut self, name: &str, node: Node<'_>, faults: &mut Faults) {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !is_name {
            let detail = "names of extensions have lower-case letters and digits only";
            faults.add(Reason::InvalidField, At("", name), detail);
            return;
        }
        let is_value = match &node {
            Node::Bool(_) | Node::Text(_) => true,
            Node::Number(number) => number.is_i64() || number.is_u64(),
            _ => false,
        };
        if !is_value {
            let detail = "the value of an extension is a text, a whole number, or true or false";
            faults.add(Reason::InvalidField, At("", name), detail);
            return;
        }
        self.extensions.push((name.to_owned(), node.into_value()));
    }

    /// The text of an extension.
    pub(super) fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_str())
    }

    /// The media type of the data without parameters; JSON when none is declared.
    pub(super) fn data_type(&self) -> Cow<'_, str> {
        match &self.content_type {
            Some(text) => text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().into(),
            None => "application/json".into(),
        }
    }

    /// True where the data is JSON by its type.
    pub(super) fn carries_json(&self) -> bool {
        let essence = self.data_type();
        essence.ends_with("/json") || essence.ends_with("+json")
    }
}

/// A text that is there and not empty.
fn full(node: Node<'_>, at: At<'_>, faults: &mut Faults) -> Option<String> {
    let text = faults.text(node, at)?;
    if text.is_empty() {
        faults.add(Reason::InvalidField, at, "must not be empty; leave the attribute out");
        return None;
    }
    Some(text)
}

/// `type/subtype` with RFC 2045 tokens, parameters after it.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Adds a description to every part.
pub(super) fn describe(draft: &mut Draft, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    for segment in &mut draft.segments {
        segment.texts.push(Text { description: Some(text.to_owned()), ..Text::default() });
    }
}
