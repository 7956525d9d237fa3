//! Tokens that were verified, so that a request with a known one costs no signature check.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use hashbrown::DefaultHashBuilder;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use tidings_core::time::Timestamp;

use super::claims::Claims;
use super::compact::TOKEN_BYTES_MAX;
use super::error::TokenError;
use super::key_set::KeySet;
use super::profile::Profile;
use super::revoked::{Marks, Revocations};

/// What an entry takes besides the texts of its token, roughly: for the bound of the cache.
const ENTRY_BYTES: usize = 768;

/// Verified tokens, by the SHA-256 of their text: the tokens themselves are not kept.
///
/// Refused tokens are not remembered, so nobody can push good ones out with bad ones.
#[derive(Debug)]
pub struct TokenCache {
    entries: Cache<[u8; 32], Arc<Verified>, BySize, DefaultHashBuilder>,
    revocations: Arc<Revocations>,
    /// Entries that looked at the revocations before this count are worth nothing.
    floor: AtomicU64,
}

/// The claims of a token that was verified and is not revoked, as they are remembered.
#[derive(Debug)]
pub struct Verified {
    /// The count of revocations that it was last looked up at.
    epoch: AtomicU64,
    profile: [u8; 16],
    marks: Marks,
    size_bytes: usize,
    claims: Claims,
}

impl Deref for Verified {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.claims
    }
}

#[derive(Debug, Clone)]
struct BySize;

impl Weighter<[u8; 32], Arc<Verified>> for BySize {
    fn weight(&self, _: &[u8; 32], entry: &Arc<Verified>) -> u64 {
        entry.size_bytes as u64
    }
}

impl TokenCache {
    /// A cache of about `size_bytes` at most.
    ///
    /// # Panics
    /// Never: every option is given.
    pub fn new(size_bytes: u64, revocations: Arc<Revocations>) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity((size_bytes as usize / (2 * ENTRY_BYTES)).max(16))
            .weight_capacity(size_bytes)
            .build()
            .expect("both bounds are given");
        let hasher = DefaultHashBuilder::default();
        let entries = Cache::with_options(options, BySize, hasher, DefaultLifecycle::default());
        Self { entries, revocations, floor: AtomicU64::new(0) }
    }

    /// Verifies a token at the instant `now`: from memory if it was seen before, for this profile,
    /// and neither `exp` nor a revocation has come since.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn verify(
        &self,
        token: &str,
        keys: &KeySet,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Arc<Verified>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let name = sha256(token);
        // The order matters: what is revoked after this line moves the count on.
        let epoch = self.revocations.epoch();
        if let Some(entry) = self.entries.get(&name) {
            if self.is_current(&entry, epoch, profile, now) {
                return Ok(entry);
            }
            self.entries.remove(&name);
        }
        let claims = profile.verify(token, keys, now)?;
        let marks = Marks::of(&claims);
        if self.revocations.has(&marks) {
            return Err(TokenError::Revoked);
        }
        let (epoch, size_bytes) = (AtomicU64::new(epoch), ENTRY_BYTES + token.len());
        let verified = Arc::new(Verified { epoch, profile: profile.mark, marks, size_bytes, claims });
        // Until `exp` and not longer: the clock skew is for whoever comes with it, each time anew.
        if now < verified.expires {
            self.entries.insert(name, Arc::clone(&verified));
        }
        Ok(verified)
    }

    fn is_current(&self, entry: &Verified, epoch: u64, profile: &Profile, now: Timestamp) -> bool {
        let seen = entry.epoch.load(Ordering::Acquire);
        let is_usable =
            seen >= self.floor.load(Ordering::Acquire) && entry.profile == profile.mark && now < entry.expires;
        if !is_usable || seen == epoch {
            return is_usable;
        }
        let is_good = !self.revocations.has(&entry.marks);
        if is_good {
            entry.epoch.fetch_max(epoch, Ordering::AcqRel);
        }
        is_good
    }

    /// Forgets everything, also what is being verified at this moment: to be called after a change of
    /// keys that took one away.
    pub fn forget_all(&self) {
        self.floor.store(self.revocations.advance(), Ordering::Release);
        self.entries.clear();
    }

    /// How many times something was revoked or everything forgotten.
    pub fn revocations_count(&self) -> u64 {
        self.revocations.epoch()
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn sha256(token: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    let mut name = [0; 32];
    name.copy_from_slice(digest.as_ref());
    name
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidings_core::id::TenantId;

    use super::*;
    use crate::token::{AccessToken, Kind, SigningAlgorithm, SigningKey};

    #[test]
    fn what_was_being_verified_is_forgotten_too() {
        let cache = TokenCache::new(1 << 20, Arc::new(Revocations::new(10, Duration::from_secs(3_600))));
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).expect("chance");
        let keys = KeySet::of(vec![key.verifying().expect("a key")]).expect("a set");
        let (profile, now) = (Profile::ours(Kind::Access, "us", "api"), Timestamp::from_millis(1_795_435_200_000));
        let asked = AccessToken {
            issuer: "us",
            subject: "usr_1",
            audience: "api",
            client: "cli",
            id: "tok_1",
            grant: None,
            tenant: &TenantId::default_tenant(),
            roles: &[],
            scopes: &[],
            lifetime: Duration::from_secs(600),
        };
        let token = asked.issue(&key, now).expect("signs");
        let verified = cache.verify(&token, &keys, &profile, now).expect("good");
        cache.forget_all();
        assert!(cache.is_empty());
        // As if the check of the signature had taken until now.
        cache.entries.insert(sha256(&token), verified);
        let refused = cache.verify(&token, &KeySet::default(), &profile, now).map(drop);
        assert_eq!(refused, Err(TokenError::UnknownKey));
    }
}
