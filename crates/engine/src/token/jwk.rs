//! One public key, read from a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, Material};
use super::error::KeyError;
use super::{json, roca};

/// Bytes of a `kid`, at most.
pub(super) const KID_BYTES_MAX: usize = 256;
/// Bytes of a secret for HS256, at least: those of its hash (RFC 7518, section 3.2).
const SECRET_BYTES_MIN: usize = 32;
/// Members that only private and symmetric keys have (RFC 7518, section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key that verifies, with the one algorithm it verifies for.
#[derive(Debug, Clone)]
pub struct VerifyingKey {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) thumbprint: String,
    material: Material,
}

impl VerifyingKey {
    /// Reads a single public key.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        Self::from_members(&json::object(text).ok_or(KeyError::Form)?)
    }

    /// A secret that an operator shares with one issuer, for HS256. It has to be at least 32 bytes.
    /// In place of a thumbprint, which would let others try secrets, it has a name made of its `kid`.
    ///
    /// # Errors
    /// [`KeyError::Weak`] for a shorter one, [`KeyError::TooLarge`] for a `kid` above 256 bytes.
    pub fn shared_secret(id: Option<String>, secret: &[u8]) -> Result<Self, KeyError> {
        if id.as_ref().is_some_and(|id| id.len() > KID_BYTES_MAX) {
            return Err(KeyError::TooLarge);
        }
        if secret.len() < SECRET_BYTES_MIN {
            return Err(KeyError::Weak);
        }
        let thumbprint = format!("shared secret {}", id.as_deref().unwrap_or_default());
        let material = Material::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)));
        Ok(Self { id, algorithm: Algorithm::Hs256, thumbprint, material })
    }

    pub(super) fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Private);
        }
        let kind = text(members, "kty")?.ok_or(KeyError::Form)?;
        let curve = text(members, "crv")?;
        let algorithm = one_algorithm(kind, curve, text(members, "alg")?)?;
        may_verify(members)?;
        let id = text(members, "kid")?.map(str::to_owned);
        if id.as_ref().is_some_and(|id| id.len() > KID_BYTES_MAX) {
            return Err(KeyError::TooLarge);
        }
        let (key, canonical) = match algorithm {
            Algorithm::EdDsa | Algorithm::Ed25519 => edwards(members)?,
            Algorithm::Es256 => elliptic(members)?,
            Algorithm::Rs256 => rsa(members)?,
            Algorithm::Hs256 => return Err(KeyError::Unsupported),
        };
        Ok(Self { id, algorithm, thumbprint: thumbprint(&canonical), material: Material::Public(key) })
    }

    /// Its `kid`, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The one algorithm it verifies for.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its SHA-256 thumbprint (RFC 7638) in base64url: the same key has the same one everywhere. A
    /// shared secret has a name instead.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        self.material.verifies(text, signature)
    }
}

/// SHA-256 of the canonical members of a key, in base64url (RFC 7638, section 3).
pub(super) fn thumbprint(canonical: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

/// The canonical members of an Ed25519 key (RFC 8037, appendix A.3).
pub(super) fn canonical_edwards(x: &[u8]) -> String {
    format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, BASE64_URL_SAFE_NO_PAD.encode(x))
}

/// The canonical members of a P-256 key.
pub(super) fn canonical_elliptic(x: &[u8], y: &[u8]) -> String {
    let (x, y) = (BASE64_URL_SAFE_NO_PAD.encode(x), BASE64_URL_SAFE_NO_PAD.encode(y));
    format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
}

/// What `alg` says, or the kind of key where it says nothing. The two must agree.
fn one_algorithm(kind: &str, curve: Option<&str>, algorithm: Option<&str>) -> Result<Algorithm, KeyError> {
    match (kind, curve, algorithm) {
        ("OKP", Some("Ed25519"), None | Some("EdDSA")) => Ok(Algorithm::EdDsa),
        ("OKP", Some("Ed25519"), Some("Ed25519")) => Ok(Algorithm::Ed25519),
        ("EC", Some("P-256"), None | Some("ES256")) => Ok(Algorithm::Es256),
        ("RSA", None, None | Some("RS256")) => Ok(Algorithm::Rs256),
        _ => Err(KeyError::Unsupported),
    }
}

/// `use` and `key_ops`, where they stand, must allow verifying.
fn may_verify(members: &Map<String, Value>) -> Result<(), KeyError> {
    if text(members, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::Purpose);
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|it| it == "verify") => Ok(()),
        Some(Value::Array(_)) => Err(KeyError::Purpose),
        Some(_) => Err(KeyError::Form),
    }
}

fn edwards(members: &Map<String, Value>) -> Result<(ParsedPublicKey, String), KeyError> {
    let x = coordinate(members, "x")?;
    let key = ParsedPublicKey::new(&ED25519, x).map_err(|_| KeyError::Weak)?;
    Ok((key, canonical_edwards(&x)))
}

fn elliptic(members: &Map<String, Value>) -> Result<(ParsedPublicKey, String), KeyError> {
    let (x, y) = (coordinate(members, "x")?, coordinate(members, "y")?);
    let point = [&[4][..], &x, &y].concat();
    // Reading checks that the point is on the curve.
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyError::Weak)?;
    Ok((key, canonical_elliptic(&x, &y)))
}

fn rsa(members: &Map<String, Value>) -> Result<(ParsedPublicKey, String), KeyError> {
    let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
    // RFC 7518, section 2: no leading zero byte.
    let is_canonical = n.first().is_some_and(|byte| *byte != 0) && e.first().is_some_and(|byte| *byte != 0);
    if !is_canonical {
        return Err(KeyError::Form);
    }
    let size_bits = n.len() * 8 - n[0].leading_zeros() as usize;
    // FIPS 186-5, section 5.4: an odd exponent of at least 65537; AWS-LC takes up to 33 bits.
    let exponent = e.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let is_strong = (2_048..=8_192).contains(&size_bits)
        && (65_537..=1 << 33).contains(&exponent)
        && e.len() <= 8
        && exponent % 2 == 1
        && n[n.len() - 1] % 2 == 1
        && !roca::is_fingerprinted(&n);
    if !is_strong {
        return Err(KeyError::Weak);
    }
    let parts = RsaPublicKeyComponents { n: &n, e: &e };
    let key = parts.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| KeyError::Weak)?;
    let (n, e) = (BASE64_URL_SAFE_NO_PAD.encode(&n), BASE64_URL_SAFE_NO_PAD.encode(&e));
    Ok((key, format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)))
}

/// A text member; absent is fine, another type is not.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, KeyError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Form),
    }
}

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    let encoded = text(members, name)?.ok_or(KeyError::Form)?;
    BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| KeyError::Form)
}

/// A coordinate in its full 32 bytes (RFC 7518, section 6.2.1.2).
fn coordinate(members: &Map<String, Value>, name: &str) -> Result<[u8; 32], KeyError> {
    bytes(members, name)?.try_into().map_err(|_| KeyError::Form)
}
