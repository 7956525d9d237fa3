//! Reads feeds: what is missing or odd in a member is repaired with a warning.

use std::str::FromStr;

use super::geojson;
use super::json::{Node, Object};
use crate::draft::Draft;
use crate::event::Warning;
use crate::geometry::Geometry;
use crate::rejection::{Reason, Rejection};
use crate::shape;
use crate::time::Timestamp;

/// A member that must be there.
///
/// # Errors
/// `missing_field` when it is absent, null or blank.
pub(super) fn required(object: &mut Object<'_>, name: &str, base: &str) -> Result<String, Rejection> {
    text(object, name).ok_or_else(|| {
        let detail = format!("`{name}` must be there and must be a text");
        Rejection::validate(Reason::MissingField, format!("{base}/{name}"), detail)
    })
}

/// Takes a text out, blank ones for nothing; a member of another type stays.
pub(super) fn text(object: &mut Object<'_>, name: &str) -> Option<String> {
    object.get(name)?.as_text()?;
    match object.take(name)? {
        Node::Text(text) if !text.trim().is_empty() => Some(text.into_owned()),
        _ => None,
    }
}

/// Takes a number out, also one written as text.
pub(super) fn number(object: &mut Object<'_>, name: &str) -> Option<f64> {
    let number = match object.get(name)? {
        Node::Number(number) => number.as_f64(),
        Node::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    if number.is_some() {
        object.take(name);
    }
    number
}

/// The texts of a member that is a text or a list of texts.
pub(super) fn texts<'n>(node: Option<&'n Node<'_>>) -> Vec<&'n str> {
    match node {
        Some(Node::Text(text)) => vec![text],
        Some(Node::List(items)) => items.iter().filter_map(Node::as_text).collect(),
        _ => Vec::new(),
    }
}

/// Takes a word out of its list; another word becomes `unknown` with a warning.
pub(super) fn word<W: FromStr + ToString>(
    object: &mut Object<'_>,
    name: &str,
    base: &str,
    unknown: W,
    warnings: &mut Vec<Warning>,
) -> W {
    let found = object.take(name);
    let said = found.as_ref().and_then(Node::as_text).map(str::trim).unwrap_or_default();
    said.parse().unwrap_or_else(|_| {
        let said: String = said.chars().take(64).collect();
        let detail = format!("`{said}` is not in the list; {} was used", unknown.to_string());
        warnings.push(Warning::new("enum_unknown", format!("{base}/{name}"), detail));
        unknown
    })
}

/// Takes a time out; its text is kept where it names another offset or cannot be read.
pub(super) fn time(object: &mut Object<'_>, name: &str, base: &str, draft: &mut Draft) -> Option<Timestamp> {
    let node = object.take(name)?;
    let Node::Text(text) = node else {
        let detail = format!("a time is a text, not {}; it was left out", node.kind());
        draft.warnings.push(Warning::new("time_unreadable", format!("{base}/{name}"), detail));
        return None;
    };
    let read = Timestamp::parse(text.trim());
    if let Err(fault) = &read {
        let detail = format!("{fault}; it was kept as text");
        draft.warnings.push(Warning::new("time_unreadable", format!("{base}/{name}"), detail));
    }
    if read.is_err() || !text.ends_with('Z') {
        draft.time_texts.insert(name.to_owned(), text.into_owned());
    }
    read.ok()
}

/// A time in milliseconds since 1970; beyond the years 1 to 9999 there is none.
pub(super) fn millis(number: f64) -> Option<Timestamp> {
    let range = Timestamp::MIN.as_millis() as f64..=Timestamp::MAX.as_millis() as f64;
    range.contains(&number).then(|| Timestamp::from_millis(number as i64))
}

/// The shape of a feature, repaired.
pub(super) fn geometry(feature: &mut Object<'_>, warnings: &mut Vec<Warning>) -> Option<Geometry> {
    let node = feature.take("geometry")?;
    let read = node.as_object().map_or_else(|| Err("a geometry is an object".to_owned()), geojson::geometry);
    match read {
        Ok(geometry) => shape::repair(geometry?, "/geometry", warnings, false).ok().flatten(),
        Err(detail) => {
            let detail = format!("{detail}; the shape was left out");
            warnings.push(Warning::new("shape_dropped", "/geometry", detail));
            None
        }
    }
}
