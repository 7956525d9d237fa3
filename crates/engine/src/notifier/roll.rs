//! Very many subscriptions in order of their owners, sorted a few at a time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use tidings_core::decide::Wish;
use tidings_core::id::{SubscriptionId, TenantId, UserId};

/// Subscriptions in order of tenant, owner and id; two pointers and a number each.
#[derive(Debug, Default)]
pub(super) struct Roll {
    runs: BinaryHeap<Run>,
}

/// A few of them, the first at the end; never empty.
#[derive(Debug)]
struct Run(Vec<Wish>);

impl Roll {
    /// Adds some in any order.
    pub fn add(&mut self, mut wishes: Vec<Wish>) {
        wishes.sort_unstable_by(|left, right| key(right).cmp(&key(left)));
        if !wishes.is_empty() {
            self.runs.push(Run(wishes));
        }
    }

    /// Whose subscription is the first.
    pub fn first(&self) -> Option<(&TenantId, UserId)> {
        let (tenant, owner, _) = self.runs.peek()?.key()?;
        Some((tenant, owner))
    }

    /// Takes out the first.
    pub fn pop(&mut self) -> Option<Wish> {
        let mut run = self.runs.peek_mut()?;
        let wish = run.0.pop();
        if run.0.is_empty() {
            PeekMut::pop(run);
        }
        wish
    }
}

fn key(wish: &Wish) -> (&TenantId, UserId, SubscriptionId) {
    let subscription = &wish.subscription;
    (&subscription.tenant, subscription.owner, subscription.id)
}

impl Run {
    fn key(&self) -> Option<(&TenantId, UserId, SubscriptionId)> {
        self.0.last().map(key)
    }
}

impl Ord for Run {
    /// The heap gives the greatest first, so the run that begins first is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Run {}
