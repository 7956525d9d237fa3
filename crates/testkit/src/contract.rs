//! What every adapter of the storage ports must do, as suites to run over a fresh store each.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

mod commit;
mod reads;
mod records;
mod delivery;
mod erasure;
mod model;
mod observe;

use std::sync::Arc;

use tidings_core::port::{
    AuditLog, ControlStore, DeadLetters, DeliveryStore, EventLog, EventStore, Ledger, RecordStore, TenantRows,
    ThreadRows,
};

pub use observe::observe;

/// Of the random scripts that a store is compared with the reference by.
const SEEDS: std::ops::Range<u64> = 0..4;

/// Every storage port in one.
pub trait Storage:
    Ledger
    + ThreadRows
    + EventLog
    + EventStore
    + ControlStore
    + AuditLog
    + RecordStore
    + DeadLetters
    + DeliveryStore
    + TenantRows
    + Send
    + Sync
{
}

impl<S> Storage for S where
    S: Ledger
        + ThreadRows
        + EventLog
        + EventStore
        + ControlStore
        + AuditLog
        + RecordStore
        + DeadLetters
        + DeliveryStore
        + TenantRows
        + Send
        + Sync
{
}

/// Runs every suite; `fresh` gives an empty store at each call.
///
/// # Panics
/// When the store breaks a promise of its ports, or answers otherwise than the reference in memory.
pub async fn storage(fresh: &(dyn Fn() -> Arc<dyn Storage> + Sync)) {
    promises(fresh).await;
    for seed in SEEDS {
        model::agrees_with_the_reference(&*fresh(), seed).await;
        erasure::leaves_what_the_reference_leaves(&*fresh(), seed).await;
    }
}

/// What [`observe`] answers of each script that [`storage`] compares by, run on empty stores.
///
/// # Panics
/// When the store fails.
pub async fn observed(fresh: &(dyn Fn() -> Arc<dyn Storage> + Sync)) -> Vec<String> {
    let mut all = Vec::new();
    for seed in SEEDS {
        let store = fresh();
        model::run_script(&*store, seed, 0).await;
        all.push(observe(&*store).await);
    }
    all
}

/// The suites that know by themselves what is right, which is all there is for the reference.
///
/// # Panics
/// When the store breaks a promise of its ports.
pub async fn promises(fresh: &(dyn Fn() -> Arc<dyn Storage> + Sync)) {
    commit::positions_follow_the_head(&*fresh()).await;
    commit::a_refused_commit_changes_nothing(&*fresh()).await;
    commit::what_was_written_is_read(&*fresh()).await;
    commit::waiting_ends_with_a_commit(fresh()).await;
    commit::many_callers_write_at_once(fresh()).await;
    reads::log_is_bounded(&*fresh()).await;
    reads::tenants_stay_apart(&*fresh()).await;
    reads::raw_bytes_of_any_size(&*fresh()).await;
    reads::forms_and_versions(&*fresh()).await;
    reads::control_history(&*fresh()).await;
    reads::dead_letters(&*fresh()).await;
    reads::audit_logs(&*fresh()).await;
    records::are_replaced_as_a_whole(&*fresh()).await;
    records::lie_within_their_fence(&*fresh()).await;
    delivery::told_and_decisions(&*fresh()).await;
    delivery::inbox_numbers(&*fresh()).await;
    delivery::read_marks(&*fresh()).await;
    erasure::takes_out_one_tenant_and_nothing_else(&*fresh()).await;
}

/// Checks that a store which is closed and opened again answers as before; `open` opens the same
/// store at each call, the one before dropped.
///
/// # Panics
/// When something is lost or changed.
pub async fn survives(open: &(dyn Fn() -> Arc<dyn Storage> + Sync)) {
    for seed in 10..13 {
        let store = open();
        model::run_script(&*store, seed, store.head().offset).await;
        let before = observe(&*store).await;
        drop(store);
        assert_eq!(observe(&*open()).await, before, "what was there before the store was closed");
    }
}
