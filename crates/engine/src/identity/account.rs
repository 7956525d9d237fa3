//! One person on the whole server: an email address, a password, and which tenants to look in.

use serde::{Deserialize, Serialize};
use tidings_core::id::{TenantId, UserId, fingerprint};
use tidings_core::port::{RecordKey, Shelf};
use tidings_core::principal::Principal;
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::second_factor::SecondFactor;
use super::{IdentityError, hex, password};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::records::{Loaded, RecordChanges, Shelved};

/// A person as they are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    /// Who.
    pub id: UserId,
    /// In lower case.
    pub email: String,
    /// When the address was shown to be theirs; none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hash of the password; none before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What they show besides the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// Tenants that made them a member; which of them still hold, the tenants say.
    pub tenants: Vec<TenantId>,
    /// How many times they signed out everywhere. Sessions and grants opened at another count are worth
    /// nothing.
    #[serde(default)]
    pub sign_outs: u64,
    /// When they were made.
    pub created: Timestamp,
}

impl Shelved for AccountRecord {
    const SHELF: Shelf = Shelf::Account;
}

/// Whose an address is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EmailRecord {
    pub user: UserId,
}

impl Shelved for EmailRecord {
    const SHELF: Shelf = Shelf::Email;
}

/// A person as they see themselves.
#[derive(Debug, Clone, Serialize)]
pub struct AccountView {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// True once it was shown to be theirs.
    pub email_verified: bool,
    /// What they are called.
    pub name: Option<String>,
    /// True where signing in asks for a code.
    pub second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes_left: usize,
    /// The tenants they may enter.
    pub tenants: Vec<TenantId>,
    /// When they were made.
    pub created: Timestamp,
}

/// A text that is not an email address as we take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an email address: it has one `@`, a name before it and a host after it, and no blanks")]
pub struct EmailError;

/// An address in the one form that it is kept and found in.
pub(crate) fn normal_email(text: &str) -> Result<String, EmailError> {
    let text = text.trim().to_lowercase();
    let (local, host) = text.rsplit_once('@').ok_or(EmailError)?;
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|it| !it.is_whitespace() && !it.is_control() && !"<>(),;:\\\"[]@".contains(it))
    };
    let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..")
        || host == "localhost";
    if local.len() <= 64 && text.len() <= 254 && is_plain(local) && is_plain(host) && is_host {
        Ok(text)
    } else {
        Err(EmailError)
    }
}

pub(crate) fn account_key(user: UserId) -> RecordKey {
    RecordKey::of_server(Shelf::Account, user.to_string())
}

/// What an address is found by; the address itself is in no key.
pub(super) fn email_key(email: &str) -> RecordKey {
    RecordKey::of_server(Shelf::Email, hex(&fingerprint(&[b"email", email.as_bytes()])))
}

impl Engine {
    /// The account with an address.
    pub(crate) async fn account_of(&self, email: &str) -> Result<Option<Loaded<AccountRecord>>, IdentityError> {
        let Some(found) = self.load::<EmailRecord>(email_key(email)).await? else { return Ok(None) };
        Ok(self.load(account_key(found.value.user)).await?)
    }

    /// A new person and their address.
    pub(crate) fn new_account(&self, email: &str, tenant: &TenantId) -> (AccountRecord, RecordChanges) {
        // Whoever invites someone learns this id: it does not tell whether they had an account before.
        let id = UserId::from_bytes(self.draw_timeless_id());
        let account = AccountRecord {
            id,
            email: email.to_owned(),
            verified: None,
            name: None,
            password: None,
            second_factor: None,
            tenants: vec![tenant.clone()],
            sign_outs: 0,
            created: self.ports.clock.now(),
        };
        let changes = RecordChanges::default().create(email_key(email), &EmailRecord { user: id }, None);
        (account, changes)
    }

    /// The account of one who asks, as they see it.
    ///
    /// # Errors
    /// `NotFound` for one who has none: a key's user.
    pub async fn account(&self, principal: &Principal) -> Result<AccountView, IdentityError> {
        let AccountRecord { id, email, verified, name, second_factor, tenants, created, .. } =
            self.own_account(principal.user).await?.value;
        let confirmed = second_factor.filter(|factor| factor.confirmed.is_some());
        let mut entered = Vec::new();
        for tenant in tenants {
            if self.member(&tenant, id).await?.is_some() {
                entered.push(tenant);
            }
        }
        Ok(AccountView {
            id,
            email,
            email_verified: verified.is_some(),
            name,
            second_factor: confirmed.is_some(),
            recovery_codes_left: confirmed.map_or(0, |factor| factor.recovery_left()),
            tenants: entered,
            created,
        })
    }

    /// Changes what someone is called.
    ///
    /// # Errors
    /// `Invalid` for a name that is too long.
    pub async fn rename_account(&self, asker: Asker<'_>, name: Option<String>) -> Result<(), IdentityError> {
        if name.as_ref().is_some_and(|name| name.chars().count() > 100 || name.chars().any(char::is_control)) {
            let detail = "a name has at most 100 letters and no control characters";
            return Err(IdentityError::invalid("/name", "invalid_name", detail));
        }
        let account = self.own_account(asker.principal.user).await?;
        let changed = AccountRecord { name, ..account.value.clone() };
        self.write_records(Some(asker), RecordChanges::default().replace(&account, &changed), None).await?;
        Ok(())
    }

    /// Changes the password of one who knows the present one. Every session and grant ends, that of the
    /// one who asks as well.
    ///
    /// # Errors
    /// `Refused` where the present one is wrong, `Invalid` where the new one is weak.
    pub async fn change_password(
        &self,
        asker: Asker<'_>,
        present: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), IdentityError> {
        let account = self.own_account(asker.principal.user).await?;
        if !self.verify_password(present, account.value.password.as_deref()).await? {
            return Err(IdentityError::Refused);
        }
        password::judge(new, &account.value.email)?;
        let hash = self.hash_password(new).await?;
        let changed = Self::with_password(&account.value, hash);
        let (target, tenant) = (account.value.id.to_string(), &asker.principal.tenant);
        let audited = Change { action: "password.change", target, tenant, before: None, after: None };
        self.write_records(Some(asker), RecordChanges::default().replace(&account, &changed), Some(audited)).await?;
        Ok(())
    }

    /// The account with another password, all that was opened with the one before ended.
    pub(super) fn with_password(account: &AccountRecord, hash: String) -> AccountRecord {
        AccountRecord { password: Some(hash), sign_outs: account.sign_outs + 1, ..account.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        for (text, normal) in [
            ("Anna@Example.ORG", Some("anna@example.org")),
            (" a+b.c@mail.example.org ", Some("a+b.c@mail.example.org")),
            ("root@localhost", Some("root@localhost")),
            ("søren@example.org", Some("søren@example.org")),
            ("a@b", None),
            ("@example.org", None),
            ("a b@example.org", None),
            ("a@example..org", None),
            ("a@b@example.org", None),
            ("a@example.org\r\nBcc: b@example.org", None),
            ("a,b@example.org", None),
            ("<a@example.org>", None),
        ] {
            assert_eq!(normal_email(text).ok().as_deref(), normal, "{text:?}");
        }
        assert!(normal_email(&format!("{}@example.org", "a".repeat(65))).is_err());
    }
}
