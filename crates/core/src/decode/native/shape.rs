//! Where an item is: by point, circle, box or GeoJSON, checked strictly.

use super::super::geojson;
use super::{Faults, Node, Reason};
use crate::event::Warning;
use crate::geometry::{Geometry, Point, Polygon};
use crate::rejection::Rejection;
use crate::shape;
use crate::vocabulary::GeometryOrigin;

/// What was said of a place so far.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) lat: Option<f64>,
    pub(super) lon: Option<f64>,
    pub(super) radius_km: Option<f64>,
    geometry: Option<Geometry>,
    origin: Option<GeometryOrigin>,
}

impl Shape {
    /// Takes a GeoJSON geometry.
    pub(super) fn geojson(&mut self, node: Node<'_>, pointer: &str, faults: &mut Faults, warnings: &mut Vec<Warning>) {
        let object = match &node {
            Node::Object(object) => object,
            Node::Null => return,
            other => return faults.wrong(pointer, "a GeoJSON geometry", other),
        };
        match geojson::geometry(object) {
            Ok(Some(geometry)) => {
                let origin = match &geometry {
                    Geometry::Point(_) => GeometryOrigin::Point,
                    Geometry::Circle { .. } => GeometryOrigin::Circle,
                    _ => GeometryOrigin::Exact,
                };
                self.keep(shape::repair(geometry, pointer, warnings, true), origin, faults);
            }
            Ok(None) => {}
            Err(detail) => faults.add(Reason::InvalidGeometry, pointer, detail),
        }
    }

    /// Takes west, south, east, north; with more there is a geometry, and this only its bounds.
    pub(super) fn bbox(&mut self, node: Node<'_>, pointer: &str, faults: &mut Faults) {
        if node == Node::Null {
            return;
        }
        let Some(numbers) = node.as_numbers() else {
            return faults.wrong(pointer, "an array of four numbers", &node);
        };
        let [west, south, east, north] = numbers[..] else {
            return faults.add(Reason::InvalidCoordinates, pointer, "a bbox is [west, south, east, north] in degrees");
        };
        let corners = [Point::new(west, south), Point::new(east, north)];
        if south > north || !corners.iter().all(|corner| corner.is_on_earth()) {
            return faults.add(Reason::InvalidCoordinates, pointer, "a bbox is [west, south, east, north] in degrees");
        }
        if self.geometry.is_some() {
            return;
        }
        let area = |west: f64, east: f64| {
            let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
            let exterior = corners.map(|(lon, lat)| Point::new(lon, lat)).to_vec();
            Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
        };
        let parts = match west <= east {
            true if west == east || south == north => vec![Geometry::Line(corners.to_vec())],
            true => vec![area(west, east)],
            false => vec![area(west, 180.0), area(-180.0, east)],
        };
        self.geometry = match corners[0] == corners[1] {
            true => Some(Geometry::Point(corners[0])),
            false => Geometry::union(parts),
        };
        self.origin = Some(GeometryOrigin::Bbox);
    }

    fn keep(&mut self, repaired: Result<Option<Geometry>, Rejection>, origin: GeometryOrigin, faults: &mut Faults) {
        match repaired {
            Ok(geometry) => {
                self.origin = geometry.is_some().then_some(origin);
                self.geometry = geometry;
            }
            Err(rejection) => faults.add(rejection.reason, rejection.pointer, rejection.detail),
        }
    }

    /// The shape: a given geometry before latitude and longitude.
    pub(super) fn finish(
        mut self,
        pointer: &str,
        faults: &mut Faults,
        warnings: &mut Vec<Warning>,
    ) -> (Option<Geometry>, GeometryOrigin) {
        let is_bounds_only = self.geometry.is_none() || self.origin == Some(GeometryOrigin::Bbox);
        match (self.lat, self.lon) {
            (Some(lat), Some(lon)) => {
                let center = Point::new(lon, lat);
                let fault_at = match (-90.0..=90.0).contains(&lat) {
                    true => format!("{pointer}/lon"),
                    false => format!("{pointer}/lat"),
                };
                let (repaired, origin) = match self.radius_km {
                    Some(radius_km) => (
                        shape::circle(center, radius_km, &fault_at, warnings, true),
                        if radius_km == 0.0 { GeometryOrigin::Point } else { GeometryOrigin::Circle },
                    ),
                    None => (
                        shape::point(center, &fault_at, warnings, true).map(|point| point.map(Geometry::Point)),
                        GeometryOrigin::Point,
                    ),
                };
                match (is_bounds_only, repaired) {
                    (true, repaired) => self.keep(repaired, origin, faults),
                    (false, Ok(_)) => {}
                    (false, Err(fault)) => faults.add(fault.reason, fault.pointer, fault.detail),
                }
            }
            (None, None) => {
                if self.radius_km.is_some() && self.geometry.is_none() {
                    let detail = "`radius_km` needs `lat` and `lon` beside it";
                    faults.add(Reason::InvalidCoordinates, format!("{pointer}/radius_km"), detail);
                }
            }
            (Some(_), None) => {
                faults.add(Reason::InvalidCoordinates, format!("{pointer}/lon"), "`lat` needs `lon` beside it")
            }
            (None, Some(_)) => {
                faults.add(Reason::InvalidCoordinates, format!("{pointer}/lat"), "`lon` needs `lat` beside it")
            }
        }
        let origin = self.origin.filter(|_| self.geometry.is_some());
        (self.geometry, origin.unwrap_or(GeometryOrigin::None))
    }
}
