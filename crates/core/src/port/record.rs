use async_trait::async_trait;
use bytes::Bytes;

use crate::id::TenantId;
use crate::port::PortError;
use crate::time::Timestamp;

/// Within what a record is kept: nothing is read without saying it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fence {
    /// The server as a whole: who people are, before they enter a tenant.
    Server,
    /// One tenant.
    Tenant(TenantId),
}

/// What kind of record it is. Each kind has names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    /// A person, by id.
    Account,
    /// Whose an email address is, by its hash.
    Email,
    /// A person in a tenant, by id.
    Member,
    /// A signed-in browser, by the hash of its secret.
    Session,
    /// The sessions of a person, by id and hash.
    SessionOf,
    /// A link that can be used once, by the hash of its secret.
    Link,
    /// A program that may ask for tokens, by id.
    Client,
    /// An authorization code, by its hash.
    Code,
    /// A device that waits to be let in, by the hash of its code.
    Device,
    /// Which device waits under a code that people type, by that code's hash.
    DeviceUserCode,
    /// What one consent has given a program, with the refresh token that is valid now, by id.
    Grant,
    /// What a person has let a program do, by both ids.
    Consent,
    /// A key that signs tokens, by id.
    SigningKey,
    /// A token that was taken back before its end, by its id.
    Revoked,
    /// Whose a login at another provider is, by the hash of provider and subject.
    Login,
    /// A sign-in at another provider that is under way, by the hash of its state.
    LoginPending,
    /// A provider that people may sign in with, by name.
    Provider,
    /// When a key or a webhook was last used, by id.
    LastUse,
}

impl Shelf {
    /// Its name in storage keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Email => "email",
            Self::Member => "member",
            Self::Session => "session",
            Self::SessionOf => "session_of",
            Self::Link => "link",
            Self::Client => "client",
            Self::Code => "code",
            Self::Device => "device",
            Self::DeviceUserCode => "device_code",
            Self::Grant => "grant",
            Self::Consent => "consent",
            Self::SigningKey => "signing_key",
            Self::Revoked => "revoked",
            Self::Login => "login",
            Self::LoginPending => "login_state",
            Self::Provider => "provider",
            Self::LastUse => "last_use",
        }
    }

    /// Those whose records may have an end, and are swept once it has passed.
    pub const ENDING: [Self; 9] = [
        Self::Session,
        Self::SessionOf,
        Self::Link,
        Self::LoginPending,
        Self::Code,
        Self::Device,
        Self::DeviceUserCode,
        Self::Grant,
        Self::Revoked,
    ];
}

/// Where a record is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// Within what.
    pub fence: Fence,
    /// What kind.
    pub shelf: Shelf,
    name: String,
}

impl RecordKey {
    /// Bytes of a name, at most.
    pub const NAME_BYTES_MAX: usize = 96;

    /// The key of this name.
    ///
    /// # Panics
    /// When the name is longer than [`Self::NAME_BYTES_MAX`] or holds a zero byte: names are made of ids
    /// and hashes, never of what a stranger sends.
    pub fn new(fence: Fence, shelf: Shelf, name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(name.len() <= Self::NAME_BYTES_MAX && !name.contains('\0'), "a record's name is an id or a hash");
        Self { fence, shelf, name }
    }

    /// The key of this name in the server's own fence.
    pub fn of_server(shelf: Shelf, name: impl Into<String>) -> Self {
        Self::new(Fence::Server, shelf, name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A record as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// How many times it was written since it was made, from 1.
    pub revision: u64,
    /// From then on it is as if it were not there; never, when `None`.
    pub ends: Option<Timestamp>,
    /// What it says, as JSON.
    pub body: Bytes,
}

/// A change of one record, which holds only if the record is still as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    /// Which.
    pub key: RecordKey,
    /// The revision it was read at; `None` where there was no record.
    pub expected: Option<u64>,
    /// What it is to say, and until when; `None` removes it.
    pub body: Option<(Bytes, Option<Timestamp>)>,
}

/// A record as a commit leaves it; `None` where it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Which.
    pub key: RecordKey,
    /// What it is now.
    pub record: Option<Record>,
}

/// Records that are read by name and replaced as a whole. They are written by [`Ledger::commit`].
///
/// [`Ledger::commit`]: crate::port::Ledger::commit
#[async_trait]
pub trait RecordStore: Send + Sync {
    /// One record, also where its end has passed.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn record(&self, key: &RecordKey) -> Result<Option<Record>, PortError>;

    /// Records of a shelf whose names begin with `prefix` and come after `after`, in order of names, at
    /// most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn records(
        &self,
        fence: &Fence,
        shelf: Shelf,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(RecordKey, Record)>, PortError>;
}
