//! The signature algorithms that are taken, and those we sign with.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;
use serde::{Deserialize, Serialize};

/// A signature algorithm of a token, by its name in the header. A key has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519 under its first name (RFC 8037).
    EdDsa,
    /// Ed25519 under its own name (RFC 9864).
    Ed25519,
    /// ECDSA with P-256 and SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3): foreign issuers only.
    Rs256,
    /// HMAC with SHA-256 (RFC 7518, section 3.2): only with a secret bound by the operator.
    Hs256,
}

impl Algorithm {
    /// The name in `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }
}

/// An algorithm we sign our own tokens with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA with P-256 and SHA-256, for clients that cannot do Ed25519.
    #[serde(rename = "ES256")]
    Es256,
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::EdDsa => Self::EdDsa,
            SigningAlgorithm::Es256 => Self::Es256,
        }
    }
}

/// What checks a signature: the key, read once.
#[derive(Debug, Clone)]
pub(super) enum Material {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl Material {
    /// True where `signature` belongs to `text`.
    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Public(key) => key.verify_sig(text, signature).is_ok(),
            Self::Secret(key) => hmac::verify(key, text, signature).is_ok(),
        }
    }
}
