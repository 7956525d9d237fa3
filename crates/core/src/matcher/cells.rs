//! Conjunctions listed under cells, and the tree of the cells in use.

use hashbrown::HashMap;

use super::cell::{Cell, LEVEL_MAX, Rect};
use super::posting::List;
use crate::geometry::Point;

/// The lists of all cells in use. A list's `parts` say which of its cell's four parts are in use,
/// one bit each.
#[derive(Debug, Default)]
pub(super) struct Cells {
    lists: HashMap<u32, List, foldhash::fast::RandomState>,
}

impl Cells {
    /// The list of a cell, made where it is missing.
    pub(super) fn list_mut(&mut self, cell: Cell) -> &mut List {
        let mut below = cell;
        while let Some((parent, part)) = below.parent() {
            let parts = &mut self.lists.entry(parent.0).or_default().parts;
            if *parts >> part & 1 == 1 {
                break;
            }
            *parts |= 1 << part;
            below = parent;
        }
        self.lists.entry(cell.0).or_default()
    }

    /// Forgets the cell when it has nothing left, and then those above it likewise.
    pub(super) fn prune(&mut self, cell: Cell) {
        let mut empty = cell;
        while self.lists.get(&empty.0).is_some_and(|list| list.parts == 0 && list.postings().is_empty()) {
            self.lists.remove(&empty.0);
            let Some((parent, part)) = empty.parent() else { return };
            if let Some(list) = self.lists.get_mut(&parent.0) {
                list.parts &= !(1 << part);
            }
            empty = parent;
        }
    }

    /// Hands the list of each cell that holds a point to `visit`.
    #[inline]
    pub(super) fn at<'a>(&'a self, point: Point, mut visit: impl FnMut(&'a List)) {
        let finest = Cell::finest_at(point);
        for level in 0..=LEVEL_MAX {
            let Some(list) = self.lists.get(&finest.ancestor(level).0) else { return };
            visit(list);
            if list.parts == 0 {
                return;
            }
        }
    }

    /// Hands the list of each cell that meets one of some rectangles to `visit`, each once.
    pub(super) fn meeting<'a>(&'a self, rects: &[Rect], visit: &mut impl FnMut(&'a List)) {
        // A word has a bit for each rectangle; beyond that, several share one.
        let groups: Vec<Rect> = rects.chunks(rects.len().div_ceil(64).max(1)).filter_map(around).collect();
        self.descend(Cell::ROOT, &groups, u64::MAX, visit);
    }

    fn descend<'a>(&'a self, cell: Cell, rects: &[Rect], near: u64, visit: &mut impl FnMut(&'a List)) {
        let bounds = cell.rect();
        let mut meeting = 0;
        for (bit, rect) in rects.iter().enumerate() {
            meeting |= u64::from(near >> bit & 1 == 1 && rect.meets(&bounds)) << bit;
        }
        if meeting == 0 {
            return;
        }
        let Some(list) = self.lists.get(&cell.0) else { return };
        visit(list);
        for part in (0..4).filter(|part| list.parts >> part & 1 == 1) {
            self.descend(cell.child(part), rects, meeting, visit);
        }
    }

    /// Bytes held, without those of the postings.
    pub(super) fn memory_bytes(&self) -> usize {
        self.lists.allocation_size()
    }

    /// Bytes of the postings.
    pub(super) fn posting_bytes(&self) -> usize {
        self.lists.values().map(List::memory_bytes).sum()
    }
}

fn around(rects: &[Rect]) -> Option<Rect> {
    Rect::around(rects.iter().flat_map(|rect| [Point::new(rect.west, rect.south), Point::new(rect.east, rect.north)]))
}
