//! The header of a compact JWS (RFC 7515, section 4), with everything refused that could change
//! how the token is read.

use serde_json::{Map, Value};

use super::error::TokenError;
use super::json;

/// What is used of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: String,
    pub(super) key: Option<String>,
    /// `typ` in lower case, without a leading `application/` (RFC 7515, section 4.1.9).
    pub(super) kind: Option<String>,
}

impl Header {
    /// Reads it from its JSON.
    pub(super) fn parse(text: &[u8]) -> Result<Self, TokenError> {
        let members = json::object(text).ok_or(TokenError::Header)?;
        if ["jwk", "jku", "x5u", "x5c"].iter().any(|name| members.contains_key(*name)) {
            return Err(TokenError::EmbeddedKey);
        }
        if members.contains_key("b64") {
            return Err(TokenError::Unencoded);
        }
        if members.contains_key("crit") {
            return Err(TokenError::Critical);
        }
        if ["enc", "zip"].iter().any(|name| members.contains_key(*name)) {
            return Err(TokenError::Encrypted);
        }
        let content = text_of(&members, "cty")?.map(short_type);
        if content.is_some_and(|content| content.contains("jwt") || content.contains("jose")) {
            return Err(TokenError::Nested);
        }
        let algorithm = text_of(&members, "alg")?.ok_or(TokenError::Header)?.to_owned();
        if algorithm.eq_ignore_ascii_case("none") || algorithm.is_empty() {
            return Err(TokenError::Unsigned);
        }
        let key = text_of(&members, "kid")?.map(str::to_owned);
        let kind = text_of(&members, "typ")?.map(short_type);
        Ok(Self { algorithm, key, kind })
    }
}

/// A media type as it is compared: case does not count, and `application/` may be left out.
fn short_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or_else(|| lower.clone(), str::to_owned)
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::Header),
    }
}
