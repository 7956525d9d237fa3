//! Ids derived from what a message is, so that every node and every repeat finds the same.

mod canonical;

use crate::draft::{Draft, Format};
use crate::envelope::{Coordinate, Envelope};
use crate::id::{EventId, TenantId, fingerprint};

pub use canonical::content_hash;

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
    let content_hash = content_hash(draft);
    let tenant = envelope.tenant.as_str().as_bytes();
    let number = (index as u64).to_be_bytes();
    let is_own_form = matches!(draft.format, Format::Native | Format::Text);
    let has_own_time = draft.sent.or(draft.occurred).or(draft.updated).is_some();
    let (id, tuple_hash) = match (&draft.native_id, &envelope.coordinate) {
        (Some(native_id), _) if is_own_form => {
            // The same id with other content is the next revision, whatever its times say.
            of_native(&envelope.tenant, issuer, native_id, Some(&version_of(&content_hash)))
        }
        (Some(native_id), _) => of_native(&envelope.tenant, issuer, native_id, draft.native_version.as_deref()),
        (None, Coordinate::Document) => derived(&[b"content", tenant, issuer.as_bytes(), &content_hash]),
        (None, _) if has_own_time => derived(&[b"content", tenant, issuer.as_bytes(), &content_hash]),
        (None, Coordinate::Key(key)) => {
            derived(&[b"key", tenant, issuer.as_bytes(), key.as_bytes(), &number, &content_hash])
        }
        (None, Coordinate::Drawn(drawn)) => derived(&[b"drawn", tenant, issuer.as_bytes(), drawn.as_bytes(), &number]),
    };
    Identity { id, tuple_hash, content_hash }
}

/// A version name made of a content hash: 32 hexadecimal digits.
pub fn version_of(content_hash: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*content_hash))
}

fn derived(parts: &[&[u8]]) -> (EventId, [u8; 16]) {
    (EventId::derived(parts), fingerprint(parts))
}
