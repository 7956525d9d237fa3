//! Those who were let in, kept at hand: whoever shows the same again costs one look-up, as long as nothing
//! has changed that decides who they are and what they may do.
//!
//! An entry remembers the counts of such changes as they were before it was made. Every change moves a count
//! on before it is answered, so what is cut is cut from then on; refusals are not kept.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;
use tidings_core::id::{GrantId, SessionId};
use tidings_core::port::PortError;
use tidings_core::principal::{Credential, Principal};
use tidings_core::time::Timestamp;

use crate::engine::Engine;
use crate::identity::{SessionRecord, session_key};
use crate::oauth::{grant_key, permissions_of};
use crate::records::{Loaded, Mark};
use crate::sso::ByForeignToken;
use crate::token::claimed_issuer;
use crate::used::Used;

/// What an API key begins with.
const KEY_PREFIX: &str = "tk_";
/// Those who are kept at hand.
const STANDING_MAX: usize = 20_000;

/// By the SHA-256 of what they show: it is not kept itself.
#[derive(Debug)]
pub(crate) struct Standing {
    entries: Cache<Name, Arc<Stood>>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { entries: Cache::new(STANDING_MAX) }
    }
}

/// A cookie's secret is no bearer's, so where it was shown is part of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Bearer([u8; 32]),
    Cookie([u8; 32]),
}

fn sha256(text: &str) -> [u8; 32] {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// How many times something changed that decides about many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Keys, roles, service accounts and tenants.
    control: u64,
    /// Accounts, members and clients.
    records: u64,
    /// Tokens revoked one by one.
    revoked: u64,
}

/// Someone who was let in.
#[derive(Debug)]
struct Stood {
    principal: Arc<Principal>,
    counts: Counts,
    /// The one session or grant that it hangs on.
    record: Option<Mark>,
    ends: Option<Timestamp>,
    session: Option<Arc<Loaded<SessionRecord>>>,
}

impl Engine {
    /// The principal behind what a caller shows as bearer: one of our keys, or an access token.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn authenticate_bearer(&self, shown: &str) -> Result<Option<Arc<Principal>>, PortError> {
        let name = Name::Bearer(sha256(shown));
        if let Some(stood) = self.standing(&name) {
            if let Credential::Key(key) = stood.principal.credential {
                self.uses.note(Used::Key(key), &stood.principal.tenant, self.ports.clock.now());
            }
            return Ok(Some(Arc::clone(&stood.principal)));
        }
        let counts = self.counts();
        let stood = match shown.starts_with(KEY_PREFIX) {
            true => self.stood_by_key(shown, counts),
            false => self.stood_by_token(shown, counts).await?,
        };
        Ok(stood.map(|stood| self.stands_from_now(name, stood)))
    }

    /// The principal of a cookie's secret, as long as the session and what it stands for hold.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn enter(self: &Arc<Self>, secret: &str) -> Result<Option<Arc<Principal>>, PortError> {
        let name = Name::Cookie(sha256(secret));
        if let Some(stood) = self.standing(&name) {
            stood.session.iter().for_each(|session| self.note_use_of(session));
            return Ok(Some(Arc::clone(&stood.principal)));
        }
        let counts = self.counts();
        let Some(stood) = self.stood_by_session(Self::session_id(secret), counts).await? else { return Ok(None) };
        stood.session.iter().for_each(|session| self.note_use_of(session));
        Ok(Some(self.stands_from_now(name, stood)))
    }

    fn counts(&self) -> Counts {
        let (control, records) = (self.control.rights_count(), self.known.rights_count());
        Counts { control, records, revoked: self.tokens.verified.revocations_count() }
    }

    /// Someone who was let in before, and would be again.
    fn standing(&self, name: &Name) -> Option<Arc<Stood>> {
        let stood = self.standing.entries.get(name)?;
        let is_same = stood.counts == self.counts() && stood.record.is_none_or(|mark| self.known.is_as_of(mark));
        if is_same && stood.ends.is_none_or(|ends| self.ports.clock.now() < ends) {
            return Some(stood);
        }
        self.standing.entries.remove(name);
        None
    }

    fn stands_from_now(&self, name: Name, stood: Stood) -> Arc<Principal> {
        let principal = Arc::clone(&stood.principal);
        self.standing.entries.insert(name, Arc::new(stood));
        principal
    }

    fn stood_by_key(&self, shown: &str, counts: Counts) -> Option<Stood> {
        let principal = Arc::new(self.authenticate(shown)?);
        let ends = self.end_of_key(&principal.credential);
        Some(Stood { principal, counts, record: None, ends, session: None })
    }

    fn end_of_key(&self, credential: &Credential) -> Option<Timestamp> {
        let Credential::Key(key) = credential else { return None };
        self.control.key_of(*key).and_then(|key| key.expires)
    }

    async fn stood_by_token(&self, text: &str, counts: Counts) -> Result<Option<Stood>, PortError> {
        if text.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return Ok(None);
        }
        if claimed_issuer(text).is_ok_and(|issuer| issuer != self.public_url()) {
            return self.stood_by_foreign_token(text, counts).await;
        }
        let keys = self.token_keys().await?;
        let now = self.ports.clock.now();
        let Ok(token) = self.tokens.verified.verify(text, &keys.verifying, &keys.access, now) else { return Ok(None) };
        let grant = token.grant.as_deref().and_then(|grant| grant.parse::<GrantId>().ok());
        let Some(grant) = grant else { return Ok(None) };
        let record = Some(self.known.mark_of(&grant_key(grant)));
        let Some(principal) = self.principal_of_grant(grant, token.expires).await? else { return Ok(None) };
        let principal = Arc::new(principal.narrowed_to(permissions_of(&token.scopes)));
        Ok(Some(Stood { principal, counts, record, ends: Some(token.expires), session: None }))
    }

    async fn stood_by_foreign_token(&self, text: &str, counts: Counts) -> Result<Option<Stood>, PortError> {
        let Some(found) = self.principal_by_foreign_token(text).await? else { return Ok(None) };
        let ByForeignToken { principal, until, record } = found;
        Ok(Some(Stood {
            principal: Arc::new(principal),
            counts,
            record: Some(record),
            ends: Some(until),
            session: None,
        }))
    }

    async fn stood_by_session(&self, id: SessionId, counts: Counts) -> Result<Option<Stood>, PortError> {
        let record = Some(self.known.mark_of(&session_key(id)));
        let Some(session) = self.load_known::<SessionRecord>(session_key(id)).await? else { return Ok(None) };
        let Some(principal) = self.principal_of_session(id, &session.value).await? else { return Ok(None) };
        let ends = [session.ends, self.end_of_opener(&session.value)].into_iter().flatten().min();
        Ok(Some(Stood { principal: Arc::new(principal), counts, record, ends, session: Some(session) }))
    }
}
