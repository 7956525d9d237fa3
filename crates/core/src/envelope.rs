//! Bytes as they were received, and what the transport knows about them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::TenantId;
use crate::principal::Authority;
use crate::time::Timestamp;

/// One body as received: a request, a record, a file. It may hold many messages.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The bytes, after content coding.
    pub bytes: Bytes,
    /// The declared media type with its parameters, if any was declared.
    pub media_type: Option<String>,
    /// Headers that carry meaning, names in lower case: `ce-*` of CloudEvents in binary mode.
    pub headers: Vec<(String, String)>,
    /// The route by which it came: `api`, a feed's name, a file's folder.
    pub source: String,
    /// Whose data it becomes.
    pub tenant: TenantId,
    /// For whom the bringer may speak.
    pub authority: Authority,
    /// What tells this envelope from one with equal bytes when its content carries no identity.
    pub coordinate: Coordinate,
    /// The number of its first message; not 0 where it is one message of an earlier envelope, sent
    /// again by itself.
    pub first_item: usize,
    /// When it came in.
    pub received: Timestamp,
    /// Follows everything made of it.
    pub correlation_id: String,
}

/// What tells two envelopes of equal content apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinate {
    /// The client's `Idempotency-Key`: a repeat under it is the same.
    Key(String),
    /// An id that we drew or that the transport gives: each delivery is its own.
    Drawn(String),
    /// A polled document or file: equal content is the same.
    Document,
}

/// How much is taken in at once; over it is refused with a reason, never cut.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one envelope after content decoding.
    pub envelope_bytes: usize,
    /// Messages in one envelope.
    pub items: usize,
    /// Nesting of JSON and XML.
    pub depth: usize,
    /// Points of all shapes of one message.
    pub vertices: usize,
}

impl Default for Limits {
    /// 16 MiB, 10,000 items (DESIGN section 6), 64 levels, 250,000 points: one recorded national
    /// alert holds 212 polygons with 34,066 points in the largest.
    fn default() -> Self {
        Self { envelope_bytes: 16 << 20, items: 10_000, depth: 64, vertices: 250_000 }
    }
}
