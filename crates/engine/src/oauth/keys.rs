//! The keys that our tokens are signed with: made at first use, stored, and changed with an overlap.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::time::Timestamp;
use tokio::sync::Mutex;

use crate::engine::Engine;
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};
use crate::token::{
    KeyError, KeyRing, KeySet, Kind, Profile, Revocations, Rotation, SigningAlgorithm, SigningKey, StoredKey,
    TokenCache,
};

/// A key signs for 30 days, and is published a day before; no token of ours lives longer than an hour.
const ROTATION: Rotation = Rotation {
    period: Duration::from_secs(30 * 24 * 3_600),
    ahead: Duration::from_secs(24 * 3_600),
    lifetime_max: Duration::from_secs(3_600),
};
/// How long a view of the keys is used before the clock is asked again, in milliseconds.
const LOOK_AGAIN: i64 = 60 * 1_000;
/// Bytes of verified tokens kept at hand.
const CACHE_BYTES: u64 = 64 << 20;
/// Tokens revoked one by one; grants end by their records.
const REVOKED_MAX: usize = 100_000;
/// Devices whose last question is remembered.
const POLLS_MAX: usize = 10_000;
/// Keys read from the store.
const KEYS_MAX: usize = 64;

/// A signing key as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SigningKeyRecord {
    key: StoredKey,
    signs_from: Timestamp,
}

impl Shelved for SigningKeyRecord {
    const SHELF: Shelf = Shelf::SigningKey;
}

/// Our keys as they stand in one minute.
#[derive(Debug)]
pub(crate) struct Keys {
    ring: KeyRing,
    /// Those that verify.
    pub verifying: KeySet,
    /// What is asked of our access tokens.
    pub access: Profile,
    from: Timestamp,
    until: Timestamp,
}

impl Keys {
    fn new(ring: KeyRing, issuer: &str, now: Timestamp) -> Self {
        let verifying = ring.verifying(now);
        let access = Profile::ours(Kind::Access, issuer, issuer).with_lifetime_max(ROTATION.lifetime_max);
        Self { ring, verifying, access, from: now, until: now.plus_millis(LOOK_AGAIN) }
    }

    /// The key that signs now.
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Result<&SigningKey, PortError> {
        let signer = self.ring.signer(algorithm, self.from);
        signer.ok_or_else(|| PortError::later("sign a token", "there is no key of this algorithm yet"))
    }

    /// The public keys (RFC 7517, section 5).
    pub fn published(&self) -> Value {
        self.ring.jwks(self.from)
    }
}

/// Keys and verified tokens of one engine.
#[derive(Debug)]
pub(crate) struct Tokens {
    current: RwLock<Option<Arc<Keys>>>,
    renewing: Mutex<()>,
    /// Tokens that were verified.
    pub verified: TokenCache,
    /// When devices asked last, by the hash of their code, and how long they are to wait in between.
    pub polls: Cache<[u8; 16], (Timestamp, i64)>,
}

impl Default for Tokens {
    fn default() -> Self {
        let revocations = Arc::new(Revocations::new(REVOKED_MAX, ROTATION.lifetime_max));
        let verified = TokenCache::new(CACHE_BYTES, revocations);
        Self { current: RwLock::new(None), renewing: Mutex::new(()), verified, polls: Cache::new(POLLS_MAX) }
    }
}

impl Tokens {
    fn current(&self, now: Timestamp) -> Option<Arc<Keys>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone().filter(|keys| (keys.from..keys.until).contains(&now))
    }
}

fn signing_key(id: &str) -> RecordKey {
    RecordKey::of_server(Shelf::SigningKey, id)
}

fn broken(error: KeyError) -> PortError {
    PortError::never("use the keys that sign tokens", error)
}

impl Engine {
    /// The keys of our tokens as they stand; the first call makes them.
    ///
    /// # Errors
    /// When the store cannot be read or written, or a stored key is broken.
    pub(crate) async fn token_keys(&self) -> Result<Arc<Keys>, PortError> {
        if let Some(keys) = self.tokens.current(self.ports.clock.now()) {
            return Ok(keys);
        }
        let _one_at_a_time = self.tokens.renewing.lock().await;
        let now = self.ports.clock.now();
        if let Some(keys) = self.tokens.current(now) {
            return Ok(keys);
        }
        let keys = Arc::new(Keys::new(self.renewed_ring(now).await?, self.public_url(), now));
        *self.tokens.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keys));
        Ok(keys)
    }

    /// The ring of the stored keys, with those it is time for, and without those that are over.
    async fn renewed_ring(&self, now: Timestamp) -> Result<KeyRing, PortError> {
        let stored = self.load_all::<SigningKeyRecord>(&Fence::Server, "", None, KEYS_MAX).await?;
        let mut ring = KeyRing::new(ROTATION);
        for record in &stored {
            let key = SigningKey::from_stored(&record.value.key).map_err(broken)?;
            ring.restore(key, record.value.signs_from).map_err(broken)?;
        }
        let mut changes = RecordChanges::default();
        let mut is_changed = false;
        for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
            if ring.needs_key(algorithm, now) {
                let key = SigningKey::generate(algorithm).map_err(broken)?;
                let (id, key_stored) = (key.id().to_owned(), key.to_stored().map_err(broken)?);
                let signs_from = ring.add(key, now).map_err(broken)?;
                let record = SigningKeyRecord { key: key_stored, signs_from };
                changes = changes.create(signing_key(&id), &record, None);
                is_changed = true;
            }
        }
        for id in ring.forget_retired(now) {
            let retired = |record: &&Loaded<SigningKeyRecord>| record.key.name() == id;
            if let Some(record) = stored.iter().find(retired) {
                changes = changes.remove(record);
                is_changed = true;
            }
        }
        if is_changed {
            match self.write_records(None, changes, None).await {
                Ok(()) => {}
                Err(WriteFault::Conflict) => {
                    return Err(PortError::later("change the keys that sign tokens", "another node did just now"));
                }
                Err(WriteFault::Store(fault)) => return Err(fault),
            }
        }
        Ok(ring)
    }

    /// The JSON Web Key Set that our tokens are verified with.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn published_keys(&self) -> Result<Value, PortError> {
        Ok(self.token_keys().await?.published())
    }
}
