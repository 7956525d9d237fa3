//! Tokens from outside: vectors of others, attacks by name, and what must hold for any token.

mod wycheproof;
mod examples;
mod attacks;
mod keys;
mod signing;
mod ring;
mod cache;

use std::time::Duration;

use serde_json::{Value, json};
use tidings_core::id::TenantId;
use tidings_core::time::Timestamp;

use super::algorithm::SigningAlgorithm;
use super::issue::AccessToken;
use super::key_set::KeySet;
use super::profile::{Kind, Profile};
use super::sign::SigningKey;

const ISSUER: &str = "https://tidings.example";
const AUDIENCE: &str = "https://tidings.example/v1";

/// 2026-11-23T12:00:00Z, in seconds.
const NOON: i64 = 1_795_435_200;

fn now() -> Timestamp {
    Timestamp::from_millis(NOON * 1_000)
}

fn after(seconds: i64) -> Timestamp {
    now().plus_millis(seconds * 1_000)
}

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm).expect("chance")
}

fn edwards() -> SigningKey {
    key(SigningAlgorithm::EdDsa)
}

fn keys_of(keys: &[&SigningKey]) -> KeySet {
    KeySet::of(keys.iter().map(|key| key.verifying().expect("a key")).collect()).expect("a set")
}

fn access() -> Profile {
    Profile::ours(Kind::Access, ISSUER, AUDIENCE)
}

/// The claims of a good access token.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "usr_1", "aud": AUDIENCE, "client_id": "cli", "iat": NOON, "exp": NOON + 600,
        "jti": "tok_1", "scope": "events:read events:write", "tenant": "acme", "roles": ["curator"], "grant": "grt_1",
    })
}

/// The claims with one of them replaced, or left out where the value is null.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().expect("an object").remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

/// A good header for a key.
fn header(key: &SigningKey) -> Value {
    json!({"alg": key.public()["alg"], "kid": key.id(), "typ": "at+jwt"})
}

fn header_with(key: &SigningKey, name: &str, value: Value) -> Value {
    let mut header = header(key);
    header[name] = value;
    header
}

fn token(key: &SigningKey, header: &Value, claims: &Value) -> String {
    key.sign_text(&header.to_string(), &claims.to_string()).expect("signs")
}

fn access_token<'a>(id: &'a str, subject: &'a str, tenant: &'a TenantId) -> AccessToken<'a> {
    AccessToken {
        issuer: ISSUER,
        subject,
        audience: AUDIENCE,
        client: "cli",
        id,
        grant: Some("grt_1"),
        tenant,
        roles: &["viewer"],
        scopes: &["events:read"],
        lifetime: Duration::from_secs(600),
    }
}
