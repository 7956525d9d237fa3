//! Conjunctions and the conditions left to judge in them, in arenas with numbers for pointers.

use std::sync::Arc;

use super::arena::Arena;
use super::cover::Covering;
use super::keys::KeyId;
use super::mask::Mask;
use super::posting::KeysOfEvent;
use crate::filter::{Comparison, Literal, Subject};
use crate::geometry::{BoundingBox, Point};
use crate::spatial::Prepared;

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// Under which keys a conjunction is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Categories and severities.
    Words,
    /// The keys of its last test.
    Keys,
    /// The cells of its last test.
    Cells,
}

/// Whose a conjunction is: all that most searches read of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// The subscription; [`NONE`] once removed.
    pub(super) slot: u32,
    /// Who reads it: the set of tenants.
    pub(super) audience: u32,
}

/// A conjunction.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) mask: Mask,
    pub(super) first: Option<Test>,
    /// The tests after the first: those that the index decides stand last.
    pub(super) rest: u32,
    pub(super) test_count: u16,
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
    Within {
        area: Arc<Prepared>,
        cells: Box<[Covering]>,
    },
    Measure {
        name: KeyId,
        op: Comparison,
        value: f64,
        negated: bool,
    },
    /// Any other.
    Literal(Box<Literal>),
}

/// How many keys a test holds by itself.
pub(super) const FEW: usize = 5;

/// Some keys.
#[derive(Debug)]
pub(super) enum KeySet {
    Few(u8, [KeyId; FEW]),
    Many(Box<[KeyId]>),
}

impl KeySet {
    pub(super) fn new(keys: &[KeyId]) -> Self {
        if keys.len() > FEW {
            return Self::Many(keys.into());
        }
        let mut few = [KeyId::MAX; FEW];
        few[..keys.len()].copy_from_slice(keys);
        Self::Few(keys.len() as u8, few)
    }

    pub(super) fn as_slice(&self) -> &[KeyId] {
        match self {
            Self::Few(count, keys) => &keys[..usize::from(*count)],
            Self::Many(keys) => keys,
        }
    }
}

/// What a test is judged by.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) segment: usize,
    /// The keys that the segment has.
    pub(super) keys: KeysOfEvent<'a>,
    /// Its measures that filters name.
    pub(super) measures: &'a [(KeyId, f64)],
    /// The answer of `near`, `bbox` and `within` where the place is coarse.
    pub(super) coarse: Option<bool>,
}

impl Judged<'_> {
    /// Answers a condition on the shape.
    fn shape(&self, holds: impl Fn(&Prepared) -> bool) -> bool {
        self.coarse.unwrap_or_else(|| self.subject.geometry(self.segment).is_some_and(holds))
    }
}

impl Test {
    /// True where it holds.
    pub(super) fn holds(&self, judged: &Judged<'_>) -> bool {
        match self {
            Self::Keys { keys, negated } => keys.as_slice().iter().any(|key| judged.keys.contains(*key)) != *negated,
            Self::Near { center, radius_km } => judged.shape(|shape| shape.within_distance(*center, *radius_km)),
            Self::Bbox(bounds) => judged.shape(|shape| shape.intersects_box(bounds)),
            Self::Within { area, .. } => judged.shape(|shape| area.intersects(shape)),
            Self::Measure { name, op, value, negated } => {
                let actual = judged.measures.iter().find(|(measure, _)| measure == name);
                actual.is_some_and(|(_, actual)| op.compares(*actual, *value)) != *negated
            }
            Self::Literal(literal) => literal.holds(judged.subject, judged.segment),
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
}

impl Rule {
    /// Its tests: at the end that of its spot, then that of its access.
    pub(super) fn tests<'a>(&'a self, tests: &'a Tests) -> impl Iterator<Item = &'a Test> {
        self.first.iter().chain(tests.chain(self.rest))
    }

    /// Something of it, and of the area that it names first, to have them read from memory.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let area = match &self.first {
            Some(Test::Within { area, .. }) => area.touch(),
            _ => 0,
        };
        u64::from(self.test_count) ^ u64::from(self.rest) ^ area
    }
}

/// Tests beyond the first of their conjunctions, in chains.
#[derive(Debug, Default)]
pub(super) struct Tests(pub(super) Arena<Link>);

#[derive(Debug)]
pub(super) struct Link {
    pub(super) test: Option<Test>,
    next: u32,
}

impl Tests {
    /// Puts a test before a chain; answers the new chain.
    pub(super) fn prepend(&mut self, test: Test, next: u32) -> u32 {
        self.0.add(Link { test: Some(test), next })
    }

    fn chain(&self, first: u32) -> impl Iterator<Item = &Test> {
        let mut number = first;
        std::iter::from_fn(move || {
            let link = self.0.get(number)?;
            number = link.next;
            link.test.as_ref()
        })
    }

    /// Takes a chain out, handing each test to `taken`.
    pub(super) fn remove(&mut self, first: u32, mut taken: impl FnMut(&Test)) {
        let mut number = first;
        while let Some(link) = self.0.get_mut(number) {
            if let Some(test) = link.test.take() {
                taken(&test);
            }
            let next = link.next;
            self.0.free(number);
            number = next;
        }
    }
}
