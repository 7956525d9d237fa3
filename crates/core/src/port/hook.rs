use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{HookId, TenantId, UserId};
use crate::permission::RoleName;
use crate::principal::Issuers;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A way in for requests that are signed and carry no key, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRecord {
    /// Its id, which is in its address.
    pub id: HookId,
    /// Whose data comes in by it.
    pub tenant: TenantId,
    /// Who made it: what it does counts as theirs.
    pub user: UserId,
    /// What it is called, in its tenant.
    pub name: HookName,
    /// The namespace that it speaks in: its maker's, then its name.
    pub namespace: String,
    /// How its requests are signed.
    pub scheme: HookScheme,
    /// What they are signed with, the newest first.
    pub secrets: Vec<HookSecret>,
    /// The role that says which events it may publish; of what else the role may, it may nothing.
    pub role: RoleName,
    /// For whom it may speak, besides its own namespace.
    pub issuers: Issuers,
    /// When it was made.
    pub created: Timestamp,
    /// When its secret was last replaced; when it was made, if never.
    pub updated: Timestamp,
    /// From then on it lets nothing in; never, when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// One of the secrets that requests are signed with. A signature is checked by making it again, so the
/// secret itself is kept and not a hash of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookSecret {
    /// As the sender holds it.
    #[serde(with = "in_the_clear")]
    pub secret: Secret<String>,
    /// From then on it signs nothing; never, when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
}

/// How a request is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HookScheme {
    /// Standard Webhooks 1.0, symmetric: HMAC-SHA256 of `id.timestamp.body`.
    Standard,
    /// GitHub's `X-Hub-Signature-256`: HMAC-SHA256 of the body.
    Github,
    /// A header field that the maker names.
    Hmac(HmacScheme),
}

/// A signature in a header field of any name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacScheme {
    /// The field, in lower case.
    pub header: String,
    /// The hash.
    pub algorithm: HmacAlgorithm,
    /// How the signature is written.
    pub encoding: HmacEncoding,
    /// What stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The field with the time in Unix seconds, in lower case. Then `timestamp.body` is signed, else the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
}

/// The hash of an HMAC (RFC 2104).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HmacAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HmacEncoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 of RFC 4648, section 4, with padding.
    Base64,
}

impl HookScheme {
    /// Its name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Github => "github",
            Self::Hmac(_) => "hmac",
        }
    }
}

/// What a hook is called. It is part of a namespace, so it holds no separators.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HookName(String);

/// A text that cannot be the name of a hook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's name has 1 to {} lower-case letters, digits and `.`, `_`, `-`", HookName::BYTES_MAX)]
pub struct HookNameError;

impl HookName {
    /// Bytes of a name, at most.
    pub const BYTES_MAX: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HookName {
    type Err = HookNameError;

    fn from_str(text: &str) -> Result<Self, HookNameError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let is_name = (1..=Self::BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        if is_name { Ok(Self(text.to_owned())) } else { Err(HookNameError) }
    }
}

impl TryFrom<String> for HookName {
    type Error = HookNameError;

    fn try_from(text: String) -> Result<Self, HookNameError> {
        text.parse()
    }
}

impl From<HookName> for String {
    fn from(name: HookName) -> Self {
        name.0
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Secrets as the store holds them: the only place that writes one out.
mod in_the_clear {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::secret::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret<String>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hooks_hold_no_separators() {
        for name in ["github", "city-desk.2", "a_b", &"x".repeat(64)] {
            assert!(name.parse::<HookName>().is_ok(), "{name:?}");
        }
        for name in ["", "a/b", "A", "a:b", "a b", "ä", "a\n", "*", &"x".repeat(65)] {
            assert!(name.parse::<HookName>().is_err(), "{name:?}");
            assert!(serde_json::from_value::<HookName>(name.into()).is_err(), "{name:?} from a store");
        }
    }

    #[test]
    fn a_secret_is_stored_and_never_printed() {
        let kept = HookSecret { secret: "It's a Secret to Everybody".to_owned().into(), ends: None };
        let stored = serde_json::to_string(&kept).unwrap();
        assert_eq!(stored, r#"{"secret":"It's a Secret to Everybody"}"#);
        assert_eq!(serde_json::from_str::<HookSecret>(&stored).unwrap(), kept);
        assert_eq!(format!("{kept:?}"), "HookSecret { secret: ***, ends: None }");
    }
}
