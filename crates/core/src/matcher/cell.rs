//! Cells of a nested grid over longitude and latitude.
//!
//! Level 0 is one cell of 360 by 360 degrees; each cell has four children of half its size.

use crate::geometry::Point;

/// The finest level: cells of 360 / 2^13 degrees, about 4.9 km at the equator.
pub(super) const LEVEL_MAX: u32 = 13;
const LEVEL_SHIFT: u32 = 26;
const ROW_SHIFT: u32 = 13;
const INDEX_MASK: u32 = (1 << ROW_SHIFT) - 1;

/// A cell: four bits of level, 13 of row, 13 of column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell(pub(super) u32);

/// A span of longitude and latitude in degrees that does not cross the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

impl Rect {
    /// The bounds of some points; `None` when there are none.
    pub(super) fn around(points: impl Iterator<Item = Point>) -> Option<Self> {
        points.map(|point| Self { west: point.lon, south: point.lat, east: point.lon, north: point.lat }).reduce(
            |bounds, point| Self {
                west: bounds.west.min(point.west),
                south: bounds.south.min(point.south),
                east: bounds.east.max(point.east),
                north: bounds.north.max(point.north),
            },
        )
    }

    /// The same, larger by `degrees` on each side.
    pub(super) fn grown(self, degrees: f64) -> Self {
        Self {
            west: self.west - degrees,
            south: self.south - degrees,
            east: self.east + degrees,
            north: self.north + degrees,
        }
    }

    /// True where both share a point.
    #[inline]
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }

    /// Its middle.
    pub(super) fn middle(&self) -> Point {
        Point::new((self.west + self.east) / 2.0, (self.south + self.north) / 2.0)
    }
}

/// Degrees a cell of this level measures.
#[inline]
pub(super) fn size_deg(level: u32) -> f64 {
    360.0 / f64::from(1_u32 << level)
}

/// The column or row that `degrees`, counted from the west or south end, falls in.
#[inline]
fn index(degrees: f64, level: u32) -> u32 {
    // The cast saturates, so whatever lies outside falls in the first or last one.
    ((degrees / size_deg(level)) as u32).min((1 << level) - 1)
}

impl Cell {
    /// The one cell of level 0.
    pub(super) const ROOT: Self = Self(0);

    const fn new(level: u32, column: u32, row: u32) -> Self {
        Self(level << LEVEL_SHIFT | row << ROW_SHIFT | column)
    }

    /// The finest cell that holds a point.
    #[inline]
    pub(super) fn finest_at(point: Point) -> Self {
        Self::new(LEVEL_MAX, index(point.lon + 180.0, LEVEL_MAX), index(point.lat + 90.0, LEVEL_MAX))
    }

    #[inline]
    pub(super) const fn level(self) -> u32 {
        self.0 >> LEVEL_SHIFT
    }

    #[inline]
    const fn column(self) -> u32 {
        self.0 & INDEX_MASK
    }

    #[inline]
    const fn row(self) -> u32 {
        self.0 >> ROW_SHIFT & INDEX_MASK
    }

    /// The cell of a coarser level that holds it.
    #[inline]
    pub(super) const fn ancestor(self, level: u32) -> Self {
        let steps = self.level() - level;
        Self::new(level, self.column() >> steps, self.row() >> steps)
    }

    /// The cell it is a part of, and which of its four parts; `None` for the root.
    pub(super) fn parent(self) -> Option<(Self, u32)> {
        let level = self.level().checked_sub(1)?;
        Some((self.ancestor(level), (self.row() & 1) << 1 | self.column() & 1))
    }

    /// True where one of the two holds the other.
    pub(super) fn overlaps(self, other: Self) -> bool {
        let level = self.level().min(other.level());
        self.ancestor(level) == other.ancestor(level)
    }

    /// One of its four parts; it must not be of the finest level.
    #[inline]
    pub(super) const fn child(self, part: u32) -> Self {
        Self::new(self.level() + 1, self.column() << 1 | part & 1, self.row() << 1 | part >> 1)
    }

    /// What it covers.
    #[inline]
    pub(super) fn rect(self) -> Rect {
        let size = size_deg(self.level());
        let (west, south) = (f64::from(self.column()) * size - 180.0, f64::from(self.row()) * size - 90.0);
        Rect { west, south, east: west + size, north: south + size }
    }
}

/// The cells of the finest level at which `limit` of them cover the rectangle, at least four.
pub(super) fn cells_over(rect: &Rect, limit: usize) -> impl Iterator<Item = Cell> + use<> {
    let bounds = |level| {
        (
            index(rect.west + 180.0, level)..=index(rect.east + 180.0, level),
            index(rect.south + 90.0, level)..=index(rect.north + 90.0, level),
        )
    };
    let fits = |level: &u32| {
        let (columns, rows) = bounds(*level);
        (columns.end() - columns.start() + 1) as usize * (rows.end() - rows.start() + 1) as usize <= limit.max(4)
    };
    let level = (0..=LEVEL_MAX).rev().find(fits).unwrap_or(0);
    let (columns, rows) = bounds(level);
    rows.flat_map(move |row| columns.clone().map(move |column| Cell::new(level, column, row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_its_points_and_parts() {
        for point in [Point::new(-180.0, -90.0), Point::new(180.0, 90.0), Point::new(12.3, -45.6)] {
            let finest = Cell::finest_at(point);
            for level in 0..=LEVEL_MAX {
                let cell = finest.ancestor(level);
                let rect = cell.rect();
                assert!(rect.west <= point.lon && point.lon <= rect.east && rect.south <= point.lat, "{rect:?}");
                if let Some((parent, part)) = cell.parent() {
                    assert_eq!(parent.child(part), cell);
                }
            }
        }
    }

    #[test]
    fn few_cells_cover_a_rectangle() {
        let rect = Rect { west: 11.9, south: 47.9, east: 13.1, north: 48.4 };
        let cells: Vec<Cell> = cells_over(&rect, 4).collect();
        assert!(cells.len() <= 4 && cells[0].level() >= 7, "{cells:?}");
        let whole = Rect { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };
        assert_eq!(cells_over(&whole, 4).map(Cell::level).max(), Some(1));
    }
}
