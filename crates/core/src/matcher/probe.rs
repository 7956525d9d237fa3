//! One segment of an event, ready to be looked up.

use super::cell::Rect;
use super::keys::{Field, KeyId, Keys};
use super::mask::Mask;
use super::posting::{Extent, Spotted};
use super::sphere::rects_around;
use crate::filter::Subject;
use crate::geometry::{Geometry, Point};

/// Degrees from antimeridian and poles within which a point has other longitudes too.
const SEAM_DEG: f64 = 1e-5;

/// Where a segment is, as far as the index cares.
#[derive(Debug)]
pub(super) enum Whereabouts {
    /// Nowhere: no place condition holds.
    Nowhere,
    /// Anywhere: every place condition holds.
    Everywhere,
    /// At a point.
    Point(Point, Spotted),
    /// Within these spans.
    Shape(Vec<Rect>, Option<Extent>),
}

impl Whereabouts {
    /// Where a segment of an event is.
    pub(super) fn of(subject: &Subject<'_>, segment: usize) -> Self {
        match (subject.coarse_answer(segment), subject.segment(segment).geometry) {
            (Some(true), _) => Self::Everywhere,
            (Some(false), _) | (None, None) => Self::Nowhere,
            (None, Some(Geometry::Point(point))) if !is_on_seam(point) => Self::Point(*point, Spotted::new(*point)),
            (None, Some(shape)) => {
                let rects: Vec<Rect> = shape.parts().iter().flat_map(rects_of).flat_map(unseamed).collect();
                let extent = shape.points().next().and_then(|corner| Extent::new(&rects, corner));
                Self::Shape(rects, extent)
            }
        }
    }
}

fn is_on_seam(point: &Point) -> bool {
    point.lon.abs() > 180.0 - SEAM_DEG || point.lat.abs() > 90.0 - SEAM_DEG
}

/// Spans that hold a shape.
fn rects_of(shape: &Geometry) -> Vec<Rect> {
    match shape {
        Geometry::Circle { center, radius_km } => rects_around(*center, *radius_km),
        other => Rect::around(other.points()).into_iter().collect(),
    }
}

/// A span, and what is the same place on the other side of the antimeridian and around a pole.
fn unseamed(rect: Rect) -> Vec<Rect> {
    let mut rects = vec![rect];
    if rect.west < -180.0 + SEAM_DEG {
        rects.push(Rect { west: 180.0 - SEAM_DEG, east: 180.0, ..rect });
    }
    if rect.east > 180.0 - SEAM_DEG {
        rects.push(Rect { west: -180.0, east: -180.0 + SEAM_DEG, ..rect });
    }
    if rect.north > 90.0 - SEAM_DEG {
        rects.push(Rect { west: -180.0, south: 90.0 - SEAM_DEG, east: 180.0, north: 90.0 });
    }
    if rect.south < -90.0 + SEAM_DEG {
        rects.push(Rect { west: -180.0, south: -90.0, east: 180.0, north: -90.0 + SEAM_DEG });
    }
    rects
}

/// The words of a segment from closed lists.
pub(super) fn words_of(subject: &Subject<'_>, segment: usize) -> Mask {
    Mask::of_segment(subject.segment(segment), subject.event().status, subject.state())
}

/// Finds the measures of an event that filters name.
pub(super) fn find_measures(keys: &Keys, subject: &Subject<'_>, found: &mut Vec<(KeyId, f64)>) {
    found.clear();
    if keys.has(Field::Measure) {
        let measures = &subject.event().measures;
        found.extend(measures.iter().filter_map(|(name, value)| Some((keys.find(Field::Measure, name)?, *value))));
    }
}

/// Finds the keys of filters that a segment has: sorted, each once.
pub(super) fn find_keys(keys: &Keys, subject: &Subject<'_>, segment: usize, found: &mut Vec<KeyId>) {
    found.clear();
    let event = subject.event();
    let view = subject.segment(segment);
    let mut lower = String::new();
    find_name(keys, Field::Source, &event.source, &mut lower, found);
    find_name(keys, Field::Sender, &event.sender, &mut lower, found);
    if keys.has(Field::Type) {
        let kind = lowered(view.kind, &mut lower);
        let ends = kind.bytes().enumerate().filter(|(_, byte)| *byte == b'.').map(|(end, _)| end);
        found.extend(ends.chain([kind.len()]).filter_map(|end| keys.find(Field::Type, &kind[..end])));
    }
    if let Some(place) = subject.place(segment) {
        for (field, codes) in [(Field::Country, &place.countries), (Field::Region, &place.regions)] {
            if keys.has(field) {
                found.extend(codes.iter().filter_map(|code| keys.find(field, lowered(code, &mut lower))));
            }
        }
    }
    if keys.has(Field::AreaCode) {
        for code in subject.codes(segment).filter(|code| !code.scheme.contains('\n')) {
            lower.clear();
            lower.push_str(&code.scheme);
            lower.push('\n');
            lower.push_str(&code.value);
            lower.make_ascii_lowercase();
            found.extend(keys.find(Field::AreaCode, &lower));
        }
    }
    if keys.has(Field::Word) {
        keys.find_words(subject.words(segment), found);
    }
    found.sort_unstable();
    found.dedup();
}

fn lowered<'a>(text: &str, lower: &'a mut String) -> &'a str {
    lower.clear();
    lower.push_str(text);
    lower.make_ascii_lowercase();
    lower
}

/// Names differ at most in case; beyond ASCII by the lower case of the whole.
fn find_name(keys: &Keys, field: Field, name: &str, lower: &mut String, found: &mut Vec<KeyId>) {
    if keys.has(field) {
        found.extend(keys.find(field, lowered(name, lower)));
        if !name.is_ascii() {
            found.extend(keys.find(field, &name.to_lowercase()));
        }
    }
}
