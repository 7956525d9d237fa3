//! JSON Web Tokens: keys, verification, signing, revocation and a cache of what was verified.
//!
//! Pure: no clock is read, nothing is fetched and nothing is stored here. Signatures are checked by
//! AWS-LC directly; everything around them is strict by RFC 8725: one algorithm per key, no key and
//! no address taken from a token, and no second way to write the same token.

mod error;
mod json;
mod algorithm;
mod jwk;
mod roca;
mod key_set;
mod header;
mod compact;
mod claims;
mod profile;
mod sign;
mod issue;
mod ring;
mod revoked;
mod cache;
mod remote;

pub use algorithm::{Algorithm, SigningAlgorithm};
pub use cache::{TokenCache, Verified};
pub use claims::Claims;
pub use compact::{TOKEN_BYTES_MAX, claimed_issuer, claimed_key};
pub use error::{KeyError, TokenError};
pub use issue::{AccessToken, IdToken, at_hash};
pub use jwk::VerifyingKey;
pub use key_set::KeySet;
pub use profile::{CLOCK_SKEW, Kind, Profile};
pub use remote::{Issuer, Issuers};
pub use revoked::{Revocations, Revoked};
pub use ring::{KeyRing, Rotation};
pub use sign::{SigningKey, StoredKey};

#[cfg(test)]
mod tests;
