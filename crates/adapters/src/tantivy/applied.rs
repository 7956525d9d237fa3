//! When an event came into the index.

use ::tantivy::Term;
use ::tantivy::collector::TopDocs;
use ::tantivy::query::{BooleanQuery, Query, RangeQuery, TermQuery};
use ::tantivy::schema::IndexRecordOption;
use std::ops::Bound;
use tidings_core::port::PortError;
use tidings_core::position::Position;
use tidings_core::time::Timestamp;

use super::document::log_number;
use super::index::{Shown, fault};
use super::terms::{Fact, Fields};

/// The time that the revision at a position was given to the index; `None` where it is not shown.
/// Reads the whole column of offsets: it is asked for one event at a time.
pub(super) fn at(shown: &Shown, fields: &Fields, position: Position) -> Result<Option<Timestamp>, PortError> {
    let is = |field, number| -> Box<dyn Query> {
        let exactly = || Bound::Included(Term::from_field_u64(field, number));
        Box::new(RangeQuery::new(exactly(), exactly()))
    };
    let revision = TermQuery::new(fields.fact(&Fact::Revision), IndexRecordOption::Basic);
    let query = BooleanQuery::intersection(vec![
        Box::new(revision),
        is(fields.offset, position.offset),
        is(fields.log, log_number(position)),
    ]);
    let newest = TopDocs::with_limit(1).order_by_fast_field::<i64>("applied", ::tantivy::Order::Desc);
    let found = shown.searcher.search(&query, &newest).map_err(fault("search the index"))?;
    Ok(found.first().and_then(|(millis, _)| *millis).map(Timestamp::from_millis))
}
