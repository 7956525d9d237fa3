//! Identifiers: a prefix and 128 bits, printed in lower-case base32 (TypeID style).
//!
//! Events, threads, incidents, notifications and deliveries have *derived* ids: UUID version 8
//! (RFC 9562) over a SHA-256 of length-prefixed parts, so the same thing has the same id on every
//! node and at every repeat. The rest are UUID version 7.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base32 alphabet in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in groups of five.
const TEXT_LENGTH: usize = 26;

/// An id that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}_… with 26 letters and digits")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

/// Hashes length-prefixed parts to 128 bits and marks them as UUID version 8.
///
/// The length prefix keeps `("ab", "c")` and `("a", "bc")` apart.
pub fn derive(parts: &[&[u8]]) -> [u8; 16] {
    let mut bits = fingerprint(parts);
    bits[6] = bits[6] & 0x0f | 0x80;
    bits[8] = bits[8] & 0x3f | 0x80;
    bits
}

/// SHA-256 of length-prefixed parts, cut to 128 bits.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest.as_ref()[..16]);
    bits
}

fn encode(bits: [u8; 16]) -> [u8; TEXT_LENGTH] {
    let number = u128::from_be_bytes(bits);
    std::array::from_fn(|index| ALPHABET[(number >> (5 * (TEXT_LENGTH - 1 - index))) as usize & 31])
}

fn decode(text: &str) -> Option<[u8; 16]> {
    // 26 letters hold 130 bits; the first may only use three of its five.
    if text.len() != TEXT_LENGTH || text.as_bytes()[0] > b'7' {
        return None;
    }
    let mut number = 0_u128;
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        number = number << 5 | value as u128;
    }
    Some(number.to_be_bytes())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What stands before the `_`.
            pub const PREFIX: &'static str = $prefix;

            /// The id with these 128 bits.
            pub const fn from_bytes(bits: [u8; 16]) -> Self { Self(bits) }

            /// Its 128 bits.
            pub const fn as_bytes(&self) -> &[u8; 16] { &self.0 }

            /// The id derived from these parts; the kind of id is the first of them.
            pub fn derived(parts: &[&[u8]]) -> Self {
                let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
                all.push($prefix.as_bytes());
                all.extend_from_slice(parts);
                Self(derive(&all))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(self.0);
                write!(f, concat!($prefix, "_{}"), std::str::from_utf8(&text).expect("the alphabet is ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_")).and_then(decode).map(Self).ok_or_else(|| IdError {
                    text: text.chars().take(64).collect(),
                    prefix: $prefix,
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One message as believed: exactly one (thread, revision).
    EventId = "evt";
    /// What messages about the same thing share.
    ThreadId = "thr";
    /// What threads of several agencies about one happening share.
    IncidentId = "inc";
    /// A standing wish of a user.
    SubscriptionId = "sub";
    /// What one user is told about one revision of a thread.
    NotificationId = "ntf";
    /// A notification on one channel.
    DeliveryId = "dlv";
    /// A person or a key that stands for one.
    UserId = "usr";
    /// An API key.
    KeyId = "key";
    /// A signed-in browser: 128 bits of the hash of its secret.
    SessionId = "ses";
    /// A program that asks for tokens.
    ClientId = "cli";
    /// What one consent has given a program.
    GrantId = "gnt";
    /// Someone as another issuer knows them: 128 bits of the hash of issuer and subject.
    LoginId = "lgn";
    /// A way in for signed requests.
    HookId = "whk";
    /// An envelope set aside for a human.
    DeadLetterId = "dlq";
}

/// Whose data this is: a lower-case name that begins every storage key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// A tenant name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tenant name: use 1 to 63 lower-case letters, digits or hyphens")]
pub struct TenantError(String);

impl TenantId {
    /// The tenant that public feeds are ingested into.
    pub fn public() -> Self {
        Self("public".into())
    }

    /// The tenant that a server starts with.
    pub fn default_tenant() -> Self {
        Self("default".into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = TenantError;

    fn from_str(text: &str) -> Result<Self, TenantError> {
        let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if letters && (1..=63).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(TenantError(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_back() {
        for seed in 0_u8..200 {
            let id = EventId::derived(&[&[seed]]);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.as_bytes()[6] >> 4, 8, "UUID version 8");
        }
        assert_eq!(EventId::from_bytes([0xff; 16]).to_string(), "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "",
            "evt_",
            "thr_00000000000000000000000000",
            "evt_80000000000000000000000000",
            "evt_0000000000000000000000000é",
        ] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn keeps_parts_apart() {
        assert_ne!(derive(&[b"ab", b"c"]), derive(&[b"a", b"bc"]));
    }
}
