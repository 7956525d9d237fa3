//! What an event says as a whole: the worst of its parts, the union of their times and places.

use std::cmp::Reverse;

use crate::event::{Segment, Text};
use crate::geometry::Geometry;
use crate::time::Timestamp;

/// Most letters of a title that is made from a text.
const TITLE_LETTERS: usize = 160;

/// The worst part: not ended, then by severity, urgency and certainty, then the first.
pub(super) fn worst(segments: &[Segment]) -> Option<&Segment> {
    segments.iter().min_by_key(|segment| {
        (segment.ended, Reverse(segment.severity), Reverse(segment.urgency), Reverse(segment.certainty))
    })
}

/// The earliest of a time of all parts.
pub(super) fn earliest(segments: &[Segment], time: fn(&Segment) -> Option<Timestamp>) -> Option<Timestamp> {
    segments.iter().filter_map(time).min()
}

/// The latest of a time of all parts.
pub(super) fn latest(segments: &[Segment], time: fn(&Segment) -> Option<Timestamp>) -> Option<Timestamp> {
    segments.iter().filter_map(time).max()
}

/// The union of the parts' shapes, each once.
pub(super) fn union(segments: &[Segment]) -> Option<Geometry> {
    let mut parts: Vec<Geometry> = Vec::new();
    for part in segments.iter().filter_map(|segment| segment.geometry.as_ref()).flat_map(Geometry::parts) {
        if !parts.contains(part) {
            parts.push(part.clone());
        }
    }
    Geometry::union(parts)
}

/// A title from what there is: a headline, the name of the happening with its area, the first line
/// of a description. Empty when there is nothing, as in a message that only refers to others.
pub(super) fn title(worst: Option<&Segment>) -> String {
    let Some(segment) = worst else { return String::new() };
    let said = |pick: fn(&Text) -> &Option<String>| {
        segment.texts.iter().filter_map(|text| pick(text).as_deref()).map(str::trim).find(|text| !text.is_empty())
    };
    if let Some(headline) = said(|text| &text.headline) {
        return shortened(headline);
    }
    if let Some(name) =
        segment.event.as_deref().map(str::trim).filter(|name| !name.is_empty()).or(said(|text| &text.event))
    {
        let area = segment.areas.iter().map(|area| area.description.trim()).find(|area| !area.is_empty());
        return shortened(&area.map_or_else(|| name.to_owned(), |area| format!("{name}: {area}")));
    }
    let first_line = said(|text| &text.description).or(said(|text| &text.instruction));
    shortened(first_line.and_then(|text| text.lines().next()).unwrap_or_default())
}

/// On one line, cut at a word where it is long.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().nth(TITLE_LETTERS).is_none() {
        return line;
    }
    let cut: String = line.chars().take(TITLE_LETTERS - 1).collect();
    let at_word = cut.rfind(' ').filter(|at| *at > TITLE_LETTERS / 2).unwrap_or(cut.len());
    format!("{}…", &cut[..at_word])
}
