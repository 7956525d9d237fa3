//! The keys of one issuer (RFC 7517, section 5).

use serde_json::Value;

use super::algorithm::Algorithm;
use super::error::{KeyError, TokenError};
use super::json;
use super::jwk::VerifyingKey;

/// Bytes of a set, at most.
const SET_BYTES_MAX: usize = 256 * 1_024;
/// Keys in a set, at most, with those that are skipped.
const KEYS_MAX: usize = 64;

/// The keys that may verify the tokens of one issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys of kinds, curves or algorithms that are not used here, keys
    /// meant for something else and weak or broken ones are left out. A set that holds a private
    /// or symmetric key has leaked and is refused whole, and so is one in which two keys that may
    /// verify have the same `kid`.
    ///
    /// # Errors
    /// Why the set is refused.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        if text.len() > SET_BYTES_MAX {
            return Err(KeyError::TooLarge);
        }
        let set = json::object(text).ok_or(KeyError::Form)?;
        let Some(Value::Array(members)) = set.get("keys") else { return Err(KeyError::Form) };
        if members.len() > KEYS_MAX {
            return Err(KeyError::TooLarge);
        }
        let mut keys = Vec::with_capacity(members.len());
        for member in members {
            let Value::Object(member) = member else { return Err(KeyError::Form) };
            match VerifyingKey::from_members(member) {
                Ok(key) => keys.push(key),
                Err(KeyError::Private) => return Err(KeyError::Private),
                Err(_) => {}
            }
        }
        Self::of(keys)
    }

    /// A set of these keys.
    ///
    /// # Errors
    /// When there are too many, or two have the same `kid`.
    pub fn of(keys: Vec<VerifyingKey>) -> Result<Self, KeyError> {
        if keys.len() > KEYS_MAX {
            return Err(KeyError::TooLarge);
        }
        let mut ids: Vec<&str> = keys.iter().filter_map(VerifyingKey::id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(KeyError::DuplicateId);
        }
        Ok(Self { keys })
    }

    /// The keys.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The key for a token with this `kid` and `alg`. Without a `kid` there must be exactly one key
    /// of the algorithm.
    pub(super) fn pick(&self, id: Option<&str>, algorithm: &str) -> Result<&VerifyingKey, TokenError> {
        let is_algorithm = |key: &&VerifyingKey| Algorithm::as_str(key.algorithm) == algorithm;
        if let Some(id) = id {
            let key = self.keys.iter().find(|key| key.id() == Some(id)).ok_or(TokenError::UnknownKey)?;
            return if is_algorithm(&key) { Ok(key) } else { Err(TokenError::Algorithm) };
        }
        let mut candidates = self.keys.iter().filter(is_algorithm);
        match (candidates.next(), candidates.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(TokenError::AmbiguousKey),
            // A key there is, but of another algorithm: say so.
            (None, _) if !self.keys.is_empty() => Err(TokenError::Algorithm),
            (None, _) => Err(TokenError::UnknownKey),
        }
    }
}
