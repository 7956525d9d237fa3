//! Judging an event by a filter.

use std::cell::OnceCell;

use crate::event::{Event, SegmentView};
use crate::spatial::Prepared;
use crate::time::Timestamp;
use crate::vocabulary::{Category, Certainty, Severity, State, Status, Urgency};

use super::compile::{Compiled, Leaf, Literal, Node, Program, Span, bit};
use super::words::WordIndex;
use super::{Comparison, TimeField};

/// An event to be judged, with what judging needs worked out once and on demand.
#[derive(Debug)]
pub struct Subject<'a> {
    event: &'a Event,
    state: State,
    parts: Vec<Part<'a>>,
}

#[derive(Debug)]
struct Part<'a> {
    view: SegmentView<'a>,
    geometry: OnceCell<Option<Prepared>>,
    words: OnceCell<WordIndex>,
}

impl<'a> Subject<'a> {
    /// An event as its thread stands in `state`.
    pub fn new(event: &'a Event, state: State) -> Self {
        let part = |view| Part { view, geometry: OnceCell::new(), words: OnceCell::new() };
        Self { event, state, parts: event.segments().map(part).collect() }
    }

    /// The event.
    pub const fn event(&self) -> &'a Event {
        self.event
    }

    /// How its thread stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// How many segments it has, at least one.
    pub fn segment_count(&self) -> usize {
        self.parts.len()
    }

    /// Segment `index`, below [`Subject::segment_count`].
    pub fn segment(&self, index: usize) -> &SegmentView<'a> {
        &self.parts[index].view
    }

    /// The shape of a segment, prepared; `None` without one.
    pub fn geometry(&self, segment: usize) -> Option<&Prepared> {
        let part = &self.parts[segment];
        part.geometry.get_or_init(|| part.view.geometry.map(Prepared::new)).as_ref()
    }

    /// The words of a segment's title and texts.
    pub fn words(&self, segment: usize) -> &WordIndex {
        let part = &self.parts[segment];
        part.words.get_or_init(|| WordIndex::new(&self.event.title, &part.view))
    }

    /// What `near`, `bbox` and `within` answer where a segment is placed too coarsely to tell:
    /// true for Severe and Extreme. `None` where it is not.
    pub fn coarse_answer(&self, segment: usize) -> Option<bool> {
        let view = self.segment(segment);
        view.place_precision.is_coarse().then_some(view.severity >= Severity::Severe)
    }

    /// A segment's place in words, else the event's.
    pub(crate) fn place(&self, segment: usize) -> Option<&'a crate::event::Place> {
        self.segment(segment).place.or(self.event.place.as_ref())
    }

    /// Every code of a segment's areas and of the event.
    pub(crate) fn codes(&self, segment: usize) -> impl Iterator<Item = &'a crate::event::Code> {
        self.segment(segment).areas.iter().flat_map(|area| &area.codes).chain(&self.event.codes)
    }

    /// A time as seen from a segment.
    pub(super) fn time(&self, segment: usize, field: TimeField) -> Option<Timestamp> {
        let view = self.segment(segment);
        match field {
            TimeField::Occurred => self.event.occurred,
            TimeField::Sent => self.event.sent,
            TimeField::Effective => view.effective,
            TimeField::Onset => view.onset,
            TimeField::Expires => view.expires,
            TimeField::Ends => view.ends,
            TimeField::Updated => self.event.updated,
            TimeField::Received => Some(self.event.received),
        }
    }
}

/// A set of segment numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SegmentSet {
    first: u64,
    rest: Vec<u64>,
}

impl SegmentSet {
    /// Adds a segment.
    pub fn insert(&mut self, segment: usize) {
        let (word, mark) = (segment / 64, 1 << (segment % 64));
        match word.checked_sub(1) {
            None => self.first |= mark,
            Some(word) => {
                if self.rest.len() <= word {
                    self.rest.resize(word + 1, 0);
                }
                self.rest[word] |= mark;
            }
        }
    }

    /// True where it holds a segment.
    pub fn contains(&self, segment: usize) -> bool {
        let word = match (segment / 64).checked_sub(1) {
            None => self.first,
            Some(word) => self.rest.get(word).copied().unwrap_or_default(),
        };
        word >> (segment % 64) & 1 == 1
    }

    /// True without any segment.
    pub fn is_empty(&self) -> bool {
        self.first == 0 && self.rest.iter().all(|word| *word == 0)
    }

    /// Its segments in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..64 * (1 + self.rest.len())).filter(|segment| self.contains(*segment))
    }
}

impl Compiled {
    /// True when one segment makes the whole filter true.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.program().matches(subject)
    }

    /// The segments that make the whole filter true.
    pub fn matching_segments(&self, subject: &Subject<'_>) -> SegmentSet {
        self.program().matching_segments(subject)
    }

    /// True when this segment makes the whole filter true.
    pub fn matches_segment(&self, subject: &Subject<'_>, segment: usize) -> bool {
        self.program().matches_segment(subject, segment)
    }

    /// True when the segment does not match, but would if its place were known well enough to find
    /// it in every place that the filter asks for.
    pub fn coarse(&self, subject: &Subject<'_>, segment: usize) -> bool {
        self.program().coarse(subject, segment)
    }
}

impl Program {
    /// See [`Compiled::matches`].
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        (0..subject.segment_count()).any(|segment| self.matches_segment(subject, segment))
    }

    /// See [`Compiled::matching_segments`].
    pub fn matching_segments(&self, subject: &Subject<'_>) -> SegmentSet {
        let mut set = SegmentSet::default();
        for segment in 0..subject.segment_count() {
            if self.matches_segment(subject, segment) {
                set.insert(segment);
            }
        }
        set
    }

    /// See [`Compiled::matches_segment`].
    pub fn matches_segment(&self, subject: &Subject<'_>, segment: usize) -> bool {
        self.judge(&|literal| literal.holds(subject, segment))
    }

    /// See [`Compiled::coarse`].
    pub fn coarse(&self, subject: &Subject<'_>, segment: usize) -> bool {
        subject.coarse_answer(segment).is_some()
            && !self.matches_segment(subject, segment)
            && self.judge(&|literal| literal.leaf.needs_shape() || literal.holds(subject, segment))
    }

    /// The whole, from an answer for each literal; cheap ones are asked first.
    fn judge(&self, holds: &dyn Fn(&Literal) -> bool) -> bool {
        let literals = self.literals();
        match self.tree() {
            Some(tree) => judge_node(tree, literals, holds),
            None => {
                literals.iter().filter(|literal| !literal.leaf.is_costly()).all(holds)
                    && literals.iter().filter(|literal| literal.leaf.is_costly()).all(holds)
            }
        }
    }
}

fn judge_node(node: &Node, literals: &[Literal], holds: &dyn Fn(&Literal) -> bool) -> bool {
    match node {
        Node::Literal(index) => literals.get(usize::from(*index)).is_some_and(holds),
        Node::All(nodes) => nodes.iter().all(|node| judge_node(node, literals, holds)),
        Node::Any(nodes) => nodes.iter().any(|node| judge_node(node, literals, holds)),
    }
}

impl Literal {
    /// True where the condition, or its contrary, holds for a segment.
    pub fn holds(&self, subject: &Subject<'_>, segment: usize) -> bool {
        match subject.coarse_answer(segment) {
            Some(answer) if self.leaf.needs_shape() => answer != self.coarse_negated,
            _ => self.leaf.holds(subject, segment) != self.negated,
        }
    }
}

impl Leaf {
    /// True where the condition itself holds for a segment whose place is not coarse.
    fn holds(&self, subject: &Subject<'_>, segment: usize) -> bool {
        let event = subject.event();
        let view = subject.segment(segment);
        let shape = || subject.geometry(segment);
        match self {
            Self::Category(set) => set & bit(&view.category, Category::ALL) != 0,
            Self::Type(types) => types.iter().any(|kind| is_type_below(view.kind, kind)),
            Self::Source(names) => names.iter().any(|name| is_same_name(&event.source, name)),
            Self::Sender(names) => names.iter().any(|name| is_same_name(&event.sender, name)),
            Self::Urgency(set) => set & bit(&view.urgency, Urgency::ALL) != 0,
            Self::Certainty(set) => set & bit(&view.certainty, Certainty::ALL) != 0,
            Self::Status(set) => set & bit(&event.status, Status::ALL) != 0,
            Self::State(set) => set & bit(&subject.state(), State::ALL) != 0,
            Self::SeverityMin(at_least, unknown) => is_severe_enough(view.severity, view.category, *at_least, *unknown),
            Self::Measure(measure) => {
                event.measures.get(&*measure.name).is_some_and(|actual| measure.op.compares(*actual, measure.value))
            }
            Self::Text(query) => query.holds(subject.words(segment)),
            Self::Country(codes) => subject.place(segment).is_some_and(|place| has_code(&place.countries, codes)),
            Self::Region(codes) => subject.place(segment).is_some_and(|place| has_code(&place.regions, codes)),
            Self::AreaCode(codes) => {
                subject.codes(segment).any(|code| codes.iter().any(|wanted| is_same_code(code, wanted)))
            }
            Self::Near(center, radius_km) => shape().is_some_and(|shape| shape.within_distance(*center, *radius_km)),
            Self::Bbox(bounds) => shape().is_some_and(|shape| shape.intersects_box(bounds)),
            Self::Within(area) => shape().is_some_and(|shape| area.intersects(shape)),
            Self::Time(span) => subject.time(segment, span.field).is_some_and(|time| span.holds(time)),
        }
    }
}

impl Span {
    fn holds(&self, time: Timestamp) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

impl Comparison {
    /// True where `actual` compares so with `value`.
    pub fn compares(self, actual: f64, value: f64) -> bool {
        match self {
            Self::Equal => actual == value,
            Self::NotEqual => actual != value,
            Self::Less => actual < value,
            Self::AtMost => actual <= value,
            Self::Greater => actual > value,
            Self::AtLeast => actual >= value,
        }
    }
}

/// The `severity_min` rule: `Unknown` passes, but for categories whose senders give none; `unknown`
/// decides for all.
pub fn is_severe_enough(severity: Severity, category: Category, at_least: Severity, unknown: Option<bool>) -> bool {
    if severity == Severity::Unknown {
        unknown.unwrap_or(at_least == Severity::Unknown || !category.has_no_severity())
    } else {
        severity >= at_least
    }
}

/// True where `kind` is `wanted`, or begins with it at a dot. `wanted` is in lower case.
fn is_type_below(kind: &str, wanted: &str) -> bool {
    let (kind, wanted) = (kind.as_bytes(), wanted.as_bytes());
    kind.len() >= wanted.len()
        && kind[..wanted.len()].eq_ignore_ascii_case(wanted)
        && matches!(kind.get(wanted.len()), None | Some(b'.'))
}

/// True where two names differ at most in case. `lower` is in lower case.
fn is_same_name(name: &str, lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower) || (!name.is_ascii() && name.to_lowercase() == lower)
}

pub(super) fn has_code(codes: &[String], wanted: &[Box<str>]) -> bool {
    codes.iter().any(|code| wanted.iter().any(|wanted| code.eq_ignore_ascii_case(wanted)))
}

pub(super) fn is_same_code(code: &crate::event::Code, wanted: &crate::event::Code) -> bool {
    code.scheme.eq_ignore_ascii_case(&wanted.scheme) && code.value.eq_ignore_ascii_case(&wanted.value)
}
