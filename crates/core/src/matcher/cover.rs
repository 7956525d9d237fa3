//! Cells that cover polygons, with those marked that lie wholly inside.

use super::cell::{Cell, LEVEL_MAX, Rect, cells_over};
use crate::geometry::{Geometry, Point, Polygon, Ring};

/// Degrees by which a cell counts as larger when it is compared with an edge.
const MARGIN_DEG: f64 = 1e-6;
/// Cells that any shape may have, and one more for so many vertices.
const CELLS_MIN: usize = 10;
const VERTICES_PER_CELL: usize = 16;
const CELLS_MAX: usize = 192;

/// A cell of a cover, and whether every point of it is inside the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Covering(u32);

impl Covering {
    const INTERIOR: u32 = 1 << 31;

    const fn new(cell: Cell, is_interior: bool) -> Self {
        Self(cell.0 | if is_interior { Self::INTERIOR } else { 0 })
    }

    pub(super) const fn cell(self) -> Cell {
        Cell(self.0 & !Self::INTERIOR)
    }

    pub(super) const fn is_interior(self) -> bool {
        self.0 & Self::INTERIOR != 0
    }
}

/// A cell on the edge of a polygon, with the edges that meet it.
struct Border<'a> {
    cell: Cell,
    edges: Vec<(&'a Ring, usize)>,
}

/// Cells that together hold every point of the shape's polygons.
pub(super) fn cover(shape: &Geometry) -> Vec<Covering> {
    let polygons = shape.parts().iter().filter_map(|part| match part {
        Geometry::Polygon(polygon) => Some(polygon),
        _ => None,
    });
    let vertices: usize = polygons.clone().map(vertex_count).sum();
    let budget = (CELLS_MIN + vertices / VERTICES_PER_CELL).min(CELLS_MAX);
    let mut found = Vec::new();
    for polygon in polygons {
        let share = budget * vertex_count(polygon) / vertices.max(1);
        cover_polygon(polygon, share.max(4), &mut found);
    }
    // One cell of two polygons is kept once, interior where it is interior to either.
    found.sort_unstable_by_key(|covering| (covering.cell(), !covering.is_interior()));
    found.dedup_by_key(|covering| covering.cell());
    found
}

fn rings(polygon: &Polygon) -> impl Iterator<Item = &Ring> {
    std::iter::once(&polygon.exterior).chain(&polygon.holes)
}

fn vertex_count(polygon: &Polygon) -> usize {
    rings(polygon).map(Vec::len).sum()
}

fn cover_polygon(polygon: &Polygon, budget: usize, found: &mut Vec<Covering>) {
    let Some(bounds) = Rect::around(polygon.exterior.iter().copied()) else { return };
    let mut borders = Vec::new();
    let mut interior = Vec::new();
    let edges = || rings(polygon).flat_map(|ring| (1..ring.len().max(2)).map(move |end| (ring, end)));
    for cell in cells_over(&bounds.grown(MARGIN_DEG), 4) {
        sort_cell(polygon, cell, edges(), &mut borders, &mut interior);
    }
    while let Some(level) = borders.iter().map(|border| border.cell.level()).min() {
        // Cutting a border cell makes about two new ones.
        if level == LEVEL_MAX || interior.len() + borders.len() * 2 > budget {
            break;
        }
        for border in std::mem::take(&mut borders) {
            for part in 0..4 {
                sort_cell(polygon, border.cell.child(part), border.edges.iter().copied(), &mut borders, &mut interior);
            }
        }
    }
    found.extend(interior.into_iter().map(|cell| Covering::new(cell, true)));
    found.extend(borders.into_iter().map(|border| Covering::new(border.cell, false)));
}

/// Puts a cell with the borders or the interior, or with neither when it lies outside.
fn sort_cell<'a>(
    polygon: &Polygon,
    cell: Cell,
    edges: impl Iterator<Item = (&'a Ring, usize)>,
    borders: &mut Vec<Border<'a>>,
    interior: &mut Vec<Cell>,
) {
    let rect = cell.rect().grown(MARGIN_DEG);
    let edges: Vec<(&Ring, usize)> = edges.filter(|(ring, end)| edge_may_meet(ring, *end, &rect)).collect();
    if !edges.is_empty() {
        borders.push(Border { cell, edges });
        return;
    }
    match side(polygon, rect.middle()) {
        Some(true) => interior.push(cell),
        Some(false) => {}
        None => borders.push(Border { cell, edges }),
    }
}

/// True unless the edge that ends at a vertex surely stays out of the rectangle.
fn edge_may_meet(ring: &Ring, end: usize, rect: &Rect) -> bool {
    let (Some(from), Some(to)) = (ring.get(end - 1), ring.get(end).or(ring.first())) else { return false };
    let bounds = Rect {
        west: from.lon.min(to.lon),
        south: from.lat.min(to.lat),
        east: from.lon.max(to.lon),
        north: from.lat.max(to.lat),
    };
    if !bounds.meets(rect) {
        return false;
    }
    // All four corners strictly on one side of the line: it passes by.
    let side = |lon: f64, lat: f64| (to.lon - from.lon) * (lat - from.lat) - (to.lat - from.lat) * (lon - from.lon);
    let corners = [
        side(rect.west, rect.south),
        side(rect.west, rect.north),
        side(rect.east, rect.south),
        side(rect.east, rect.north),
    ];
    !(corners.iter().all(|corner| *corner > 1e-9) || corners.iter().all(|corner| *corner < -1e-9))
}

/// Whether a point away from all edges is inside; `None` when self-crossing rings leave that open.
fn side(polygon: &Polygon, point: Point) -> Option<bool> {
    match winding(&polygon.exterior, point) {
        0 => return Some(false),
        -1 | 1 => {}
        _ => return None,
    }
    let mut in_hole = false;
    for hole in &polygon.holes {
        match winding(hole, point) {
            0 => {}
            -1 | 1 if !in_hole => in_hole = true,
            _ => return None,
        }
    }
    Some(!in_hole)
}

/// How often a ring goes around a point.
fn winding(ring: &Ring, point: Point) -> i32 {
    let mut turns = 0;
    for pair in ring.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let side = (to.lon - from.lon) * (point.lat - from.lat) - (point.lon - from.lon) * (to.lat - from.lat);
        if from.lat <= point.lat && to.lat > point.lat && side > 0.0 {
            turns += 1;
        } else if from.lat > point.lat && to.lat <= point.lat && side < 0.0 {
            turns -= 1;
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(corners: &[(f64, f64)]) -> Ring {
        corners.iter().chain(corners.first()).map(|(lon, lat)| Point::new(*lon, *lat)).collect()
    }

    #[test]
    fn marks_what_lies_inside_and_leaves_holes_out() {
        // A circle of many vertices, so that the budget allows fine cells, with a square hole.
        let around = |degrees: f64, radius: f64| {
            (radius * degrees.to_radians().cos(), 40.0 + radius * degrees.to_radians().sin())
        };
        let exterior: Vec<(f64, f64)> = (0..2000).map(|step| around(f64::from(step) * 0.18, 10.0)).collect();
        let hole = ring(&[(-5.0, 35.0), (-5.0, 45.0), (5.0, 45.0), (5.0, 35.0)]);
        let polygon = Polygon { exterior: ring(&exterior), holes: vec![hole] };
        let covering = cover(&Geometry::Polygon(polygon));
        let at = |lon: f64, lat: f64| {
            let finest = Cell::finest_at(Point::new(lon, lat));
            let holds = |covering: &&Covering| finest.ancestor(covering.cell().level()) == covering.cell();
            covering.iter().find(holds).map(|covering| covering.is_interior())
        };
        assert_eq!(at(0.3, 40.3), None, "in the hole");
        assert_eq!(at(7.5, 40.3), Some(true), "between hole and rim");
        assert_eq!(at(9.99, 40.0), Some(false), "on the rim");
        assert_eq!(at(12.0, 52.0), None, "outside");
        assert!(covering.len() <= CELLS_MAX, "{}", covering.len());
    }
}
