//! What a filter may not be: too large, or impossible to hold.

use crate::geometry::{BoundingBox, Geometry};

use super::compile::is_combination;
use super::json::{pointers, written_bytes};
use super::value::{self, Verdict};
use super::words::phrases;
use super::{Fault, Filter};

/// Bytes of a filter as written.
pub const FILTER_BYTES_MAX: usize = 256 << 10;
/// How deep `all`, `any` and `not` may stand in each other.
pub const DEPTH_MAX: usize = 16;
/// Ways to match, after everything is written as "this and this, or that and that".
pub const CONJUNCTIONS_MAX: usize = 64;
/// Conditions in a filter, and words to find in it.
pub const TERMS_MAX: usize = 100;
/// Corners of all `within` areas.
pub const VERTICES_MAX: usize = 10_000;

/// Every fault of a filter, each with its place in the filter's JSON form.
pub(super) fn check(filter: &Filter) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    limits(filter, "", &mut faults);
    if faults.is_empty() {
        pointers(filter, &mut |condition, pointer| values(condition, pointer, &mut faults));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Reads a filter that was written with so many bytes, within every limit.
pub(super) fn whole(bytes: usize, read: impl FnOnce(&mut Vec<Fault>) -> Option<Filter>) -> Result<Filter, Vec<Fault>> {
    size(bytes)?;
    let mut faults = Vec::new();
    let filter = read(&mut faults);
    if let Some(filter) = &filter {
        limits(filter, "", &mut faults);
    }
    let filter = filter.filter(|_| faults.is_empty()).ok_or(faults)?;
    // It is stored in the JSON form, which must be readable again; that has at most a few times
    // the bytes of any other.
    if bytes > FILTER_BYTES_MAX / 8 {
        size(written_bytes(&filter.to_json()))?;
    }
    Ok(filter)
}

fn size(bytes: usize) -> Result<(), Vec<Fault>> {
    if bytes <= FILTER_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("the filter has {bytes} bytes; at most {FILTER_BYTES_MAX} are taken");
    Err(vec![Fault::new("", "too_large", detail)])
}

/// Adds a fault for each limit that the whole filter is over.
pub(super) fn limits(filter: &Filter, pointer: &str, faults: &mut Vec<Fault>) {
    let depth = depth(filter);
    if depth > DEPTH_MAX {
        let detail = format!("`all`, `any` and `not` stand {depth} deep in each other; at most {DEPTH_MAX} are taken");
        faults.push(Fault::new(pointer, "too_deep", detail));
        return;
    }
    let (ways, _) = ways(filter);
    if ways > CONJUNCTIONS_MAX {
        let detail =
            format!("the filter has {ways} ways to match when written out; at most {CONJUNCTIONS_MAX} are taken");
        faults.push(Fault::new(pointer, "too_many_conjunctions", detail));
    }
    let mut counted = Counted::default();
    counted.add(filter);
    for (count, most, code, of) in [
        (counted.conditions, TERMS_MAX, "too_many_terms", "conditions"),
        (counted.words, TERMS_MAX, "too_many_terms", "words to find"),
        (counted.vertices, VERTICES_MAX, "too_many_vertices", "corners of areas"),
    ] {
        if count > most {
            let detail = format!("the filter has {count} {of}; at most {most} are taken");
            faults.push(Fault::new(pointer, code, detail));
        }
    }
}

/// How deep combinations stand in each other; stops counting one beyond what is allowed twice over.
fn depth(filter: &Filter) -> usize {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => 1 + parts.iter().map(depth).max().unwrap_or_default(),
        Filter::Not(inner) => 1 + depth(inner),
        _ => 0,
    }
}

/// How many conjunctions the filter has when expanded, and how many its contrary has.
fn ways(filter: &Filter) -> (usize, usize) {
    let sum = |ways: &mut dyn Iterator<Item = usize>| ways.fold(0, usize::saturating_add);
    // What never holds counts as one, or it would hide how much the rest expands to.
    let product =
        |ways: &mut dyn Iterator<Item = usize>| ways.fold(1_usize, |product, ways| product.saturating_mul(ways.max(1)));
    match filter {
        Filter::All(parts) => {
            let ways: Vec<_> = parts.iter().map(ways).collect();
            (product(&mut ways.iter().map(|way| way.0)), sum(&mut ways.iter().map(|way| way.1)))
        }
        Filter::Any(parts) => {
            let ways: Vec<_> = parts.iter().map(ways).collect();
            (sum(&mut ways.iter().map(|way| way.0)), product(&mut ways.iter().map(|way| way.1)))
        }
        Filter::Not(inner) => {
            let (holds, fails) = ways(inner);
            (fails, holds)
        }
        _ => (1, 1),
    }
}

#[derive(Debug, Default)]
struct Counted {
    conditions: usize,
    words: usize,
    vertices: usize,
}

impl Counted {
    fn add(&mut self, filter: &Filter) {
        self.conditions += usize::from(!is_combination(filter));
        match filter {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| self.add(part)),
            Filter::Not(inner) => self.add(inner),
            Filter::Text(query) => {
                let entries = query.lists().into_iter().flat_map(|(_, entries)| entries);
                self.words +=
                    entries.map(|entry| phrases(entry).iter().map(|phrase| phrase.len()).sum::<usize>()).sum::<usize>();
            }
            Filter::Within(area) => self.vertices += area.parts().iter().map(corners).sum::<usize>(),
            _ => {}
        }
    }
}

/// Corners of a polygon; the closing point of a ring is its first once more.
fn corners(part: &Geometry) -> usize {
    match part {
        Geometry::Polygon(polygon) => {
            let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
            rings.map(|ring| ring.len().saturating_sub(1)).sum()
        }
        _ => 0,
    }
}

/// Adds every fault in the values of one condition, which stands at `pointer`.
pub(super) fn values(condition: &Filter, pointer: &str, faults: &mut Vec<Fault>) {
    let mut fault = |below: &str, code, detail: String| {
        faults.push(Fault::new(format!("{pointer}{below}"), code, detail));
    };
    if list_len(condition) == Some(0) {
        fault("", "empty_list", "at least one is needed".to_owned());
    }
    let mut judge = |below: &str, verdict: Verdict| {
        if let Some((code, detail)) = verdict {
            fault(below, code, detail);
        }
    };
    match condition {
        Filter::Type(words) | Filter::Source(words) | Filter::Sender(words) => {
            each(words, |below, word| judge(below, value::filled(word)));
        }
        Filter::Country(codes) => each(codes, |below, code| judge(below, value::country(code))),
        Filter::Region(codes) => each(codes, |below, code| judge(below, value::region(code))),
        Filter::AreaCode(codes) => each(codes, |below, code| judge(below, value::area_code(code))),
        Filter::Measure { name, value, .. } => {
            judge("/name", value::measure_name(name));
            judge("/value", value::operand(*value));
        }
        Filter::Text(query) => {
            if query.lists().iter().all(|(_, entries)| entries.is_empty()) {
                fault("", "empty_list", "there is no word to find".to_owned());
                return;
            }
            for (name, entries) in query.lists() {
                for (index, entry) in entries.iter().enumerate() {
                    let below = if query.as_line().is_some() { String::new() } else { format!("/{name}/{index}") };
                    judge(&below, value::entry(entry));
                }
            }
        }
        Filter::Near { center, radius_km } => {
            judge("/lat", value::latitude(center.lat));
            judge("/lon", value::longitude(center.lon));
            judge("/radius_km", value::radius(*radius_km));
        }
        Filter::Bbox(BoundingBox([west, south, east, north])) => {
            judge("/0", value::longitude(*west));
            judge("/1", value::latitude(*south));
            judge("/2", value::longitude(*east));
            judge("/3", value::latitude(*north));
            judge("", value::heights(*south, *north));
        }
        Filter::Within(area) => area_values(area, &mut fault),
        Filter::Time { from, to, .. } => judge("", value::span(*from, *to)),
        _ => {}
    }
}

fn area_values(area: &Geometry, fault: &mut dyn FnMut(&str, &'static str, String)) {
    let is_area = |part: &Geometry| matches!(part, Geometry::Polygon(_));
    if area.parts().is_empty() || !area.parts().iter().all(is_area) {
        fault("/type", "invalid_geometry", "an area is a Polygon or a MultiPolygon".to_owned());
    } else if let Some(point) = area.points().find(|point| !point.is_on_earth()) {
        let detail = format!("longitude {} and latitude {} are not on the globe", point.lon, point.lat);
        fault("/coordinates", "invalid_coordinates", detail);
    }
}

/// Calls `look` with each item and its place below the list; a list of one is written as the item.
fn each<T>(items: &[T], mut look: impl FnMut(&str, &T)) {
    for (index, item) in items.iter().enumerate() {
        look(&if items.len() == 1 { String::new() } else { format!("/{index}") }, item);
    }
}

/// How long a condition's list is; `None` for those without a list.
const fn list_len(condition: &Filter) -> Option<usize> {
    Some(match condition {
        Filter::Any(list) => list.len(),
        Filter::Category(list) => list.len(),
        Filter::Type(list)
        | Filter::Source(list)
        | Filter::Sender(list)
        | Filter::Country(list)
        | Filter::Region(list) => list.len(),
        Filter::Urgency(list) => list.len(),
        Filter::Certainty(list) => list.len(),
        Filter::Status(list) => list.len(),
        Filter::State(list) => list.len(),
        Filter::AreaCode(list) => list.len(),
        _ => return None,
    })
}
