//! The second factor: codes by time (TOTP, RFC 6238) from an app, and recovery codes for a lost one.

use serde::{Deserialize, Serialize};
use tidings_core::id::UserId;
use tidings_core::port::Shelf;
use tidings_core::principal::Principal;
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;
use totp_rs::{Builder, Totp};

use super::account::{AccountRecord, account_key};
use super::{IdentityError, hash_of, hex};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::records::{Loaded, RecordChanges};

/// Recovery codes that one gets.
const RECOVERY_CODES: usize = 10;
/// Bits of the shared secret: RFC 4226 asks for 128 and recommends 160.
const SECRET_BYTES: usize = 20;
/// Steps of 30 seconds before and after, for clocks that are a little off.
const SKEW_STEPS: u16 = 1;

/// A second factor as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SecondFactor {
    /// The secret that the app shares. It must be usable, so it is not hashed.
    secret: Vec<u8>,
    /// When the app was shown to have it; none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
    /// The step of the last code taken: no code is taken twice.
    #[serde(default)]
    last_step: u64,
    /// Hashes of the recovery codes that are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recovery: Vec<String>,
}

/// How many there are: what they are is secret.
impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let recovery = self.recovery.len();
        f.debug_struct("SecondFactor")
            .field("confirmed", &self.confirmed)
            .field("recovery", &recovery)
            .finish_non_exhaustive()
    }
}

/// What an app is to be given; shown once.
#[derive(Debug)]
pub struct Enrollment {
    /// The secret in base32, to type in.
    pub secret: Secret<String>,
    /// The same as `otpauth://` address, for a picture to scan.
    pub address: Secret<String>,
}

impl SecondFactor {
    fn totp(&self, email: &str) -> Option<Totp> {
        let builder = Builder::new().with_secret(self.secret.clone()).with_skew(SKEW_STEPS);
        builder.with_account_name(email.replace(':', " ")).with_issuer(Some("Tidings")).build().ok()
    }

    /// The factor after a code was taken; none where the code is wrong or was taken before.
    pub fn take(&self, email: &str, code: &str, now: Timestamp) -> Option<Self> {
        let plain: String = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
        let hash = recovery_hash(&plain);
        if let Some(index) = self.recovery.iter().position(|known| *known == hash) {
            let mut recovery = self.recovery.clone();
            recovery.remove(index);
            return Some(Self { recovery, ..self.clone() });
        }
        let seconds = u64::try_from(now.as_millis() / 1_000).ok()?;
        let step = self.totp(email)?.check(&plain, seconds)?;
        (step > self.last_step).then(|| Self { last_step: step, ..self.clone() })
    }

    /// Recovery codes that are left.
    pub fn recovery_left(&self) -> usize {
        self.recovery.len()
    }
}

fn recovery_hash(code: &str) -> String {
    hex(&hash_of(Shelf::Account, &code.to_ascii_lowercase()))
}

impl Engine {
    /// Begins to enroll an app; nothing asks for its codes before one was shown.
    ///
    /// # Errors
    /// `Refused` where the password is wrong: who has no more than an open session locks nobody out.
    /// `Conflict` where there is a second factor already, `NotFound` for one who has no account.
    pub async fn begin_second_factor(
        &self,
        principal: &Principal,
        password: &Secret<String>,
    ) -> Result<Enrollment, IdentityError> {
        let account = self.own_account(principal.user).await?;
        if !self.verify_password(password, account.value.password.as_deref()).await? {
            return Err(IdentityError::Refused);
        }
        if account.value.second_factor.as_ref().is_some_and(|factor| factor.confirmed.is_some()) {
            return Err(IdentityError::Conflict("there is a second factor already; remove it first".to_owned()));
        }
        let mut secret = vec![0; SECRET_BYTES];
        self.ports.randomness.fill(&mut secret);
        let factor = SecondFactor { secret, confirmed: None, last_step: 0, recovery: Vec::new() };
        let totp = factor.totp(&account.value.email).ok_or(IdentityError::NotFound("second factor"))?;
        let address = totp.to_url().map_err(|_| IdentityError::NotFound("second factor"))?;
        let enrollment = Enrollment { secret: Secret::new(totp.secret().to_base32()), address: Secret::new(address) };
        let changed = AccountRecord { second_factor: Some(factor), ..account.value.clone() };
        self.write_records(None, RecordChanges::default().replace(&account, &changed), None).await?;
        Ok(enrollment)
    }

    /// Ends the enrollment with a code of the app. From then on signing in asks for one; the recovery
    /// codes are shown once.
    ///
    /// # Errors
    /// `Refused` where the code is wrong.
    pub async fn confirm_second_factor(
        &self,
        asker: Asker<'_>,
        code: &str,
    ) -> Result<Vec<Secret<String>>, IdentityError> {
        let account = self.own_account(asker.principal.user).await?;
        let waiting = account.value.second_factor.as_ref().filter(|factor| factor.confirmed.is_none());
        let waiting = waiting.ok_or(IdentityError::NotFound("enrollment that waits for its code"))?;
        let now = self.ports.clock.now();
        let taken = waiting.take(&account.value.email, code, now).ok_or(IdentityError::Refused)?;
        let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| self.draw_recovery_code()).collect();
        let recovery = codes.iter().map(|code| recovery_hash(&code.reveal().replace('-', ""))).collect();
        let factor = SecondFactor { confirmed: Some(now), recovery, ..taken };
        self.change_second_factor(asker, &account, Some(factor), "second_factor.add").await?;
        Ok(codes)
    }

    /// Takes the second factor away, for one who proves both.
    ///
    /// # Errors
    /// `Refused` where password or code is wrong.
    pub async fn remove_second_factor(
        &self,
        asker: Asker<'_>,
        password: &Secret<String>,
        code: &str,
    ) -> Result<(), IdentityError> {
        let account = self.own_account(asker.principal.user).await?;
        let Some(factor) = &account.value.second_factor else { return Err(IdentityError::NotFound("second factor")) };
        let fits = self.verify_password(password, account.value.password.as_deref()).await?;
        let taken =
            factor.confirmed.is_none() || factor.take(&account.value.email, code, self.ports.clock.now()).is_some();
        if !fits || !taken {
            return Err(IdentityError::Refused);
        }
        self.change_second_factor(asker, &account, None, "second_factor.remove").await
    }

    async fn change_second_factor(
        &self,
        asker: Asker<'_>,
        account: &Loaded<AccountRecord>,
        second_factor: Option<SecondFactor>,
        action: &'static str,
    ) -> Result<(), IdentityError> {
        let changed = AccountRecord { second_factor, ..account.value.clone() };
        let (target, tenant) = (account.value.id.to_string(), &asker.principal.tenant);
        let audited = Change { action, target, tenant, before: None, after: None };
        self.write_records(Some(asker), RecordChanges::default().replace(account, &changed), Some(audited)).await?;
        Ok(())
    }

    /// The account of one who asks about their own.
    pub(crate) async fn own_account(&self, user: UserId) -> Result<Loaded<AccountRecord>, IdentityError> {
        self.load(account_key(user)).await?.ok_or(IdentityError::NotFound("account"))
    }

    /// 80 bits as four groups of four letters without those that look alike.
    fn draw_recovery_code(&self) -> Secret<String> {
        const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let mut bits = [0; 16];
        self.ports.randomness.fill(&mut bits);
        let letters: String = bits.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        let groups: Vec<&str> = (0..4).map(|group| &letters[group * 4..group * 4 + 4]).collect();
        Secret::new(groups.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    fn factor() -> SecondFactor {
        SecondFactor { secret: b"12345678901234567890".to_vec(), confirmed: None, last_step: 0, recovery: Vec::new() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // The last six of its eight digits.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert!(factor().take("a@example.org", code, at(seconds)).is_some(), "{seconds}");
            assert!(factor().take("a@example.org", code, at(seconds + 90)).is_none(), "{seconds}, too late");
        }
    }

    #[test]
    fn no_code_is_taken_twice_nor_one_before_it() {
        let taken = factor().take("a@example.org", "081804", at(1_111_111_109)).unwrap();
        assert!(taken.take("a@example.org", "081804", at(1_111_111_109)).is_none());
        assert!(taken.take("a@example.org", "081 804", at(1_111_111_120)).is_none());
        let later = taken.take("a@example.org", "050471", at(1_111_111_111)).unwrap();
        assert!(later.take("a@example.org", "081804", at(1_111_111_111)).is_none());
    }

    #[test]
    fn a_recovery_code_works_once() {
        let factor = SecondFactor { recovery: vec![recovery_hash("abcdefgh23456789")], ..factor() };
        let taken = factor.take("a@example.org", "ABCD-efgh-2345-6789", at(59)).unwrap();
        assert_eq!(taken.recovery_left(), 0);
        assert!(taken.take("a@example.org", "abcd-efgh-2345-6789", at(59)).is_none());
    }
}
