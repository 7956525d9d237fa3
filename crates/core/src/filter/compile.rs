//! A checked filter in the form that events are judged by.
//!
//! `not` is pushed down to the single conditions, so a filter is a tree of `all` and `any` over
//! [`Literal`]s, in the order in which the conditions stand in the [`Filter`].

use crate::geometry::{BoundingBox, Geometry, Point};
use crate::spatial::Prepared;
use crate::time::Timestamp;
use crate::vocabulary::{Category, Certainty, Severity, State, Status, Urgency};

use super::words::TextMatch;
use super::{Comparison, Fault, Filter, TimeField, check};

/// A filter that passed every check, ready to judge events.
#[derive(Debug, Clone)]
pub struct Compiled {
    filter: Filter,
    program: Program,
}

/// What judges: a filter without its spelling. Small, to be held in the millions.
#[derive(Debug, Clone)]
pub struct Program {
    literals: Box<[Literal]>,
    /// `None` where every literal must hold.
    tree: Option<Box<Node>>,
}

/// A condition, or its contrary.
#[derive(Debug, Clone)]
pub struct Literal {
    /// The condition.
    pub leaf: Leaf,
    /// True where it stands under an odd number of `not`s.
    pub negated: bool,
    /// Whether the answer is turned around where a place is too coarse to be judged: not directly
    /// under `not`, where the answer is that of the condition itself.
    pub coarse_negated: bool,
}

/// How literals combine.
#[derive(Debug, Clone)]
pub(super) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Literal(u16),
}

/// One condition, prepared.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// The category is in the set: bit n is the category of ordinal n.
    Category(u32),
    /// The type is one of these or below one at a dot; in lower case.
    Type(Box<[Box<str>]>),
    /// The source is one of these.
    Source(Box<[Box<str>]>),
    /// The sender is one of these.
    Sender(Box<[Box<str>]>),
    /// The urgency is in the set.
    Urgency(u32),
    /// The certainty is in the set.
    Certainty(u32),
    /// The status is in the set.
    Status(u32),
    /// The state is in the set.
    State(u32),
    /// The severity is at least this; see [`Filter::SeverityMin`].
    SeverityMin(Severity, Option<bool>),
    /// A measure compares so.
    Measure(Box<Measure>),
    /// Words are found.
    Text(Box<TextMatch>),
    /// A country is one of these, in upper case.
    Country(Box<[Box<str>]>),
    /// A region is one of these, in upper case.
    Region(Box<[Box<str>]>),
    /// A code is one of these.
    AreaCode(Box<[crate::event::Code]>),
    /// The geometry comes within a distance in kilometers.
    Near(Point, f64),
    /// The geometry intersects a box.
    Bbox(Box<BoundingBox>),
    /// The geometry intersects an area.
    Within(std::sync::Arc<Prepared>),
    /// A time lies in a span.
    Time(Box<Span>),
}

/// A measure and what it is compared with.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Its name.
    pub name: Box<str>,
    /// How.
    pub op: Comparison,
    /// With what.
    pub value: f64,
}

/// A time of the event and the span it must lie in, bounds included.
#[derive(Debug, Clone)]
pub struct Span {
    /// Which time.
    pub field: TimeField,
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub to: Timestamp,
}

impl Leaf {
    /// True for `near`, `bbox`, `within`, `region`, `country` and `area_code`.
    pub const fn is_place(&self) -> bool {
        self.needs_shape() || matches!(self, Self::Country(_) | Self::Region(_) | Self::AreaCode(_))
    }

    /// True for `near`, `bbox` and `within`, which a coarse place cannot answer.
    pub const fn needs_shape(&self) -> bool {
        matches!(self, Self::Near(..) | Self::Bbox(_) | Self::Within(_))
    }

    /// True where judging takes more than comparing a few values.
    pub(super) const fn is_costly(&self) -> bool {
        self.needs_shape() || matches!(self, Self::Text(_))
    }
}

impl Literal {
    /// True where it says only what must not be.
    pub fn is_only_negative(&self) -> bool {
        self.negated || matches!(&self.leaf, Leaf::Text(text) if text.all.is_empty() && text.any.is_empty())
    }
}

impl Compiled {
    /// Checks and prepares a filter.
    ///
    /// # Errors
    /// Every fault, each with its place in the filter's JSON form.
    pub fn new(filter: &Filter) -> Result<Self, Vec<Fault>> {
        check::check(filter)?;
        let mut literals = Vec::new();
        let tree = build(filter, Polarity::default(), &mut literals);
        let tree = match tree {
            Node::All(nodes) if nodes.iter().all(|node| matches!(node, Node::Literal(_))) => None,
            Node::Literal(_) => None,
            tree => Some(Box::new(tree)),
        };
        Ok(Self { filter: filter.clone(), program: Program { literals: literals.into(), tree } })
    }

    /// The filter it was made of.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What judges, without the filter's spelling.
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// True where some way to match says only what must not be, or nothing at all.
    pub fn is_broad(&self) -> bool {
        self.program.is_broad()
    }
}

impl Program {
    /// Its conditions in the order of the filter.
    pub fn literals(&self) -> &[Literal] {
        &self.literals
    }

    pub(super) fn tree(&self) -> Option<&Node> {
        self.tree.as_deref()
    }

    /// Every way to match, as the numbers of the literals that must hold together. At most 64; an
    /// empty one holds for every event.
    pub fn conjunctions(&self) -> Vec<Vec<u16>> {
        match &self.tree {
            None => vec![(0..self.literals.len()).filter_map(|index| u16::try_from(index).ok()).collect()],
            Some(tree) => expand(tree),
        }
    }

    /// See [`Compiled::is_broad`].
    pub fn is_broad(&self) -> bool {
        let says_nothing = |index: &u16| self.literals[usize::from(*index)].is_only_negative();
        self.conjunctions().iter().any(|conjunction| conjunction.iter().all(says_nothing))
    }
}

fn expand(node: &Node) -> Vec<Vec<u16>> {
    match node {
        Node::Literal(index) => vec![vec![*index]],
        Node::Any(nodes) => nodes.iter().flat_map(expand).collect(),
        Node::All(nodes) => nodes.iter().fold(vec![Vec::new()], |ways, node| {
            let more = expand(node);
            ways.iter().flat_map(|way| more.iter().map(move |add| [way.as_slice(), add].concat())).collect()
        }),
    }
}

/// Under which `not`s a part of a filter stands.
#[derive(Debug, Clone, Copy, Default)]
struct Polarity {
    negated: bool,
    coarse_negated: bool,
    /// True right below a `not`.
    directly: bool,
}

impl Polarity {
    /// Below one more `not`; two in a row are none.
    const fn turned(self) -> Self {
        Self { negated: !self.negated, coarse_negated: !self.coarse_negated, directly: !self.directly }
    }

    const fn of_literal(self) -> (bool, bool) {
        (self.negated, self.coarse_negated != self.directly)
    }
}

fn build(filter: &Filter, polarity: Polarity, literals: &mut Vec<Literal>) -> Node {
    match filter {
        Filter::Not(inner) => build(inner, polarity.turned(), literals),
        // One alone is itself, so `not` above it is still directly above.
        Filter::All(parts) | Filter::Any(parts) if parts.len() == 1 => build(&parts[0], polarity, literals),
        Filter::All(parts) | Filter::Any(parts) => {
            let inside = Polarity { directly: false, ..polarity };
            let nodes = parts.iter().map(|part| build(part, inside, literals)).collect();
            if matches!(filter, Filter::All(_)) != polarity.negated { Node::All(nodes) } else { Node::Any(nodes) }
        }
        condition => {
            let index = u16::try_from(literals.len()).unwrap_or(u16::MAX);
            let (negated, coarse_negated) = polarity.of_literal();
            if let Some(leaf) = leaf(condition) {
                literals.push(Literal { leaf, negated, coarse_negated });
            }
            Node::Literal(index)
        }
    }
}

/// The prepared form of one condition; `None` for combinations.
fn leaf(condition: &Filter) -> Option<Leaf> {
    Some(match condition {
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) => return None,
        Filter::Category(words) => Leaf::Category(set(words, Category::ALL)),
        Filter::Type(words) => Leaf::Type(lower(words)),
        Filter::Source(words) => Leaf::Source(lower(words)),
        Filter::Sender(words) => Leaf::Sender(lower(words)),
        Filter::Urgency(words) => Leaf::Urgency(set(words, Urgency::ALL)),
        Filter::Certainty(words) => Leaf::Certainty(set(words, Certainty::ALL)),
        Filter::Status(words) => Leaf::Status(set(words, Status::ALL)),
        Filter::State(words) => Leaf::State(set(words, State::ALL)),
        Filter::SeverityMin { at_least, unknown } => Leaf::SeverityMin(*at_least, *unknown),
        Filter::Measure { name, op, value } => {
            Leaf::Measure(Box::new(Measure { name: name.as_str().into(), op: *op, value: *value }))
        }
        Filter::Text(query) => Leaf::Text(Box::new(TextMatch::new(query))),
        Filter::Country(codes) => Leaf::Country(upper(codes)),
        Filter::Region(codes) => Leaf::Region(upper(codes)),
        Filter::AreaCode(codes) => Leaf::AreaCode(codes.as_slice().into()),
        Filter::Near { center, radius_km } => Leaf::Near(*center, *radius_km),
        Filter::Bbox(bounds) => Leaf::Bbox(Box::new(*bounds)),
        Filter::Within(area) => Leaf::Within(std::sync::Arc::new(prepare(area))),
        Filter::Time { field, from, to } => Leaf::Time(Box::new(Span {
            field: *field,
            from: from.unwrap_or(Timestamp::MIN),
            to: to.unwrap_or(Timestamp::MAX),
        })),
    })
}

fn prepare(area: &Geometry) -> Prepared {
    Prepared::new(area)
}

/// True for `all`, `any` and `not`.
pub(super) const fn is_combination(filter: &Filter) -> bool {
    matches!(filter, Filter::All(_) | Filter::Any(_) | Filter::Not(_))
}

/// One bit for each word of a closed list.
pub(super) fn bit<T: PartialEq>(word: &T, all: &[T]) -> u32 {
    all.iter().position(|other| other == word).map_or(0, |index| 1 << index)
}

fn set<T: PartialEq>(words: &[T], all: &[T]) -> u32 {
    words.iter().fold(0, |set, word| set | bit(word, all))
}

fn lower(words: &[String]) -> Box<[Box<str>]> {
    words.iter().map(|word| word.to_lowercase().into()).collect()
}

fn upper(words: &[String]) -> Box<[Box<str>]> {
    words.iter().map(|word| word.to_uppercase().into()).collect()
}
