//! What a token must say to be taken: a kind of token, of one issuer, for us.

use std::time::Duration;

use tidings_core::id::fingerprint;
use tidings_core::time::Timestamp;

use super::claims::Claims;
use super::compact;
use super::error::TokenError;
use super::header::Header;
use super::key_set::KeySet;

/// How far the clocks of an issuer and ours may be apart, for `exp`, `nbf` and `iat`.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// From `iat` to `exp`, at most, unless the profile says otherwise.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A kind of token. One is never taken for another: the `typ` of the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An access token (RFC 9068): `typ` is `at+jwt` or `application/at+jwt`.
    Access,
    /// An ID token (OpenID Connect Core, section 2): `typ` is `JWT` or absent.
    Id,
    /// An access token of an issuer that does not tell by `typ` what it is: `JWT` or absent. Only its audience
    /// tells it from an ID token, so that must be no client's id.
    Untyped,
}

/// What is asked of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    kind: Kind,
    is_ours: bool,
    issuer: String,
    audience: String,
    lifetime_max: Duration,
    nonce: Option<String>,
    /// Tells profiles apart in the cache.
    pub(super) mark: [u8; 16],
}

impl Profile {
    /// Tokens that we issued ourselves, of this kind and for this audience, living at most 24 hours.
    pub fn ours(kind: Kind, issuer: &str, audience: &str) -> Self {
        Self::of(kind, issuer, audience, true)
    }

    /// Tokens of another issuer, of this kind and for this audience, living at most 24 hours. Their
    /// `tenant`, `roles` and `grant` mean nothing here.
    pub fn foreign(kind: Kind, issuer: &str, audience: &str) -> Self {
        Self::of(kind, issuer, audience, false)
    }

    fn of(kind: Kind, issuer: &str, audience: &str, is_ours: bool) -> Self {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Self { kind, is_ours, issuer, audience, lifetime_max: LIFETIME_MAX, nonce: None, mark: [0; 16] }.marked()
    }

    /// With another bound on the time from `iat` to `exp`.
    #[must_use]
    pub fn with_lifetime_max(mut self, lifetime_max: Duration) -> Self {
        self.lifetime_max = lifetime_max;
        self.marked()
    }

    /// With the nonce that the token must bring back.
    #[must_use]
    pub fn with_nonce(mut self, nonce: &str) -> Self {
        self.nonce = Some(nonce.to_owned());
        self.marked()
    }

    fn marked(mut self) -> Self {
        let lifetime = self.lifetime_max.as_nanos().to_be_bytes();
        let nonce = self.nonce.as_ref().map_or(&[][..], |nonce| nonce.as_bytes());
        let kind = [self.kind as u8, u8::from(self.is_ours), u8::from(self.nonce.is_some())];
        self.mark = fingerprint(&[&kind, self.issuer.as_bytes(), self.audience.as_bytes(), &lifetime, nonce]);
        self
    }

    /// Verifies a token at the instant `now`. Revocation is not asked here: that is
    /// [`super::TokenCache::verify`].
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn verify(&self, token: &str, keys: &KeySet, now: Timestamp) -> Result<Claims, TokenError> {
        let opened = compact::open(token, keys)?;
        self.check_type(&opened.header)?;
        let claims = Claims::parse(&opened.payload, opened.key.thumbprint(), self.is_ours)?;
        self.check_parties(&claims)?;
        self.check_times(&claims, now)?;
        Ok(claims)
    }

    /// The grant that a token came from which is one of ours by its signature, type and parties, whether it
    /// has ended or not: for taking back what it came with, and for nothing else.
    ///
    /// # Errors
    /// The first reason why it is none.
    pub fn grant_of(&self, token: &str, keys: &KeySet) -> Result<Option<String>, TokenError> {
        let opened = compact::open(token, keys)?;
        self.check_type(&opened.header)?;
        let claims = Claims::parse(&opened.payload, opened.key.thumbprint(), self.is_ours)?;
        self.check_parties(&claims)?;
        Ok(claims.grant)
    }

    fn check_type(&self, header: &Header) -> Result<(), TokenError> {
        let is_expected = match self.kind {
            Kind::Access => header.kind.as_deref() == Some("at+jwt"),
            Kind::Id | Kind::Untyped => matches!(header.kind.as_deref(), None | Some("jwt")),
        };
        if is_expected { Ok(()) } else { Err(TokenError::Type) }
    }

    fn check_parties(&self, claims: &Claims) -> Result<(), TokenError> {
        if claims.issuer != self.issuer {
            return Err(TokenError::Issuer);
        }
        if !claims.audiences.contains(&self.audience) {
            return Err(TokenError::Audience);
        }
        match self.kind {
            Kind::Access => {
                // RFC 9068, section 2.2, requires both.
                claims.id.as_ref().ok_or(TokenError::Missing("jti"))?;
                claims.client.as_ref().ok_or(TokenError::Missing("client_id"))?;
            }
            Kind::Id => {
                // OpenID Connect Core, section 3.1.3.7, points 4 and 5.
                if claims.party.as_ref().is_some_and(|party| *party != self.audience) {
                    return Err(TokenError::Audience);
                }
            }
            Kind::Untyped => {}
        }
        if self.nonce.is_some() && claims.nonce != self.nonce { Err(TokenError::Nonce) } else { Ok(()) }
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
        let skew_ms = CLOCK_SKEW.as_millis() as i64;
        if now >= claims.expires.plus_millis(skew_ms) {
            return Err(TokenError::Expired);
        }
        let soon = now.plus_millis(skew_ms);
        if claims.not_before.is_some_and(|not_before| not_before > soon) {
            return Err(TokenError::NotYetValid);
        }
        if claims.issued > soon {
            return Err(TokenError::IssuedAhead);
        }
        let lifetime_ms = claims.expires.millis_since(claims.issued);
        let is_bounded = lifetime_ms > 0 && lifetime_ms as u128 <= self.lifetime_max.as_millis();
        if is_bounded { Ok(()) } else { Err(TokenError::Lifetime) }
    }
}
