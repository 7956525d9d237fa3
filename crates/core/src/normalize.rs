//! From drafts to events: one shape, one set of units, one identity for all formats.

use bytes::Bytes;

use crate::batch::Batch;
use crate::draft::{Closing, Draft, Format, ThreadKey};
use crate::envelope::Envelope;
use crate::event::Event;
use crate::time::Timestamp;

/// What a message says about its thread, for the owner to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadHints {
    /// Names of its thread besides its own id, scoped by the event's issuer.
    pub keys: Vec<ThreadKey>,
    /// Other threads that it closes, scoped by the event's issuer.
    pub closings: Vec<Closing>,
    /// Native ids of earlier messages of the same issuer, its own left out.
    pub references: Vec<String>,
}

/// An event before its owner has placed it: what we believe, and what resolving needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Believed {
    /// What we believe.
    pub event: Event,
    /// What it says about its thread.
    pub thread: ThreadHints,
    /// Its bytes as received.
    pub raw: Bytes,
    /// Their media type.
    pub media_type: String,
    /// Hash of all that the sender said, whatever its formatting.
    pub content_hash: [u8; 16],
    /// Hash of what the id was derived from; another one under the same id is a collision.
    pub tuple_hash: [u8; 16],
    /// Which owner resolves it.
    pub order_key: String,
    /// What orders the versions of one thread: when it was last changed, else sent. `None` leaves
    /// it to arrival.
    pub version_time: Option<Timestamp>,
    /// What it was read from.
    pub format: Format,
    /// True when it is kept from those without the right.
    pub restricted: bool,
    /// True when its source withdraws it as never having been.
    pub retracted: bool,
    /// True when its bringer was bound to its issuer, so that it may change the issuer's threads.
    pub bound: bool,
}

/// Turns each draft into an event as of `now`, with its identity; places are left to `enrich`.
pub fn normalize(drafts: Batch<Draft>, envelopes: &[Envelope], now: Timestamp) -> Batch<Believed> {
    let _ = (drafts, envelopes, now);
    Batch::default()
}
