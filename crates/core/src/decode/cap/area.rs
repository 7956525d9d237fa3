//! Where: polygons, circles and codes of one segment.

mod coordinates;

use super::notes::Notes;
use super::read::{self, Pair};
use crate::envelope::Limits;
use crate::event::{Area, Code};
use crate::geometry::{Geometry, Point, Ring};
use crate::rejection::Rejection;
use crate::shape;
use crate::vocabulary::GeometryOrigin;

/// Meters in a foot; CAP gives heights in feet.
const FOOT_M: f64 = 0.3048;
/// Point tests spent on finding the polygon of each hole.
const HOLE_TESTS_MAX: usize = 20_000_000;

/// The areas of a segment and the union of their shapes.
pub(super) struct Places {
    pub(super) areas: Vec<Area>,
    pub(super) geometry: Option<Geometry>,
    pub(super) origin: GeometryOrigin,
}

/// The shapes of one area as written: latitude before longitude, not yet judged.
#[derive(Default)]
struct Shapes {
    rings: Vec<Ring>,
    holes: Vec<Ring>,
    circles: Vec<(Point, f64)>,
}

/// Reads the areas of one segment. `vertices` counts the points of the whole message.
///
/// # Errors
/// `TooLarge` for more points than the limit; nothing else: a shape that cannot be read is left
/// out with a warning, as its codes and its name still say where.
pub(super) fn read_areas(
    written: &[read::Area<'_>],
    pointer: &str,
    vertices: &mut usize,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Places, Rejection> {
    let mut areas = Vec::with_capacity(written.len());
    let mut shapes = Vec::with_capacity(written.len());
    for (index, area) in written.iter().enumerate() {
        let read = read_shapes(area, pointer, index, notes);
        let points = |rings: &[Ring]| rings.iter().map(Vec::len).sum::<usize>();
        *vertices += points(&read.rings) + points(&read.holes) + read.circles.len();
        shape::within_limit(*vertices, limits, pointer)?;
        shapes.push(read);
        areas.push(described(area, pointer, index, notes));
    }
    if let Some(detail) = swap_axes(&mut shapes) {
        notes.warn("axes_swapped", pointer, detail);
    }
    let mut parts = Vec::new();
    for (index, shapes) in shapes.into_iter().enumerate() {
        build(shapes, pointer, index, &mut parts, notes)?;
    }
    let origin = origin_of(&parts);
    Ok(Places { areas, geometry: Geometry::union(parts), origin })
}

fn place_pointer(pointer: &str, index: usize) -> String {
    format!("{pointer}/areas/{index}")
}

fn described(area: &read::Area<'_>, pointer: &str, index: usize, notes: &mut Notes) -> Area {
    let mut meters = |feet: &read::Said<'_>, name: &str| {
        let text = feet.as_deref()?;
        // Centimeters are closer than any sender knows.
        let meters =
            text.parse().ok().filter(|feet: &f64| feet.is_finite()).map(|feet| (feet * FOOT_M * 100.0).round() / 100.0);
        if meters.is_none() {
            let detail =
                format!("the {name} `{}` is no number of feet; it was left out", crate::decode::xml::shorten(text));
            notes.warn("height_unreadable", &place_pointer(pointer, index), detail);
        }
        meters
    };
    Area {
        altitude_m: meters(&area.altitude, "altitude"),
        ceiling_m: meters(&area.ceiling, "ceiling"),
        description: area.description.as_deref().unwrap_or_default().to_owned(),
        codes: codes(&area.geocodes),
    }
}

fn is_hole(geocode: &Pair<'_>) -> bool {
    geocode.0 == "EXCLUDE_POLYGON"
}

/// The codes of an area; some senders put a list of them into one value.
fn codes(geocodes: &[Pair<'_>]) -> Vec<Code> {
    let mut codes = Vec::with_capacity(geocodes.len());
    for geocode in geocodes.iter().filter(|geocode| !is_hole(geocode)) {
        let (scheme, value) = geocode;
        if matches!(&**scheme, "SAME" | "UGC" | "FIPS6") {
            codes.extend(value.split_ascii_whitespace().map(|value| Code::new(&**scheme, value)));
        } else {
            codes.push(Code::new(&**scheme, &**value));
        }
    }
    codes
}

fn read_shapes(area: &read::Area<'_>, pointer: &str, index: usize, notes: &mut Notes) -> Shapes {
    let mut ring = |text: &str| {
        let read = coordinates::ring(text);
        match &read {
            Some((_, true)) => {}
            Some((_, false)) => {
                let detail =
                    "the points are not written as `latitude,longitude` with spaces between; they were read so";
                notes.warn("coordinates_respelled", &place_pointer(pointer, index), detail);
            }
            None => {
                let detail = format!("`{}` is no list of points; it was left out", crate::decode::xml::shorten(text));
                notes.warn("shape_dropped", &place_pointer(pointer, index), detail);
            }
        }
        read.map(|(ring, _)| ring)
    };
    let rings = area.polygons.iter().filter_map(|text| ring(text)).collect();
    let holes = area.geocodes.iter().filter(|code| is_hole(code)).filter_map(|code| ring(&code.1)).collect();
    let mut circles = Vec::with_capacity(area.circles.len());
    for text in &area.circles {
        match coordinates::circle(text) {
            Some(circle) => circles.push(circle),
            None => {
                let detail = format!("`{}` is no circle; it was left out", crate::decode::xml::shorten(text));
                notes.warn("shape_dropped", &place_pointer(pointer, index), detail);
            }
        }
    }
    Shapes { rings, holes, circles }
}

/// Repairs longitude written before latitude, where a first number beyond 90 gives it away: in the
/// whole segment if every point bears it, for that is a habit of its writer, else ring by ring.
fn swap_axes(shapes: &mut [Shapes]) -> Option<String> {
    let points = |shapes: &Shapes| -> Vec<Point> {
        let rings = shapes.rings.iter().chain(&shapes.holes).flatten().copied();
        rings.chain(shapes.circles.iter().map(|circle| circle.0)).collect()
    };
    let is_off = |point: &Point| point.lat.abs() > 90.0;
    let bears_it = |point: &Point| point.lon.abs() <= 90.0;
    let rings_of = |shapes: &Shapes| shapes.rings.iter().chain(&shapes.holes).flatten().any(is_off);
    if !shapes.iter().any(|shapes| rings_of(shapes) || shapes.circles.iter().any(|circle| is_off(&circle.0))) {
        return None;
    }
    let swapped = |point: Point| Point::new(point.lat, point.lon);
    let all = shapes.iter().all(|shapes| points(shapes).iter().all(bears_it));
    let mut count = 0;
    for shapes in shapes {
        for ring in shapes.rings.iter_mut().chain(&mut shapes.holes) {
            if all || (ring.iter().any(is_off) && ring.iter().all(bears_it)) {
                ring.iter_mut().for_each(|point| *point = swapped(*point));
                count += 1;
            }
        }
        for (center, _) in &mut shapes.circles {
            if all || (is_off(center) && bears_it(center)) {
                *center = swapped(*center);
                count += 1;
            }
        }
    }
    (count > 0).then(|| format!("longitude stood before latitude in {count} shapes; they were swapped"))
}

fn build(
    shapes: Shapes,
    pointer: &str,
    index: usize,
    parts: &mut Vec<Geometry>,
    notes: &mut Notes,
) -> Result<(), Rejection> {
    if shapes.rings.is_empty() && shapes.circles.is_empty() {
        return Ok(());
    }
    let pointer = place_pointer(pointer, index);
    let mut warnings = Vec::new();
    let mut homeless = shapes.holes.len();
    let points: usize = shapes.rings.iter().map(Vec::len).sum();
    let holes = if shapes.holes.len().saturating_mul(points) > HOLE_TESTS_MAX { Vec::new() } else { shapes.holes };
    for ring in shapes.rings {
        let lies_inside = |hole: &&Ring| hole.first().is_some_and(|point| shape::contains(&ring, *point));
        let own: Vec<Ring> = holes.iter().filter(lies_inside).cloned().collect();
        homeless = homeless.saturating_sub(own.len());
        let rings = std::iter::once(ring).chain(own).collect();
        parts.extend(shape::polygon(rings, &pointer, &mut warnings, false)?);
    }
    for (center, radius_km) in shapes.circles {
        parts.extend(shape::circle(center, radius_km, &pointer, &mut warnings, false)?);
    }
    notes.take(&mut warnings);
    if homeless > 0 {
        let detail = format!("{homeless} excluded polygons lie in no polygon of their area; they were left out");
        notes.warn("hole_dropped", &pointer, detail);
    }
    Ok(())
}

fn origin_of(parts: &[Geometry]) -> GeometryOrigin {
    let flat = || parts.iter().flat_map(Geometry::parts);
    if flat().any(|part| matches!(part, Geometry::Polygon(_))) {
        GeometryOrigin::Exact
    } else if flat().any(|part| matches!(part, Geometry::Circle { .. })) {
        GeometryOrigin::Circle
    } else if flat().next().is_some() {
        GeometryOrigin::Point
    } else {
        GeometryOrigin::None
    }
}
