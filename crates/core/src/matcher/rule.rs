//! Conjunctions and the conditions left to judge in them, in arenas with numbers for pointers.

use super::cover::Covering;
use super::keys::{KeyId, Keys};
use super::mask::Mask;
use crate::filter::{Comparison, Program, Subject};
use crate::geometry::{BoundingBox, Point};

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// Under which keys a conjunction is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Categories and severities.
    Words,
    /// The keys of its first test.
    Keys,
    /// The cells of its first test.
    Cells,
}

/// A conjunction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) mask: Mask,
    /// Whose it is; [`NONE`] once removed.
    pub(super) slot: u32,
    /// Who reads it: the set of tenants.
    pub(super) audience: u32,
    /// Its first test.
    pub(super) tests: u32,
    /// The next conjunction of its subscription.
    pub(super) next: u32,
    /// How many lists hold it, removed or not.
    pub(super) postings: u32,
    pub(super) access: Access,
}

/// One condition that is not on closed lists.
#[derive(Debug)]
pub(super) enum Test {
    /// The event has one of these keys, or none of them.
    Keys {
        keys: KeySet,
        negated: bool,
    },
    Near {
        center: Point,
        radius_km: f64,
    },
    Bbox(Box<BoundingBox>),
    /// The literal of this number in the subscription's program; with its cells if it is `within`.
    Literal {
        index: u16,
        cells: Box<[Covering]>,
    },
    Measure {
        name: KeyId,
        op: Comparison,
        value: f64,
        negated: bool,
    },
}

/// One key or several.
#[derive(Debug)]
pub(super) enum KeySet {
    One(KeyId),
    Several(Box<[KeyId]>),
}

impl KeySet {
    pub(super) fn new(keys: &[KeyId]) -> Self {
        match keys {
            [one] => Self::One(*one),
            several => Self::Several(several.into()),
        }
    }

    pub(super) fn as_slice(&self) -> &[KeyId] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Several(keys) => keys,
        }
    }
}

/// What a test is judged by.
pub(super) struct Judged<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) segment: usize,
    /// The keys that the segment has, sorted.
    pub(super) keys: &'a [KeyId],
    /// The answer of `near`, `bbox` and `within` where the place is coarse.
    pub(super) coarse: Option<bool>,
}

impl Test {
    /// True where it holds.
    pub(super) fn holds(&self, judged: &Judged<'_>, keys: &Keys, program: Option<&Program>) -> bool {
        let Judged { subject, segment, .. } = *judged;
        let shape = || subject.geometry(segment);
        match self {
            Self::Keys { keys, negated } => {
                keys.as_slice().iter().any(|key| judged.keys.binary_search(key).is_ok()) != *negated
            }
            Self::Near { center, radius_km } => {
                judged.coarse.unwrap_or_else(|| shape().is_some_and(|shape| shape.within_distance(*center, *radius_km)))
            }
            Self::Bbox(bounds) => {
                judged.coarse.unwrap_or_else(|| shape().is_some_and(|shape| shape.intersects_box(bounds)))
            }
            Self::Literal { index, .. } => program
                .and_then(|program| program.literals().get(usize::from(*index)))
                .is_some_and(|literal| literal.holds(subject, segment)),
            Self::Measure { name, op, value, negated } => {
                let actual = subject.event().measures.get(keys.text(*name));
                actual.is_some_and(|actual| op.compares(*actual, *value)) != *negated
            }
        }
    }

    /// The keys it holds.
    pub(super) fn keys(&self) -> &[KeyId] {
        match self {
            Self::Keys { keys, .. } => keys.as_slice(),
            Self::Measure { name, .. } => std::slice::from_ref(name),
            _ => &[],
        }
    }

    /// Bytes it holds elsewhere.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Keys { keys: KeySet::Several(keys), .. } => size_of_val::<[KeyId]>(keys),
            Self::Bbox(_) => size_of::<BoundingBox>(),
            Self::Literal { cells, .. } => size_of_val::<[Covering]>(cells),
            _ => 0,
        }
    }
}

/// Numbered places for tests, in chains.
#[derive(Debug, Default)]
pub(super) struct Tests {
    nodes: Vec<Link>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Link {
    test: Option<Test>,
    next: u32,
}

impl Tests {
    /// Puts a test before a chain; answers the new chain.
    pub(super) fn prepend(&mut self, test: Test, next: u32) -> u32 {
        let link = Link { test: Some(test), next };
        match self.free.pop() {
            Some(number) => {
                self.nodes[number as usize] = link;
                number
            }
            None => {
                self.nodes.push(link);
                self.nodes.len() as u32 - 1
            }
        }
    }

    /// The tests of a chain.
    pub(super) fn chain(&self, first: u32) -> impl Iterator<Item = &Test> {
        let mut number = first;
        std::iter::from_fn(move || {
            let link = self.nodes.get(number as usize)?;
            number = link.next;
            link.test.as_ref()
        })
    }

    /// Takes a chain out; answers its tests.
    pub(super) fn remove(&mut self, first: u32) -> Vec<Test> {
        let mut taken = Vec::new();
        let mut number = first;
        while let Some(link) = self.nodes.get_mut(number as usize) {
            taken.extend(link.test.take());
            self.free.push(number);
            number = link.next;
        }
        taken
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        let elsewhere: usize = self.nodes.iter().filter_map(|link| link.test.as_ref()).map(Test::memory_bytes).sum();
        elsewhere + self.nodes.capacity() * size_of::<Link>() + self.free.capacity() * size_of::<u32>()
    }
}
