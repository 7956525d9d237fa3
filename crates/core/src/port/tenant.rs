use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::audit::ChainEnd;
use crate::id::TenantId;
use crate::port::PortError;
use crate::tenant::Usage;

/// How far the erasure of a tenant is; kept in the store with each step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erasure {
    /// Rows removed so far, by keyspace.
    pub removed: BTreeMap<String, u64>,
    /// Where the tenant's audit log ended when the erasure began.
    pub audit_end: ChainEnd,
    /// True where every keyspace has been gone through.
    pub is_done: bool,
}

/// What a look at every row of the store found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// Rows looked at.
    pub scanned: u64,
    /// Those that are the tenant's, by keyspace; a row that belongs to an erased place of the log counts,
    /// whoever's it was.
    pub found: BTreeMap<String, u64>,
}

/// What is kept of tenants as a whole: how it is counted, found, removed, and forgotten by the disk.
#[async_trait]
pub trait TenantRows: Send + Sync {
    /// What every tenant has used, as of the last commit.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn usage(&self) -> Result<Vec<(TenantId, Usage)>, PortError>;

    /// Removes some of a tenant's rows, a few thousand at most, durably: it goes on where the last call
    /// ended, also after a restart, until it is done. Places in the log stay, and say nothing.
    ///
    /// Nothing may write rows of the tenant meanwhile. Records of the tenant itself are the operator's;
    /// of those only the ones before its erasure are removed.
    ///
    /// # Errors
    /// When the store cannot be read or written; the step is taken again then.
    async fn erase_some(&self, tenant: &TenantId) -> Result<Erasure, PortError>;

    /// Begins the erasure again from the first keyspace, with what was removed so far kept.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn erase_again(&self, tenant: &TenantId) -> Result<(), PortError>;

    /// Looks at every row of every keyspace.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn scan(&self, tenant: &TenantId) -> Result<Scan, PortError>;

    /// One of several steps after which removed rows are in no file any more, from 0 on; false where
    /// there is no such step. Each rewrites a part of the store.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget_removed(&self, step: usize) -> Result<bool, PortError>;
}
