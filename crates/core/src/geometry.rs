//! Shapes on Earth: WGS 84, longitude before latitude, edges straight in longitude and latitude
//! (RFC 7946).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Degrees east, -180 to 180.
    pub lon: f64,
    /// Degrees north, -90 to 90.
    pub lat: f64,
}

impl Point {
    /// A point from longitude and latitude in degrees.
    pub const fn new(lon: f64, lat: f64) -> Self {
        Self { lon, lat }
    }

    /// True where both numbers are finite and within the globe.
    pub fn is_on_earth(self) -> bool {
        (-180.0..=180.0).contains(&self.lon) && (-90.0..=90.0).contains(&self.lat)
    }
}

/// A closed ring: the first point stands again at the end.
pub type Ring = Vec<Point>;

/// An area bounded by one ring, less its holes. No edge crosses the antimeridian.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polygon {
    /// The outer bound.
    pub exterior: Ring,
    /// Parts left out.
    pub holes: Vec<Ring>,
}

/// A shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Geometry {
    /// A point.
    Point(Point),
    /// All within a geodesic distance of a point.
    Circle {
        /// Its middle.
        center: Point,
        /// Its radius in kilometers, above 0.
        radius_km: f64,
    },
    /// A path.
    Line(Vec<Point>),
    /// An area.
    Polygon(Polygon),
    /// The union of several shapes, none of them `Many`.
    Many(Vec<Geometry>),
}

impl Geometry {
    /// The union of `parts`, flat; `None` when there are none.
    pub fn union(parts: Vec<Geometry>) -> Option<Self> {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Many(inner) => flat.extend(inner),
                single => flat.push(single),
            }
        }
        match flat.len() {
            0 => None,
            1 => flat.pop(),
            _ => Some(Self::Many(flat)),
        }
    }

    /// Its parts; itself when it is not a union.
    pub fn parts(&self) -> &[Geometry] {
        match self {
            Self::Many(parts) => parts,
            single => std::slice::from_ref(single),
        }
    }

    /// Every point that bounds it; for a circle its center.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.parts().iter().flat_map(|part| {
            let rings: Vec<&[Point]> = match part {
                Self::Point(point) | Self::Circle { center: point, .. } => vec![std::slice::from_ref(point)],
                Self::Line(points) => vec![points],
                Self::Polygon(polygon) => {
                    std::iter::once(&polygon.exterior).chain(&polygon.holes).map(Vec::as_slice).collect()
                }
                Self::Many(_) => Vec::new(),
            };
            rings.into_iter().flatten().copied()
        })
    }
}

/// West, south, east and north in degrees; west above east crosses the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox(pub [f64; 4]);

/// The GeoJSON form. A circle is a `Point` with `radius_km` beside its coordinates.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coordinates: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    radius_km: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    geometries: Option<Vec<Geometry>>,
}

/// Six decimals, about 0.1 m.
struct Coordinates<'a>(&'a Geometry);

fn write_points<S: Serializer>(points: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(points.iter().map(|point| pair(*point)))
}

fn pair(point: Point) -> [f64; 2] {
    [round(point.lon), round(point.lat)]
}

fn round(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

struct Rings<'a>(&'a Polygon);
struct Points<'a>(&'a [Point]);

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_points(self.0, serializer)
    }
}

impl Serialize for Rings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rings = std::iter::once(&self.0.exterior).chain(&self.0.holes);
        serializer.collect_seq(rings.map(|ring| Points(ring)))
    }
}

impl Serialize for Coordinates<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Geometry::Point(point) | Geometry::Circle { center: point, .. } => pair(*point).serialize(serializer),
            Geometry::Line(points) => write_points(points, serializer),
            Geometry::Polygon(polygon) => Rings(polygon).serialize(serializer),
            Geometry::Many(parts) => serializer.collect_seq(parts.iter().map(Coordinates)),
        }
    }
}

impl Serialize for Geometry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let all = |test: fn(&Geometry) -> bool| matches!(self, Self::Many(parts) if parts.iter().all(test));
        let kind = match self {
            Self::Point(_) | Self::Circle { .. } => "Point",
            Self::Line(_) => "LineString",
            Self::Polygon(_) => "Polygon",
            Self::Many(_) if all(|part| matches!(part, Self::Polygon(_))) => "MultiPolygon",
            Self::Many(_) if all(|part| matches!(part, Self::Line(_))) => "MultiLineString",
            Self::Many(_) if all(|part| matches!(part, Self::Point(_))) => "MultiPoint",
            Self::Many(_) => "GeometryCollection",
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", kind)?;
        if let (Self::Many(parts), "GeometryCollection") = (self, kind) {
            map.serialize_entry("geometries", parts)?;
        } else {
            map.serialize_entry("coordinates", &Coordinates(self))?;
        }
        if let Self::Circle { radius_km, .. } = self {
            map.serialize_entry("radius_km", radius_km)?;
        }
        map.end()
    }
}

fn read_point(value: &serde_json::Value) -> Option<Point> {
    let numbers = value.as_array().filter(|numbers| numbers.len() >= 2)?;
    Some(Point::new(numbers[0].as_f64()?, numbers[1].as_f64()?))
}

fn read_points(value: &serde_json::Value) -> Option<Vec<Point>> {
    value.as_array()?.iter().map(read_point).collect()
}

fn read_polygon(value: &serde_json::Value) -> Option<Geometry> {
    let mut rings = value.as_array()?.iter().map(read_points).collect::<Option<Vec<_>>>()?.into_iter();
    Some(Geometry::Polygon(Polygon { exterior: rings.next()?, holes: rings.collect() }))
}

fn read_many(value: &serde_json::Value, read: fn(&serde_json::Value) -> Option<Geometry>) -> Option<Geometry> {
    Geometry::union(value.as_array()?.iter().map(read).collect::<Option<Vec<_>>>()?)
}

impl<'de> Deserialize<'de> for Geometry {
    /// Reads what [`Serialize`] wrote, and any GeoJSON geometry; shapes are not repaired here.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let coordinates = wire.coordinates.unwrap_or_default();
        let shape = match &*wire.kind {
            "Point" => read_point(&coordinates).map(|center| match wire.radius_km {
                Some(radius_km) => Self::Circle { center, radius_km },
                None => Self::Point(center),
            }),
            "LineString" => read_points(&coordinates).map(Self::Line),
            "Polygon" => read_polygon(&coordinates),
            "MultiPoint" => read_many(&coordinates, |value| read_point(value).map(Self::Point)),
            "MultiLineString" => read_many(&coordinates, |value| read_points(value).map(Self::Line)),
            "MultiPolygon" => read_many(&coordinates, read_polygon),
            "GeometryCollection" => wire.geometries.and_then(Self::union),
            other => {
                return Err(serde::de::Error::custom(format_args!("`{other}` is not a GeoJSON geometry type")));
            }
        };
        shape.ok_or_else(|| serde::de::Error::custom(format_args!("the coordinates are not those of a {}", wire.kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) {
        let shape: Geometry = serde_json::from_str(json).expect(json);
        assert_eq!(serde_json::to_string(&shape).expect("serializes"), json);
    }

    #[test]
    fn survives_geojson() {
        check(r#"{"type":"Point","coordinates":[12.5,43.1]}"#);
        check(r#"{"type":"Point","coordinates":[12.5,43.1],"radius_km":25.0}"#);
        check(r#"{"type":"LineString","coordinates":[[0.0,0.0],[1.0,1.0]]}"#);
        check(r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}"#);
        check(r#"{"type":"MultiPoint","coordinates":[[0.0,0.0],[1.0,0.0]]}"#);
        check(
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[0.0,0.0]},{"type":"Point","coordinates":[0.0,0.0],"radius_km":1.0}]}"#,
        );
    }
}
