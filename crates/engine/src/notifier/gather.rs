//! Everyone an entry may concern: whose subscriptions match, and who was told of its threads.

use std::collections::BTreeMap;

use tidings_core::decide::{Recipient, Wish};
use tidings_core::filter::Subject;
use tidings_core::id::{SubscriptionId, TenantId, ThreadId, UserId};
use tidings_core::matcher;
use tidings_core::port::{PortError, Told};
use tidings_core::stored::Stored;

use super::{Notifier, Standing, Step};

/// Recipients in the order in which they are decided: by tenant, then user.
type Gathered = BTreeMap<(TenantId, UserId), Recipient>;

impl Notifier {
    pub(super) async fn gather(
        &self,
        stored: &Stored,
        standing: &mut Standing,
        step: &Step,
    ) -> Result<Vec<Recipient>, PortError> {
        let mut gathered = Gathered::new();
        for id in matching(stored, standing) {
            if let Some(wish) = standing.wishes.get(&id) {
                recipient(&mut gathered, &wish.subscription.tenant, wish.subscription.owner).wishes.push(wish.clone());
            }
        }
        for thread in threads_of(stored) {
            for told in self.told_of(&stored.event.tenant, thread, step).await? {
                recipient(&mut gathered, &told.tenant, told.user).told.push(told);
            }
        }
        for closed in &stored.outlook.closed {
            for thread in closed.merged_from.iter().chain([&closed.thread]) {
                for told in self.told_of(&stored.event.tenant, *thread, step).await? {
                    recipient(&mut gathered, &told.tenant, told.user).of_closed(closed).told.push(told);
                }
            }
        }
        for thread in &stored.outlook.incident_threads {
            for told in self.told_of(&stored.event.tenant, *thread, step).await? {
                // Whoever does not match this thread has nothing to hear of it.
                if let Some(recipient) = gathered.get_mut(&(told.tenant.clone(), told.user)) {
                    recipient.told_of_incident.push(told);
                }
            }
        }
        Ok(gathered.into_values().map(|recipient| with_wishes_told_for(recipient, standing)).collect())
    }

    /// Everyone who was told of a thread, up to and within this step.
    async fn told_of(&self, tenant: &TenantId, thread: ThreadId, step: &Step) -> Result<Vec<Told>, PortError> {
        let mut told = self.deliveries.told_of(tenant, thread).await?;
        for newer in step.told_of(tenant, thread) {
            match told.iter_mut().find(|row| row.user == newer.user && row.tenant == newer.tenant) {
                Some(row) => row.clone_from(newer),
                None => told.push(newer.clone()),
            }
        }
        Ok(told)
    }
}

/// The threads whose recipients this entry concerns: its own and every one joined into it up to
/// here. A thread's first message concerns nobody who was told before.
fn threads_of(stored: &Stored) -> Vec<ThreadId> {
    let own = Some(stored.thread).filter(|_| stored.revision > 1 || !stored.outlook.merged_from.is_empty());
    own.into_iter().chain(stored.outlook.merged_from.iter().copied()).collect()
}

fn matching(stored: &Stored, standing: &mut Standing) -> Vec<SubscriptionId> {
    let subject = Subject::new(&stored.event, stored.outlook.state);
    let mut found = Vec::new();
    standing.matcher.matching(&subject, &stored.event.tenant, &mut standing.scratch, &mut found);
    found.into_iter().map(|slot| standing.matcher.id(slot)).collect()
}

fn recipient<'a>(gathered: &'a mut Gathered, tenant: &TenantId, user: UserId) -> &'a mut Recipient {
    gathered.entry((tenant.clone(), user)).or_insert_with(|| Recipient {
        tenant: tenant.clone(),
        user,
        wishes: Vec::new(),
        told: Vec::new(),
        told_of_incident: Vec::new(),
        told_of_closed: Vec::new(),
    })
}

/// Adds the subscriptions that someone was told for, whether they match or not, so that an end
/// reaches them; in the order of their ids.
fn with_wishes_told_for(mut recipient: Recipient, standing: &Standing) -> Recipient {
    let of_closed = recipient.told_of_closed.iter().flat_map(|closed| &closed.told);
    let told_for: Vec<SubscriptionId> = (recipient.told.iter().chain(of_closed))
        .flat_map(|told| told.places.iter().map(|place| place.subscription))
        .collect();
    for id in told_for {
        let is_new = recipient.wishes.iter().all(|wish| wish.subscription.id != id);
        if let (true, Some(wish)) = (is_new, standing.wishes.get(&id)) {
            recipient.wishes.push(wish.clone());
        }
    }
    recipient.wishes.sort_by_key(|wish| wish.subscription.id);
    recipient
}

/// A subscription as the matcher takes it.
pub(super) fn matcher_entry(wish: &Wish) -> matcher::Entry<'_> {
    matcher::Entry {
        id: wish.subscription.id,
        tenant: &wish.subscription.tenant,
        reads: &wish.subscription.reads,
        compiled: &wish.compiled,
    }
}
