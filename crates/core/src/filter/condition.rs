//! Saying which conditions of a filter hold for an event, and with what values.

use crate::event::Code;
use crate::time::Timestamp;

use super::compile::{Compiled, is_combination};
use super::evaluate::Subject;
use super::json::pointers;
use super::{Filter, TextQuery};

/// How many values of an event are named.
const SHOWN_MAX: usize = 8;

/// One condition of a filter as judged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Condition {
    /// Where it stands in the filter's JSON form.
    pub pointer: String,
    /// Whether it holds, `not` included.
    pub held: bool,
    /// What it asks for.
    pub expected: String,
    /// What the event has.
    pub actual: String,
}

impl Compiled {
    /// Every condition in the order of the filter, judged for one segment by what judges matches.
    pub fn conditions(&self, subject: &Subject<'_>, segment: usize) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let mut literals = self.program().literals().iter();
        pointers(self.filter(), &mut |filter, pointer| {
            if is_combination(filter) {
                return;
            }
            let Some(literal) = literals.next() else { return };
            let expected = expected(filter);
            // A shape is judged once; that it meets an area is the condition itself.
            let meets = || literal.holds(subject, segment) != literal.negated;
            let is_coarse = literal.leaf.needs_shape() && subject.coarse_answer(segment).is_some();
            conditions.push(Condition {
                pointer: pointer.to_owned(),
                held: literal.holds(subject, segment),
                expected: if literal.negated { format!("not {expected}") } else { expected },
                actual: if is_coarse { coarse(subject, segment) } else { actual(filter, subject, segment, &meets) },
            });
        });
        conditions
    }
}

/// What a condition asks for, in words.
fn expected(condition: &Filter) -> String {
    match condition {
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) => condition.to_string(),
        Filter::Category(words) => alternatives(words),
        Filter::Type(words) => format!("{} or below", alternatives(words)),
        Filter::Source(words) | Filter::Sender(words) => alternatives(words),
        Filter::Urgency(words) => alternatives(words),
        Filter::Certainty(words) => alternatives(words),
        Filter::Status(words) => alternatives(words),
        Filter::State(words) => alternatives(words),
        Filter::SeverityMin { at_least, unknown } => match unknown {
            None => format!("at least {at_least}"),
            Some(true) => format!("at least {at_least}, or Unknown"),
            Some(false) => format!("at least {at_least}, not Unknown"),
        },
        Filter::Measure { name, op, value } => format!("{name} {} {value}", op.as_str()),
        Filter::Text(query) => wanted_words(query),
        Filter::Country(codes) | Filter::Region(codes) => format!("in {}", alternatives(codes)),
        Filter::AreaCode(codes) => {
            let codes: Vec<String> = codes.iter().map(code_words).collect();
            alternatives(&codes)
        }
        Filter::Near { center, radius_km } => format!("within {radius_km} km of {}, {}", center.lat, center.lon),
        Filter::Bbox(bounds) => {
            let [west, south, east, north] = bounds.0;
            format!("in the box west {west}, south {south}, east {east}, north {north}")
        }
        Filter::Within(area) => {
            let corners = area.points().count();
            format!("in the area of {corners} points")
        }
        Filter::Time { field, from, to } => {
            let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
            let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
            format!("{}{from}{to}", field.as_str())
        }
    }
}

/// `a, b or c`, at most a few of them.
pub(super) fn alternatives(words: &[impl std::fmt::Display]) -> String {
    let mut shown: Vec<String> = words.iter().take(SHOWN_MAX).map(ToString::to_string).collect();
    if words.len() > SHOWN_MAX {
        return format!("{} or one of {} more", shown.join(", "), words.len() - SHOWN_MAX);
    }
    let last = shown.pop().unwrap_or_default();
    if shown.is_empty() { last } else { format!("{} or {last}", shown.join(", ")) }
}

fn wanted_words(query: &TextQuery) -> String {
    let parts = [("any of", &query.any), ("all of", &query.all), ("none of", &query.none)];
    let parts = parts.into_iter().filter(|(_, entries)| !entries.is_empty());
    let parts: Vec<String> = parts.map(|(how, entries)| format!("{how} {}", entries.join(", "))).collect();
    parts.join("; ")
}

fn code_words(code: &Code) -> String {
    format!("{} {}", code.scheme, code.value)
}

/// What the event has to say to a condition.
fn actual(condition: &Filter, subject: &Subject<'_>, segment: usize, meets: &dyn Fn() -> bool) -> String {
    let (event, view) = (subject.event(), subject.segment(segment));
    match condition {
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) => String::new(),
        Filter::Category(_) => view.category.to_string(),
        Filter::Type(_) => view.kind.to_owned(),
        Filter::Source(_) => event.source.clone(),
        Filter::Sender(_) => event.sender.clone(),
        Filter::Urgency(_) => view.urgency.to_string(),
        Filter::Certainty(_) => view.certainty.to_string(),
        Filter::Status(_) => event.status.to_string(),
        Filter::State(_) => subject.state().to_string(),
        Filter::SeverityMin { .. } => view.severity.to_string(),
        Filter::Measure { name, .. } => event.measures.get(name).map_or_else(|| "absent".to_owned(), f64::to_string),
        Filter::Text(query) => found_words(query, subject, segment),
        Filter::Country(_) => known(subject.place(segment).map_or(&[], |place| &place.countries)),
        Filter::Region(_) => known(subject.place(segment).map_or(&[], |place| &place.regions)),
        Filter::AreaCode(wanted) => {
            let same_list = |code: &&Code| wanted.iter().any(|wanted| wanted.scheme.eq_ignore_ascii_case(&code.scheme));
            let codes: Vec<String> = subject.codes(segment).filter(same_list).map(code_words).collect();
            known(&codes)
        }
        Filter::Near { center, .. } => {
            subject.geometry(segment).map_or_else(no_geometry, |shape| distance_words(shape.distance_km(*center)))
        }
        Filter::Bbox(_) | Filter::Within(_) => match subject.geometry(segment) {
            None => no_geometry(),
            Some(_) if meets() => "inside".to_owned(),
            Some(_) => "outside".to_owned(),
        },
        Filter::Time { field, .. } => {
            subject.time(segment, *field).as_ref().map_or_else(|| "absent".to_owned(), Timestamp::to_string)
        }
    }
}

fn no_geometry() -> String {
    "no geometry".to_owned()
}

fn known(values: &[String]) -> String {
    match values {
        [] => "none".to_owned(),
        few if few.len() <= SHOWN_MAX => few.join(", "),
        many => format!("{} and {} more", many[..SHOWN_MAX].join(", "), many.len() - SHOWN_MAX),
    }
}

/// Why a place condition holds or not where the place is known too coarsely.
fn coarse(subject: &Subject<'_>, segment: usize) -> String {
    let view = subject.segment(segment);
    let precision = view.place_precision;
    format!("placed by {precision} only; that counts for Severe and Extreme, and this is {}", view.severity)
}

/// Which entries of a text query are found.
fn found_words(query: &TextQuery, subject: &Subject<'_>, segment: usize) -> String {
    let words = subject.words(segment);
    let entries = query.any.iter().chain(&query.all).chain(&query.none);
    let (found, missing): (Vec<&str>, Vec<&str>) =
        entries.map(String::as_str).partition(|entry| words.has_entry(&super::words::phrases(entry)));
    match (found.as_slice(), missing.as_slice()) {
        (found, []) => format!("found {}", found.join(", ")),
        ([], missing) => format!("not found {}", missing.join(", ")),
        (found, missing) => format!("found {}; not found {}", found.join(", "), missing.join(", ")),
    }
}

/// `0 km`, `3.4 km`, `41.2 km`, `1520 km`.
pub(super) fn distance_words(distance_km: f64) -> String {
    if distance_km == 0.0 || distance_km >= 1_000.0 {
        format!("{distance_km:.0} km")
    } else {
        format!("{distance_km:.1} km")
    }
}
