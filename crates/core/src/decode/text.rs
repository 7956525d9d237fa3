//! Plain text: the body is what happened, headers say the rest (the habit of ntfy).

use bytes::Bytes;

use super::json::{self, Node, Object};
use super::native;
use crate::draft::{Draft, Format};
use crate::event::Text;
use crate::rejection::{Reason, Rejection};

/// Parameters that may stand beside a text, by their names in the native form.
const TEXTS: &[&str] =
    &["id", "thread", "source", "title", "category", "type", "severity", "urgency", "certainty", "occurred"];
const NUMBERS: &[&str] = &["lat", "lon", "radius_km", "magnitude"];
/// Most letters of a first line that is taken for a title.
const TITLE_LETTERS: usize = 160;

/// Reads a text with its parameters, which `headers` hold by name.
///
/// # Errors
/// An empty text, or a parameter that the native form would refuse.
pub(super) fn read(body: &Bytes, headers: &[(String, String)]) -> Result<Draft, Rejection> {
    let text = json::text(body)?.trim();
    if text.is_empty() {
        return Err(Rejection::decode(Reason::EmptyBatch, "", "the text is empty; say what happened"));
    }
    let mut object = Object::default();
    for (name, value) in headers {
        let name = name.strip_prefix("x-").unwrap_or(name);
        if object.has(name) {
            continue;
        }
        let node = if TEXTS.contains(&name) {
            Node::Text(value.trim().into())
        } else if NUMBERS.contains(&name) {
            let number = value.trim().parse().ok().and_then(serde_json::Number::from_f64);
            number.map_or_else(|| Node::Text(value.as_str().into()), Node::Number)
        } else {
            continue;
        };
        object.members.push((name.into(), node));
    }
    let first_line = text.lines().next().unwrap_or_default().trim();
    let is_all_title = !object.has("title") && text == first_line && text.chars().count() <= TITLE_LETTERS;
    if !object.has("title") {
        let title: String = first_line.chars().take(TITLE_LETTERS).collect();
        object.members.push(("title".into(), Node::Text(title.into())));
    }
    let mut draft = native::read(Node::Object(object), body.clone(), "text/plain")?;
    draft.format = Format::Text;
    if !is_all_title {
        let said = Text { description: Some(text.to_owned()), ..Text::default() };
        draft.segments.iter_mut().for_each(|segment| segment.texts.push(said.clone()));
    }
    Ok(draft)
}
