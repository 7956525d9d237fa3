//! Countries and their subdivisions at a point.
//!
//! The table is the one of crate country-boundaries (© OpenStreetMap contributors, ODbL), read in
//! place: a raster of one degree whose cells name the areas that cover them and hold the pieces of
//! those that cross them. The crate's own reader unpacks it to 9 MB; this one keeps 0.25 MB. Its
//! test holds the two against each other.

use country_boundaries::BOUNDARIES_ODBL_360X180;
use tidings_core::geometry::Point;

use super::bytes::Bytes;

const VERSION: u16 = 2;
const COLUMNS: usize = 360;
const ROWS: usize = 180;
/// Set in a cell's offset when no border crosses it.
const IS_PLAIN: u32 = 1 << 31;

/// Where each cell begins in the table.
pub(super) struct Borders {
    cells: Vec<u32>,
}

/// A cell of the raster, and whether all its points lie in the same areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    index: usize,
    pub(super) is_plain: bool,
}

impl Borders {
    /// Finds the cells; one pass over 1 MB.
    pub(super) fn load() -> Self {
        let cells = index(Bytes::new(BOUNDARIES_ODBL_360X180)).unwrap_or_default();
        assert!(cells.len() == COLUMNS * ROWS, "crate country-boundaries carries another table than it did");
        Self { cells }
    }

    /// The cell of a point on Earth.
    pub(super) fn cell(&self, point: Point) -> Cell {
        let lon = if point.lon >= 180.0 { point.lon - 360.0 } else { point.lon };
        let column = ((lon + 180.0).max(0.0) as usize).min(COLUMNS - 1);
        let row = ((90.0 - point.lat).ceil().max(1.0) as usize - 1).min(ROWS - 1);
        let index = row * COLUMNS + column;
        Cell { index, is_plain: self.cells[index] & IS_PLAIN != 0 }
    }

    /// Calls `found` with the id of each area around a point of `cell`: `US`, `US-TX`.
    pub(super) fn visit(&self, cell: Cell, point: Point, found: impl FnMut(&'static str)) {
        let offset = (self.cells[cell.index] & !IS_PLAIN) as usize;
        // The whole table was read once, so this cell can be.
        let _ = visit(offset, local(cell, point), found);
    }
}

/// A point in 1/65535 degrees from the west and south of its cell.
fn local(cell: Cell, point: Point) -> (i64, i64) {
    let lon = if point.lon >= 180.0 { point.lon - 360.0 } else { point.lon };
    let west = (cell.index % COLUMNS) as f64 - 180.0;
    let south = 89.0 - (cell.index / COLUMNS) as f64;
    let fraction = |degrees: f64| i64::from((degrees * 65_535.0) as u16);
    (fraction(lon - west), fraction(point.lat - south))
}

fn index(mut table: Bytes) -> Option<Vec<u32>> {
    let total = table.len();
    if table.u16_be()? != VERSION {
        return None;
    }
    for _ in 0..table.u32_be()? {
        text(&mut table)?;
        table.take(8)?;
    }
    let (columns, count) = (table.u32_be()? as usize, table.u32_be()? as usize);
    if columns != COLUMNS || count != COLUMNS * ROWS {
        return None;
    }
    let mut cells = Vec::with_capacity(count);
    for _ in 0..count {
        let offset = u32::try_from(total - table.len()).ok()?;
        for _ in 0..table.u8()? {
            text(&mut table)?;
        }
        let crossing = table.u8()?;
        for _ in 0..crossing {
            text(&mut table)?;
            // Outer rings, then inner ones.
            for _ in 0..2 {
                for _ in 0..table.u8()? {
                    ring(&mut table)?;
                }
            }
        }
        cells.push(if crossing == 0 { offset | IS_PLAIN } else { offset });
    }
    Some(cells)
}

fn visit(offset: usize, point: (i64, i64), mut found: impl FnMut(&'static str)) -> Option<()> {
    let mut table = Bytes::new(BOUNDARIES_ODBL_360X180.get(offset..)?);
    for _ in 0..table.u8()? {
        found(text(&mut table)?);
    }
    for _ in 0..table.u8()? {
        let id = text(&mut table)?;
        let mut depth = 0;
        for step in [1, -1] {
            for _ in 0..table.u8()? {
                if winds_around(ring(&mut table)?, point) {
                    depth += step;
                }
            }
        }
        if depth > 0 {
            found(id);
        }
    }
    Some(())
}

fn text(table: &mut Bytes) -> Option<&'static str> {
    let size = table.u16_be()?;
    std::str::from_utf8(table.take(usize::from(size))?).ok()
}

fn ring(table: &mut Bytes) -> Option<&'static [u8]> {
    let points = table.u32_be()? as usize;
    table.take(points.checked_mul(4)?)
}

/// Whether the winding number of a ring about a point is other than 0. The ring's points are pairs
/// of big-endian `u16`.
///
/// After Dan Sunday, "Inclusion of a point in a polygon" (2012), as in crate country-boundaries;
/// so points on an edge fall the same way.
fn winds_around(ring: &[u8], (x, y): (i64, i64)) -> bool {
    let points = ring.as_chunks::<4>().0;
    let corner = |bytes: &[u8; 4]| {
        (i64::from(u16::from_be_bytes([bytes[0], bytes[1]])), i64::from(u16::from_be_bytes([bytes[2], bytes[3]])))
    };
    let Some(last) = points.last() else { return false };
    let mut winding = 0;
    let (mut ax, mut ay) = corner(last);
    for point in points {
        let (bx, by) = corner(point);
        let side = || (bx - ax) * (y - ay) - (x - ax) * (by - ay);
        if ay <= y {
            if by > y && side() > 0 {
                winding += 1;
            }
        } else if by <= y && side() < 0 {
            winding -= 1;
        }
        (ax, ay) = (bx, by);
    }
    winding != 0
}

impl std::fmt::Debug for Borders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Borders").field("cells", &self.cells.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use country_boundaries::{CountryBoundaries, LatLon};

    use super::*;

    fn ids(borders: &Borders, point: Point) -> Vec<&'static str> {
        let mut ids = Vec::new();
        borders.visit(borders.cell(point), point, |id| ids.push(id));
        ids.sort_unstable();
        ids
    }

    #[test]
    fn agrees_with_the_crate() {
        let borders = Borders::load();
        let reference = CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180).unwrap();
        // A low-discrepancy walk over the globe, and the corners of the raster.
        let walk = (0..20_000).map(|step| {
            let step = f64::from(step);
            Point::new((step * 0.754_877_67).fract() * 360.0 - 180.0, (step * 0.569_840_29).fract() * 180.0 - 90.0)
        });
        let lons = [-180.0, -179.999, -1.0, 0.0, 8.0, 179.999, 180.0];
        let lats = [-90.0, -89.9, -45.0, 0.0, 47.0, 89.9, 90.0];
        let corners = lons.into_iter().flat_map(|lon| lats.map(|lat| Point::new(lon, lat)));
        for point in walk.chain(corners) {
            let mut expected = reference.ids(LatLon::new(point.lat, point.lon).unwrap());
            expected.sort_unstable();
            assert_eq!(ids(&borders, point), expected, "{point:?}");
        }
    }
}
