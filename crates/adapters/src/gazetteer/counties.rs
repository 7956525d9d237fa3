//! Shapes of US counties and states.
//!
//! The table is the Census Bureau's cartographic boundaries at 1:10,000,000 as npm `us-atlas`
//! carries them (TopoJSON): borders are stored once, as arcs of quantized steps, and a shape lists
//! the arcs of its rings. It is read in place, and in this order: `TDC1`; scale and offset of
//! longitude and latitude (four `f64`); the numbers of arcs and of shapes; where each arc begins
//! and the last ends; the keys of the shapes, sorted; where each shape begins and the last ends;
//! the arcs; the shapes. Numbers of the index are little-endian `u32`. An arc is LEB128 steps of
//! longitude and latitude, the first from 0. A shape is the number of its polygons, for each the
//! number of its rings, for each the number of its arcs and their indexes, `!index` for a reversed
//! arc. A key is the FIPS code of the county, and that of the state with county 000 for the state.

use std::ops::Range;

use tidings_core::geometry::{Geometry, Point, Polygon, Ring};

use super::bytes::{Bytes, Numbers};

static TABLE: &[u8] = include_bytes!("../../data/counties.bin");

/// Counties that were renamed or split since the table was drawn, and what it has instead; and
/// Falls Church, too small for its grid, with the county around it.
const INSTEAD: [(u32, u32); 6] =
    [(2_063, 2_261), (2_066, 2_261), (2_270, 2_158), (46_113, 46_102), (51_515, 51_019), (51_610, 51_059)];

/// All shapes, in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counties {
    scale: Point,
    offset: Point,
    arc_starts: Numbers,
    keys: Numbers,
    shape_starts: Numbers,
    count: usize,
    arcs: &'static [u8],
    shapes: &'static [u8],
}

impl Counties {
    pub(super) fn load() -> Self {
        Self::read(Bytes::new(TABLE)).expect("the table is committed with this reader")
    }

    fn read(mut table: Bytes) -> Option<Self> {
        if table.take(4)? != b"TDC1" {
            return None;
        }
        let scale = Point::new(table.f64()?, table.f64()?);
        let offset = Point::new(table.f64()?, table.f64()?);
        let (arcs, count) = (table.u32()? as usize, table.u32()? as usize);
        let arc_starts = table.numbers(arcs + 1)?;
        let keys = table.numbers(count)?;
        let shape_starts = table.numbers(count + 1)?;
        let arcs = table.take(arc_starts.get(arcs)? as usize)?;
        let shapes = table.take(table.len())?;
        Some(Self { scale, offset, arc_starts, keys, shape_starts, count, arcs, shapes })
    }

    /// How many shapes there are.
    pub(super) const fn len(self) -> usize {
        self.count
    }

    /// The index of the shape of a county, or of a state: its FIPS code times 1,000.
    pub(super) fn find(self, fips: u32) -> Option<usize> {
        let fips = INSTEAD.iter().find(|(missing, _)| *missing == fips).map_or(fips, |(_, kept)| *kept);
        let index = self.keys.lower_bound(0..self.count, fips);
        (self.keys.get(index)? == fips).then_some(index)
    }

    /// The shape at an index below [`Self::len`].
    pub(super) fn geometry(self, index: usize) -> Option<Geometry> {
        let mut shape = Bytes::new(part(self.shapes, self.shape_starts, index)?);
        let mut polygons = Vec::new();
        for _ in 0..shape.unsigned()? {
            let mut rings = Vec::new();
            for _ in 0..shape.unsigned()? {
                rings.push(self.ring(&mut shape)?);
            }
            let mut rings = rings.into_iter();
            // Small islands shrink to nothing in the coarse grid.
            if let Some(exterior) = rings.next().filter(is_area) {
                polygons.push(Geometry::Polygon(Polygon { exterior, holes: rings.filter(is_area).collect() }));
            }
        }
        Geometry::union(polygons)
    }

    fn ring(self, shape: &mut Bytes) -> Option<Ring> {
        let mut ring = Ring::new();
        for _ in 0..shape.unsigned()? {
            let index = shape.signed()?;
            // The next arc begins where the last ended.
            ring.pop();
            let before = ring.len();
            self.add_arc(&mut ring, usize::try_from(index.max(!index)).ok()?)?;
            if index < 0 {
                ring[before..].reverse();
            }
        }
        // One ring of the source, in Illinois, misses its start by a step of the grid.
        if ring.first() != ring.last() {
            ring.extend(ring.first().copied());
        }
        Some(ring)
    }

    fn add_arc(self, ring: &mut Ring, index: usize) -> Option<()> {
        let mut arc = Bytes::new(part(self.arcs, self.arc_starts, index)?);
        let (mut x, mut y) = (0_i64, 0_i64);
        while arc.len() > 0 {
            (x, y) = (x.checked_add(arc.signed()?)?, y.checked_add(arc.signed()?)?);
            // Four decimals, 11 m: the grid itself is 300 m wide.
            let round = |degrees: f64| (degrees * 1e4).round() / 1e4;
            let lon = round(x as f64 * self.scale.lon + self.offset.lon);
            let lat = round(y as f64 * self.scale.lat + self.offset.lat);
            ring.push(Point::new(lon, lat));
        }
        Some(())
    }
}

fn part(bytes: &'static [u8], starts: Numbers, index: usize) -> Option<&'static [u8]> {
    let range: Range<usize> = starts.get(index)? as usize..starts.get(index + 1)? as usize;
    bytes.get(range)
}

fn is_area(ring: &Ring) -> bool {
    ring.len() >= 4
}

#[cfg(test)]
mod tests {
    use tidings_core::enrich::{bbox, middle};

    use super::*;

    #[test]
    fn every_shape_is_made_of_closed_rings_on_earth() {
        let counties = Counties::load();
        assert_eq!(counties.len(), 3_231 + 56);
        let mut points = 0;
        for index in 0..counties.len() {
            let Some(geometry) = counties.geometry(index) else {
                assert_eq!(counties.keys.get(index), Some(51_610), "only Falls Church has no shape");
                continue;
            };
            for part in geometry.parts() {
                let Geometry::Polygon(polygon) = part else { panic!("{part:?} is no polygon") };
                for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
                    assert_eq!(ring.first(), ring.last());
                    assert!(ring.iter().all(|point| point.is_on_earth()));
                }
            }
            points += geometry.points().count();
        }
        assert!(points < 150_000, "{points} points");
    }

    #[test]
    fn finds_counties_states_and_renamed_ones() {
        let counties = Counties::load();
        let dallas = counties.geometry(counties.find(48_113).unwrap()).unwrap();
        let found = middle(&dallas).unwrap();
        assert!((found.lon + 96.78).abs() < 0.05 && (found.lat - 32.77).abs() < 0.05, "{found:?}");
        let texas = counties.geometry(counties.find(48_000).unwrap()).unwrap();
        assert!(texas.points().count() < 1_000);
        let aleutians = counties.geometry(counties.find(2_016).unwrap()).unwrap();
        let [west, _, east, _] = bbox(&aleutians).unwrap().0;
        assert!(west > 170.0 && east < -160.0, "{west} to {east}");
        assert_eq!(counties.find(2_063), counties.find(2_261));
        assert_eq!(counties.find(48_999), None);
        assert_eq!(counties.find(u32::MAX), None);
    }
}
