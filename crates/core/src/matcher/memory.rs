//! How much memory the index holds.

use super::Matcher;
use super::rule::{KeySet, Owner, Test};
use crate::filter::{Leaf, Literal, TextMatch};
use crate::geometry::BoundingBox;

/// Bytes held, by what for. Prepared areas are not counted: they are shared with the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Ids and conjunctions.
    pub subscriptions: usize,
    /// Conditions judged beside the index, and cells of areas.
    pub tests: usize,
    /// Strings asked for.
    pub keys: usize,
    /// The tree of cells.
    pub cells: usize,
    /// Postings in all lists.
    pub postings: usize,
}

impl Memory {
    /// All of it.
    pub const fn total(&self) -> usize {
        self.subscriptions + self.tests + self.keys + self.cells + self.postings
    }
}

impl Matcher {
    /// Bytes held now, without what the allocator adds.
    pub fn memory_bytes(&self) -> Memory {
        let first = self.rules.places().iter().filter_map(|rule| rule.first.as_ref());
        let rest = self.tests.0.places().iter().filter_map(|link| link.test.as_ref());
        Memory {
            subscriptions: self.slots.memory_bytes()
                + self.by_id.allocation_size()
                + self.rules.memory_bytes()
                + self.owners.capacity() * size_of::<Owner>()
                + self.audiences.memory_bytes(),
            tests: self.tests.0.memory_bytes() + first.chain(rest).map(test_bytes).sum::<usize>(),
            keys: self.index.keys.memory_bytes(),
            cells: self.index.cells.memory_bytes(),
            postings: self.index.keys.posting_bytes() + self.index.cells.posting_bytes() + self.index.word_bytes(),
        }
    }
}

/// Bytes a test holds elsewhere.
fn test_bytes(test: &Test) -> usize {
    match test {
        Test::Keys { keys: KeySet::Many(keys), .. } => size_of_val(&**keys),
        Test::Bbox(_) => size_of::<BoundingBox>(),
        Test::Within { cells, .. } => size_of_val(&**cells),
        Test::Literal(literal) => size_of::<Literal>() + leaf_bytes(&literal.leaf),
        Test::Keys { .. } | Test::Near { .. } | Test::Measure { .. } => 0,
    }
}

/// Bytes a condition holds elsewhere.
fn leaf_bytes(leaf: &Leaf) -> usize {
    match leaf {
        Leaf::AreaCode(codes) => {
            codes.iter().map(|code| size_of_val(code) + code.scheme.capacity() + code.value.capacity()).sum()
        }
        Leaf::Text(query) => size_of::<TextMatch>() + text_bytes(query),
        Leaf::Bbox(bounds) => size_of_val(&**bounds),
        Leaf::Time(span) => size_of_val(&**span),
        _ => 0,
    }
}

fn text_bytes(query: &TextMatch) -> usize {
    let words = |phrase: &[Box<str>]| phrase.iter().map(|word| size_of_val(word) + word.len()).sum::<usize>();
    let entries = query.any.iter().chain(&query.all).chain(&query.none);
    entries
        .map(|entry| size_of_val(entry) + entry.iter().map(|phrase| size_of_val(phrase) + words(phrase)).sum::<usize>())
        .sum()
}
