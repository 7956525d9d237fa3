//! What a change expects to find, asked by the one writer just before it stores it: whoever read, judged and
//! then wrote has judged what no longer holds if another was faster.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tidings_core::id::{KeyId, SubscriptionId, TenantId, UserId};
use tidings_core::port::{ControlChange, PortError, RecordKey};
use tidings_core::principal::{Credential, Principal};
use tidings_core::resolve::Submission;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::audit::{Asker, Change};
use crate::control::Control;
use crate::engine::Engine;
use crate::identity::{MemberRecord, SessionRecord, member_key, session_key};
use crate::subscriptions::{ControlError, SUBSCRIPTIONS_MAX};

/// Queues in which changes wait for one another; tenants share them.
const TURNS: usize = 64;

/// What must hold when a change is stored.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Who may do what in a tenant is as it was at this count of changes.
    pub access: Option<(TenantId, u64)>,
    /// A key that has not been revoked.
    pub key: Option<KeyId>,
    /// Subscriptions that are there at these revisions.
    pub subscriptions: Vec<(SubscriptionId, u32)>,
    /// Records that are there at these revisions, and stay as they are.
    pub records: Vec<(RecordKey, u64)>,
    /// A tenant that is not closed, though nothing is written within it.
    pub within: Option<TenantId>,
}

/// Holds what batches expect against what is stored and what goes before them in the same commit.
pub(crate) struct Judge<'a> {
    control: &'a Control,
    /// Tenants in which who may do what is changed by an earlier batch.
    access: HashSet<TenantId>,
    subscriptions: HashSet<SubscriptionId>,
    made: HashMap<TenantId, u64>,
    made_by: HashMap<(TenantId, UserId), usize>,
}

impl<'a> Judge<'a> {
    pub fn new(control: &'a Control) -> Self {
        let (access, subscriptions) = (HashSet::new(), HashSet::new());
        Self { control, access, subscriptions, made: HashMap::new(), made_by: HashMap::new() }
    }

    /// True where a batch finds what it expects; it counts for those after it then.
    pub fn admits(&mut self, batch: &[Submission], expected: &Expected) -> bool {
        let changes = || batch.iter().filter_map(change_of);
        let admits = self.finds(expected) && self.have_room(changes());
        if admits {
            changes().for_each(|change| self.note(change));
        }
        admits
    }

    fn finds(&self, expected: &Expected) -> bool {
        let Expected { access, key, subscriptions, .. } = expected;
        let as_read = access
            .as_ref()
            .is_none_or(|(tenant, count)| !self.access.contains(tenant) && self.control.access(tenant) == *count);
        let stands =
            key.is_none_or(|key| self.control.key_of(key).is_some_and(|key| !self.access.contains(&key.tenant)));
        as_read
            && stands
            && subscriptions.iter().all(|(id, revision)| {
                !self.subscriptions.contains(id) && self.control.revision_of(*id) == Some(*revision)
            })
    }

    /// True where each new subscription is within what its owner and its tenant may have.
    fn have_room<'b>(&self, changes: impl Iterator<Item = &'b ControlChange>) -> bool {
        changes.filter_map(made).all(|(tenant, owner)| {
            let of_tenant = self.control.subscriptions_of(tenant) + self.made.get(tenant).copied().unwrap_or_default();
            let earlier = self.made_by.get(&(tenant.clone(), owner)).copied().unwrap_or_default();
            let limit = self.control.tenant(tenant).and_then(|record| record.quotas.subscriptions);
            limit.is_none_or(|limit| of_tenant < limit)
                && self.control.owned_count(tenant, owner) + earlier < SUBSCRIPTIONS_MAX
        })
    }

    fn note(&mut self, change: &ControlChange) {
        if let Some(tenant) = access_of(change) {
            self.access.insert(tenant.clone());
        }
        if let Some((tenant, owner)) = made(change) {
            *self.made.entry(tenant.clone()).or_default() += 1;
            *self.made_by.entry((tenant.clone(), owner)).or_default() += 1;
        }
        match change {
            ControlChange::Subscription(subscription) => drop(self.subscriptions.insert(subscription.id)),
            ControlChange::SubscriptionDeleted(gone) => drop(self.subscriptions.insert(gone.id)),
            _ => {}
        }
    }
}

fn change_of(submission: &Submission) -> Option<&ControlChange> {
    match submission {
        Submission::Control(change, _) => Some(change),
        _ => None,
    }
}

/// Whose and in which tenant a subscription is that a change makes.
fn made(change: &ControlChange) -> Option<(&TenantId, UserId)> {
    match change {
        ControlChange::Subscription(subscription) if subscription.revision == 1 => {
            Some((&subscription.tenant, subscription.owner))
        }
        _ => None,
    }
}

/// The tenant in which a change says who may do what: all but subscriptions do.
pub(crate) fn access_of(change: &ControlChange) -> Option<&TenantId> {
    match change {
        ControlChange::Tenant(record) => Some(&record.id),
        ControlChange::Key(key) => Some(&key.tenant),
        ControlChange::KeyRevoked(gone) => Some(&gone.tenant),
        ControlChange::Role(role) => Some(&role.tenant),
        ControlChange::RoleDeleted(gone) => Some(&gone.tenant),
        ControlChange::Hook(hook) => Some(&hook.tenant),
        ControlChange::HookDeleted(gone) => Some(&gone.tenant),
        ControlChange::ServiceAccount(account) => Some(&account.tenant),
        ControlChange::ServiceAccountDeleted(gone) => Some(&gone.tenant),
        ControlChange::Subscription(_) | ControlChange::SubscriptionDeleted(_) => None,
    }
}

/// Where changes of who may do what in a tenant wait for one another, so that the second is judged by what
/// the first has left and answered in its own words.
#[derive(Debug)]
pub(crate) struct Turns {
    queues: Vec<Arc<Mutex<()>>>,
    hashes: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { queues: (0..TURNS).map(|_| Arc::default()).collect(), hashes: RandomState::new() }
    }
}

/// One's turn at changing who may do what in a tenant, from before one reads until it is stored. One who goes
/// away has it end while their change still waits for the writer, which therefore asks what it expects.
#[derive(Debug)]
pub(crate) struct Turn {
    expected: Expected,
    _alone: OwnedMutexGuard<()>,
}

impl Turn {
    /// The same, if some subscriptions are as they were read besides.
    pub fn with(mut self, subscriptions: Vec<(SubscriptionId, u32)>) -> Self {
        self.expected.subscriptions.extend(subscriptions);
        self
    }
}

impl Engine {
    /// Waits for one's turn at changing who may do what in a tenant.
    ///
    /// # Errors
    /// `NotPermitted` where the one who asks was taken out since they were let in.
    pub(crate) async fn turn(&self, asker: Option<Asker<'_>>, tenant: &TenantId) -> Result<Turn, ControlError> {
        let queue = usize::try_from(self.turns.hashes.hash_one(tenant) % TURNS as u64).unwrap_or_default();
        let alone = Arc::clone(&self.turns.queues[queue]).lock_owned().await;
        let access = Some((tenant.clone(), self.control.access(tenant)));
        let standing = match asker {
            Some(asker) => self.still_in(asker.principal).await?,
            None => Some(Expected::default()),
        };
        let standing = standing.ok_or_else(|| {
            ControlError::NotPermitted("what you came with was taken from you while you asked".to_owned())
        })?;
        Ok(Turn { expected: Expected { access, ..standing }, _alone: alone })
    }

    /// What must still be there for someone to be let in: two who take each other out at the same moment do
    /// not both succeed. `None` where it is gone already.
    pub(crate) async fn still_in(&self, principal: &Principal) -> Result<Option<Expected>, PortError> {
        let key = match principal.credential {
            Credential::Key(key) => Some(key),
            Credential::Session(id) => match self.load_known::<SessionRecord>(session_key(id)).await? {
                Some(session) => session.value.opener.key(),
                None => return Ok(None),
            },
            Credential::Token { .. } | Credential::Login { .. } => None,
        };
        if let Some(key) = key {
            return Ok(self.principal_of_key(key).map(|_| Expected { key: Some(key), ..Expected::default() }));
        }
        let at = member_key(&principal.tenant, principal.user);
        let member = self.load_known::<MemberRecord>(at.clone()).await?;
        let is_session = matches!(principal.credential, Credential::Session(_));
        if member.as_ref().map_or(is_session, |member| member.value.disabled) {
            return Ok(None);
        }
        // Programs and service accounts are no members.
        let records = member.map(|member| (at, member.revision)).into_iter().collect();
        Ok(Some(Expected { records, ..Expected::default() }))
    }

    /// Makes changes of one tenant durable in one's turn, in one commit with what audit logs say of them.
    ///
    /// # Errors
    /// When they cannot be stored, or something was changed meanwhile; nothing was stored then.
    pub(crate) async fn commit_in_turn(
        &self,
        turn: Turn,
        asker: Option<Asker<'_>>,
        changes: Vec<ControlChange>,
        audited: Change<'_>,
    ) -> Result<(), PortError> {
        let control = |change| Submission::Control(Box::new(change), audited.tenant.clone());
        let mut batch: Vec<Submission> = changes.into_iter().map(control).collect();
        batch.extend(self.audited(asker, &audited));
        self.append_in_turn(turn, batch).await
    }

    /// The same for a batch that is complete.
    ///
    /// # Errors
    /// As [`Self::commit_in_turn`].
    pub(crate) async fn append_in_turn(&self, turn: Turn, batch: Vec<Submission>) -> Result<(), PortError> {
        if self.owner.write(Vec::new(), batch, turn.expected).await? {
            return Ok(());
        }
        Err(PortError::later("make a change", "what it was judged by was changed at the same moment"))
    }
}

#[cfg(test)]
mod tests {
    use tidings_core::permission::Role;
    use tidings_core::port::{ControlRecord, KeyRecord};
    use tidings_core::principal::Issuers;
    use tidings_core::tenant::{Quotas, TenantRecord};
    use tidings_core::time::Timestamp;
    use tidings_testkit::sample;

    use super::*;

    fn tenant() -> TenantId {
        "acme".parse().expect("a name")
    }

    fn key(number: u8) -> KeyRecord {
        KeyRecord {
            id: KeyId::from_bytes([number; 16]),
            hash: number.to_string(),
            tenant: tenant(),
            user: UserId::from_bytes([number; 16]),
            user_name: None,
            name: None,
            role: Role::Admin.into(),
            scopes: None,
            issuers: Issuers::All,
            created: Timestamp::MIN,
            expires: None,
            is_of_service: false,
        }
    }

    fn revoked(number: u8) -> ControlChange {
        let key = key(number);
        ControlChange::KeyRevoked(ControlRecord { id: key.id, tenant: key.tenant, owner: key.user, at: key.created })
    }

    fn batch(change: ControlChange) -> Vec<Submission> {
        vec![Submission::Control(Box::new(change), tenant())]
    }

    #[test]
    fn who_judged_before_another_change_is_late() {
        let control = Control::default();
        control.apply(ControlChange::Key(Box::new(key(1))));
        let read = || Expected { access: Some((tenant(), control.access(&tenant()))), ..Expected::default() };
        let (first, second) = (read(), read());
        let mut judge = Judge::new(&control);
        assert!(judge.admits(&batch(ControlChange::Key(Box::new(key(2)))), &first));
        assert!(!judge.admits(&batch(revoked(1)), &second), "one before it in the same commit");
        control.apply(ControlChange::Key(Box::new(key(2))));
        assert!(!Judge::new(&control).admits(&batch(revoked(1)), &second), "one that is stored");
        assert!(Judge::new(&control).admits(&batch(revoked(1)), &read()));
    }

    #[test]
    fn a_key_that_is_revoked_changes_nothing_any_more() {
        let control = Control::default();
        let by = |number| Expected { key: Some(key(number).id), ..Expected::default() };
        (1..=2).for_each(|number| control.apply(ControlChange::Key(Box::new(key(number)))));
        let mut judge = Judge::new(&control);
        assert!(judge.admits(&batch(revoked(2)), &by(1)));
        assert!(!judge.admits(&batch(revoked(1)), &by(2)), "one before it in the same commit");
        control.apply(revoked(2));
        assert!(!Judge::new(&control).admits(&[], &by(2)));
        assert!(Judge::new(&control).admits(&[], &by(1)));
    }

    #[test]
    fn subscriptions_are_as_read_and_within_their_quota() {
        let control = Control::default();
        let mut record = TenantRecord::begun(tenant(), Timestamp::MIN);
        record.quotas = Quotas { subscriptions: Some(2), ..Quotas::default() };
        control.apply(ControlChange::Tenant(Box::new(record)));
        let wish =
            |number, revision| ControlChange::Subscription(Box::new(sample::subscription(&tenant(), number, revision)));
        control.apply(wish(1, 1));
        let mut judge = Judge::new(&control);
        assert!(judge.admits(&batch(wish(2, 1)), &Expected::default()));
        assert!(!judge.admits(&batch(wish(3, 1)), &Expected::default()), "the second took the last place");
        let ControlChange::Subscription(first) = wish(1, 1) else { panic!("as made above") };
        let read = |revision| Expected { subscriptions: vec![(first.id, revision)], ..Expected::default() };
        assert!(!Judge::new(&control).admits(&batch(wish(1, 3)), &read(2)));
        let mut judge = Judge::new(&control);
        assert!(judge.admits(&batch(wish(1, 2)), &read(1)));
        assert!(!judge.admits(&batch(wish(1, 2)), &read(1)), "it was changed before it in the same commit");
    }
}
