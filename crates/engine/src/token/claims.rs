//! What a token says, in the types we use (RFC 7519, section 4; RFC 9068, section 2.2).

use serde_json::{Map, Value};

use tidings_core::id::TenantId;
use tidings_core::time::Timestamp;

use super::error::TokenError;
use super::json;

/// The claims of a token that was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `iss`: who says so.
    pub issuer: String,
    /// `sub`: of whom.
    pub subject: String,
    /// `aud`: for whom; one or more.
    pub audiences: Vec<String>,
    /// `exp`: from when on it is worth nothing.
    pub expires: Timestamp,
    /// `iat`: when it was issued.
    pub issued: Timestamp,
    /// `nbf`: from when on it is valid.
    pub not_before: Option<Timestamp>,
    /// `jti`: the token's own id.
    pub id: Option<String>,
    /// `client_id`: the client it was issued to.
    pub client: Option<String>,
    /// `scope`: what it allows, one word each.
    pub scopes: Vec<String>,
    /// `tenant`: whose data it opens. Ours.
    pub tenant: Option<TenantId>,
    /// `roles`: names of roles (RFC 9068, section 2.2.3.1).
    pub roles: Vec<String>,
    /// `grant`: the consent, and so the family of refresh tokens, it comes from. Ours.
    pub grant: Option<String>,
    /// `nonce`: what the client sent with its request for an ID token.
    pub nonce: Option<String>,
    /// `azp`: the client an ID token is for.
    pub party: Option<String>,
    /// `auth_time`: when the user proved who they are.
    pub authenticated: Option<Timestamp>,
    /// Every other claim, as it came.
    pub others: Map<String, Value>,
    /// The thumbprint of the key that signed it.
    pub key: String,
}

impl Claims {
    /// Reads claims from the JSON of a payload; `key` is the thumbprint of the key that signed it.
    /// Tenant, roles and grant are ours to give: what a foreign issuer says under these names stays
    /// among the others.
    pub(super) fn parse(payload: &[u8], key: &str, is_ours: bool) -> Result<Self, TokenError> {
        let mut members = Members(json::object(payload).ok_or(TokenError::Claims)?);
        let (mut tenant, mut roles, mut grant) = (None, Vec::new(), None);
        if is_ours {
            let name = members.text("tenant")?;
            tenant = name.map(|name| name.parse().map_err(|_| TokenError::Claims)).transpose()?;
            roles = members.texts("roles", false)?.unwrap_or_default();
            grant = members.text("grant")?;
        }
        let scopes = members.text("scope")?.unwrap_or_default();
        Ok(Self {
            issuer: members.text("iss")?.ok_or(TokenError::Missing("iss"))?,
            subject: members.text("sub")?.ok_or(TokenError::Missing("sub"))?,
            audiences: members.texts("aud", true)?.ok_or(TokenError::Missing("aud"))?,
            expires: members.instant("exp")?.ok_or(TokenError::Missing("exp"))?,
            issued: members.instant("iat")?.ok_or(TokenError::Missing("iat"))?,
            not_before: members.instant("nbf")?,
            id: members.text("jti")?,
            client: members.text("client_id")?,
            scopes: scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            tenant,
            roles,
            grant,
            nonce: members.text("nonce")?,
            party: members.text("azp")?,
            authenticated: members.instant("auth_time")?,
            others: members.0,
            key: key.to_owned(),
        })
    }
}

/// The members of a payload that were not taken out yet.
struct Members(Map<String, Value>);

impl Members {
    /// A text; an empty one is of a wrong form, as nobody can be meant by it.
    fn text(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() || name == "scope" => Ok(Some(text)),
            Some(_) => Err(TokenError::Claims),
        }
    }

    /// A list of texts, or, where `may_be_single`, one text for a list of one.
    fn texts(&mut self, name: &str, may_be_single: bool) -> Result<Option<Vec<String>>, TokenError> {
        let items = match self.0.remove(name) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(single) if may_be_single => vec![single],
            Some(_) => return Err(TokenError::Claims),
        };
        let as_text = |item| if let Value::String(text) = item { Ok(text) } else { Err(TokenError::Claims) };
        items.into_iter().map(as_text).collect::<Result<_, _>>().map(Some)
    }

    /// Seconds since 1970, whole or not (`NumericDate`), in the years 1970 to 9999. Parts of a
    /// millisecond are dropped.
    fn instant(&mut self, name: &str) -> Result<Option<Timestamp>, TokenError> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let millis_max = Timestamp::MAX.as_millis();
        let millis = match (value.as_i64(), value.as_f64()) {
            (Some(seconds), _) => seconds.checked_mul(1_000),
            (None, Some(seconds)) if (0.0..1e12).contains(&seconds) => Some((seconds * 1_000.0) as i64),
            _ => None,
        };
        match millis {
            Some(millis) if (0..=millis_max).contains(&millis) => Ok(Some(Timestamp::from_millis(millis))),
            _ => Err(TokenError::Claims),
        }
    }
}
