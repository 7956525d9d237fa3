//! What one step stores: rulings gathered, inbox numbers given out.

use std::collections::HashMap;

use tidings_core::decide::{Recipient, Ruling};
use tidings_core::id::{TenantId, ThreadId, UserId};
use tidings_core::notice::StoredDecision;
use tidings_core::port::{self, NotifierCursor, NotifierStep};
use tidings_core::time::Timestamp;

/// Inbox heads kept in memory; they are read again from the store when this many are known.
const HEADS_MAX: usize = 20_000;

/// Whose inbox.
pub(super) type Inbox = (TenantId, UserId);

/// An inbox, the last number it reaches with a step, and when its event came in.
pub(super) type Told = (Inbox, u64, Timestamp);

/// The last numbers of inboxes, as decided so far.
#[derive(Debug, Default)]
pub(super) struct Heads(HashMap<Inbox, u64>);

impl Heads {
    /// True where those that are stored should be forgotten.
    pub fn is_full(&self) -> bool {
        self.0.len() > HEADS_MAX
    }

    /// Forgets all of them; everything decided must be stored.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The inboxes of recipients that must be looked up.
    pub fn missing(&self, recipients: &[Recipient]) -> Vec<Inbox> {
        recipients.iter().map(inbox_of).filter(|inbox| !self.0.contains_key(inbox)).collect()
    }

    /// Takes in what the store says.
    pub fn extend(&mut self, heads: impl IntoIterator<Item = (Inbox, u64)>) {
        self.0.extend(heads);
    }
}

fn inbox_of(recipient: &Recipient) -> Inbox {
    (recipient.tenant.clone(), recipient.user)
}

/// Rulings on their way to the store.
#[derive(Debug, Default)]
pub(super) struct Step {
    decisions: Vec<StoredDecision>,
    inboxes: Vec<Told>,
    told: HashMap<(TenantId, ThreadId), HashMap<Inbox, port::Told>>,
}

impl Step {
    pub fn len(&self) -> usize {
        self.decisions.len()
    }

    /// True where there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty() && self.told.is_empty()
    }

    /// Takes in a ruling made `now`; each of its notices gets the next number of its inbox.
    pub fn add(&mut self, ruling: Ruling, now: Timestamp, heads: &mut Heads) {
        for told in ruling.told {
            let thread = self.told.entry((told.thread_tenant.clone(), told.thread)).or_default();
            thread.insert((told.tenant.clone(), told.user), told);
        }
        let Some(mut decision) = ruling.decision else { return };
        let received = std::mem::replace(&mut decision.decided, now);
        if !decision.notices.is_empty() {
            let head = heads.0.entry((decision.tenant.clone(), decision.user)).or_default();
            for notice in &mut decision.notices {
                *head += 1;
                notice.number = *head;
            }
            self.inboxes.push(((decision.tenant.clone(), decision.user), *head, received));
        }
        self.decisions.push(decision);
    }

    /// How many notices it holds.
    pub fn notices(&self) -> u64 {
        self.decisions.iter().map(|decision| decision.notices.len() as u64).sum()
    }

    /// The last number that each inbox reaches with this step, and when its event came in.
    pub fn told_inboxes(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.inboxes)
    }

    /// What this step tells of a thread, in place of what the store says of the same recipients.
    pub fn told_of(&self, tenant: &TenantId, thread: ThreadId) -> impl Iterator<Item = &port::Told> {
        let rows = self.told.get(&(tenant.clone(), thread));
        rows.into_iter().flat_map(HashMap::values)
    }

    pub fn take(&mut self, cursor: NotifierCursor) -> NotifierStep {
        let Self { decisions, told, .. } = std::mem::take(self);
        let mut told: Vec<port::Told> = told.into_values().flat_map(HashMap::into_values).collect();
        told.sort_by(|left, right| {
            (left.thread, &left.tenant, left.user).cmp(&(right.thread, &right.tenant, right.user))
        });
        NotifierStep { told, decisions, cursor }
    }
}
