//! GeoJSON geometries (RFC 7946) as shapes, not yet repaired.

use super::json::{Node, Object};
use crate::geometry::{Geometry, Point, Polygon};

/// How often a GeometryCollection may hold another.
const NESTED: usize = 8;

/// Reads a geometry object, ours with `radius_km` beside a point's coordinates included.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn geometry(object: &Object<'_>) -> Result<Option<Geometry>, String> {
    within(object, NESTED)
}

fn within(object: &Object<'_>, depth: usize) -> Result<Option<Geometry>, String> {
    let kind = object.get("type").and_then(Node::as_text).ok_or("a GeoJSON geometry has a `type`")?;
    if kind == "GeometryCollection" {
        let Some(Node::List(members)) = object.get("geometries") else {
            return Err("a GeometryCollection has an array `geometries`".to_owned());
        };
        let depth = depth.checked_sub(1).ok_or("geometry collections are nested too deep")?;
        let mut parts = Vec::with_capacity(members.len());
        for member in members {
            let member = member.as_object().ok_or("`geometries` holds objects")?;
            parts.extend(within(member, depth)?);
        }
        return Ok(Geometry::union(parts));
    }
    let coordinates = object.get("coordinates").ok_or("a geometry has `coordinates`")?;
    let shape = match kind {
        "Point" => point(coordinates).map(|center| match object.get("radius_km").and_then(Node::as_number) {
            Some(radius_km) => Geometry::Circle { center, radius_km },
            None => Geometry::Point(center),
        }),
        "LineString" => points(coordinates).map(Geometry::Line),
        "Polygon" => polygon(coordinates),
        "MultiPoint" => return many(coordinates, kind, |item| point(item).map(Geometry::Point)),
        "MultiLineString" => return many(coordinates, kind, |item| points(item).map(Geometry::Line)),
        "MultiPolygon" => return many(coordinates, kind, polygon),
        other => {
            let other: String = other.chars().take(64).collect();
            return Err(format!("`{other}` is not a GeoJSON geometry type"));
        }
    };
    shape.map(Some).ok_or_else(|| misfit(kind))
}

fn misfit(kind: &str) -> String {
    format!("the coordinates are not those of a {kind}")
}

fn items<'n, 'a>(node: &'n Node<'a>) -> Option<&'n [Node<'a>]> {
    match node {
        Node::List(items) => Some(items),
        _ => None,
    }
}

fn point(node: &Node<'_>) -> Option<Point> {
    match node {
        Node::Pair(pair) => Some(Point::new(pair.numbers[0], pair.numbers[1])),
        Node::List(items) => match &items[..] {
            [lon, lat, ..] => Some(Point::new(lon.as_number()?, lat.as_number()?)),
            _ => None,
        },
        _ => None,
    }
}

fn points(node: &Node<'_>) -> Option<Vec<Point>> {
    items(node)?.iter().map(point).collect()
}

fn polygon(node: &Node<'_>) -> Option<Geometry> {
    let mut rings = items(node)?.iter().map(points);
    let exterior = rings.next()??;
    Some(Geometry::Polygon(Polygon { exterior, holes: rings.collect::<Option<_>>()? }))
}

fn many<'a>(
    node: &Node<'a>,
    kind: &str,
    read: impl Fn(&Node<'a>) -> Option<Geometry>,
) -> Result<Option<Geometry>, String> {
    let parts: Option<Vec<Geometry>> = items(node).and_then(|items| items.iter().map(read).collect());
    parts.map(Geometry::union).ok_or_else(|| misfit(kind))
}
