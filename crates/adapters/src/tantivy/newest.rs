//! Gathers the newest documents of a search, by time and position.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use ::tantivy::collector::{Collector, SegmentCollector};
use ::tantivy::columnar::ColumnValues;
use ::tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};
use tidings_core::port::Sort;
use tidings_core::position::Position;
use tidings_core::time::Timestamp;

use super::document::{log_number, position_of};

/// Where a document is in the order: time in milliseconds, log and offset.
pub(super) type Key = (i64, u64, u64);

/// The key of an item of a page.
pub(super) fn key_of(time: Timestamp, position: Position) -> Key {
    (time.as_millis(), log_number(position), position.offset)
}

/// The item of a key.
pub(super) fn item_of((millis, log, offset): Key) -> (Timestamp, Position) {
    (Timestamp::from_millis(millis), position_of(log, offset))
}

/// Gathers at most `limit` keys below `before`, the greatest first.
#[derive(Debug)]
pub(super) struct Newest {
    pub sort: Sort,
    pub before: Option<Key>,
    pub limit: usize,
}

/// What [`Newest`] gathers of one segment.
pub(super) struct SegmentNewest {
    time: Arc<dyn ColumnValues<i64>>,
    log: Arc<dyn ColumnValues<u64>>,
    offset: Arc<dyn ColumnValues<u64>>,
    before: Option<Key>,
    limit: usize,
    /// The least of the gathered is on top.
    gathered: BinaryHeap<Reverse<Key>>,
}

impl Collector for Newest {
    type Fruit = Vec<Key>;
    type Child = SegmentNewest;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> ::tantivy::Result<SegmentNewest> {
        let columns = segment.fast_fields();
        let time = match self.sort {
            Sort::Received => "received",
            Sort::Occurred => "occurred",
        };
        Ok(SegmentNewest {
            time: columns.column_first_or_default(time)?,
            log: columns.column_first_or_default("log")?,
            offset: columns.column_first_or_default("offset")?,
            before: self.before,
            limit: self.limit,
            gathered: BinaryHeap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Vec<Key>>) -> ::tantivy::Result<Vec<Key>> {
        let mut all = segments.concat();
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.truncate(self.limit);
        Ok(all)
    }
}

impl SegmentCollector for SegmentNewest {
    type Fruit = Vec<Key>;

    fn collect(&mut self, document: DocId, _: Score) {
        let time = self.time.get_val(document);
        let is_full = self.gathered.len() >= self.limit;
        // Most documents are too old, and their time alone says so.
        if is_full && self.gathered.peek().is_some_and(|Reverse(least)| time < least.0) {
            return;
        }
        let key = (time, self.log.get_val(document), self.offset.get_val(document));
        if self.before.is_some_and(|before| key >= before) {
            return;
        }
        self.gathered.push(Reverse(key));
        if self.gathered.len() > self.limit {
            self.gathered.pop();
        }
    }

    fn harvest(self) -> Vec<Key> {
        self.gathered.into_iter().map(|Reverse(key)| key).collect()
    }
}
