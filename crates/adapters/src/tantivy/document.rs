//! What of an event goes into the index.

use std::collections::BTreeSet;

use ::tantivy::TantivyDocument;
use tidings_core::event::Event;
use tidings_core::filter::Subject;
use tidings_core::id::ThreadId;
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::State;

use super::numbers::buckets;
use super::terms::{Bounds, Fact, Fields, cut, spelled_stem};

/// Cells listed of one event; a larger one counts as lying anywhere.
const CELLS_MAX: usize = 24;

/// How the thread of a current revision stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub thread: ThreadId,
    pub state: State,
    pub hazard_end: Timestamp,
}

/// An event as it is found, without its place among the revisions of its thread.
pub(super) fn described(fields: &Fields, event: &Event, position: Position) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    for fact in facts(event) {
        document.add_text(fields.facts, fact);
    }
    for word in words(event) {
        document.add_text(fields.words, word);
    }
    document.add_i64(fields.received, event.received.as_millis());
    document.add_i64(fields.occurred, event.occurred.unwrap_or(Timestamp::MIN).as_millis());
    document.add_u64(fields.log, log_number(position));
    document.add_u64(fields.offset, position.offset);
    if let Some(Bounds { west, south, east, north }) = bounds(event) {
        for (side, value) in fields.bounds.into_iter().zip([west, south, east, north]) {
            document.add_f64(side, value);
        }
    }
    document
}

/// The document among all revisions.
pub(super) fn revision(fields: &Fields, described: &TantivyDocument, applied: Timestamp) -> TantivyDocument {
    let mut document = described.clone();
    document.add_i64(fields.applied, applied.as_millis());
    document.add_text(fields.facts, Fact::Revision.spelled());
    document
}

/// The document among the current revisions.
pub(super) fn latest(fields: &Fields, mut described: TantivyDocument, standing: &Standing) -> TantivyDocument {
    described.add_text(fields.facts, Fact::Latest.spelled());
    described.add_text(fields.facts, Fact::LatestOf(standing.thread).spelled());
    described.add_text(fields.facts, Fact::Standing(standing.state).spelled());
    described.add_i64(fields.hazard_end, standing.hazard_end.as_millis());
    described
}

/// Epoch and partition as one number, in the order of positions.
pub(super) fn log_number(position: Position) -> u64 {
    u64::from(position.epoch) << 32 | u64::from(position.partition)
}

/// The position of a log number and an offset.
pub(super) fn position_of(log: u64, offset: u64) -> Position {
    Position { epoch: (log >> 32) as u32, partition: log as u32, offset }
}

fn facts(event: &Event) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    let mut add = |fact: Fact<'_>| {
        facts.insert(fact.spelled());
    };
    add(Fact::Tenant(&event.tenant));
    add(Fact::Name("source", &event.source));
    add(Fact::Name("sender", &event.sender));
    add(Fact::Word("status", event.status.as_str()));
    for (name, value) in &event.measures {
        add(Fact::Measure(name));
        buckets(*value).for_each(|bucket| add(Fact::Number(name, bucket)));
    }
    event.codes.iter().for_each(|code| add(Fact::AreaCode(code)));
    for segment in event.segments() {
        add(Fact::Word("category", segment.category.as_str()));
        add(Fact::Word("severity", segment.severity.as_str()));
        add(Fact::Word("urgency", segment.urgency.as_str()));
        add(Fact::Word("certainty", segment.certainty.as_str()));
        let dots = segment.kind.match_indices('.').map(|(dot, _)| dot);
        dots.chain([segment.kind.len()]).for_each(|end| add(Fact::Name("type", &segment.kind[..end])));
        segment.areas.iter().flat_map(|area| &area.codes).for_each(|code| add(Fact::AreaCode(code)));
        if let Some(place) = segment.place.or(event.place.as_ref()) {
            place.countries.iter().for_each(|country| add(Fact::Name("country", country)));
            place.regions.iter().for_each(|region| add(Fact::Name("region", region)));
        }
        if segment.place_precision.is_coarse() {
            add(Fact::Coarse);
        }
        if let Some(bounds) = segment.geometry.and_then(Bounds::of) {
            match bounds.cells(CELLS_MAX) {
                Some(cells) => cells.into_iter().for_each(|cell| add(Fact::Cell(cell))),
                None => add(Fact::Wide),
            }
        }
    }
    facts
}

/// The bounds of all segments together.
fn bounds(event: &Event) -> Option<Bounds> {
    event.segments().filter_map(|segment| segment.geometry).filter_map(Bounds::of).reduce(Bounds::union)
}

/// Words and stems by the core's own tokenizer.
fn words(event: &Event) -> BTreeSet<String> {
    // Words do not depend on how the thread stands.
    let subject = Subject::new(event, State::Active);
    let mut words = BTreeSet::new();
    for segment in 0..subject.segment_count() {
        let index = subject.words(segment);
        words.extend(index.words().map(|(word, _)| cut(word).to_owned()));
        words.extend(index.stems().map(|(stem, _)| spelled_stem(stem)));
    }
    words
}
