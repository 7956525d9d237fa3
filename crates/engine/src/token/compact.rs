//! The compact form (RFC 7515, section 7.1): three parts, and a signature over the first two.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::error::TokenError;
use super::header::Header;
use super::json;
use super::jwk::VerifyingKey;
use super::key_set::KeySet;

/// Bytes of a token, at most.
pub const TOKEN_BYTES_MAX: usize = 8 * 1_024;

/// A token whose signature is right; its claims are not judged yet.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) header: Header,
    pub(super) key: &'a VerifyingKey,
    pub(super) payload: Vec<u8>,
}

/// Takes a token apart and checks its signature.
pub(super) fn open<'a>(token: &str, keys: &'a KeySet) -> Result<Opened<'a>, TokenError> {
    let parts = split(token)?;
    let header = Header::parse(&decode(parts.header)?)?;
    let payload = decode(parts.payload)?;
    let signature = decode(parts.signature)?;
    let key = keys.pick(header.key.as_deref(), &header.algorithm)?;
    if !key.verifies(parts.signed.as_bytes(), &signature) {
        return Err(TokenError::Signature);
    }
    Ok(Opened { header, key, payload })
}

/// The issuer a token claims to be from, **not verified**: only for choosing whose keys and profile
/// to verify it with, which then asks for exactly this issuer.
///
/// # Errors
/// When it is no compact JWS of ours, or has no `iss`.
pub fn claimed_issuer(token: &str) -> Result<String, TokenError> {
    let parts = split(token)?;
    Header::parse(&decode(parts.header)?)?;
    let mut claims = json::object(&decode(parts.payload)?).ok_or(TokenError::Claims)?;
    match claims.remove("iss") {
        Some(Value::String(issuer)) => Ok(issuer),
        Some(_) => Err(TokenError::Claims),
        None => Err(TokenError::Missing("iss")),
    }
}

/// The `kid` of a token, **not verified**: only for knowing whether its issuer's keys are to be fetched anew.
pub fn claimed_key(token: &str) -> Option<String> {
    Header::parse(&decode(split(token).ok()?.header).ok()?).ok()?.key
}

/// Where the parts of a token stand.
struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// The first two with the dot between: what is signed.
    signed: &'a str,
}

fn split(token: &str) -> Result<Parts<'_>, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::TooLong);
    }
    match token.bytes().filter(|byte| *byte == b'.').count() {
        2 => {}
        4 => return Err(TokenError::Encrypted),
        _ => return Err(TokenError::NotCompact),
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::NotCompact)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::NotCompact)?;
    Ok(Parts { header, payload, signature, signed })
}

/// Base64url without padding, in its one form: other letters, and unused bits that are not zero, are
/// refused.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Encoding)
}
