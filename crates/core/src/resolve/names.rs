//! The names by which threads find their messages.

use super::Believed;
use crate::draft::Closing;
use crate::event::Event;
use crate::id::fingerprint;
use crate::vocabulary::Status;

/// Every name by which a message's thread can be found.
pub(super) struct Names {
    own: Vec<[u8; 16]>,
    references: Vec<[u8; 16]>,
}

impl Names {
    pub(super) fn of(believed: &Believed) -> Self {
        let space = Namespace::of(&believed.event);
        let mut own = Vec::with_capacity(1 + believed.thread.keys.len());
        own.extend(believed.event.native_id.as_ref().map(|id| space.name("id", id)));
        own.extend(believed.thread.keys.iter().map(|key| space.name(key.scheme, &key.value)));
        let references = believed.thread.references.iter().map(|id| space.name("id", id)).collect();
        Self { own, references }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = [u8; 16]> + '_ {
        self.own.iter().chain(&self.references).copied()
    }
}

/// Where the names of threads are unique: within their issuer, so that no reference crosses issuers,
/// and apart for what is not real, so that no test cancels an alert.
pub(super) struct Namespace<'a> {
    issuer: &'a str,
    status: &'a str,
}

impl<'a> Namespace<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let status = if event.status == Status::Actual { "" } else { event.status.as_str() };
        Self { issuer: &event.issuer, status }
    }

    pub(super) fn name(&self, scheme: &str, value: &str) -> [u8; 16] {
        match self.status {
            "" => fingerprint(&[self.issuer.as_bytes(), scheme.as_bytes(), value.as_bytes()]),
            status => fingerprint(&[self.issuer.as_bytes(), status.as_bytes(), scheme.as_bytes(), value.as_bytes()]),
        }
    }

    /// Where another thread's message that closes this thread is remembered by its name.
    pub(super) fn closing_name(&self, closing: &Closing) -> [u8; 16] {
        let kind = if closing.upgraded { "upgraded" } else { "closed" };
        self.name(kind, &format!("{}\n{}", closing.key.scheme, closing.key.value))
    }
}
