//! Conditions on closed word lists as one 64-bit word.
//!
//! A segment sets exactly one bit in each group: category, severity (apart for categories with
//! and without severities, since `Unknown` is judged by that), urgency, certainty, status, state.
//! A conjunction allows a set of bits. The segment passes when all of its bits are allowed.

use crate::event::SegmentView;
use crate::filter::{Leaf, Literal, is_severe_enough};
use crate::vocabulary::{Category, Certainty, Severity, State, Status, Urgency};

const CATEGORY: u32 = 0;
const SEVERITY: u32 = CATEGORY + Category::ALL.len() as u32;
const URGENCY: u32 = SEVERITY + 2 * Severity::ALL.len() as u32;
const CERTAINTY: u32 = URGENCY + Urgency::ALL.len() as u32;
const STATUS: u32 = CERTAINTY + Certainty::ALL.len() as u32;
const STATE: u32 = STATUS + Status::ALL.len() as u32;
const END: u32 = STATE + State::ALL.len() as u32;
const GROUPS: [u32; 7] = [CATEGORY, SEVERITY, URGENCY, CERTAINTY, STATUS, STATE, END];

/// How many of the low bits a mask uses; the rest is free for marks.
pub(super) const BITS: u32 = END;

/// A set of words, or the words of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask(pub(super) u64);

/// All bits from `from` to below `to`.
const fn span(from: u32, to: u32) -> u64 {
    (u64::MAX >> (64 - (to - from))) << from
}

/// A set of words of one group, or all its others; bit n is word n.
fn group(from: u32, to: u32, set: u32, negated: bool) -> Mask {
    let chosen = u64::from(set) << from & span(from, to);
    let in_group = if negated { span(from, to) & !chosen } else { chosen };
    Mask(Mask::ALL.0 & !span(from, to) | in_group)
}

fn severity_word(severity: Severity, category: Category) -> u32 {
    let apart = if category.has_no_severity() { Severity::ALL.len() as u32 } else { 0 };
    severity as u32 + apart
}

impl Mask {
    /// Everything is allowed.
    pub(super) const ALL: Self = Self(span(0, END));

    /// The words of a segment of an event with this status and state.
    pub(super) fn of_segment(segment: &SegmentView<'_>, status: Status, state: State) -> Self {
        Self(
            1 << (CATEGORY + segment.category as u32)
                | 1 << (SEVERITY + severity_word(segment.severity, segment.category))
                | 1 << (URGENCY + segment.urgency as u32)
                | 1 << (CERTAINTY + segment.certainty as u32)
                | 1 << (STATUS + status as u32)
                | 1 << (STATE + state as u32),
        )
    }

    /// What a condition allows; `None` when it is not one on closed lists.
    pub(super) fn of_literal(literal: &Literal) -> Option<Self> {
        let negated = literal.negated;
        Some(match &literal.leaf {
            Leaf::Category(set) => group(CATEGORY, SEVERITY, *set, negated),
            Leaf::SeverityMin(at_least, unknown) => {
                group(SEVERITY, URGENCY, severity_set(*at_least, *unknown), negated)
            }
            Leaf::Urgency(set) => group(URGENCY, CERTAINTY, *set, negated),
            Leaf::Certainty(set) => group(CERTAINTY, STATUS, *set, negated),
            Leaf::Status(set) => group(STATUS, STATE, *set, negated),
            Leaf::State(set) => group(STATE, END, *set, negated),
            _ => return None,
        })
    }

    /// What both allow.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// True when no segment can pass.
    pub(super) fn is_contradiction(self) -> bool {
        GROUPS.windows(2).any(|edge| self.0 & span(edge[0], edge[1]) == 0)
    }

    /// True when a segment with these words passes what `self` allows.
    pub(super) const fn allows(self, words: Self) -> bool {
        words.0 & !self.0 == 0
    }

    /// The categories it allows.
    pub(super) fn categories(self) -> impl Iterator<Item = usize> {
        (0..Category::ALL.len()).filter(move |category| self.0 >> (CATEGORY + *category as u32) & 1 == 1)
    }

    /// The severities it allows in one category.
    pub(super) fn severities_in(self, category: usize) -> impl Iterator<Item = usize> {
        let severity = move |index: usize| severity_word(Severity::ALL[index], Category::ALL[category]);
        (0..Severity::ALL.len()).filter(move |index| self.0 >> (SEVERITY + severity(*index)) & 1 == 1)
    }

    /// The severities it allows in some category.
    pub(super) fn severities(self) -> impl Iterator<Item = usize> {
        let count = Severity::ALL.len();
        let bits = self.0 >> SEVERITY | self.0 >> (SEVERITY + count as u32);
        (0..count).filter(move |severity| bits >> severity & 1 == 1)
    }

    /// The share of events it lets pass, if words were spread evenly and severe ones rare.
    pub(super) fn share(self) -> f64 {
        const SEVERITY_SHARES: [f64; 5] = [0.15, 0.35, 0.3, 0.15, 0.05];
        let categories = self.categories().count() as f64 / Category::ALL.len() as f64;
        let severities: f64 = self.severities().map(|severity| SEVERITY_SHARES[severity]).sum();
        categories * severities
    }
}

/// The severities that pass, of categories with severities and of those without.
fn severity_set(at_least: Severity, unknown: Option<bool>) -> u32 {
    let mut set = 0;
    for category in [Category::Weather, Category::Other] {
        for severity in Severity::ALL {
            if is_severe_enough(*severity, category, at_least, unknown) {
                set |= 1 << severity_word(*severity, category);
            }
        }
    }
    set
}
