//! Our own keys: made, stored, published, signed with.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::algorithm::{Algorithm, SigningAlgorithm};
use super::error::KeyError;
use super::jwk::{VerifyingKey, canonical_edwards, canonical_elliptic, thumbprint};

/// A private key and its public side.
pub struct SigningKey {
    pair: Pair,
    id: String,
    public: Value,
}

enum Pair {
    Edwards(Ed25519KeyPair),
    Elliptic(EcdsaKeyPair),
}

/// A private key as it is stored: its algorithm, and PKCS#8 in base64. Its `Debug` shows no key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    pkcs8: String,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKey({}, ***)", Algorithm::from(self.algorithm).as_str())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {}, ***)", Algorithm::from(self.algorithm()).as_str(), self.id)
    }
}

impl SigningKey {
    /// Draws a new key from AWS-LC's source of chance.
    ///
    /// # Errors
    /// [`KeyError::Weak`] when AWS-LC cannot make one.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let pair = match algorithm {
            SigningAlgorithm::EdDsa => Ed25519KeyPair::generate().map(Pair::Edwards),
            SigningAlgorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Elliptic),
        };
        Ok(Self::of(pair.map_err(|_| KeyError::Weak)?))
    }

    /// Reads a stored key.
    ///
    /// # Errors
    /// [`KeyError::Stored`] when it is not one of its algorithm.
    pub fn from_stored(stored: &StoredKey) -> Result<Self, KeyError> {
        let bytes = BASE64_STANDARD.decode(&stored.pkcs8).map_err(|_| KeyError::Stored)?;
        let pair = match stored.algorithm {
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(&bytes).map(Pair::Edwards),
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes).map(Pair::Elliptic)
            }
        };
        Ok(Self::of(pair.map_err(|_| KeyError::Stored)?))
    }

    /// The form to store.
    ///
    /// # Errors
    /// [`KeyError::Stored`] when AWS-LC cannot write it.
    pub fn to_stored(&self) -> Result<StoredKey, KeyError> {
        let document = match &self.pair {
            Pair::Edwards(pair) => pair.to_pkcs8(),
            Pair::Elliptic(pair) => pair.to_pkcs8v1(),
        };
        let document = document.map_err(|_| KeyError::Stored)?;
        Ok(StoredKey { algorithm: self.algorithm(), pkcs8: BASE64_STANDARD.encode(document.as_ref()) })
    }

    fn of(pair: Pair) -> Self {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let (id, mut public) = match &pair {
            Pair::Edwards(pair) => {
                let x = pair.public_key().as_ref();
                let public = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(x)});
                (thumbprint(&canonical_edwards(x)), public)
            }
            Pair::Elliptic(pair) => {
                // An uncompressed point: 4, then the two coordinates of 32 bytes.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let public = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": encode(x), "y": encode(y)});
                (thumbprint(&canonical_elliptic(x, y)), public)
            }
        };
        public["use"] = "sig".into();
        public["kid"] = id.as_str().into();
        Self { pair, id, public }
    }

    /// Its `kid`: its thumbprint (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it signs with.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match self.pair {
            Pair::Edwards(_) => SigningAlgorithm::EdDsa,
            Pair::Elliptic(_) => SigningAlgorithm::Es256,
        }
    }

    /// Its public side, as a JSON Web Key.
    pub const fn public(&self) -> &Value {
        &self.public
    }

    /// Its public side, for verifying.
    ///
    /// # Errors
    /// Never for a key that was read or made here; the reason otherwise.
    pub fn verifying(&self) -> Result<VerifyingKey, KeyError> {
        self.public.as_object().ok_or(KeyError::Form).and_then(VerifyingKey::from_members)
    }

    /// A compact JWS of the claims, with `typ` in its header.
    ///
    /// # Errors
    /// [`KeyError::Weak`] when AWS-LC cannot sign.
    pub fn sign(&self, kind: &str, claims: &Value) -> Result<String, KeyError> {
        let algorithm = Algorithm::from(self.algorithm()).as_str();
        let header = json!({"alg": algorithm, "kid": self.id, "typ": kind});
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A compact JWS of a header and a payload as they stand.
    pub(super) fn sign_text(&self, header: &str, payload: &str) -> Result<String, KeyError> {
        let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(payload));
        let signature = match &self.pair {
            Pair::Edwards(pair) => pair.try_sign(signed.as_bytes()),
            Pair::Elliptic(pair) => pair.sign(&SystemRandom::new(), signed.as_bytes()),
        };
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.map_err(|_| KeyError::Weak)?);
        Ok(format!("{signed}.{signature}"))
    }
}
