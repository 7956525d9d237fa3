//! Waking whoever waits for an inbox.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidings_core::id::{TenantId, UserId};
use tokio::sync::watch;

/// The inboxes that someone is waiting for, each with the number of its last place.
#[derive(Debug, Default)]
pub(crate) struct InboxWatch {
    waited_for: Mutex<HashMap<(TenantId, UserId), watch::Sender<u64>>>,
}

impl InboxWatch {
    /// Follows an inbox; the value only ever grows.
    pub fn follow(&self, tenant: &TenantId, user: UserId) -> watch::Receiver<u64> {
        let mut waited_for = self.lock();
        // Those whom nobody follows any more go when someone new comes, so the map stays as small
        // as the number of open streams.
        if waited_for.len().is_power_of_two() {
            waited_for.retain(|_, sender| sender.receiver_count() > 0);
        }
        waited_for.entry((tenant.clone(), user)).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Says that an inbox has grown.
    pub fn wake(&self, inbox: &(TenantId, UserId), number: u64) {
        if let Some(sender) = self.lock().get(inbox) {
            sender.send_if_modified(|last| {
                let grew = number > *last;
                *last = number.max(*last);
                grew
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, UserId), watch::Sender<u64>>> {
        self.waited_for.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
