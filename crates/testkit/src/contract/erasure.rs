//! Erasing a tenant: all of it goes, nothing of others does, and it goes on where it was stopped.

use tidings_core::audit::ChainEnd;
use tidings_core::id::TenantId;
use tidings_core::port::{Commit, Fence};
use tidings_core::tenant::{TenantState, Usage};

use super::{Storage, model, observe};
use crate::{MemoryStore, sample};

/// Steps that erase the little of a test.
const STEPS_MAX: usize = 200;

async fn erase(store: &dyn Storage, tenant: &TenantId) {
    for _ in 0..STEPS_MAX {
        if store.erase_some(tenant).await.unwrap().is_done {
            return;
        }
    }
    panic!("it does not end");
}

/// What a store answers of one tenant.
async fn sight(store: &dyn Storage, tenant: &TenantId) -> String {
    let (event, user) = (sample::event_id(1), sample::user_id(1));
    let told = store.told_of(&TenantId::public(), sample::thread_id(1), None, 9).await.unwrap();
    let told: Vec<_> = told.into_iter().filter(|told| told.tenant == *tenant).collect();
    let event_parts = (store.event(tenant, event).await.unwrap(), store.raw(tenant, event).await.unwrap());
    let forms = (store.forms(tenant, event).await.unwrap(), store.identity(tenant, event).unwrap());
    let thread = store.versions(tenant, sample::thread_id(1)).await.unwrap();
    let inbox = store.inbox_after(tenant, user, 0, 9).await.unwrap();
    let read = (store.read_mark(tenant, user).await.unwrap(), store.decision(tenant, user, event).await.unwrap());
    let letters = (store.dead_letters(tenant, None, 9).await.unwrap(), store.audit(tenant, 0, 9).await.unwrap());
    format!("{told:?} {event_parts:?} {forms:?} {thread:?} {inbox:?} {read:?} {letters:?}")
}

pub(super) async fn takes_out_one_tenant_and_nothing_else(store: &dyn Storage) {
    let [one, other]: [TenantId; 2] = ["a", "a-b"].map(|name| name.parse().unwrap());
    let mut ends = [ChainEnd::default(), ChainEnd::default()];
    for (tenant, end) in [&one, &other].into_iter().zip(&mut ends) {
        store.commit(sample::commit_of(store.head(), tenant, 0..5)).await.unwrap();
        let head = store.head();
        let entries = vec![
            sample::form_entry(head.plus(1), tenant, 1, false),
            sample::letter_entry(head.plus(2), tenant, 1),
            sample::subscription_entry(head.plus(3), tenant, 1, 1),
            sample::key_entry(head.plus(4), tenant, 1),
            sample::role_entry(head.plus(5), tenant),
            sample::tenant_entry(head.plus(6), sample::tenant(tenant, TenantState::Active)),
        ];
        let audit = vec![sample::audit_entry(tenant, "x", end)];
        let records = vec![sample::record_row(Fence::Tenant(tenant.clone()), "a", 1)];
        let usage = vec![(tenant.clone(), Usage { storage_bytes: 7, day: 1, events: 5 })];
        store.commit(Commit { entries, audit, records, usage, ..Commit::default() }).await.unwrap();
        store.commit_step(sample::step_of(tenant, 1..3, 1, head, 1)).await.unwrap();
        store.set_read_mark(tenant, sample::user_id(1), 1).await.unwrap();
    }
    let of_server = sample::record_row(Fence::Server, "a", 1);
    store.commit(Commit { records: vec![of_server.clone()], ..Commit::default() }).await.unwrap();
    let closing = sample::tenant(&one, TenantState::Active).bare(TenantState::Erasing, crate::START);
    let entries = vec![sample::tenant_entry(store.head().plus(1), closing)];
    store.commit(Commit { entries, ..Commit::default() }).await.unwrap();
    let (head, before) = (store.head(), sight(store, &other).await);
    assert!(!store.scan(&one).await.unwrap().found.is_empty());

    erase(store, &one).await;
    let erasure = store.erase_some(&one).await.unwrap();
    assert_eq!((&erasure.audit_end, store.audit_end(&one).await.unwrap()), (&ends[0], ChainEnd::default()));
    assert_eq!((erasure.removed["log"], erasure.removed["id"]), (11, 5), "{erasure:?}");
    assert_eq!(store.scan(&one).await.unwrap().found.len(), 0, "{:?}", store.scan(&one).await.unwrap());
    assert_eq!(store.head(), head, "places are not given out again");
    let text = observe(store).await;
    assert!(!text.contains("tenant: a,") && !text.contains("tenant: a "), "{text}");
    assert_eq!(sight(store, &other).await, before, "nothing of others has changed");
    assert_eq!(store.history(sample::subscription_id(1)).await.unwrap().len(), 1, "that of the other");
    let account = |fence: Fence| sample::record_row(fence, "a", 1).key;
    assert_eq!(store.record(&account(Fence::Tenant(one.clone()))).await.unwrap(), None);
    for fence in [Fence::Tenant(other.clone()), Fence::Server] {
        assert_eq!(store.record(&account(fence)).await.unwrap(), of_server.record, "those of others and of the server");
    }
    assert_eq!(store.audit_end(&other).await.unwrap(), ends[1]);
    assert_eq!(store.usage().await.unwrap(), [(other.clone(), Usage { storage_bytes: 7, day: 1, events: 5 })]);
    assert!(store.changes(store.tail(), 100).await.unwrap().iter().any(|it| it.position == head), "it says why");
    assert!(!store.scan(&other).await.unwrap().found.is_empty());

    // What came in beside it is found by another round.
    store.set_read_mark(&one, sample::user_id(1), 1).await.unwrap();
    assert_eq!(store.scan(&one).await.unwrap().found.len(), 1);
    store.erase_again(&one).await.unwrap();
    erase(store, &one).await;
    let again = store.erase_some(&one).await.unwrap();
    assert_eq!((store.scan(&one).await.unwrap().found.len(), again.audit_end), (0, ends[0].clone()));
    assert_eq!(again.removed["cursor"], erasure.removed["cursor"] + 1);
    let mut step = 0;
    while store.forget_removed(step).await.unwrap() {
        step += 1;
        assert!(step < 100, "it ends");
    }
    assert_eq!(observe(store).await, text);
}

pub(super) async fn leaves_what_the_reference_leaves(store: &dyn Storage, seed: u64) {
    let reference = MemoryStore::new();
    let tenant: TenantId = "a".parse().unwrap();
    model::run_script(store, seed, 0).await;
    model::run_script(&reference, seed, 0).await;
    erase(store, &tenant).await;
    erase(&reference, &tenant).await;
    let (found, expected) = (observe(store).await, observe(&reference).await);
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "seed {seed}");
    }
    assert_eq!(store.scan(&tenant).await.unwrap().found.len(), 0);
}
