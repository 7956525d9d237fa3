//! Passwords: what is taken as one, and how it is kept.

use std::sync::LazyLock;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use tidings_core::secret::Secret;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::IdentityError;
use crate::engine::Engine;

/// Passwords hashed at once: each takes 19 MiB and tens of milliseconds of a core.
const AT_ONCE: usize = 2;
/// How long one waits for a place.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Letters of a password, at least (NIST SP 800-63B-4, section 3.1.1.2, where it is the only factor: 15;
/// 8 where there is a second one).
const LETTERS_MIN: usize = 12;
/// Bytes of a password, at most.
const BYTES_MAX: usize = 1_024;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// What is compared where there is no account, so that the answer takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password", &[7; 16]));

/// Argon2id with 19 MiB and two passes, as OWASP's password storage cheat sheet advises first.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, None).expect("these are within its bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The same password however it was typed (NIST SP 800-63B-4: normalized by NFKC or NFKD).
fn normalized(password: &str) -> Secret<String> {
    Secret::new(password.nfkc().collect())
}

fn hash_now(password: &str, salt: &[u8; 16]) -> String {
    let hash = argon2().hash_password_with_salt(normalized(password).reveal().as_bytes(), salt);
    hash.expect("salt and parameters are within its bounds").to_string()
}

/// Judges a new password; `email` is whose it is to be.
pub(super) fn judge(password: &Secret<String>, email: &str) -> Result<(), IdentityError> {
    if password.reveal().len() > BYTES_MAX {
        let detail = format!("a password has at most {BYTES_MAX} bytes");
        return Err(IdentityError::invalid("/password", "password_too_long", detail));
    }
    let text = normalized(password.reveal());
    let text = text.reveal();
    let mut letters: Vec<char> = text.chars().collect();
    let count = letters.len();
    letters.sort_unstable();
    letters.dedup();
    let local = email.split('@').next().unwrap_or_default();
    let folded = text.to_lowercase();
    let is_own = folded == email || (local.len() >= 6 && folded.starts_with(local) && count < local.len() + 6);
    let detail = if count < LETTERS_MIN {
        format!("a password has at least {LETTERS_MIN} letters; a sentence of a few words is easy to keep in mind")
    } else if letters.len() < 5 || is_own {
        "this password is among the first that are guessed; a sentence of a few words is not".to_owned()
    } else {
        return Ok(());
    };
    Err(IdentityError::invalid("/password", "password_too_weak", detail))
}

impl Engine {
    /// The hash of a password, in PHC string format.
    pub(super) async fn hash_password(&self, password: &Secret<String>) -> Result<String, IdentityError> {
        let mut salt = [0; 16];
        self.ports.randomness.fill(&mut salt);
        let password = password.clone();
        in_turn(move || hash_now(password.reveal(), &salt)).await
    }

    /// True where the password is that of the hash. Without a hash it is never, and takes as long.
    pub(super) async fn verify_password(
        &self,
        password: &Secret<String>,
        hash: Option<&str>,
    ) -> Result<bool, IdentityError> {
        let is_short = password.reveal().len() <= BYTES_MAX;
        let password = if is_short { password.clone() } else { Secret::new(String::new()) };
        let hash = hash.map(str::to_owned);
        in_turn(move || {
            let text = normalized(password.reveal());
            let against = PasswordHash::new(hash.as_deref().unwrap_or(&NOBODYS));
            let fits = against.is_ok_and(|hash| argon2().verify_password(text.reveal().as_bytes(), &hash).is_ok());
            fits && hash.is_some() && is_short
        })
        .await
    }
}

/// Runs what needs a core and memory, a few at once.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, IdentityError> {
    let place = tokio::time::timeout(WAIT_MAX, PLACES.acquire()).await.map_err(|_| IdentityError::Busy)?;
    let place = place.map_err(|_| IdentityError::Busy)?;
    // The place goes with the work: who no longer waits for it has not made room for another.
    let working = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    });
    working.await.map_err(|_| IdentityError::Busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str, is_good: bool) {
        assert_eq!(judge(&password.to_owned().into(), "marianne@example.org").is_ok(), is_good, "{password:?}");
    }

    #[test]
    fn short_plain_and_own_passwords_are_refused() {
        check("correct horse battery", true);
        check("пароль надёжный", true);
        check("twelve chars", true);
        for password in
            ["", "eleven char", "aaaaaaaaaaaaaaaa", "abababababababab", "marianne@example.org", "marianne12345"]
        {
            check(password, false);
        }
        check(&"x1y2z3".repeat(200), false);
    }

    #[test]
    fn a_hash_is_argon2id_and_fits_its_password_however_it_was_typed() {
        let hash = hash_now("caf\u{e9} au lait noir", &[1; 16]);
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let parsed = PasswordHash::new(&hash).unwrap();
        let fits = |password: &str| argon2().verify_password(normalized(password).reveal().as_bytes(), &parsed).is_ok();
        assert!(fits("cafe\u{301} au lait noir"));
        assert!(!fits("cafe au lait noir"));
    }
}
