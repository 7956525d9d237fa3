//! The tokens we issue: access tokens (RFC 9068) and ID tokens (OpenID Connect Core, section 2).

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use tidings_core::id::TenantId;
use tidings_core::time::Timestamp;

use super::algorithm::SigningAlgorithm;
use super::error::KeyError;
use super::sign::SigningKey;

/// What an access token says.
#[derive(Debug, Clone)]
pub struct AccessToken<'a> {
    /// `iss`: us.
    pub issuer: &'a str,
    /// `sub`: the user, or the client where it asks for itself.
    pub subject: &'a str,
    /// `aud`: our API.
    pub audience: &'a str,
    /// `client_id`: who asked for it.
    pub client: &'a str,
    /// `jti`: drawn anew for each token.
    pub id: &'a str,
    /// `grant`: the consent it comes from, where there is one.
    pub grant: Option<&'a str>,
    /// `tenant`: whose data it opens.
    pub tenant: &'a TenantId,
    /// `roles`: names of roles.
    pub roles: &'a [&'a str],
    /// `scope`: names of permissions.
    pub scopes: &'a [&'a str],
    /// How long it lives.
    pub lifetime: Duration,
}

impl AccessToken<'_> {
    /// Issues it at the instant `now`. `iat` is the second that has begun, and `exp` counts from it.
    ///
    /// # Errors
    /// When AWS-LC cannot sign.
    pub fn issue(&self, key: &SigningKey, now: Timestamp) -> Result<String, KeyError> {
        let (issued, expires) = span(now, self.lifetime);
        let mut claims = json!({
            "iss": self.issuer, "sub": self.subject, "aud": self.audience, "client_id": self.client,
            "iat": issued, "exp": expires, "jti": self.id, "tenant": self.tenant.as_str(),
            "roles": self.roles, "scope": self.scopes.join(" "),
        });
        set(&mut claims, "grant", self.grant);
        key.sign("at+jwt", &claims)
    }
}

/// What an ID token says.
#[derive(Debug, Clone)]
pub struct IdToken<'a> {
    /// `iss`: us.
    pub issuer: &'a str,
    /// `sub`: the user.
    pub subject: &'a str,
    /// `aud`: the client.
    pub client: &'a str,
    /// `nonce`: as the client sent it.
    pub nonce: Option<&'a str>,
    /// `auth_time`: when the user proved who they are.
    pub authenticated: Timestamp,
    /// The access token issued with it, for `at_hash`.
    pub access_token: Option<&'a str>,
    /// `grant`: the consent it comes from, where there is one.
    pub grant: Option<&'a str>,
    /// How long it lives.
    pub lifetime: Duration,
}

impl IdToken<'_> {
    /// Issues it at the instant `now`.
    ///
    /// # Errors
    /// When AWS-LC cannot sign.
    pub fn issue(&self, key: &SigningKey, now: Timestamp) -> Result<String, KeyError> {
        let (issued, expires) = span(now, self.lifetime);
        let mut claims = json!({
            "iss": self.issuer, "sub": self.subject, "aud": self.client, "iat": issued, "exp": expires,
            "auth_time": seconds(self.authenticated),
        });
        set(&mut claims, "nonce", self.nonce);
        set(&mut claims, "grant", self.grant);
        let hash = self.access_token.map(|token| at_hash(key.algorithm(), token));
        set(&mut claims, "at_hash", hash.as_deref());
        key.sign("JWT", &claims)
    }
}

/// The left half of a hash of an access token (OpenID Connect Core, section 3.1.3.6), with the hash
/// of the ID token's algorithm: SHA-512 for Ed25519, SHA-256 for ES256.
pub fn at_hash(algorithm: SigningAlgorithm, access_token: &str) -> String {
    let hash = match algorithm {
        SigningAlgorithm::EdDsa => digest::digest(&digest::SHA512, access_token.as_bytes()),
        SigningAlgorithm::Es256 => digest::digest(&digest::SHA256, access_token.as_bytes()),
    };
    let bytes = hash.as_ref();
    BASE64_URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() / 2])
}

fn set(claims: &mut Value, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        claims[name] = value.into();
    }
}

const fn seconds(instant: Timestamp) -> i64 {
    instant.as_millis().div_euclid(1_000)
}

/// `iat` and `exp`, in seconds since 1970.
fn span(now: Timestamp, lifetime: Duration) -> (i64, i64) {
    let issued = seconds(now);
    (issued, issued.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)))
}
