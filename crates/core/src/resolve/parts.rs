//! Threads that begin and end zone by zone.
//!
//! One event of the US National Weather Service goes by one VTEC, and each message about it speaks
//! for the zones it lists: one is cancelled while another goes on, one is added later. So each zone
//! has its own last word, and the thread is over once no zone is left.

use super::versions::supersedes;
use super::{Believed, State, ThreadHead, ThreadRow};
use crate::port::ThreadPart;
use crate::stored::Standing;
use crate::vocabulary::Action;

/// The scheme of threads that live by zone.
const THREADS: &str = "vtec";
/// The scheme of their zones.
const ZONES: &str = "UGC";

/// The zones that a message speaks for; none where it speaks for its whole thread.
pub(super) fn zones_of(believed: &Believed) -> Vec<String> {
    if !believed.thread.keys.iter().any(|key| key.scheme == THREADS) {
        return Vec::new();
    }
    zones_listed(believed)
}

/// The zones that a message lists.
pub(super) fn zones_listed(believed: &Believed) -> Vec<String> {
    let event = &believed.event;
    let areas = event.areas.iter().chain(event.segments.iter().flat_map(|segment| &segment.areas));
    let codes = areas.flat_map(|area| &area.codes).filter(|code| code.scheme == ZONES);
    let mut zones: Vec<String> = codes.map(|code| code.value.clone()).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// Makes a message the last word in those of its zones where none counts before it. True where any
/// is left.
pub(super) fn hold(row: &mut ThreadRow, head: &ThreadHead, is_over: bool, mut zones: Vec<String>) -> bool {
    for part in &mut row.parts {
        if supersedes(head, &part.head) {
            part.zones.retain(|zone| zones.binary_search(zone).is_err());
        } else {
            zones.retain(|zone| !part.zones.contains(zone));
        }
    }
    row.parts.retain(|part| !part.zones.is_empty());
    let holds = !zones.is_empty();
    if holds {
        row.parts.push(ThreadPart { head: head.clone(), is_over, zones });
    }
    holds
}

/// Takes over the zones of a thread that is joined.
pub(super) fn absorb(row: &mut ThreadRow, other: &ThreadRow) {
    for part in &other.parts {
        hold(row, &part.head, part.is_over, part.zones.clone());
    }
}

/// Makes the latest message that is not over the current one; the latest of all once every zone is
/// over. Does nothing to threads without zones.
pub(super) fn settle(row: &mut ThreadRow) {
    let mut best: Option<&ThreadPart> = None;
    for part in row.parts.iter().filter(|part| part.head.revision > 0) {
        let counts_before = |best: &ThreadPart| match (part.is_over, best.is_over) {
            (false, true) => true,
            (true, false) => false,
            _ => supersedes(&part.head, &best.head),
        };
        if best.is_none_or(counts_before) {
            best = Some(part);
        }
    }
    if row.parts.is_empty() {
        return;
    }
    let Some(best) = best else {
        row.state = State::Ended; // every zone was taken over by another thread
        return;
    };
    row.state = match best.head.action {
        _ if !best.is_over => State::Active,
        Action::Cancel => State::Cancelled,
        _ => State::Ended,
    };
    row.current = best.head.clone();
}

/// The other messages that go on in zones of their own.
pub(super) fn standing_beside(row: &ThreadRow, head: &ThreadHead) -> Vec<Standing> {
    let others = row.parts.iter().filter(|part| !part.is_over && part.head.event != head.event);
    others.map(|part| Standing { event: part.head.event, zones: part.zones.clone() }).collect()
}
