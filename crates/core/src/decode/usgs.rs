//! Earthquakes of the US Geological Survey as GeoJSON (earthquake.usgs.gov feeds), and mirrors of it.

use bytes::Bytes;

use super::json::{Node, Object};
use super::{lenient, severity};
use crate::draft::{Draft, Format, ThreadKey};
use crate::event::{Area, Code, Link, Segment};
use crate::geometry::{Geometry, Point};
use crate::rejection::{Reason, Rejection};
use crate::shape;
use crate::vocabulary::{Category, Certainty, GeometryOrigin, SeverityOrigin, Urgency};

/// Measures by the names of the feed and ours: magnitude, shaking as modeled and as felt (MMI),
/// reports, significance, stations, largest gap between them and nearest one in degrees, residual
/// in seconds.
const MEASURES: &[(&str, &str)] = &[
    ("mag", "magnitude"),
    ("mmi", "mmi"),
    ("cdi", "cdi"),
    ("felt", "felt"),
    ("sig", "significance"),
    ("nst", "stations"),
    ("gap", "gap_deg"),
    ("dmin", "nearest_station_deg"),
    ("rms", "rms_s"),
];

/// True for a feature of this feed or of a mirror that dropped most of it.
pub(super) fn claims(properties: &Object<'_>) -> bool {
    let is_of_usgs =
        |name: &str| properties.get(name).and_then(Node::as_text).is_some_and(|url| url.contains("usgs.gov"));
    properties.has("mag")
        && properties.has("time")
        && (is_of_usgs("url") || is_of_usgs("detail") || properties.has("ids"))
}

/// Reads one earthquake.
///
/// # Errors
/// Without an id or a time.
pub(super) fn read(mut feature: Object<'_>, raw: Bytes, media_type: &str) -> Result<Draft, Rejection> {
    let mut draft = Draft::new(Format::Usgs, media_type, raw);
    let mut segment = Segment { certainty: Certainty::Observed, urgency: Urgency::Past, ..Segment::default() };
    let hypocenter = feature.take("geometry");
    if let Some(node) = &hypocenter {
        locate(node, &mut segment, &mut draft);
    }
    let outer_id = lenient::text(&mut feature, "id");
    let Some(Node::Object(mut quake)) = feature.take("properties") else {
        return Err(Rejection::validate(Reason::MissingField, "/properties", "an earthquake has `properties`"));
    };
    let url = lenient::text(&mut quake, "url");
    let from_url = || url.as_deref().and_then(|url| url.trim_end_matches('/').rsplit('/').next()).map(str::to_owned);
    let Some(id) = outer_id.or_else(from_url) else {
        let detail = "an earthquake has an `id`, or a `url` that ends with it";
        return Err(Rejection::validate(Reason::MissingField, "/id", detail));
    };
    draft.occurred = lenient::number(&mut quake, "time").and_then(lenient::millis);
    if draft.occurred.is_none() {
        let detail = "an earthquake has a `time` in milliseconds since 1970";
        return Err(Rejection::validate(Reason::InvalidTime, "/properties/time", detail));
    }
    draft.updated = lenient::number(&mut quake, "updated").and_then(lenient::millis);
    draft.native_version = draft.updated.or(draft.occurred).map(|time| time.as_millis().to_string());
    name(&mut quake, id, &mut draft);
    for (theirs, ours) in MEASURES {
        if let Some(number) = lenient::number(&mut quake, theirs) {
            draft.measures.insert((*ours).to_owned(), number);
        }
    }
    classify(&mut quake, &mut segment, &mut draft);

    let links = [("web", url), ("detail", lenient::text(&mut quake, "detail"))];
    draft.links = links.into_iter().filter_map(|(rel, href)| Some(Link { rel: rel.to_owned(), href: href? })).collect();
    if let Some(description) = lenient::text(&mut quake, "place") {
        segment.areas.push(Area { description, ..Area::default() });
    }
    draft.title = lenient::text(&mut quake, "title");
    draft.segments.push(segment);
    draft.extra = quake.into_map();
    draft.extra.retain(|_, value| !value.is_null());
    Ok(draft)
}

/// Epicenter and depth: the third coordinate is kilometers downward.
fn locate(node: &Node<'_>, segment: &mut Segment, draft: &mut Draft) {
    let coordinates = match node.as_object().and_then(|geometry| geometry.get("coordinates")) {
        Some(Node::List(items)) => items.iter().map(Node::as_number).collect::<Vec<_>>(),
        Some(Node::Pair(pair)) => pair.numbers.map(Some).to_vec(),
        _ => Vec::new(),
    };
    if let [Some(lon), Some(lat), ..] = coordinates[..] {
        let point = shape::point(Point::new(lon, lat), "/geometry", &mut draft.warnings, false).ok().flatten();
        segment.geometry = point.map(Geometry::Point);
        segment.geometry_origin = if point.is_some() { GeometryOrigin::Point } else { GeometryOrigin::None };
    }
    if let Some(Some(depth_km)) = coordinates.get(2) {
        draft.measures.insert("depth_km".to_owned(), *depth_km);
    }
}

/// Its ids: any of them leads to its thread.
fn name(quake: &mut Object<'_>, id: String, draft: &mut Draft) {
    let listed = lenient::text(quake, "ids").unwrap_or_default();
    let mut names = vec![id.as_str()];
    for other in listed.split(',').map(str::trim).filter(|other| !other.is_empty()) {
        if !names.contains(&other) {
            names.push(other);
            draft.related.push(Code::new("usgs", other));
        }
    }
    draft.thread_keys = names.iter().map(|name| ThreadKey { scheme: "usgs", value: (*name).to_owned() }).collect();
    // Without a network (a mirror) the id's letters name it: `ci41145728`.
    let letters = || id.chars().take_while(char::is_ascii_alphabetic).collect();
    draft.sender = lenient::text(quake, "net").unwrap_or_else(letters);
    draft.native_id = Some(id);
}

fn classify(quake: &mut Object<'_>, segment: &mut Segment, draft: &mut Draft) {
    let kind = lenient::text(quake, "type").unwrap_or_else(|| "earthquake".to_owned());
    segment.category = Category::Earthquake;
    segment.kind = match kind.as_str() {
        "earthquake" => kind.clone(),
        other => format!("earthquake.{}", other.to_lowercase().replace([' ', '-', '.'], "_")),
    };
    draft.codes.push(Code::new("usgs:type", kind));
    draft.codes.extend(lenient::text(quake, "magType").map(|kind| Code::new("usgs:mag_type", kind)));
    if quake.get("tsunami").and_then(Node::as_number) == Some(1.0) {
        draft.codes.push(Code::new("usgs:tsunami", "1"));
    }
    let alert = lenient::text(quake, "alert");
    let (severity, native) = severity::of_quake(alert.as_deref(), &draft.measures);
    (segment.severity, draft.severity_native) = (severity, native);
    draft.severity_origin = SeverityOrigin::Inferred;
    // A mirror without `status` may hold either; it counts as not reviewed.
    let status = quake.get("status").and_then(Node::as_text).unwrap_or_default();
    draft.confidence = Some(if status == "reviewed" { 0.95 } else { 0.6 });
    draft.retracted = status == "deleted";
}

#[cfg(test)]
mod tests;
