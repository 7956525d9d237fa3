//! Refresh tokens: each works once and brings the next one. One that was used before shows that someone
//! else has it too, and ends them all (RFC 9700, section 4.14.2).
//!
//! There is no time in which the one before still works: a client that asks twice at once, or loses an
//! answer, is let in again by its person. A grace would be one for thieves as well.

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_core::id::GrantId;
use tidings_core::port::Shelf;
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::client::ClientRecord;
use super::exchange::{Besides, Issued};
use super::grant::{GrantRecord, Refresh, grant_key};
use super::parameters::Parameters;
use super::scopes::{Scope, Scopes};
use super::{ACCESS_LIFETIME, GRANT_LONGEST, OAuthError, REFRESH_IDLE};
use crate::engine::Engine;
use crate::identity::{draw_secret, hash_of, hex};
use crate::records::{Loaded, RecordChanges, WriteFault};

/// What a refresh token begins with.
const PREFIX: &str = "tr_";
/// Bytes of a token, at most.
const BYTES_MAX: usize = 200;

/// A refresh token: its grant, what it shares with those before and after it, and what it does not.
pub(super) struct RefreshToken {
    pub grant: GrantId,
    family: Secret<String>,
    own: Secret<String>,
}

fn hashed(grant: GrantId, part: &str, secret: &str) -> String {
    hex(&hash_of(Shelf::Grant, &format!("{grant} {part} {secret}")))
}

fn is_same(left: &str, right: &str) -> bool {
    constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}

impl RefreshToken {
    /// The first one of a grant.
    pub fn draw(engine: &Engine, grant: GrantId) -> Self {
        let mut bits = [0; 16];
        engine.ports.randomness.fill(&mut bits);
        Self { grant, family: Secret::new(URL_SAFE_NO_PAD.encode(bits)), own: draw_secret(engine) }
    }

    fn next(&self, engine: &Engine) -> Self {
        Self { grant: self.grant, family: self.family.clone(), own: draw_secret(engine) }
    }

    /// As a client writes it.
    pub fn to_text(&self) -> String {
        let id = self.grant.to_string();
        let id = id.split_once('_').map_or("", |(_, id)| id);
        format!("{PREFIX}{id}.{}.{}", self.family.reveal(), self.own.reveal())
    }

    /// Reads one; nothing where the text cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX).filter(|_| text.len() <= BYTES_MAX)?.split('.');
        let (id, family, own) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let grant = format!("{}_{id}", GrantId::PREFIX).parse().ok()?;
        Some(Self { grant, family: Secret::new(family.to_owned()), own: Secret::new(own.to_owned()) })
    }

    /// What is kept of the first one.
    pub fn kept(&self) -> Refresh {
        let hashed = |part, secret: &Secret<String>| hashed(self.grant, part, secret.reveal());
        Refresh { family: hashed("family", &self.family), current: hashed("own", &self.own), used: 0 }
    }

    /// True where it is or was one of those.
    pub fn is_of(&self, kept: &Refresh) -> bool {
        is_same(&self.kept().family, &kept.family)
    }

    /// True where it is the one that is good.
    pub fn is_good(&self, kept: &Refresh) -> bool {
        self.is_of(kept) && self.is_current(kept)
    }

    fn is_current(&self, kept: &Refresh) -> bool {
        is_same(&self.kept().current, &kept.current)
    }
}

impl GrantRecord {
    /// When it ends if it is not used from `now` on.
    pub fn ends(&self, now: Timestamp) -> Timestamp {
        let idle = if self.refresh.is_some() { REFRESH_IDLE } else { ACCESS_LIFETIME };
        now.plus_millis(idle).min(self.created.plus_millis(GRANT_LONGEST))
    }
}

impl Engine {
    pub(super) async fn refresh(&self, client: &ClientRecord, form: &Parameters) -> Result<Issued, OAuthError> {
        let shown = form.get("refresh_token");
        let shown = shown.ok_or(OAuthError::of("invalid_request", "`refresh_token` is missing"))?;
        let token = RefreshToken::read(shown).ok_or_else(OAuthError::grant)?;
        let narrowed = form.get("scope").map(str::parse::<Scopes>).transpose();
        let narrowed = narrowed.map_err(|_| OAuthError::of("invalid_scope", "one of the scopes is not known"))?;
        // Once more where another one was faster: then this one was used by now, and ends them all.
        for _ in 0..2 {
            let grant = self.load::<GrantRecord>(grant_key(token.grant)).await?;
            let grant = grant.filter(|grant| grant.value.client == client.id).ok_or_else(OAuthError::grant)?;
            match self.rotate(client, &grant, &token, narrowed).await {
                Err(Rotation::Conflict) => {}
                Err(Rotation::Refused(fault)) => return Err(fault),
                Ok(issued) => return Ok(issued),
            }
        }
        self.end_grant(token.grant, "grant.refresh_reused").await?;
        Err(OAuthError::grant())
    }

    async fn rotate(
        &self,
        client: &ClientRecord,
        grant: &Loaded<GrantRecord>,
        token: &RefreshToken,
        narrowed: Option<Scopes>,
    ) -> Result<Issued, Rotation> {
        let kept = grant.value.refresh.as_ref().filter(|kept| token.is_of(kept));
        let kept = kept.ok_or_else(OAuthError::grant)?;
        if !token.is_current(kept) {
            self.end_grant(token.grant, "grant.refresh_reused").await.map_err(OAuthError::Port)?;
            return Err(OAuthError::grant().into());
        }
        // What a client may not ask for any more, it does not go on with either.
        if !client.scopes.hold(Scope::OfflineAccess) {
            return Err(OAuthError::grant().into());
        }
        let scopes = narrowed.unwrap_or(grant.value.scopes);
        if scopes.is_empty() || !scopes.are_within(grant.value.scopes) {
            let detail = "`scope` names some of those that the person let the client have";
            return Err(OAuthError::of("invalid_scope", detail).into());
        }
        if self.standing_grant(token.grant).await.map_err(OAuthError::Port)?.is_none() {
            return Err(OAuthError::grant().into());
        }
        let next = token.next(self);
        let refresh = Refresh { used: kept.used + 1, ..next.kept() };
        let changed = GrantRecord { refresh: Some(refresh), ..grant.value.clone() };
        let ends = changed.ends(self.ports.clock.now());
        match self.write_records(None, RecordChanges::default().replace_until(grant, &changed, Some(ends)), None).await
        {
            Ok(()) => {}
            Err(WriteFault::Conflict) => return Err(Rotation::Conflict),
            Err(WriteFault::Store(fault)) => return Err(OAuthError::Port(fault).into()),
        }
        let besides = Besides { scopes, refresh: Some(next), nonce: None };
        Ok(self.issued(client, token.grant, &changed, besides).await?)
    }
}

/// Why a token was not changed for the next one.
enum Rotation {
    /// The grant was changed meanwhile.
    Conflict,
    Refused(OAuthError),
}

impl From<OAuthError> for Rotation {
    fn from(fault: OAuthError) -> Self {
        Self::Refused(fault)
    }
}
