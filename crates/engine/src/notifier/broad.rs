//! Events of very many recipients, a piece at a time.

use tidings_core::decide::Wish;
use tidings_core::port::PortError;
use tidings_core::stored::Stored;

use super::commit::After;
use super::gather::recipients;
use super::step::Step;
use super::{Notifier, Standing};

/// Recipients of a broad event that are decided in one step. An event to few waits for one such
/// step at most in the notifier, and for the one before at the disk.
pub(super) const CHUNK: usize = 250;
/// Subscriptions that are looked up and sorted at once.
const LOOKED_UP: usize = 2_000;

impl Notifier {
    /// Does the next piece of the event whose turn it is.
    pub(super) async fn advance(&self, standing: &mut Standing) -> Result<(), PortError> {
        let Standing { held, index, .. } = &mut *standing;
        let Some(event) = held.next() else { return Ok(()) };
        if !event.found.is_empty() {
            let some = event.found.split_off(event.found.len().saturating_sub(LOOKED_UP));
            let is_next = |wish: &&Wish| {
                let subscription = &wish.subscription;
                let after = event.after.as_ref();
                after.is_none_or(|(tenant, user)| (&subscription.tenant, subscription.owner) > (tenant, *user))
            };
            let wishes = some.into_iter().filter_map(|slot| index.wish_at(slot, &event.since));
            event.roll.add(wishes.filter(is_next).cloned().collect());
            if event.found.is_empty() {
                event.found.shrink_to_fit();
            }
            return Ok(());
        }
        self.decide_some(standing).await
    }

    /// Decides the next recipients of the event whose turn it is.
    async fn decide_some(&self, standing: &mut Standing) -> Result<(), PortError> {
        let Some(event) = standing.held.next() else { return Ok(()) };
        let (position, mut after) = (event.position(), event.after.clone());
        let pending = match event.pending.take() {
            Some(pending) => pending,
            None => {
                // What was decided before it in the same threads must be there to be read.
                self.settle(standing).await?;
                let stored = self.events.entry(position).await?.and_then(Stored::of);
                let gone = || PortError::later("read an event that is decided in part", "it is not there");
                self.with_others(stored.ok_or_else(gone)?).await?
            }
        };
        if standing.heads.is_full() {
            self.settle(standing).await?;
            standing.heads.clear();
        }
        let mut step = Step::default();
        let mut told = self.told_before(&pending.stored, after.as_ref(), CHUNK, &step).await?;
        told.leave_out(|tenant| standing.shelf.is_shut_before(tenant, position));
        let Standing { held, index, .. } = &mut *standing;
        let Some(event) = held.next() else { return Ok(()) };
        let some = recipients(&mut event.roll, told, CHUNK, index, &event.since);
        self.decide(&pending, &some.recipients, standing, &mut step).await?;
        let is_done = some.until.is_none();
        after = some.until;
        if is_done {
            standing.held.finish();
        } else if let Some(event) = standing.held.next() {
            event.after = after;
            event.pending = Some(pending);
        }
        let after = if is_done { After::Settling } else { After::GoingOn };
        self.commit(&mut step, standing, after).await
    }
}
