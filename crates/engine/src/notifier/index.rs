//! The subscriptions in force at the notifier's position, indexed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tidings_core::decide::Wish;
use tidings_core::filter::Subject;
use tidings_core::id::{SubscriptionId, TenantId};
use tidings_core::matcher::{self, Matcher, SlotId};
use tidings_core::stored::Stored;

/// Subscriptions, found by event and by id.
#[derive(Debug, Default)]
pub(super) struct Index {
    matcher: Matcher,
    /// By slot of the matcher.
    wishes: Vec<Option<Wish>>,
    scratch: matcher::Scratch,
}

/// What was in force at a position and is so no longer, for one who still decides as of there.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// Subscriptions that were changed since, as they were; none where they were not there.
    before: HashMap<SubscriptionId, Option<Wish>>,
    /// Whose a slot was that has been given up since.
    given_up: HashMap<SlotId, SubscriptionId>,
}

/// What a change replaced.
#[derive(Debug)]
pub(super) struct Replaced {
    id: SubscriptionId,
    pub before: Option<Wish>,
    given_up: Option<SlotId>,
}

impl Index {
    /// Puts a subscription in force, in place of an older revision.
    pub fn insert(&mut self, wish: Wish) -> Replaced {
        let subscription = &wish.subscription;
        let id = subscription.id;
        let slot = self.matcher.insert(matcher::Entry {
            id,
            tenant: &subscription.tenant,
            reads: &subscription.reads,
            compiled: &wish.compiled,
        });
        if self.wishes.len() <= slot.index() {
            self.wishes.resize_with(slot.index() + 1, || None);
        }
        let before = self.wishes[slot.index()].replace(wish);
        Replaced { id, before, given_up: None }
    }

    /// Takes a subscription out; what it was, if it was there.
    pub fn remove(&mut self, id: SubscriptionId) -> Option<Replaced> {
        let slot = self.matcher.slot(id)?;
        self.matcher.remove(id);
        Some(Replaced { id, before: self.wishes[slot.index()].take(), given_up: Some(slot) })
    }

    /// A subscription by its id.
    pub fn wish(&self, id: SubscriptionId) -> Option<&Wish> {
        self.wishes.get(self.matcher.slot(id)?.index())?.as_ref()
    }

    /// The subscriptions of a tenant.
    pub fn of_tenant(&self, tenant: &TenantId) -> Vec<SubscriptionId> {
        let of = self.wishes.iter().flatten().filter(|wish| wish.subscription.tenant == *tenant);
        of.map(|wish| wish.subscription.id).collect()
    }

    /// The slots of all subscriptions that an event matches, in no order.
    pub fn matching(&mut self, stored: &Stored) -> Vec<SlotId> {
        let subject = Subject::new(&stored.event, stored.outlook.state);
        let mut found = Vec::new();
        self.matcher.matching(&subject, &stored.event.tenant, &mut self.scratch, &mut found);
        found
    }

    /// The subscription of a slot, as it was at the position that `since` speaks of.
    pub fn wish_at<'a>(&'a self, slot: SlotId, since: &'a Since) -> Option<&'a Wish> {
        let now = || self.wishes.get(slot.index()).and_then(Option::as_ref);
        let id = match since.given_up.get(&slot) {
            Some(id) => *id,
            None => now()?.subscription.id,
        };
        since.before.get(&id).map_or_else(now, Option::as_ref)
    }

    /// A subscription by its id, as it was at the position that `since` speaks of.
    pub fn wish_of<'a>(&'a self, id: SubscriptionId, since: &'a Since) -> Option<&'a Wish> {
        since.before.get(&id).map_or_else(|| self.wish(id), Option::as_ref)
    }
}

impl Since {
    /// How many changes it remembers.
    pub fn len(&self) -> usize {
        self.before.len()
    }

    /// Remembers what a change replaced; the first counts.
    pub fn note(&mut self, change: &Replaced) {
        if let Entry::Vacant(vacant) = self.before.entry(change.id) {
            vacant.insert(change.before.clone());
        }
        if let Some(slot) = change.given_up {
            self.given_up.entry(slot).or_insert(change.id);
        }
    }
}
