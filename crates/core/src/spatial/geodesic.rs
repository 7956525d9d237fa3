//! Distances between points, exact and by a quick bound.

use geo::{Distance, Geodesic};

use crate::geometry::{BoundingBox, Point};

/// IUGG mean radius in kilometers.
const MEAN_RADIUS_KM: f64 = 6_371.008_8;
/// WGS 84.
const EQUATOR_RADIUS_KM: f64 = 6_378.137;
/// WGS 84.
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// How far the distance on the sphere of mean radius may be from the one on WGS 84.
const SPHERE_MARGIN: f64 = 0.006;
/// How far Lambert's formula may be off, up to `LAMBERT_KM_MAX`; several times what was seen.
const LAMBERT_MARGIN: f64 = 1e-4;
/// Beyond this Lambert's formula is not used for bounds.
const LAMBERT_KM_MAX: f64 = 15_000.0;
/// The shortest degree along a meridian of WGS 84, at the equator, in kilometers; with a margin.
const DEGREE_KM_MIN: f64 = 110.5;

/// Geodesic distance on WGS 84 in kilometers (Karney 2013, through geographiclib).
pub fn geodesic_km(from: Point, to: Point) -> f64 {
    if from == to {
        return 0.0;
    }
    Geodesic.distance(geo::Point::new(from.lon, from.lat), geo::Point::new(to.lon, to.lat)) / 1_000.0
}

/// Great-circle distance in kilometers on the sphere of mean radius; within 0.6 % of WGS 84.
fn sphere_km(from: Point, to: Point) -> f64 {
    let half_lat = ((to.lat - from.lat).to_radians() / 2.0).sin();
    let half_lon = ((to.lon - from.lon).to_radians() / 2.0).sin();
    let haversine = half_lat * half_lat + from.lat.to_radians().cos() * to.lat.to_radians().cos() * half_lon * half_lon;
    2.0 * MEAN_RADIUS_KM * haversine.sqrt().min(1.0).asin()
}

/// The ellipsoid's distance in kilometers to about 1 part in 100,000, by Lambert's formula; cheap, and
/// smooth, so it finds where a distance is least.
pub(super) fn lambert_km(from: Point, to: Point) -> f64 {
    let reduced = |lat: f64| ((1.0 - FLATTENING) * lat.to_radians().tan()).atan();
    let (from_lat, to_lat) = (reduced(from.lat), reduced(to.lat));
    let half_lat = ((to_lat - from_lat) / 2.0).sin();
    let half_lon = ((to.lon - from.lon).to_radians() / 2.0).sin();
    let haversine = (half_lat * half_lat + from_lat.cos() * to_lat.cos() * half_lon * half_lon).min(1.0);
    if haversine <= 0.0 || haversine >= 1.0 {
        return EQUATOR_RADIUS_KM * 2.0 * haversine.sqrt().asin();
    }
    let angle = 2.0 * haversine.sqrt().asin();
    let middle = f64::midpoint(from_lat, to_lat).sin();
    let x = (angle - angle.sin()) * middle * middle * (1.0 - half_lat * half_lat) / (1.0 - haversine);
    let y = (angle + angle.sin()) * (1.0 - middle * middle) * half_lat * half_lat / haversine;
    EQUATOR_RADIUS_KM * (angle - FLATTENING / 2.0 * (x + y))
}

/// Between which values a geodesic distance lies, in kilometers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) least_km: f64,
    pub(super) most_km: f64,
}

impl Bounds {
    /// By the sphere alone: quick.
    pub(super) fn by_sphere(from: Point, to: Point) -> Self {
        let sphere = sphere_km(from, to);
        Self { least_km: sphere * (1.0 - SPHERE_MARGIN), most_km: sphere * (1.0 + SPHERE_MARGIN) }
    }

    /// By Lambert's formula, where that is good: not near the other side of the globe.
    pub(super) fn narrowed(self, from: Point, to: Point) -> Self {
        if self.most_km > LAMBERT_KM_MAX {
            return self;
        }
        let lambert = lambert_km(from, to);
        Self { least_km: lambert * (1.0 - LAMBERT_MARGIN), most_km: lambert * (1.0 + LAMBERT_MARGIN) }
    }
}

/// True when two points are at most `limit_km` apart.
pub(super) fn is_within(from: Point, to: Point, limit_km: f64) -> bool {
    let bounds = Bounds::by_sphere(from, to);
    bounds.most_km <= limit_km || (bounds.least_km <= limit_km && geodesic_km(from, to) <= limit_km)
}

/// A box that holds every point within `radius_km` of `center`, a little larger than need be; west
/// above east where it crosses the antimeridian, all longitudes where it holds a pole.
pub fn circle_bounds(center: Point, radius_km: f64) -> BoundingBox {
    let reach = radius_km / DEGREE_KM_MIN + 1e-9;
    let (south, north) = ((center.lat - reach).max(-90.0), (center.lat + reach).min(90.0));
    let everywhere = BoundingBox([-180.0, south, 180.0, north]);
    if south <= -90.0 || north >= 90.0 {
        return everywhere;
    }
    // On a sphere the circle of angular radius r around latitude p spans asin(sin r / cos p).
    let angle = radius_km / MEAN_RADIUS_KM * (1.0 + 2.0 * SPHERE_MARGIN);
    let ratio = angle.sin() / center.lat.to_radians().cos();
    if angle >= std::f64::consts::FRAC_PI_2 || ratio >= 1.0 {
        return everywhere;
    }
    let half = ratio.asin().to_degrees() + 1e-9;
    if half >= 180.0 {
        return everywhere;
    }
    let wrap = |lon: f64| {
        if lon < -180.0 {
            lon + 360.0
        } else if lon > 180.0 {
            lon - 360.0
        } else {
            lon
        }
    };
    BoundingBox([wrap(center.lon - half), south, wrap(center.lon + half), north])
}
