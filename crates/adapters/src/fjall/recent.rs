//! The newest entries of the log, parsed, so that live readers need not read what was just written.

use std::collections::VecDeque;

use tidings_core::port::{LogEntry, LogRecord};
use tidings_core::position::Position;

/// A parsed event takes about this many times its JSON, measured over alerts with shapes.
const PARSED_FACTOR: usize = 4;
/// What an entry takes beside its body.
const ENTRY_BYTES: usize = 1_024;

/// Consecutive entries up to the head, bounded in bytes.
#[derive(Debug)]
pub(super) struct Recent {
    entries: VecDeque<LogEntry>,
    bytes: usize,
    limit_bytes: usize,
}

impl Recent {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, limit_bytes }
    }

    /// Adds entries that follow the last.
    pub(super) fn extend(&mut self, entries: Vec<LogEntry>) {
        for entry in entries {
            self.bytes += cost(&entry);
            self.entries.push_back(entry);
        }
        while self.bytes > self.limit_bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= cost(&oldest);
        }
    }

    /// Entries after a position as `EventLog::read` gives them; `None` when the next is not here.
    pub(super) fn read(&self, after: Position, entries: usize, bytes: usize) -> Option<Vec<LogEntry>> {
        let first = self.entries.front()?.position;
        let is_same_log = (after.epoch, after.partition) == (first.epoch, first.partition);
        let from = after.offset.checked_sub(first.offset.checked_sub(1)?).filter(|_| is_same_log)?;
        let mut limit = Limit::new(entries, bytes);
        let later = self.entries.range(usize::try_from(from).ok()?.min(self.entries.len())..);
        Some(later.take_while(|entry| limit.admits(entry)).cloned().collect())
    }

    /// The entry at a position, if it is here.
    pub(super) fn entry(&self, position: Position) -> Option<LogEntry> {
        let first = self.entries.front()?.position;
        let index = position.offset.checked_sub(first.offset)?;
        self.entries.get(usize::try_from(index).ok()?).filter(|entry| entry.position == position).cloned()
    }

    /// Drops what is here of a dead letter that has changed since, and everything before it.
    pub(super) fn forget_up_to(&mut self, position: Position) {
        while let Some(oldest) = self.entries.pop_front_if(|entry| entry.position <= position) {
            self.bytes -= cost(&oldest);
        }
    }
}

/// How much one read of the log gives.
#[derive(Debug)]
pub(super) struct Limit {
    entries: usize,
    bytes: usize,
}

impl Limit {
    pub(super) fn new(entries: usize, bytes: usize) -> Self {
        // At least one entry, so that a reader gets past one larger than its limit.
        Self { entries, bytes: bytes.max(1) }
    }

    /// True where one more may be given; counts this one.
    pub(super) fn admits(&mut self, entry: &LogEntry) -> bool {
        if self.is_reached() {
            return false;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(body_bytes(entry));
        true
    }

    /// True where nothing more may be given.
    pub(super) fn is_reached(&self) -> bool {
        self.entries == 0 || self.bytes == 0
    }
}

fn cost(entry: &LogEntry) -> usize {
    ENTRY_BYTES + body_bytes(entry) * PARSED_FACTOR
}

fn body_bytes(entry: &LogEntry) -> usize {
    if let LogRecord::Event { body, .. } = &entry.record { body.len() } else { 0 }
}
