//! Tenants that are not served: their subscriptions are out of force until they are resumed.

use std::collections::HashMap;

use tidings_core::decide::Wish;
use tidings_core::id::{SubscriptionId, TenantId};
use tidings_core::port::ControlRecord;
use tidings_core::position::Position;
use tidings_core::tenant::TenantRecord;

use super::index::{Index, Replaced};

/// What is put aside.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    shut: HashMap<TenantId, Shut>,
}

#[derive(Debug)]
struct Shut {
    /// Since when.
    since: Position,
    wishes: HashMap<SubscriptionId, Wish>,
}

impl Shelf {
    /// Puts the subscriptions of a tenant out of force, or back in force; what that replaced.
    pub fn govern(&mut self, record: &TenantRecord, position: Position, index: &mut Index) -> Vec<Replaced> {
        if record.state.is_open() {
            let back = self.shut.remove(&record.id).map(|shut| shut.wishes).unwrap_or_default();
            let mut back: Vec<Wish> = back.into_values().collect();
            back.sort_by_key(|wish| wish.subscription.id);
            return back.into_iter().map(|wish| index.insert(wish)).collect();
        }
        let shut = self.shut.entry(record.id.clone());
        let shut = shut.or_insert_with(|| Shut { since: position, wishes: HashMap::new() });
        let of_tenant = index.of_tenant(&record.id);
        let replaced: Vec<Replaced> = of_tenant.into_iter().filter_map(|id| index.remove(id)).collect();
        if record.state.is_closed() {
            shut.wishes.clear();
        } else {
            let wishes = replaced.iter().filter_map(|it| it.before.clone());
            shut.wishes.extend(wishes.map(|wish| (wish.subscription.id, wish)));
        }
        replaced
    }

    /// Keeps the subscription of a tenant that is not served; gives back any other.
    pub fn takes(&mut self, wish: Wish) -> Option<Wish> {
        if self.shut.is_empty() {
            return Some(wish);
        }
        match self.shut.get_mut(&wish.subscription.tenant) {
            None => Some(wish),
            Some(shut) => {
                shut.wishes.insert(wish.subscription.id, wish);
                None
            }
        }
    }

    /// Forgets a subscription that was deleted.
    pub fn remove(&mut self, gone: &ControlRecord<SubscriptionId>) {
        if let Some(shut) = self.shut.get_mut(&gone.tenant) {
            shut.wishes.remove(&gone.id);
        }
    }

    /// True where a tenant was not served any more at a position.
    pub fn is_shut_before(&self, tenant: &TenantId, position: Position) -> bool {
        !self.shut.is_empty() && self.shut.get(tenant).is_some_and(|shut| shut.since < position)
    }
}
