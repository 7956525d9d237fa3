//! Everything that a store answers about the samples, as text to compare.

use std::fmt::{Debug, Write};

use tidings_core::id::TenantId;
use tidings_core::incident::Reporter;
use tidings_core::port::{Fence, Shelf, ThreadRows};
use tidings_core::position::Position;

use super::Storage;
use super::model::{EVENTS, LETTERS, SUBSCRIPTIONS, USERS, tenants};
use crate::sample;

/// What a store answers to every read about the samples.
///
/// # Panics
/// When it cannot be read.
pub async fn observe(store: &dyn Storage) -> String {
    let mut text = String::new();
    let start = Position::start(store.head().epoch);
    say(&mut text, "head", (store.head(), store.tail()));
    for entry in store.read(start, usize::MAX, usize::MAX).await.unwrap() {
        say(&mut text, "log", entry);
    }
    say(&mut text, "changes", store.changes(start, usize::MAX).await.unwrap());
    say(&mut text, "notifier", store.notifier_cursor().await.unwrap());
    for number in 0..SUBSCRIPTIONS {
        say(&mut text, "history", store.history(sample::subscription_id(number)).await.unwrap());
    }
    for tenant in tenants() {
        observe_events(&mut text, store, &tenant).await;
        observe_letters(&mut text, store, &tenant).await;
        observe_users(&mut text, store, &tenant).await;
        observe_records(&mut text, store, Fence::Tenant(tenant)).await;
    }
    observe_records(&mut text, store, Fence::Server).await;
    text
}

async fn observe_records(text: &mut String, store: &dyn Storage, fence: Fence) {
    for shelf in [Shelf::Account, Shelf::Session] {
        let found = store.records(&fence, shelf, "", None, usize::MAX).await.unwrap();
        say(text, "records", found);
    }
}

async fn observe_events(text: &mut String, store: &dyn Storage, tenant: &TenantId) {
    let second = sample::report(tenant, 0).second();
    let reporters = [Reporter::OtherThan("example.org"), Reporter::OtherThan("x"), Reporter::Only("example.org")];
    for (from, reporter) in [second - 9, second, second + 2].into_iter().zip(reporters) {
        say(text, "reports", store.reports(tenant, from, second + 4, reporter).unwrap());
    }
    for number in 0..EVENTS {
        let (event, thread) = (sample::event_id(number), sample::thread_id(number));
        say(text, "event", store.event(tenant, event).await.unwrap());
        say(text, "raw", store.raw(tenant, event).await.unwrap());
        say(text, "forms", store.forms(tenant, event).await.unwrap());
        say(text, "identity", store.identity(tenant, event).unwrap());
        say(text, "alias", store.alias(tenant, &sample::alias(number)).unwrap());
        say(text, "thread", ThreadRows::thread(store, tenant, thread).unwrap());
        say(text, "versions", store.versions(tenant, thread).await.unwrap());
        say(text, "told", store.told_of(tenant, thread, None, usize::MAX).await.unwrap());
    }
}

async fn observe_letters(text: &mut String, store: &dyn Storage, tenant: &TenantId) {
    say(text, "letters", store.dead_letters(tenant, None, usize::MAX).await.unwrap());
    for number in 0..LETTERS {
        let id = sample::dead_letter_id(number);
        say(text, "letter", store.dead_letter(tenant, id).await.unwrap());
        say(text, "letter raw", store.dead_letter_raw(tenant, id).await.unwrap());
    }
}

async fn observe_users(text: &mut String, store: &dyn Storage, tenant: &TenantId) {
    for number in 0..USERS {
        let user = sample::user_id(number);
        say(text, "inbox", store.inbox_after(tenant, user, 0, usize::MAX).await.unwrap());
        say(text, "inbox head", store.inbox_head(tenant, user).await.unwrap());
        say(text, "read mark", store.read_mark(tenant, user).await.unwrap());
        for event in 0..EVENTS {
            say(text, "decision", store.decision(tenant, user, sample::event_id(event)).await.unwrap());
        }
    }
}

fn say(text: &mut String, name: &str, answer: impl Debug) {
    writeln!(text, "{name}: {answer:?}").expect("a string takes every text");
}
