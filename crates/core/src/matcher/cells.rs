//! Conjunctions listed under cells, and the tree of the cells in use.

use hashbrown::HashMap;

use super::cell::{Cell, LEVEL_MAX, Rect};
use super::posting::List;
use crate::geometry::Point;

const NO_LIST: u32 = u32::MAX;

/// A cell that has a list, or a part in use.
#[derive(Debug, Clone, Copy)]
struct Node {
    list: u32,
    /// Which of its four parts are in use, one bit each.
    parts: u8,
}

/// The lists of all cells in use.
#[derive(Debug, Default)]
pub(super) struct Cells {
    nodes: HashMap<u32, Node, foldhash::fast::RandomState>,
    lists: Vec<List>,
    free: Vec<u32>,
}

impl Cells {
    /// The list of a cell, made where it is missing.
    pub(super) fn list_mut(&mut self, cell: Cell) -> &mut List {
        let node = self.nodes.entry(cell.0).or_insert(Node { list: NO_LIST, parts: 0 });
        if node.list == NO_LIST {
            node.list = self.free.pop().unwrap_or_else(|| {
                self.lists.push(List::default());
                self.lists.len() as u32 - 1
            });
        }
        let list = node.list;
        let mut below = cell;
        while let Some((parent, part)) = below.parent() {
            let node = self.nodes.entry(parent.0).or_insert(Node { list: NO_LIST, parts: 0 });
            if node.parts >> part & 1 == 1 {
                break;
            }
            node.parts |= 1 << part;
            below = parent;
        }
        &mut self.lists[list as usize]
    }

    /// Forgets the cell when it has nothing left, and then those above it likewise.
    pub(super) fn prune(&mut self, cell: Cell) {
        let Some(node) = self.nodes.get_mut(&cell.0) else { return };
        if node.list != NO_LIST && self.lists[node.list as usize].postings.is_empty() {
            self.lists[node.list as usize] = List::default();
            self.free.push(node.list);
            node.list = NO_LIST;
        }
        let mut empty = cell;
        while self.nodes.get(&empty.0).is_some_and(|node| node.list == NO_LIST && node.parts == 0) {
            self.nodes.remove(&empty.0);
            let Some((parent, part)) = empty.parent() else { return };
            if let Some(node) = self.nodes.get_mut(&parent.0) {
                node.parts &= !(1 << part);
            }
            empty = parent;
        }
    }

    /// Hands the list of each cell that holds a point to `visit`.
    pub(super) fn at(&self, point: Point, mut visit: impl FnMut(&List)) {
        let finest = Cell::finest_at(point);
        for level in 0..=LEVEL_MAX {
            let Some(node) = self.nodes.get(&finest.ancestor(level).0) else { return };
            if node.list != NO_LIST {
                visit(&self.lists[node.list as usize]);
            }
            if node.parts == 0 {
                return;
            }
        }
    }

    /// Hands the list of each cell that meets one of some rectangles to `visit`, each once.
    pub(super) fn meeting(&self, rects: &[Rect], visit: &mut impl FnMut(&List)) {
        let everywhere: Vec<u32> = (0..rects.len() as u32).collect();
        self.descend(Cell::ROOT, rects, &everywhere, visit);
    }

    fn descend(&self, cell: Cell, rects: &[Rect], near: &[u32], visit: &mut impl FnMut(&List)) {
        let bounds = cell.rect();
        let meeting: Vec<u32> = near.iter().copied().filter(|rect| rects[*rect as usize].meets(&bounds)).collect();
        if meeting.is_empty() {
            return;
        }
        let Some(node) = self.nodes.get(&cell.0) else { return };
        if node.list != NO_LIST {
            visit(&self.lists[node.list as usize]);
        }
        for part in (0..4).filter(|part| node.parts >> part & 1 == 1) {
            self.descend(cell.child(part), rects, &meeting, visit);
        }
    }

    /// Bytes held, without those of the postings.
    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.allocation_size()
            + self.lists.capacity() * size_of::<List>()
            + self.free.capacity() * size_of::<u32>()
    }

    /// Bytes of the postings.
    pub(super) fn posting_bytes(&self) -> usize {
        self.lists.iter().map(List::memory_bytes).sum()
    }
}
