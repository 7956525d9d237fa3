//! Our signing keys over time: a key is published before it signs, and verifies until the last token
//! it signed has expired. Everything here is a function of the time that is passed in.

use std::time::Duration;

use serde_json::{Value, json};

use tidings_core::time::Timestamp;

use super::algorithm::SigningAlgorithm;
use super::error::KeyError;
use super::jwk::VerifyingKey;
use super::key_set::KeySet;
use super::profile::CLOCK_SKEW;
use super::sign::SigningKey;

/// Keys in a ring, at most: those of both algorithms, the next ones and those that only verify.
const KEYS_MAX: usize = 32;

/// When keys change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How long a key signs.
    pub period: Duration,
    /// How long it is published before: more than others keep our key set without asking again.
    pub ahead: Duration,
    /// How long our tokens live, at most.
    pub lifetime_max: Duration,
}

/// Our keys, old, present and next.
#[derive(Debug)]
pub struct KeyRing {
    rotation: Rotation,
    /// By the start of their signing.
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    key: SigningKey,
    verifying: VerifyingKey,
    signs_from: Timestamp,
}

impl KeyRing {
    /// A ring without keys.
    pub const fn new(rotation: Rotation) -> Self {
        Self { rotation, slots: Vec::new() }
    }

    /// Adds a new key and says from when on it signs, which belongs into the store beside it: at
    /// once if it is the first of its algorithm, else after it was published long enough.
    ///
    /// # Errors
    /// When the ring has this key already, or has too many.
    pub fn add(&mut self, key: SigningKey, now: Timestamp) -> Result<Timestamp, KeyError> {
        let newest = self.of_algorithm(key.algorithm()).next_back();
        let signs_from = match newest {
            None => now,
            Some(newest) => later(now, self.rotation.ahead).max(newest.signs_from.plus_millis(1)),
        };
        self.restore(key, signs_from)?;
        Ok(signs_from)
    }

    /// Puts back a stored key, as [`KeyRing::add`] placed it.
    ///
    /// # Errors
    /// When the ring has this key already, or has too many.
    pub fn restore(&mut self, key: SigningKey, signs_from: Timestamp) -> Result<(), KeyError> {
        if self.slots.iter().any(|slot| slot.key.id() == key.id()) {
            return Err(KeyError::DuplicateId);
        }
        if self.slots.len() >= KEYS_MAX {
            return Err(KeyError::TooLarge);
        }
        let verifying = key.verifying()?;
        self.slots.push(Slot { key, verifying, signs_from });
        self.slots.sort_by_key(|slot| slot.signs_from);
        Ok(())
    }

    /// The key that signs now, if one does.
    pub fn signer(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&SigningKey> {
        self.of_algorithm(algorithm).rfind(|slot| slot.signs_from <= now).map(|slot| &slot.key)
    }

    /// True when it is time to add a key of this algorithm, so that it is published long enough.
    pub fn needs_key(&self, algorithm: SigningAlgorithm, now: Timestamp) -> bool {
        let newest = self.of_algorithm(algorithm).next_back();
        newest.is_none_or(|newest| later(newest.signs_from, self.rotation.period) <= later(now, self.rotation.ahead))
    }

    /// The keys that verify our tokens now; to be kept until the ring or the minute changes.
    pub fn verifying(&self, now: Timestamp) -> KeySet {
        let keys = self.published(now).map(|slot| slot.verifying.clone()).collect();
        KeySet::of(keys).expect("a ring holds each key once, and fewer than a set may")
    }

    /// The JSON Web Key Set to publish: the next keys, those that sign, and those whose tokens are
    /// still about. No private members.
    pub fn jwks(&self, now: Timestamp) -> Value {
        let keys: Vec<&Value> = self.published(now).map(|slot| slot.key.public()).collect();
        json!({"keys": keys})
    }

    /// Every key with the start of its signing, oldest first: what is stored.
    pub fn keys(&self) -> impl Iterator<Item = (&SigningKey, Timestamp)> {
        self.slots.iter().map(|slot| (&slot.key, slot.signs_from))
    }

    /// Drops keys that verify no token any more, and returns their ids for the store.
    pub fn forget_retired(&mut self, now: Timestamp) -> Vec<String> {
        let kept: Vec<String> = self.published(now).map(|slot| slot.key.id().to_owned()).collect();
        let mut dropped = Vec::new();
        self.slots.retain(|slot| {
            let is_kept = kept.iter().any(|id| id == slot.key.id());
            if !is_kept {
                dropped.push(slot.key.id().to_owned());
            }
            is_kept
        });
        dropped
    }

    /// Takes out a key that is no longer trusted; false when there is none of this id. If it was
    /// the signer, the next key of its algorithm signs at once, else the one before signs again.
    /// Cached tokens end when the key is also revoked ([`super::Revoked::Key`]).
    pub fn remove(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(index) = self.slots.iter().position(|slot| slot.key.id() == id) else { return false };
        let removed = self.slots.remove(index);
        let algorithm = removed.key.algorithm();
        let was_signer = removed.signs_from <= now
            && !self.of_algorithm(algorithm).any(|slot| slot.signs_from > removed.signs_from && slot.signs_from <= now);
        let next = self.slots.iter_mut().find(|slot| slot.key.algorithm() == algorithm && slot.signs_from > now);
        if let (true, Some(next)) = (was_signer, next) {
            next.signs_from = now;
        }
        self.slots.sort_by_key(|slot| slot.signs_from);
        true
    }

    fn of_algorithm(&self, algorithm: SigningAlgorithm) -> impl DoubleEndedIterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.key.algorithm() == algorithm)
    }

    fn published(&self, now: Timestamp) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| self.verifies_until(slot).is_none_or(|until| now < until))
    }

    /// When the last token that a key can have signed is refused; `None` while no key follows it. A
    /// token is taken for one clock skew after its `exp`, and a second one is for a node whose clock
    /// still had the old key sign.
    fn verifies_until(&self, slot: &Slot) -> Option<Timestamp> {
        let next = self.of_algorithm(slot.key.algorithm()).find(|other| other.signs_from > slot.signs_from)?;
        Some(later(next.signs_from, self.rotation.lifetime_max + 2 * CLOCK_SKEW))
    }
}

fn later(instant: Timestamp, duration: Duration) -> Timestamp {
    instant.plus_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}
