//! Every list that a conjunction may stand in.

use super::cell::Cell;
use super::cells::Cells;
use super::keys::{KeyId, Keys};
use super::mask::Mask;
use super::posting::{List, Posting};
use crate::vocabulary::{Category, Severity};

/// More categories than these are listed as all.
const CATEGORIES_MAX: usize = 4;
const SEVERITIES: usize = Severity::ALL.len();
const ANY_CATEGORY: usize = Category::ALL.len();

/// Where a list is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Cell(Cell),
    Key(KeyId),
    Words(u16),
}

impl Place {
    /// The cell, if it is one.
    pub(super) const fn cell(self) -> Option<Cell> {
        match self {
            Self::Cell(cell) => Some(cell),
            Self::Key(_) | Self::Words(_) => None,
        }
    }
}

/// The lists by cell, by key, and by category and severity.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) keys: Keys,
    pub(super) cells: Cells,
    words: Vec<List>,
}

impl Default for Index {
    fn default() -> Self {
        let words = (0..(ANY_CATEGORY + 1) * SEVERITIES).map(|_| List::default()).collect();
        Self { keys: Keys::default(), cells: Cells::default(), words }
    }
}

/// Where a conjunction stands that is listed by category and severity.
pub(super) fn word_places(mask: Mask) -> Vec<Place> {
    let place = |category: usize, severity: usize| Place::Words((category * SEVERITIES + severity) as u16);
    if mask.categories().count() > CATEGORIES_MAX {
        return mask.severities().map(|severity| place(ANY_CATEGORY, severity)).collect();
    }
    let in_category = |category| mask.severities_in(category).map(move |severity| place(category, severity));
    mask.categories().flat_map(in_category).collect()
}

impl Index {
    /// The two lists that segments of a category and severity look into.
    #[inline]
    pub(super) fn by_words(&self, category: Category, severity: Severity) -> [&List; 2] {
        [category as usize, ANY_CATEGORY].map(|category| &self.words[category * SEVERITIES + severity as usize])
    }

    fn list_mut(&mut self, place: Place) -> &mut List {
        match place {
            Place::Cell(cell) => self.cells.list_mut(cell),
            Place::Key(key) => self.keys.list_mut(key),
            Place::Words(number) => &mut self.words[usize::from(number)],
        }
    }

    /// Lists a conjunction.
    pub(super) fn add(&mut self, place: Place, posting: Posting) {
        self.list_mut(place).push(posting);
    }

    /// Notes that a conjunction in a list is removed. Once half of the list is, it is swept:
    /// the answer holds a number for each posting dropped.
    pub(super) fn bury(&mut self, place: Place, is_dead: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut dropped = Vec::new();
        let list = self.list_mut(place);
        if list.bury() {
            list.sweep(is_dead, |rule| dropped.push(rule));
            if let Place::Cell(cell) = place {
                self.cells.prune(cell);
            }
        }
        dropped
    }

    /// Bytes of the postings by category and severity.
    pub(super) fn word_bytes(&self) -> usize {
        self.words.iter().map(|list| list.memory_bytes() + size_of::<List>()).sum()
    }
}
