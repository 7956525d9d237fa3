//! Random scripts, run on a store and on the reference in memory: both must answer the same.

use tidings_core::id::TenantId;
use tidings_core::port::{Commit, DeadLetterState, Fence, Randomness, RecordRow};

use super::{Storage, observe};
use crate::{MemoryStore, SeededRandomness, sample};

pub(super) const EVENTS: u64 = 12;
pub(super) const LETTERS: u64 = 6;
pub(super) const SUBSCRIPTIONS: u64 = 4;
pub(super) const USERS: u64 = 5;
const STEPS: u64 = 40;

/// The tenants of the scripts; one name begins with another.
pub(super) fn tenants() -> [TenantId; 3] {
    ["public", "a", "a-b"].map(|name| name.parse().expect("these are tenant names"))
}

pub(super) async fn agrees_with_the_reference(store: &dyn Storage, seed: u64) {
    let reference = MemoryStore::new();
    run_script(store, seed, 0).await;
    run_script(&reference, seed, 0).await;
    let (found, expected) = (observe(store).await, observe(&reference).await);
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "seed {seed}");
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "seed {seed}");
}

/// Runs the script that follows from a seed. `inbox_from` keeps inbox numbers of scripts on one
/// store apart.
pub(super) async fn run_script(store: &dyn Storage, seed: u64, inbox_from: u64) {
    let chance = SeededRandomness::new(seed);
    let draw = |below: u64| {
        let mut bytes = [0; 8];
        chance.fill(&mut bytes);
        u64::from_be_bytes(bytes) % below
    };
    for step in 0..STEPS {
        let tenant = &tenants()[draw(3) as usize];
        let head = store.head();
        match draw(9) {
            0 | 1 => {
                let first = draw(EVENTS - 3);
                store.commit(sample::commit_of(head, tenant, first..first + 1 + draw(3))).await.unwrap();
            }
            2 => {
                let form = sample::form_entry(head.plus(1), tenant, draw(EVENTS), draw(2) == 0);
                let letter = sample::letter_entry(head.plus(2), tenant, draw(LETTERS));
                store.commit(Commit { entries: vec![form, letter], ..Commit::default() }).await.unwrap();
            }
            3 => {
                let subscription = draw(SUBSCRIPTIONS);
                let entry = match draw(4) {
                    0 => sample::deletion_entry(head.plus(1), tenant, subscription),
                    revision => sample::subscription_entry(head.plus(1), tenant, subscription, revision as u32),
                };
                store.commit(Commit { entries: vec![entry], ..Commit::default() }).await.unwrap();
            }
            4 | 5 => {
                let first = draw(USERS - 2);
                let users = first..first + 1 + draw(2);
                let step = sample::step_of(tenant, users, draw(EVENTS), head, inbox_from + step + 1);
                store.commit_step(step).await.unwrap();
            }
            6 => {
                let mut letter = sample::letter(tenant, draw(LETTERS));
                letter.state = DeadLetterState::Discarded;
                // There is one or there is none; both stores must say so alike.
                let is_there = store.dead_letter(tenant, letter.id).await.unwrap().is_some();
                assert_eq!(store.update_dead_letter(&letter).await.is_ok(), is_there);
            }
            7 => {
                let fence = if draw(2) == 0 { Fence::Server } else { Fence::Tenant(tenant.clone()) };
                let row = sample::record_row(fence, ["a", "ab", "b"][draw(3) as usize], 1 + draw(3));
                let records = vec![if draw(4) == 0 { RecordRow { record: None, ..row } } else { row }];
                store.commit(Commit { records, ..Commit::default() }).await.unwrap();
            }
            _ => store.set_read_mark(tenant, sample::user_id(draw(USERS)), draw(9)).await.unwrap(),
        }
    }
}
