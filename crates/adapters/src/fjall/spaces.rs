//! The keyspaces, and how each is tuned.

use ::fjall::config::{BlockSizePolicy, CompressionPolicy, FilterPolicy, PinningPolicy};
use ::fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};

/// One keyspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Meta,
    Log,
    Event,
    Raw,
    Id,
    Alias,
    Thread,
    Incident,
    Version,
    Form,
    Control,
    Revision,
    Dead,
    DeadId,
    Told,
    Decision,
    Inbox,
    Cursor,
    Audit,
    Record,
    Usage,
}

/// What says whose the rows of a keyspace are. Erasing a tenant goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owned {
    /// Their keys begin with the tenant.
    ByTenant,
    /// The log itself.
    Log,
    /// The entry of the log at the position that their keys begin with.
    ByPlace,
    /// The entry of the log at the position that their keys end with, after a subscription.
    BySubscription,
    /// The server's own.
    ByServer,
}

/// How a keyspace is used, which decides its tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Appended in order and scanned; keys never asked for in vain.
    Appended,
    /// Looked up by hashed keys that mostly are not there.
    LookedUp,
    /// Few and small rows.
    Small,
}

impl Space {
    const ALL: [(Self, &'static str, Use); 21] = [
        (Self::Meta, "meta", Use::Small),
        (Self::Log, "log", Use::Appended),
        (Self::Event, "event", Use::Appended),
        (Self::Raw, "raw", Use::Appended),
        (Self::Id, "id", Use::LookedUp),
        (Self::Alias, "alias", Use::LookedUp),
        (Self::Thread, "thread", Use::LookedUp),
        (Self::Incident, "incident", Use::Small),
        (Self::Version, "version", Use::LookedUp),
        (Self::Form, "form", Use::Small),
        (Self::Control, "control", Use::Appended),
        (Self::Revision, "revision", Use::Small),
        (Self::Dead, "dead", Use::Small),
        (Self::DeadId, "dead_id", Use::Small),
        (Self::Told, "told", Use::LookedUp),
        (Self::Decision, "decision", Use::LookedUp),
        (Self::Inbox, "inbox", Use::LookedUp),
        (Self::Cursor, "cursor", Use::Small),
        (Self::Audit, "audit", Use::Small),
        (Self::Record, "record", Use::LookedUp),
        (Self::Usage, "usage", Use::Small),
    ];

    /// Every one.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().map(|(space, ..)| space)
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// What says whose its rows are.
    pub(super) const fn owned(self) -> Owned {
        match self {
            Self::Meta => Owned::ByServer,
            Self::Log => Owned::Log,
            Self::Event | Self::Raw | Self::Control => Owned::ByPlace,
            Self::Revision => Owned::BySubscription,
            Self::Id
            | Self::Alias
            | Self::Thread
            | Self::Incident
            | Self::Version
            | Self::Form
            | Self::Dead
            | Self::DeadId
            | Self::Told
            | Self::Decision
            | Self::Inbox
            | Self::Cursor
            | Self::Audit
            | Self::Usage
            // Those of the server itself begin with nothing in the tenant's place.
            | Self::Record => Owned::ByTenant,
        }
    }
}

/// All keyspaces, open.
pub(super) struct Spaces {
    open: Vec<Keyspace>,
}

impl Spaces {
    /// Opens every keyspace, making those that are not there yet.
    pub(super) fn open(database: &Database) -> ::fjall::Result<Self> {
        let one = |(_, name, used): (Space, &'static str, Use)| database.keyspace(name, || tuning(used));
        Ok(Self { open: Space::ALL.into_iter().map(one).collect::<Result<_, _>>()? })
    }

    /// One of them.
    pub(super) fn get(&self, space: Space) -> &Keyspace {
        &self.open[space as usize]
    }

    /// Every one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Keyspace> {
        self.open.iter()
    }
}

fn tuning(used: Use) -> KeyspaceCreateOptions {
    // Memtables are small because what they hold is replayed after kill -9 and lives in memory.
    let options = KeyspaceCreateOptions::default()
        .index_block_pinning_policy(PinningPolicy::all(false))
        .filter_block_pinning_policy(PinningPolicy::all(false))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4));
    match used {
        Use::Appended => options
            .max_memtable_size(16 << 20)
            .filter_policy(FilterPolicy::disabled())
            .data_block_size_policy(BlockSizePolicy::all(16 << 10)),
        Use::LookedUp => options.max_memtable_size(8 << 20),
        Use::Small => options.max_memtable_size(2 << 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        for (index, (space, _, _)) in Space::ALL.into_iter().enumerate() {
            assert_eq!(space as usize, index);
        }
    }
}
