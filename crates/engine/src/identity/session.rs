//! Browsers that are signed in, each by a secret in a cookie.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidings_core::id::{KeyId, SessionId, TenantId, UserId};
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::principal::{Credential, Principal};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::account::{AccountRecord, account_key};
use super::{IdentityError, draw_secret, hash_of};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Expected;
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};

/// A session that is not used for so long ends, in milliseconds.
pub const SESSION_IDLE: i64 = 12 * 60 * 60 * 1_000;
/// Every session ends after so long, in milliseconds.
pub const SESSION_LONGEST: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How much later an end must be to be written down, in milliseconds.
const WORTH_WRITING: i64 = 10 * 60 * 1_000;
/// Bytes of what a browser calls itself that are kept.
const AGENT_BYTES_MAX: usize = 200;
/// Sessions of one person; the oldest makes room.
const SESSIONS_MAX: usize = 100;

/// Who a session stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Opener {
    /// The user of a key.
    Key(KeyId),
    /// A person, in one of their tenants.
    Account {
        user: UserId,
        tenant: TenantId,
        /// The account's count when it was opened.
        sign_outs: u64,
        /// The provider that said who they are; none where they showed a password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// When they did so there, where the provider tells: its own session may be older than ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proved: Option<Timestamp>,
    },
}

impl Opener {
    /// The key that it is, where it is one.
    pub fn key(&self) -> Option<KeyId> {
        match self {
            Self::Key(key) => Some(*key),
            Self::Account { .. } => None,
        }
    }
}

/// A session as it is kept, under half of the hash of its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub opener: Opener,
    pub user: UserId,
    /// When its holder showed who they are.
    pub created: Timestamp,
    /// When it was opened, which is later where another one went over into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Timestamp>,
    pub seen: Timestamp,
    pub address: Option<IpAddr>,
    pub agent: String,
}

impl Shelved for SessionRecord {
    const SHELF: Shelf = Shelf::Session;
}

/// The row by which a person's sessions are found; it says all in its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionOf {}

impl Shelved for SessionOf {
    const SHELF: Shelf = Shelf::SessionOf;
}

/// Where a session is opened from.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// Its address.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub agent: String,
}

/// How someone showed who they are, and when.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    /// The provider that said so; none where they showed a password.
    pub by: Option<String>,
    /// When they showed it to the provider, where it tells.
    pub proved: Option<Timestamp>,
    /// When: from then on the longest time of a session counts.
    pub at: Timestamp,
}

impl Opening {
    /// With a password, now.
    pub fn now(engine: &Engine) -> Self {
        Self { by: None, proved: None, at: engine.ports.clock.now() }
    }
}

/// A session that was just opened.
#[derive(Debug)]
pub struct Entered {
    /// What the cookie holds.
    pub secret: Secret<String>,
    /// Who it stands for.
    pub principal: Principal,
}

/// A session as its holder sees it.
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// True for the one that asks.
    pub is_current: bool,
    /// When it was opened.
    pub created: Timestamp,
    /// When it was used last, within ten minutes.
    pub seen: Timestamp,
    /// When it ends if it is not used.
    pub ends: Option<Timestamp>,
    /// From where it was opened.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: String,
}

pub(crate) fn session_key(id: SessionId) -> RecordKey {
    RecordKey::of_server(Shelf::Session, id.to_string())
}

fn session_of_key(user: UserId, id: SessionId) -> RecordKey {
    RecordKey::of_server(Shelf::SessionOf, format!("{user}/{id}"))
}

fn end_of(session: &SessionRecord) -> Timestamp {
    session.seen.plus_millis(SESSION_IDLE).min(session.created.plus_millis(SESSION_LONGEST))
}

impl Engine {
    /// The id of the session that a cookie's secret opens, whether there is one or not.
    pub fn session_id(secret: &str) -> SessionId {
        SessionId::from_bytes(hash_of(Shelf::Session, secret))
    }

    /// Notes that a session is used, where it is worth writing down.
    pub(crate) fn note_use_of(self: &Arc<Self>, session: &Arc<Loaded<SessionRecord>>) {
        if session.value.seen.plus_millis(WORTH_WRITING) < self.ports.clock.now() {
            let (engine, session) = (Arc::clone(self), Arc::clone(session));
            tokio::spawn(async move { engine.note_seen(session).await });
        }
    }

    /// When what a session was opened with ends by itself.
    pub(crate) fn end_of_opener(&self, session: &SessionRecord) -> Option<Timestamp> {
        let Opener::Key(key) = session.opener else { return None };
        self.control.key_of(key).and_then(|key| key.expires)
    }

    /// How the one of a session showed who they are.
    pub(crate) async fn opening_of(&self, id: SessionId) -> Result<Option<Opening>, PortError> {
        let session = self.load_known::<SessionRecord>(session_key(id)).await?;
        Ok(session.and_then(|session| match &session.value.opener {
            Opener::Account { by, proved, .. } => {
                Some(Opening { by: by.clone(), proved: *proved, at: session.value.created })
            }
            Opener::Key(_) => None,
        }))
    }

    /// The principal of a session that is still there.
    pub(crate) async fn principal_in_session(&self, id: SessionId) -> Result<Option<Principal>, PortError> {
        match self.load_known::<SessionRecord>(session_key(id)).await? {
            Some(session) => self.principal_of_session(id, &session.value).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn principal_of_session(
        &self,
        id: SessionId,
        session: &SessionRecord,
    ) -> Result<Option<Principal>, PortError> {
        let credential = Credential::Session(id);
        match &session.opener {
            Opener::Key(key) => Ok(self.principal_of_key(*key).map(|principal| Principal { credential, ..principal })),
            Opener::Account { user, tenant, sign_outs, .. } => {
                let opened = session.opened.unwrap_or(session.created);
                self.principal_of_member(*user, tenant, (*sign_outs, opened), credential).await
            }
        }
    }

    /// A person as a member of a tenant, by what they opened at that time, having signed out so many times.
    pub(crate) async fn principal_of_member(
        &self,
        user: UserId,
        tenant: &TenantId,
        (sign_outs, opened): (u64, Timestamp),
        credential: Credential,
    ) -> Result<Option<Principal>, PortError> {
        let Some(account) = self.load_known::<AccountRecord>(account_key(user)).await? else { return Ok(None) };
        if account.value.sign_outs != sign_outs {
            return Ok(None);
        }
        let member = self.member(tenant, user).await?.filter(|member| member.holds_since(opened));
        let Some(member) = member else { return Ok(None) };
        Ok(Some(self.principal_with_role(tenant, user, &member.role, credential)))
    }

    async fn note_seen(&self, session: Arc<Loaded<SessionRecord>>) {
        let changed = SessionRecord { seen: self.ports.clock.now(), ..session.value.clone() };
        let changes = RecordChanges::default().replace_until(&session, &changed, Some(end_of(&changed)));
        // The next request tries again; with a conflict another one was faster.
        if let Err(WriteFault::Store(fault)) = self.write_records(None, changes, None).await {
            tracing::debug!("a session's last use was not stored: {fault}");
        }
    }

    /// Opens a session of one who showed at `opened` who they are; `replaces` is the one that the browser
    /// had, which ends.
    pub(super) async fn open_session(
        &self,
        opener: Opener,
        user: UserId,
        browser: &Browser,
        replaces: Option<SessionId>,
        opened: Timestamp,
    ) -> Result<Secret<String>, IdentityError> {
        let into = match &opener {
            Opener::Key(key) => self.control.key_of(*key).ok_or(IdentityError::Refused)?.tenant.clone(),
            Opener::Account { tenant, .. } => tenant.clone(),
        };
        if let Some(why) = self.why_not_served(&into) {
            return Err(IdentityError::NotServed(why));
        }
        let secret = draw_secret(self);
        let id = Self::session_id(secret.reveal());
        let now = self.ports.clock.now();
        let mut agent: String = browser.agent.chars().filter(|letter| !letter.is_control()).collect();
        agent.truncate(agent.floor_char_boundary(AGENT_BYTES_MAX));
        let session = SessionRecord {
            opener,
            user,
            created: opened,
            opened: Some(now),
            seen: now,
            address: browser.address,
            agent,
        };
        let longest = Some(now.plus_millis(SESSION_LONGEST));
        let changes = RecordChanges::default().create(session_key(id), &session, Some(end_of(&session))).create(
            session_of_key(user, id),
            &SessionOf {},
            longest,
        );
        let expected = Expected { within: Some(into), ..Expected::default() };
        match self.write_records_if(None, changes, None, expected).await {
            Ok(()) => {}
            Err(WriteFault::Conflict) => {
                return Err(PortError::later("open a session", "its secret was drawn twice").into());
            }
            Err(WriteFault::Store(fault)) => return Err(fault.into()),
        }
        if let Some(old) = replaces {
            self.end_session(user, old).await?;
        }
        self.keep_few(user, id).await?;
        Ok(secret)
    }

    /// Ends the oldest sessions of one who has too many.
    async fn keep_few(&self, user: UserId, but: SessionId) -> Result<(), PortError> {
        let mut sessions = self.sessions_of(user).await?;
        if sessions.len() <= SESSIONS_MAX {
            return Ok(());
        }
        sessions.sort_by_key(|(_, session)| session.value.seen);
        let many = sessions.len() - SESSIONS_MAX;
        for (id, _) in sessions.into_iter().filter(|(id, _)| *id != but).take(many) {
            self.end_session(user, id).await?;
        }
        Ok(())
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<(SessionId, Loaded<SessionRecord>)>, PortError> {
        let prefix = format!("{user}/");
        let rows = self.load_all::<SessionOf>(&Fence::Server, &prefix, None, 4 * SESSIONS_MAX).await?;
        let mut found = Vec::new();
        for row in rows {
            let Some(id) = row.key.name().strip_prefix(&prefix).and_then(|id| id.parse().ok()) else { continue };
            if let Some(session) = self.load::<SessionRecord>(session_key(id)).await? {
                found.push((id, session));
            }
        }
        Ok(found)
    }

    /// The open sessions of one who asks, the last used first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sessions(&self, principal: &Principal) -> Result<Vec<SessionView>, PortError> {
        let mut views = Vec::new();
        for (id, session) in self.sessions_of(principal.user).await? {
            if self.principal_of_session(id, &session.value).await?.is_none() {
                continue;
            }
            let SessionRecord { created, seen, address, agent, .. } = session.value;
            let is_current = principal.credential == Credential::Session(id);
            views.push(SessionView { id, is_current, created, seen, ends: session.ends, address, agent });
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.seen));
        Ok(views)
    }

    /// Ends a session, if it is there and the user's.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, PortError> {
        // Another one may extend it meanwhile; it ends all the same.
        for _ in 0..3 {
            let session = self.load::<SessionRecord>(session_key(id)).await?.filter(|it| it.value.user == user);
            let Some(session) = session else { return Ok(false) };
            let mut changes = RecordChanges::default().remove(&session);
            if let Some(row) = self.load::<SessionOf>(session_of_key(user, id)).await? {
                changes = changes.remove(&row);
            }
            match self.write_records(None, changes, None).await {
                Ok(()) => return Ok(true),
                Err(WriteFault::Conflict) => {}
                Err(WriteFault::Store(fault)) => return Err(fault),
            }
        }
        Err(PortError::later("end a session", "it keeps changing"))
    }

    /// Ends one session of the one who asks.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn close_session(&self, principal: &Principal, id: SessionId) -> Result<(), IdentityError> {
        if self.end_session(principal.user, id).await? { Ok(()) } else { Err(IdentityError::NotFound("session")) }
    }

    /// Ends every session of the one who asks, and what programs were given in their name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out_everywhere(&self, asker: Asker<'_>) -> Result<(), IdentityError> {
        let user = asker.principal.user;
        if let Some(account) = self.load::<AccountRecord>(account_key(user)).await? {
            let changed = AccountRecord { sign_outs: account.value.sign_outs + 1, ..account.value.clone() };
            let (target, tenant) = (user.to_string(), &asker.principal.tenant);
            let audited = Change { action: "session.end_all", target, tenant, before: None, after: None };
            self.write_records(Some(asker), RecordChanges::default().replace(&account, &changed), Some(audited))
                .await?;
        }
        for (id, _) in self.sessions_of(user).await? {
            self.end_session(user, id).await?;
        }
        Ok(())
    }
}
