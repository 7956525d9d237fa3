//! How much memory the index holds.

use super::Matcher;
use super::rule::Rule;
use crate::filter::{Leaf, Program, TextMatch};

/// Bytes held, by what for. Vertices of areas are not counted: they are shared with the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Ids and conjunctions.
    pub subscriptions: usize,
    /// Conditions judged beside the index.
    pub tests: usize,
    /// Filters kept for conditions that need them.
    pub filters: usize,
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
        self.subscriptions + self.tests + self.filters + self.keys + self.cells + self.postings
    }
}

impl Matcher {
    /// Bytes held now, without what the allocator adds.
    pub fn memory_bytes(&self) -> Memory {
        let numbers = self.free_slots.capacity() + self.free_rules.capacity();
        Memory {
            subscriptions: self.slots.capacity() * size_of::<super::Slot>()
                + self.by_id.allocation_size()
                + self.rules.capacity() * size_of::<Rule>()
                + numbers * size_of::<u32>()
                + self.audiences.memory_bytes(),
            tests: self.tests.memory_bytes(),
            filters: self.slots.iter().filter_map(|slot| slot.program.as_deref()).map(program_bytes).sum(),
            keys: self.index.keys.memory_bytes(),
            cells: self.index.cells.memory_bytes(),
            postings: self.index.keys.posting_bytes() + self.index.cells.posting_bytes() + self.index.word_bytes(),
        }
    }
}

fn program_bytes(program: &Program) -> usize {
    let literals = program.literals();
    size_of_val(program)
        + size_of_val(literals)
        + literals.iter().map(|literal| leaf_bytes(&literal.leaf)).sum::<usize>()
}

/// Bytes a condition holds elsewhere.
fn leaf_bytes(leaf: &Leaf) -> usize {
    let strings = |texts: &[Box<str>]| texts.iter().map(|text| text.len() + size_of::<Box<str>>()).sum();
    match leaf {
        Leaf::Type(texts) | Leaf::Source(texts) | Leaf::Sender(texts) | Leaf::Country(texts) | Leaf::Region(texts) => {
            strings(texts)
        }
        Leaf::AreaCode(codes) => {
            codes.iter().map(|code| size_of_val(code) + code.scheme.capacity() + code.value.capacity()).sum()
        }
        Leaf::Measure(measure) => size_of_val(&**measure) + measure.name.len(),
        Leaf::Text(query) => size_of::<TextMatch>() + text_bytes(query),
        Leaf::Bbox(bounds) => size_of_val(&**bounds),
        Leaf::Time(span) => size_of_val(&**span),
        _ => 0,
    }
}

fn text_bytes(query: &TextMatch) -> usize {
    let entries = query.any.iter().chain(&query.all).chain(&query.none);
    let phrase = |phrase: &[Box<str>]| phrase.iter().map(|word| 32 + word.len()).sum::<usize>();
    entries.map(|entry| 16 + entry.iter().map(|words| phrase(words)).sum::<usize>()).sum()
}
