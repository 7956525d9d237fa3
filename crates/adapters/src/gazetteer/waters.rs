//! The waters that the US National Weather Service warns for, by the prefix of their zones.
//!
//! Names and prefixes: NWS Instruction 10-1702 (UGC) and NWR marine SAME codes. The boxes hold the
//! coastal and offshore zones with some room; they are drawn for this table.

use tidings_core::geometry::{Geometry, Point, Polygon};

/// Waters with one prefix.
#[derive(Debug)]
pub(super) struct Water {
    /// The first two letters of a `UGC`.
    pub(super) prefix: &'static str,
    /// The two digits of a `SAME` code that stand where a state's would.
    pub(super) same: u32,
    /// West, south, east, north in degrees; west above east crosses the antimeridian.
    bounds: [f64; 4],
}

const fn water(prefix: &'static str, same: u32, bounds: [f64; 4]) -> Water {
    Water { prefix, same, bounds }
}

pub(super) const WATERS: [Water; 15] = [
    // Atlantic south of Currituck Beach Light, with the Caribbean.
    water("AM", 75, [-88.0, 7.0, -35.0, 36.7]),
    // Atlantic from Canada to Currituck Beach Light.
    water("AN", 73, [-77.6, 31.0, -60.0, 45.3]),
    // Gulf of Mexico.
    water("GM", 77, [-98.0, 17.5, -80.0, 31.0]),
    // Lake Saint Clair with its rivers.
    water("LC", 94, [-83.3, 41.9, -82.3, 43.1]),
    // Lake Erie.
    water("LE", 96, [-83.6, 41.3, -78.7, 43.0]),
    // Lake Huron.
    water("LH", 93, [-84.9, 42.9, -79.6, 46.6]),
    // Lake Michigan.
    water("LM", 92, [-88.2, 41.5, -84.5, 46.2]),
    // Lake Ontario.
    water("LO", 97, [-79.9, 43.1, -75.8, 44.5]),
    // Lake Superior with the Saint Marys River.
    water("LS", 91, [-92.3, 45.9, -83.4, 49.1]),
    // Central Pacific with Hawaii.
    water("PH", 59, [-180.0, 15.0, -150.0, 31.5]),
    // North Pacific near Alaska, Bering Sea and Arctic.
    water("PK", 58, [165.0, 48.0, -129.0, 76.0]),
    // West Pacific with the Marianas and Micronesia.
    water("PM", 65, [130.0, 0.0, 180.0, 22.0]),
    // South Pacific with American Samoa.
    water("PS", 61, [-175.0, -18.0, -165.0, -8.0]),
    // Northeast Pacific along the West Coast.
    water("PZ", 57, [-132.0, 29.5, -116.9, 49.2]),
    // Saint Lawrence River above Saint Regis.
    water("SL", 98, [-76.7, 44.0, -74.5, 45.2]),
];

impl Water {
    /// Its box, cut in two where it crosses the antimeridian.
    pub(super) fn geometry(&self) -> Option<Geometry> {
        let [west, south, east, north] = self.bounds;
        let spans = if west <= east { vec![(west, east)] } else { vec![(west, 180.0), (-180.0, east)] };
        let rectangles = spans.into_iter().map(|(west, east)| {
            let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
            let exterior = corners.map(|(lon, lat)| Point::new(lon, lat)).to_vec();
            Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
        });
        Geometry::union(rectangles.collect())
    }
}
