//! Builds shapes from what senders write, and repairs what can be repaired.
//!
//! A shape that leaves here lies within ±180 degrees of longitude and ±90 of latitude, its rings
//! are closed and wound as RFC 7946 says (bounds counter-clockwise, holes clockwise), and no edge
//! crosses the antimeridian. Every repair leaves a warning.

mod ring;
mod split;

use std::borrow::Cow;

use crate::envelope::Limits;
use crate::event::Warning;
use crate::geometry::{Geometry, Point, Polygon, Ring};
use crate::rejection::{Reason, Rejection};

use ring::Survey;

pub(crate) use ring::contains;

/// Half the length of a meridian circle in kilometers: no point of Earth is farther from another.
const FARTHEST_KM: f64 = 20_037.6;

/// Point tests spent on cutting one polygon, about 0.1 s.
const WORK_MAX: usize = 20_000_000;

/// Where a shape stands in its message, where its repairs are noted, and how strict to be.
struct Site<'a> {
    pointer: &'a str,
    warnings: &'a mut Vec<Warning>,
    strict: bool,
}

impl Site<'_> {
    fn warn(&mut self, code: &str, detail: impl Into<String>) {
        self.warnings.push(Warning::new(code, self.pointer, detail));
    }

    /// A shape beyond repair: refused where we are strict, else left out with a warning.
    fn beyond_repair<T>(&mut self, reason: Reason, detail: String) -> Result<Option<T>, Rejection> {
        if self.strict {
            return Err(Rejection::decode(reason, self.pointer, detail));
        }
        self.warn("shape_dropped", format!("{detail}; the shape was left out"));
        Ok(None)
    }
}

/// An area from its rings, the outer bound first, then the holes.
///
/// Repairs, each with a warning: an unclosed ring is closed, repeated points are dropped,
/// longitudes to ±360 are wrapped, an edge over more than 180 degrees of longitude is taken to
/// cross the antimeridian, and what crosses it is cut into a part on each side; a ring around a
/// pole holds that pole. A self-crossing ring is kept as it is, with a warning. `None` when there
/// is nothing to keep.
///
/// # Errors
/// When `strict`: `InvalidCoordinates` for numbers that are off the globe or not finite,
/// `InvalidGeometry` for fewer than three different points or no extent. Otherwise such a ring is
/// left out with a warning.
pub fn polygon(
    rings: Vec<Vec<Point>>,
    pointer: &str,
    warnings: &mut Vec<Warning>,
    strict: bool,
) -> Result<Option<Geometry>, Rejection> {
    let mut site = Site { pointer, warnings, strict };
    let mut rings = rings.into_iter();
    let Some(outer) = rings.next() else {
        return site.beyond_repair(Reason::InvalidGeometry, "a polygon without a ring".to_owned());
    };
    let Some((outer, mut survey)) = usable_ring(outer, &mut site)? else { return Ok(None) };
    let mut holes = Vec::new();
    for hole in rings {
        if let Some((hole, seen)) = usable_ring(hole, &mut site)? {
            survey.needs_unrolling |= seen.needs_unrolling;
            holes.push(hole);
        }
    }
    if survey.needs_unrolling {
        return across_the_antimeridian(outer, holes, &mut site);
    }
    let is_simple = !ring::crosses_itself(&outer) && !holes.iter().any(|hole| ring::crosses_itself(hole));
    if !is_simple {
        site.warn("ring_self_crossing", "a ring crosses itself; it was kept as it is");
    }
    let exterior = if survey.doubled_area < 0.0 { ring::reversed(outer) } else { outer };
    let holes = holes.into_iter().map(|hole| ring::wound(hole, false)).collect();
    Ok(Some(Geometry::Polygon(Polygon { exterior, holes })))
}

/// Closes and cleans a ring and looks it over; `None` when it was left out.
fn usable_ring(mut points: Ring, site: &mut Site<'_>) -> Result<Option<(Ring, Survey)>, Rejection> {
    if let Some(fault) = points.iter().find_map(|point| coordinate_fault(*point)) {
        return site.beyond_repair(Reason::InvalidCoordinates, fault);
    }
    if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied())
        && (first != last || points.len() == 1)
    {
        points.push(first);
        site.warn("ring_closed", "the ring did not end where it began; it was closed");
    }
    let before = points.len();
    points.dedup();
    if points.len() < before {
        site.warn("points_repeated", format!("{} repeated points were dropped", before - points.len()));
    }
    let survey = Survey::of(&points);
    let has_extent = points.len() >= 4 && (survey.doubled_area != 0.0 || survey.needs_unrolling);
    if !has_extent {
        let detail = "a ring needs at least three different points that enclose an area".to_owned();
        return site.beyond_repair(Reason::InvalidGeometry, detail);
    }
    Ok(Some((points, survey)))
}

/// What is wrong with a point, if wrapping its longitude does not help.
fn coordinate_fault(point: Point) -> Option<String> {
    let finite = point.lon.is_finite() && point.lat.is_finite();
    let on_globe = (-360.0..=360.0).contains(&point.lon) && (-90.0..=90.0).contains(&point.lat);
    if finite && on_globe {
        return None;
    }
    Some(format!("longitude {} and latitude {} are not on the globe", point.lon, point.lat))
}

/// Wraps and cuts rings of which some pass ±180 degrees.
fn across_the_antimeridian(outer: Ring, holes: Vec<Ring>, site: &mut Site<'_>) -> Result<Option<Geometry>, Rejection> {
    let Some(bound) = split::unroll(&outer) else {
        return site.beyond_repair(Reason::InvalidGeometry, "a ring goes around the globe more than once".to_owned());
    };
    if ring::crosses_itself(&bound.points) {
        site.warn("ring_self_crossing", "a ring crosses itself; it was kept as it is");
    }
    if bound.holds_pole {
        site.warn("ring_around_pole", "the ring goes around a pole; the pole was taken to be inside");
    }
    let mut rings = vec![bound.points];
    let may_place = holes.len().saturating_mul(rings[0].len()) <= WORK_MAX / 10;
    for hole in &holes {
        let placed = split::unroll(hole).filter(|_| may_place);
        match placed.and_then(|hole| split::shift_into(hole.points, &rings[0])) {
            Some(hole) => rings.push(hole),
            None => site.warn("hole_dropped", "a hole that lies outside of its polygon was left out"),
        }
    }
    let Some(parts) = split::cut(rings, WORK_MAX) else {
        return site.beyond_repair(Reason::InvalidGeometry, "the shape crosses ±180 degrees too often".to_owned());
    };
    if parts.len() > 1 {
        site.warn(
            "antimeridian_split",
            format!("the shape crosses ±180 degrees; it was cut into {} parts", parts.len()),
        );
    } else {
        site.warn("longitude_wrapped", "longitudes beyond ±180 degrees were wrapped");
    }
    let shape = Geometry::union(parts.into_iter().map(Geometry::Polygon).collect());
    match shape {
        Some(shape) => Ok(Some(shape)),
        None => site.beyond_repair(Reason::InvalidGeometry, "a ring without extent".to_owned()),
    }
}

/// All within `radius_km` kilometers of `center`; with radius 0 the point itself.
///
/// # Errors
/// When `strict`: `InvalidCoordinates` for a center off the globe, `InvalidGeometry` for a radius
/// that is negative, not a number or larger than the globe. Otherwise left out with a warning.
pub fn circle(
    center: Point,
    radius_km: f64,
    pointer: &str,
    warnings: &mut Vec<Warning>,
    strict: bool,
) -> Result<Option<Geometry>, Rejection> {
    let Some(center) = point(center, pointer, warnings, strict)? else { return Ok(None) };
    if radius_km == 0.0 {
        return Ok(Some(Geometry::Point(center)));
    }
    if !(0.0..=FARTHEST_KM).contains(&radius_km) {
        let detail = format!("a radius of {radius_km} km is not between 0 and {FARTHEST_KM}");
        return Site { pointer, warnings, strict }.beyond_repair(Reason::InvalidGeometry, detail);
    }
    Ok(Some(Geometry::Circle { center, radius_km }))
}

/// A point, its longitude wrapped into ±180 degrees.
///
/// # Errors
/// When `strict`: `InvalidCoordinates` for a point off the globe. Otherwise left out with a
/// warning.
pub fn point(
    point: Point,
    pointer: &str,
    warnings: &mut Vec<Warning>,
    strict: bool,
) -> Result<Option<Point>, Rejection> {
    let mut site = Site { pointer, warnings, strict };
    if let Some(fault) = coordinate_fault(point) {
        return site.beyond_repair(Reason::InvalidCoordinates, fault);
    }
    let wrapped = Point::new(split::wrap(point.lon), point.lat);
    if wrapped != point {
        site.warn("longitude_wrapped", format!("longitude {} was wrapped to {}", point.lon, wrapped.lon));
    }
    Ok(Some(wrapped))
}

/// Puts any shape, say one just read from GeoJSON, in order, part by part.
///
/// # Errors
/// When `strict`, as [`polygon`], [`circle`] and [`point`].
pub fn repair(
    shape: Geometry,
    pointer: &str,
    warnings: &mut Vec<Warning>,
    strict: bool,
) -> Result<Option<Geometry>, Rejection> {
    match shape {
        Geometry::Point(at) => Ok(point(at, pointer, warnings, strict)?.map(Geometry::Point)),
        Geometry::Circle { center, radius_km } => circle(center, radius_km, pointer, warnings, strict),
        Geometry::Line(points) => line(points, pointer, warnings, strict),
        Geometry::Polygon(area) => {
            let rings = std::iter::once(area.exterior).chain(area.holes).collect();
            polygon(rings, pointer, warnings, strict)
        }
        Geometry::Many(parts) => {
            let mut kept = Vec::with_capacity(parts.len());
            for part in parts {
                // A decoder never nests unions; one level is all there is to go down.
                let is_flat = !matches!(part, Geometry::Many(_));
                if let (true, Some(part)) = (is_flat, repair(part, pointer, warnings, strict)?) {
                    kept.push(part);
                }
            }
            Ok(Geometry::union(kept))
        }
    }
}

fn line(
    points: Vec<Point>,
    pointer: &str,
    warnings: &mut Vec<Warning>,
    strict: bool,
) -> Result<Option<Geometry>, Rejection> {
    let mut site = Site { pointer, warnings, strict };
    if let Some(fault) = points.iter().find_map(|point| coordinate_fault(*point)) {
        return site.beyond_repair(Reason::InvalidCoordinates, fault);
    }
    if points.len() < 2 {
        return site.beyond_repair(Reason::InvalidGeometry, "a line needs at least two points".to_owned());
    }
    if !Survey::of(&points).needs_unrolling {
        return Ok(Some(Geometry::Line(points)));
    }
    let parts = split::cut_line(&points);
    site.warn("antimeridian_split", format!("the line passes ±180 degrees; it has {} parts now", parts.len()));
    Ok(Geometry::union(parts.into_iter().map(Geometry::Line).collect()))
}

/// Judges the points of all shapes of one message together.
///
/// # Errors
/// `TooLarge` when there are more than [`Limits::vertices`].
pub fn within_limit<'a>(vertices: usize, limits: &Limits, pointer: impl Into<Cow<'a, str>>) -> Result<(), Rejection> {
    if vertices <= limits.vertices {
        return Ok(());
    }
    let detail = format!("{vertices} points of shapes; at most {} are taken in one message", limits.vertices);
    Err(Rejection::decode(Reason::TooLarge, pointer.into(), detail))
}

#[cfg(test)]
mod tests;
