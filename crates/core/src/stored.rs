//! Events with their place in the log: the last of the four shapes.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::{EventId, IncidentId, ThreadId};
use crate::port::{LogEntry, LogRecord};
use crate::position::Position;
use crate::vocabulary::State;

/// An event with its place in the log and in its thread.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where in the log.
    pub position: Position,
    /// Which thread it was committed to.
    pub thread: ThreadId,
    /// Its number there, from 1.
    pub revision: u32,
    /// Its thread just after it, which a filter's `state` is judged by.
    pub outlook: Outlook,
    /// What we believe.
    pub event: Arc<Event>,
    /// The event as JSON, encoded once at intake.
    pub body: Bytes,
}

impl Stored {
    /// An entry of the log, if it is an event.
    pub fn of(entry: LogEntry) -> Option<Self> {
        match entry.record {
            LogRecord::Event { thread, revision, outlook, event, body, .. } => {
                Some(Self { position: entry.position, thread, revision, outlook, event, body })
            }
            LogRecord::Form { .. } | LogRecord::DeadLetter { .. } | LogRecord::Control(_) => None,
        }
    }
}

/// How a thread stood just after one entry of the log; kept with the entry, so that every later
/// judgment of it sees the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// How the thread stands.
    pub state: State,
    /// True when this entry's event is the thread's current one, or the last word in some zone.
    pub is_current: bool,
    /// The thread's current event.
    pub current: EventId,
    /// Threads that this entry joined into its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<ThreadId>,
    /// Every thread that was joined into its own up to here: what was told of one was told of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<ThreadId>,
    /// Other messages of the thread that still hold in zones of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<Standing>,
    /// Threads that this entry closed: replaced by its own thread, or over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<ClosedThread>,
    /// The incident the thread belongs to.
    pub incident: IncidentId,
    /// The other threads of that incident up to here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incident_threads: Vec<ThreadId>,
}

impl Outlook {
    /// The event that notices of an entry speak of, where it is not the entry's own: one that joins
    /// threads and does not count in them is itself never told, so what it tells is what counts.
    pub fn told_instead(&self) -> Option<EventId> {
        (!self.is_current && !self.merged.is_empty()).then_some(self.current)
    }
}

/// A thread closed by a message of another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedThread {
    /// The thread that is over.
    pub thread: ThreadId,
    /// Every thread that was joined into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<ThreadId>,
    /// True when this entry's thread takes its place.
    pub upgraded: bool,
    /// True when it goes on in other zones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lives_elsewhere: bool,
}

/// A message that holds in some zones while another one of its thread holds in others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The message.
    pub event: EventId,
    /// Its zones, as UGC codes.
    pub zones: Vec<String>,
}
