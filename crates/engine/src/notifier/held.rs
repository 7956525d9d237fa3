//! Events that are decided a piece at a time, and those that wait for one of the same thread.

use tidings_core::id::ThreadId;
use tidings_core::matcher::SlotId;
use tidings_core::port::Unfinished;
use tidings_core::position::Position;
use tidings_core::stored::Stored;
use tidings_core::vocabulary::Severity;

use super::Pending;
use super::index::{Replaced, Since};
use super::roll::Roll;
use super::step::Inbox;

/// Events that may be held. With more the log is read no further until one is done: everything
/// waits then, where it is durable.
const HELD_MAX: usize = 256;
/// Subscriptions found for all events held, 4 bytes each until its event is begun, 24 from then on,
/// above which no further event is taken up.
const FOUND_MAX: usize = 16_000_000;
/// Changed subscriptions remembered for all of them, above which the same holds.
const REMEMBERED_MAX: usize = 1_000_000;

/// An event that is not decided for everyone yet.
#[derive(Debug)]
pub(super) struct Held {
    position: Position,
    severity: Severity,
    threads: Vec<ThreadId>,
    /// The subscriptions that match it and are not looked up yet.
    pub found: Vec<SlotId>,
    /// How many were found.
    found_at_first: usize,
    /// Those looked up and not decided yet.
    pub roll: Roll,
    /// What has changed since its position.
    pub since: Since,
    /// The last recipient decided.
    pub after: Option<Inbox>,
    /// The event itself, read when its turn comes.
    pub pending: Option<Pending>,
}

impl Held {
    pub fn new(stored: &Stored, found: Vec<SlotId>, after: Option<Inbox>) -> Self {
        Self {
            position: stored.position,
            severity: stored.event.severity,
            threads: threads_of(stored),
            found_at_first: found.len(),
            found,
            roll: Roll::default(),
            since: Since::default(),
            after,
            pending: None,
        }
    }

    pub const fn position(&self) -> Position {
        self.position
    }

    fn shares_thread(&self, threads: &[ThreadId]) -> bool {
        self.threads.iter().any(|thread| threads.contains(thread))
    }
}

/// The events held, by position.
#[derive(Debug, Default)]
pub(super) struct HeldEvents {
    events: Vec<Held>,
    /// Whose turn it is, until one comes or goes.
    turn: Option<usize>,
}

impl HeldEvents {
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// True where another may come.
    pub fn has_room(&self) -> bool {
        let found: usize = self.events.iter().map(|held| held.found_at_first).sum();
        let remembered: usize = self.events.iter().map(|held| held.since.len()).sum();
        self.events.len() < HELD_MAX && found < FOUND_MAX && remembered < REMEMBERED_MAX
    }

    /// The first that is not decided for everyone.
    pub fn oldest(&self) -> Option<Position> {
        self.events.first().map(Held::position)
    }

    pub fn unfinished(&self) -> Vec<Unfinished> {
        let of = |held: &Held| Unfinished { position: held.position, after: held.after.clone() };
        self.events.iter().map(of).collect()
    }

    /// True where an entry must wait for one of them: same thread or incident, or a thread that
    /// either joins or closes. An update is never told before its alert.
    pub fn concern(&self, stored: &Stored) -> bool {
        let threads = if self.events.is_empty() { Vec::new() } else { threads_of(stored) };
        self.events.iter().any(|held| held.shares_thread(&threads))
    }

    /// Holds the newest entry.
    pub fn push(&mut self, held: Held) {
        self.events.push(held);
        self.turn = None;
    }

    /// Remembers what a change replaced.
    pub fn note(&mut self, change: &Replaced) {
        self.events.iter_mut().for_each(|held| held.since.note(change));
    }

    /// The one whose turn it is: of those that wait for none, the gravest, then the oldest. One counts
    /// as grave as any that waits for it.
    pub fn next(&mut self) -> Option<&mut Held> {
        let turn = self.turn.or_else(|| self.find_turn());
        self.turn = turn;
        self.events.get_mut(turn?)
    }

    /// Lets go of the one whose turn it was.
    pub fn finish(&mut self) {
        if let Some(index) = self.turn.take() {
            self.events.remove(index);
        }
    }

    fn find_turn(&self) -> Option<usize> {
        let mut gravity: Vec<Severity> = self.events.iter().map(|held| held.severity).collect();
        let mut waits = vec![false; self.events.len()];
        for later in (0..self.events.len()).rev() {
            for earlier in 0..later {
                if self.events[earlier].shares_thread(&self.events[later].threads) {
                    gravity[earlier] = gravity[earlier].max(gravity[later]);
                    waits[later] = true;
                }
            }
        }
        let free = (0..self.events.len()).filter(|index| !waits[*index]);
        free.min_by_key(|index| (std::cmp::Reverse(gravity[*index]), *index))
    }
}

/// Every thread that deciding an event reads or writes.
fn threads_of(stored: &Stored) -> Vec<ThreadId> {
    let outlook = &stored.outlook;
    let closed = outlook.closed.iter().flat_map(|closed| closed.merged_from.iter().chain([&closed.thread]));
    let others = outlook.merged_from.iter().chain(&outlook.incident_threads);
    closed.chain(others).copied().chain([stored.thread]).collect()
}
