//! What clients read: stored things with what is known of them now.

use bytes::Bytes;
use serde::Serialize;
use tidings_core::event::Event;
use tidings_core::id::{EventId, IncidentId, NotificationId, SubscriptionId, ThreadId};
use tidings_core::notice::{NoticeKind, UpdateReason};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Severity, State};

/// An event as of the read: its stored JSON, and what its thread row and the clock add.
#[derive(Debug, Clone)]
pub struct EventView {
    /// What we believe.
    pub event: std::sync::Arc<Event>,
    /// Where it is.
    pub position: Position,
    /// Its thread, after merges.
    pub thread_id: ThreadId,
    /// Its number in the thread it was committed to.
    pub revision: u32,
    /// The incident of its thread.
    pub incident_id: IncidentId,
    /// How its thread stands now.
    pub state: State,
    /// The event that counts in its place, when it is not the thread's current one.
    pub superseded_by: Option<EventId>,
    /// The thread that its own was joined into.
    pub merged_into: Option<ThreadId>,
    /// The thread that took its thread's place.
    pub upgraded_to: Option<ThreadId>,
    /// The event's own JSON object, as encoded once at intake.
    pub body: Bytes,
}

/// What an [`EventView`] adds before the stored members.
#[derive(Serialize)]
struct Head {
    thread_id: ThreadId,
    revision: u32,
    position: Position,
    incident_id: IncidentId,
    state: State,
    superseded_by: Option<EventId>,
    merged_into: Option<ThreadId>,
    upgraded_to: Option<ThreadId>,
}

impl EventView {
    /// The contract's JSON object: a small head and the stored bytes.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let head = Head {
            thread_id: self.thread_id,
            revision: self.revision,
            position: self.position,
            incident_id: self.incident_id,
            state: self.state,
            superseded_by: self.superseded_by,
            merged_into: self.merged_into,
            upgraded_to: self.upgraded_to,
        };
        serde_json::to_writer(&mut *out, &head).expect("a head is plain data and memory takes it");
        // The head always has members and the body is an object with an id, so one comma joins them.
        out.pop();
        out.push(b',');
        out.extend_from_slice(&self.body[1..]);
    }

    /// The contract's JSON object.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 256);
        self.write_json(&mut out);
        out
    }
}

/// A notice with the event it tells of.
#[derive(Debug, Clone)]
pub struct NotificationView {
    /// The same at every repeat.
    pub id: NotificationId,
    /// What it is.
    pub kind: NoticeKind,
    /// Why an update was worth telling.
    pub update_reason: Option<UpdateReason>,
    /// The thread it speaks of.
    pub thread_id: ThreadId,
    /// Its revision.
    pub revision: u32,
    /// Every subscription that asked for it.
    pub subscriptions: Vec<SubscriptionId>,
    /// One line.
    pub title: String,
    /// Worst severity of what matched this recipient.
    pub severity: Severity,
    /// Why this recipient.
    pub reason: String,
    /// When it was decided.
    pub created: Timestamp,
    /// The epoch of the log it was decided from.
    pub epoch: u32,
    /// Its place in the inbox.
    pub number: u64,
    /// True once the recipient has read up to it.
    pub is_read: bool,
    /// The event.
    pub event: EventView,
}

impl NotificationView {
    /// The cursor that resumes after it.
    pub fn cursor(&self) -> String {
        format!("{}-{}", self.epoch, self.number)
    }

    /// The contract's JSON object.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Wire<'a> {
            id: NotificationId,
            kind: NoticeKind,
            #[serde(skip_serializing_if = "Option::is_none")]
            update_reason: Option<UpdateReason>,
            event_id: EventId,
            thread_id: ThreadId,
            revision: u32,
            subscriptions: &'a [SubscriptionId],
            title: &'a str,
            severity: Severity,
            reason: &'a str,
            created: Timestamp,
            cursor: String,
            read: bool,
        }
        let wire = Wire {
            id: self.id,
            kind: self.kind,
            update_reason: self.update_reason,
            event_id: self.event.event.id,
            thread_id: self.thread_id,
            revision: self.revision,
            subscriptions: &self.subscriptions,
            title: &self.title,
            severity: self.severity,
            reason: &self.reason,
            created: self.created,
            cursor: self.cursor(),
            read: self.is_read,
        };
        serde_json::to_writer(&mut *out, &wire).expect("a notice is plain data and memory takes it");
        out.pop();
        out.extend_from_slice(b",\"event\":");
        self.event.write_json(out);
        out.push(b'}');
    }
}

/// One step in the life of an event.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `received`, `stored`, `matched`, `notified`, …
    pub step: &'static str,
    /// When.
    pub at: Timestamp,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
