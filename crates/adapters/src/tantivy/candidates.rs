//! From a filter to the documents that may match it: never too few, some too many.

use std::ops::Bound;

use ::tantivy::Term;
use ::tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, Query as Search, RangeQuery, TermQuery};
use ::tantivy::schema::{Field, IndexRecordOption};
use tidings_core::filter::{Comparison, Compiled, Entry, Filter, Leaf, Literal, Span, TextMatch, TimeField};
use tidings_core::geometry::Geometry;
use tidings_core::port::Query;
use tidings_core::spatial::circle_bounds;
use tidings_core::time::Timestamp;
use tidings_core::tokenize::Language;
use tidings_core::vocabulary::{Category, Certainty, Severity, State, Status, Urgency};

use super::numbers::covering;
use super::terms::{Bounds, Fact, Fields};

/// Cells asked for at once; a larger area is found by its bounds alone.
const CELLS_MAX: usize = 64;

type Candidates = Box<dyn Search>;

/// The documents that may be found by a query, judged as of `now`.
pub(super) fn candidates(fields: &Fields, query: &Query, filter: &Compiled, now: Timestamp) -> Candidates {
    let spelling = Spelling { fields, latest: query.latest, now, areas: areas(filter.filter()) };
    let set = if query.latest { Fact::Latest } else { Fact::Revision };
    let tenants = query.tenants.iter().map(|tenant| fields.fact(&Fact::Tenant(tenant)));
    let mut all = vec![term(fields.fact(&set)), any_term(tenants)];
    if query.since.is_some() || query.until.is_some() {
        let from = query.since.map_or(Bound::Unbounded, |time| Bound::Included(time.as_millis()));
        let until = query.until.map_or(Bound::Unbounded, |time| Bound::Excluded(time.as_millis()));
        all.push(between(fields.received, from, until));
    }
    all.extend(spelling.filter(filter));
    Box::new(BooleanQuery::intersection(all))
}

struct Spelling<'a> {
    fields: &'a Fields,
    latest: bool,
    now: Timestamp,
    /// The areas of `within`, in the order of the filter's conditions.
    areas: Vec<&'a Geometry>,
}

/// The areas of `within` in the order in which they are compiled.
fn areas(filter: &Filter) -> Vec<&Geometry> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(areas).collect(),
        Filter::Not(inner) => areas(inner),
        Filter::Within(area) => vec![area],
        _ => Vec::new(),
    }
}

impl Spelling<'_> {
    /// What must hold for some way to match; `None` where a way says nothing that is indexed.
    fn filter(&self, filter: &Compiled) -> Option<Candidates> {
        let literals = filter.program().literals();
        let mut within = self.areas.iter();
        let conditions: Vec<Option<Candidates>> = literals
            .iter()
            .map(|literal| {
                let area = matches!(literal.leaf, Leaf::Within(_)).then(|| within.next()).flatten();
                self.literal(literal, area.copied())
            })
            .collect();
        let mut ways = Vec::new();
        for conjunction in filter.program().conjunctions() {
            let conditions = conjunction.iter().filter_map(|index| conditions.get(usize::from(*index))?.as_ref());
            let mut all: Vec<Candidates> = conditions.map(|condition| condition.box_clone()).collect();
            match all.len() {
                0 => return None,
                1 => ways.append(&mut all),
                _ => ways.push(Box::new(BooleanQuery::intersection(all))),
            }
        }
        Some(any(ways))
    }

    /// What must hold for a literal to hold; `None` where nothing of it is indexed.
    fn literal(&self, literal: &Literal, area: Option<&Geometry>) -> Option<Candidates> {
        match &literal.leaf {
            Leaf::Category(set) => Some(self.words(
                "category",
                Category::ALL.iter().map(|word| word.as_str()),
                wanted(*set, literal.negated),
            )),
            Leaf::Urgency(set) => Some(self.words(
                "urgency",
                Urgency::ALL.iter().map(|word| word.as_str()),
                wanted(*set, literal.negated),
            )),
            Leaf::Certainty(set) => Some(self.words(
                "certainty",
                Certainty::ALL.iter().map(|word| word.as_str()),
                wanted(*set, literal.negated),
            )),
            Leaf::Status(set) => {
                Some(self.words("status", Status::ALL.iter().map(|word| word.as_str()), wanted(*set, literal.negated)))
            }
            Leaf::State(set) => self.latest.then(|| self.standing(wanted(*set, literal.negated))),
            _ if literal.negated => None,
            Leaf::Type(names) => Some(self.names("type", names)),
            Leaf::Source(names) => Some(self.names("source", names)),
            Leaf::Sender(names) => Some(self.names("sender", names)),
            Leaf::Country(names) => Some(self.names("country", names)),
            Leaf::Region(names) => Some(self.names("region", names)),
            Leaf::AreaCode(codes) => Some(any_term(codes.iter().map(|code| self.fields.fact(&Fact::AreaCode(code))))),
            Leaf::SeverityMin(at_least, unknown) => Some(self.severities(*at_least, *unknown)),
            Leaf::Measure(measure) => Some(self.measure(&measure.name, measure.op, measure.value)),
            Leaf::Text(text) => self.text(text),
            Leaf::Near(center, radius_km) => Some(self.within(Bounds::of_box(&circle_bounds(*center, *radius_km)))),
            Leaf::Bbox(bounds) => Some(self.within(Bounds::of_box(bounds))),
            Leaf::Within(_) => area.and_then(Bounds::of).map(|bounds| self.within(bounds)),
            Leaf::Time(span) => self.time(span),
        }
    }

    fn words(&self, list: &'static str, all: impl Iterator<Item = &'static str>, wanted: u32) -> Candidates {
        let chosen = all.enumerate().filter(|(index, _)| wanted >> index & 1 == 1);
        any_term(chosen.map(|(_, word)| self.fields.fact(&Fact::Word(list, word))))
    }

    fn names(&self, list: &'static str, names: &[Box<str>]) -> Candidates {
        any_term(names.iter().map(|name| self.fields.fact(&Fact::Name(list, name))))
    }

    fn severities(&self, at_least: Severity, unknown: Option<bool>) -> Candidates {
        let may_pass = |severity: &&Severity| match severity {
            Severity::Unknown => unknown != Some(false),
            severity => **severity >= at_least,
        };
        let passing = Severity::ALL.iter().filter(may_pass);
        any_term(passing.map(|severity| self.fields.fact(&Fact::Word("severity", severity.as_str()))))
    }

    /// The current revisions of threads that stand so now: expiry is told by the clock.
    fn standing(&self, wanted: u32) -> Candidates {
        let is_wanted =
            |state: State| State::ALL.iter().position(|other| *other == state).is_some_and(|n| wanted >> n & 1 == 1);
        let now = self.now.as_millis();
        let mut ways: Vec<Candidates> = Vec::new();
        for state in State::ALL {
            let stands = term(self.fields.fact(&Fact::Standing(*state)));
            if *state != State::Active {
                if is_wanted(*state) {
                    ways.push(stands);
                }
                continue;
            }
            let (from, until) = match (is_wanted(State::Active), is_wanted(State::Expired)) {
                (true, true) => (Bound::Unbounded, Bound::Unbounded),
                (true, false) => (Bound::Included(now), Bound::Unbounded),
                (false, true) => (Bound::Unbounded, Bound::Excluded(now)),
                (false, false) => continue,
            };
            match (from, until) {
                (Bound::Unbounded, Bound::Unbounded) => ways.push(stands),
                _ => ways.push(both(stands, between(self.fields.hazard_end, from, until))),
            }
        }
        any(ways)
    }

    fn measure(&self, name: &str, op: Comparison, value: f64) -> Candidates {
        let (low, high) = match op {
            Comparison::NotEqual => return term(self.fields.fact(&Fact::Measure(name))),
            Comparison::Equal => (value, value),
            Comparison::Less | Comparison::AtMost => (f64::NEG_INFINITY, value),
            Comparison::Greater | Comparison::AtLeast => (value, f64::INFINITY),
        };
        any_term(covering(low, high).into_iter().map(|bucket| self.fields.fact(&Fact::Number(name, bucket))))
    }

    fn text(&self, text: &TextMatch) -> Option<Candidates> {
        let mut all: Vec<Candidates> = text.all.iter().map(|entry| self.entry(entry)).collect();
        if !text.any.is_empty() {
            all.push(any(text.any.iter().map(|entry| self.entry(entry)).collect()));
        }
        (!all.is_empty()).then(|| Box::new(BooleanQuery::intersection(all)) as Candidates)
    }

    /// Every word of an entry, or its stem in some language; an entry without words finds nothing.
    fn entry(&self, entry: &Entry) -> Candidates {
        let words: Vec<Candidates> =
            entry.iter().flat_map(|phrase| phrase.iter()).map(|word| self.word(word)).collect();
        if words.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::intersection(words)) }
    }

    fn word(&self, word: &str) -> Candidates {
        let mut terms: Vec<Term> = Language::all().map(|language| self.fields.stem(&language.stem(word))).collect();
        terms.push(self.fields.word(word));
        terms.sort_unstable();
        terms.dedup();
        any_term(terms)
    }

    /// What meets a box, and what is placed too coarsely to tell.
    fn within(&self, bounds: Bounds) -> Candidates {
        let [west, south, east, north] = self.fields.bounds;
        let number = |field: Field, low: Bound<f64>, high: Bound<f64>| -> Candidates {
            let spelled = |value| Term::from_field_f64(field, value);
            Box::new(RangeQuery::new(low.map(spelled), high.map(spelled)))
        };
        let mut all = vec![
            number(west, Bound::Unbounded, Bound::Included(bounds.east)),
            number(south, Bound::Unbounded, Bound::Included(bounds.north)),
            number(east, Bound::Included(bounds.west), Bound::Unbounded),
            number(north, Bound::Included(bounds.south), Bound::Unbounded),
        ];
        if let Some(cells) = bounds.cells(CELLS_MAX) {
            let facts = cells.into_iter().map(Fact::Cell).chain([Fact::Wide]);
            all.insert(0, any_term(facts.map(|fact| self.fields.fact(&fact))));
        }
        any(vec![Box::new(BooleanQuery::intersection(all)), term(self.fields.fact(&Fact::Coarse))])
    }

    fn time(&self, span: &Span) -> Option<Candidates> {
        let field = match span.field {
            TimeField::Received => self.fields.received,
            TimeField::Occurred => self.fields.occurred,
            _ => return None,
        };
        let (from, to) = (span.from.as_millis(), span.to.as_millis());
        Some(between(field, Bound::Included(from), Bound::Included(to)))
    }
}

/// The bits of a set that make a literal true.
const fn wanted(set: u32, negated: bool) -> u32 {
    if negated { !set } else { set }
}

fn term(term: Term) -> Candidates {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn any_term(terms: impl IntoIterator<Item = Term>) -> Candidates {
    any(terms.into_iter().map(term).collect())
}

fn any(mut ways: Vec<Candidates>) -> Candidates {
    match ways.len() {
        0 => Box::new(EmptyQuery),
        1 => ways.pop().unwrap_or_else(|| Box::new(AllQuery)),
        _ => Box::new(BooleanQuery::union(ways)),
    }
}

fn both(one: Candidates, other: Candidates) -> Candidates {
    Box::new(BooleanQuery::intersection(vec![one, other]))
}

fn between(field: Field, from: Bound<i64>, until: Bound<i64>) -> Candidates {
    let spelled = |value| Term::from_field_i64(field, value);
    Box::new(RangeQuery::new(from.map(spelled), until.map(spelled)))
}
