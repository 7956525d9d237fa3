//! Everyone an entry may concern: whose subscriptions match, and who was told of its threads; some
//! at a time, in order of tenant and user.

use std::collections::BTreeMap;

use tidings_core::decide::{Recipient, Wish};
use tidings_core::id::{SubscriptionId, TenantId, ThreadId, UserId};
use tidings_core::port::{PortError, Told};
use tidings_core::stored::{ClosedThread, Stored};

use super::Notifier;
use super::index::{Index, Since};
use super::roll::Roll;
use super::step::{Inbox, Step};

/// Why those told of a thread matter to an entry.
#[derive(Debug, Clone, Copy)]
enum Relation<'a> {
    Own,
    Closed(&'a ClosedThread),
    Incident,
}

/// Those told of the threads that matter to an entry, up to one of them.
#[derive(Debug)]
pub(super) struct ToldBefore<'a> {
    rows: Vec<(Relation<'a>, Told)>,
    /// The last recipient up to whom all of them are known; none where all are.
    until: Option<Inbox>,
}

/// Some recipients of an entry.
#[derive(Debug)]
pub(super) struct Gathered {
    pub recipients: Vec<Recipient>,
    /// The last recipient up to whom this is everyone; none where nobody is left.
    pub until: Option<Inbox>,
}

impl ToldBefore<'_> {
    /// True where nobody comes after them.
    pub const fn are_all(&self) -> bool {
        self.until.is_none()
    }

    /// Leaves out the people of some tenants.
    pub fn leave_out(&mut self, is_shut: impl Fn(&TenantId) -> bool) {
        self.rows.retain(|(_, told)| !is_shut(&told.tenant));
    }
}

impl Notifier {
    /// Those who come after a recipient and were told of the threads that matter to an entry, up to
    /// and within a step: about `limit` a thread.
    pub(super) async fn told_before<'a>(
        &self,
        stored: &'a Stored,
        after: Option<&Inbox>,
        limit: usize,
        step: &Step,
    ) -> Result<ToldBefore<'a>, PortError> {
        let tenant = &stored.event.tenant;
        let mut found = ToldBefore { rows: Vec::new(), until: None };
        for (relation, thread) in threads_of(stored) {
            let mut told = self.deliveries.told_of(tenant, thread, after, limit).await?;
            if told.len() >= limit
                && let Some(last) = told.last().map(inbox_of)
            {
                found.until = Some(found.until.map_or_else(|| last.clone(), |until| until.min(last.clone())));
            }
            for newer in step.told_of(tenant, thread) {
                match told.iter_mut().find(|row| row.user == newer.user && row.tenant == newer.tenant) {
                    Some(row) => row.clone_from(newer),
                    None => told.push(newer.clone()),
                }
            }
            found.rows.extend(told.into_iter().map(|told| (relation, told)));
        }
        if let Some(until) = &found.until {
            found.rows.retain(|(_, told)| (&told.tenant, told.user) <= (&until.0, until.1));
        }
        Ok(found)
    }
}

/// The next recipients, about `limit` of them, taken from the roll of those whose subscriptions match
/// and from those told before.
pub(super) fn recipients(
    roll: &mut Roll,
    told: ToldBefore<'_>,
    limit: usize,
    index: &Index,
    since: &Since,
) -> Gathered {
    let ToldBefore { rows, mut until } = told;
    let mut gathered: BTreeMap<Inbox, Recipient> = BTreeMap::new();
    while let Some((tenant, owner)) = roll.first() {
        if until.as_ref().is_some_and(|until| (tenant, owner) > (&until.0, until.1)) {
            break;
        }
        let is_another = gathered.last_key_value().is_none_or(|(last, _)| (tenant, owner) != (&last.0, last.1));
        if is_another && gathered.len() >= limit {
            until = gathered.last_key_value().map(|(last, _)| last.clone());
            break;
        }
        let (tenant, wish) = (tenant.clone(), roll.pop());
        recipient(&mut gathered, &tenant, owner).wishes.extend(wish);
    }
    let is_within = |told: &Told| until.as_ref().is_none_or(|until| (&told.tenant, told.user) <= (&until.0, until.1));
    for (relation, told) in rows.into_iter().filter(|(_, told)| is_within(told)) {
        match relation {
            Relation::Own => recipient(&mut gathered, &told.tenant.clone(), told.user).told.push(told),
            Relation::Closed(closed) => {
                recipient(&mut gathered, &told.tenant.clone(), told.user).of_closed(closed).told.push(told);
            }
            // Whoever does not match this thread has nothing to hear of it.
            Relation::Incident => {
                if let Some(recipient) = gathered.get_mut(&inbox_of(&told)) {
                    recipient.told_of_incident.push(told);
                }
            }
        }
    }
    let recipients = gathered.into_values().map(|recipient| with_wishes_told_for(recipient, index, since)).collect();
    Gathered { recipients, until }
}

/// The threads whose recipients an entry concerns: its own and every one joined into it up to here,
/// those it closes, and last those of its incident. A thread's first message concerns nobody who was
/// told before.
fn threads_of(stored: &Stored) -> Vec<(Relation<'_>, ThreadId)> {
    let outlook = &stored.outlook;
    let own = Some(stored.thread).filter(|_| stored.revision > 1 || !outlook.merged_from.is_empty());
    let own = own.into_iter().chain(outlook.merged_from.iter().copied()).map(|thread| (Relation::Own, thread));
    let closed = outlook.closed.iter().flat_map(|closed| {
        let threads = closed.merged_from.iter().chain([&closed.thread]);
        threads.map(move |thread| (Relation::Closed(closed), *thread))
    });
    let incident = outlook.incident_threads.iter().map(|thread| (Relation::Incident, *thread));
    own.chain(closed).chain(incident).collect()
}

fn inbox_of(told: &Told) -> Inbox {
    (told.tenant.clone(), told.user)
}

fn recipient<'a>(gathered: &'a mut BTreeMap<Inbox, Recipient>, tenant: &TenantId, user: UserId) -> &'a mut Recipient {
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
fn with_wishes_told_for(mut recipient: Recipient, index: &Index, since: &Since) -> Recipient {
    let of_closed = recipient.told_of_closed.iter().flat_map(|closed| &closed.told);
    let told_for: Vec<SubscriptionId> = (recipient.told.iter().chain(of_closed))
        .flat_map(|told| told.places.iter().map(|place| place.subscription))
        .collect();
    for id in told_for {
        let is_new = recipient.wishes.iter().all(|wish: &Wish| wish.subscription.id != id);
        if let (true, Some(wish)) = (is_new, index.wish_of(id, since)) {
            recipient.wishes.push(wish.clone());
        }
    }
    recipient.wishes.sort_by_key(|wish| wish.subscription.id);
    recipient
}
