//! Links that work once: the first Admin, invitations, a forgotten password, an address to verify, and
//! the built-in page.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{KeyId, TenantId, UserId};
use tidings_core::permission::Role;
use tidings_core::port::{PortError, RecordKey, Shelf};
use tidings_core::principal::Principal;
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::account::{AccountRecord, EmailRecord, account_key, email_key, normal_email};
use super::member::{MemberRecord, member_key};
use super::{IdentityError, draw_secret, key_of_secret, password};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::records::{Loaded, RecordChanges, Shelved};

const MINUTE: i64 = 60_000;

/// What a link is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub(super) enum LinkPurpose {
    /// Makes the first Admin of the server.
    FirstAdmin,
    /// Takes an invitation up.
    Invitation { user: UserId, tenant: TenantId },
    /// Sets a new password.
    Reset {
        user: UserId,
        /// The account's count when it was sent: a later change of password ends it.
        sign_outs: u64,
    },
    /// Makes an address someone's.
    Email {
        user: UserId,
        email: String,
        /// As for a new password.
        sign_outs: u64,
        /// The address it is to take the place of.
        was: String,
    },
    /// Opens the built-in page as a key.
    Page { key: KeyId },
}

/// A link as it is kept, under the hash of its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LinkRecord {
    #[serde(flatten)]
    purpose: LinkPurpose,
    created: Timestamp,
}

impl Shelved for LinkRecord {
    const SHELF: Shelf = Shelf::Link;
}

impl LinkRecord {
    pub fn new(purpose: LinkPurpose, now: Timestamp) -> Self {
        Self { purpose, created: now }
    }

    /// True for a way into a tenant: an invitation, or the page as one of its keys.
    pub fn leads_into(&self, tenant: &TenantId, is_of_key: impl Fn(KeyId) -> bool) -> bool {
        match &self.purpose {
            LinkPurpose::Invitation { tenant: into, .. } => into == tenant,
            LinkPurpose::Page { key } => is_of_key(*key),
            LinkPurpose::FirstAdmin | LinkPurpose::Reset { .. } | LinkPurpose::Email { .. } => false,
        }
    }

    /// True for one that was sent to a person as whoever they are, in no tenant.
    pub fn is_for(&self, person: UserId) -> bool {
        matches!(&self.purpose, LinkPurpose::Reset { user, .. } | LinkPurpose::Email { user, .. } if *user == person)
    }

    /// How long it can be used.
    fn minutes(&self) -> i64 {
        match self.purpose {
            LinkPurpose::Page { .. } => 10,
            LinkPurpose::Reset { .. } => 60,
            LinkPurpose::FirstAdmin | LinkPurpose::Email { .. } => 24 * 60,
            LinkPurpose::Invitation { .. } => 7 * 24 * 60,
        }
    }
}

/// What using a link has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// There is an account with a password now; one signs in with it.
    Account,
    /// The address is theirs.
    Email,
}

/// The name of the record that says that the first Admin was made.
fn first_admin_key() -> RecordKey {
    RecordKey::of_server(Shelf::Email, "first_admin")
}

impl Engine {
    /// Draws a link's secret; the changes make it work.
    pub(super) fn draw_link(&self, link: &LinkRecord) -> (Secret<String>, RecordChanges) {
        let secret = draw_secret(self);
        let ends = link.created.plus_millis(link.minutes() * MINUTE);
        let key = key_of_secret(Shelf::Link, secret.reveal());
        (secret, RecordChanges::default().create(key, link, Some(ends)))
    }

    async fn make_link(&self, purpose: LinkPurpose) -> Result<Secret<String>, IdentityError> {
        let (secret, changes) = self.draw_link(&LinkRecord::new(purpose, self.ports.clock.now()));
        self.write_records(None, changes, None).await?;
        Ok(secret)
    }

    /// A link that makes the first Admin, within a day; none once there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_admin_link(&self) -> Result<Option<Secret<String>>, IdentityError> {
        if self.load::<EmailRecord>(first_admin_key()).await?.is_some() {
            return Ok(None);
        }
        self.make_link(LinkPurpose::FirstAdmin).await.map(Some)
    }

    /// A link that opens the built-in page as a key, within ten minutes; none for one who came without.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page_link(&self, principal: &Principal) -> Result<Option<Secret<String>>, IdentityError> {
        match principal.credential.key() {
            Some(key) => self.make_link(LinkPurpose::Page { key }).await.map(Some),
            None => Ok(None),
        }
    }

    /// Sends a link for a new password to an address, if someone has it. The answer is the same, and as
    /// quick, either way.
    pub fn forgot_password(self: &std::sync::Arc<Self>, email: &str) {
        let Ok(email) = normal_email(email) else { return };
        let engine = std::sync::Arc::clone(self);
        tokio::spawn(async move {
            if let Err(fault) = engine.send_reset(&email).await {
                tracing::warn!("no link for a new password was sent: {fault}");
            }
        });
    }

    async fn send_reset(&self, email: &str) -> Result<(), IdentityError> {
        let Some(account) = self.account_of(email).await? else { return Ok(()) };
        // An address that was never shown to be theirs may be a stranger's.
        if account.value.verified.is_none() {
            return Ok(());
        }
        let secret =
            self.make_link(LinkPurpose::Reset { user: account.value.id, sign_outs: account.value.sign_outs }).await?;
        self.send_reset_link(&account.value.email, &secret);
        Ok(())
    }

    /// Sends a link to an address that is to be someone's; it becomes theirs when they use it.
    ///
    /// # Errors
    /// `Invalid` for what is no address, `Refused` where the password is wrong.
    pub async fn change_email(
        &self,
        asker: Asker<'_>,
        email: &str,
        password: &Secret<String>,
    ) -> Result<(), IdentityError> {
        let account = self.own_account(asker.principal.user).await?;
        let email = normal_email(email);
        let email = email.map_err(|fault| IdentityError::invalid("/email", "invalid_email", fault.to_string()))?;
        if !self.verify_password(password, account.value.password.as_deref()).await? {
            return Err(IdentityError::Refused);
        }
        // An address of another is found out by its link only, which they alone get.
        if self.account_of(&email).await?.is_none() {
            let purpose = email_purpose(&account.value, email.clone());
            let secret = self.make_link(purpose).await?;
            self.send_email_link(&email, &secret);
            self.send_change_notice(&account.value.email, &email);
        }
        Ok(())
    }

    /// Uses a link. Those that make an account or a new password take the password, the first Admin's
    /// their address besides.
    ///
    /// # Errors
    /// `LinkGone` where it was used, has ended or never was; `Invalid` where what it takes is not right, and
    /// then it can be used again.
    pub async fn redeem_link(
        &self,
        secret: &str,
        email: Option<&str>,
        password: Option<&Secret<String>>,
        correlation_id: &str,
    ) -> Result<Redeemed, IdentityError> {
        let link = self.load::<LinkRecord>(key_of_secret(Shelf::Link, secret)).await?;
        let link = link.ok_or(IdentityError::LinkGone)?;
        match link.value.purpose.clone() {
            LinkPurpose::FirstAdmin => self.make_first_admin(&link, email, password, correlation_id).await,
            LinkPurpose::Invitation { user, tenant } => self.join(&link, user, &tenant, password).await,
            LinkPurpose::Reset { user, sign_outs } => self.reset(&link, user, sign_outs, password).await,
            LinkPurpose::Email { user, email, sign_outs, was } => {
                self.take_email(&link, (user, sign_outs, &was), &email, password).await
            }
            LinkPurpose::Page { .. } => Err(IdentityError::LinkGone),
        }
    }

    /// The key that a link to the built-in page stands for; the link is used up.
    pub(super) async fn redeem_page_link(&self, secret: &str) -> Result<Option<KeyId>, IdentityError> {
        let Some(link) = self.load::<LinkRecord>(key_of_secret(Shelf::Link, secret)).await? else { return Ok(None) };
        let LinkPurpose::Page { key } = link.value.purpose else { return Ok(None) };
        match self.write_records(None, RecordChanges::default().remove(&link), None).await {
            Ok(()) => Ok(Some(key)),
            Err(crate::records::WriteFault::Conflict) => Ok(None),
            Err(crate::records::WriteFault::Store(fault)) => Err(fault.into()),
        }
    }

    async fn make_first_admin(
        &self,
        link: &Loaded<LinkRecord>,
        email: Option<&str>,
        password: Option<&Secret<String>>,
        correlation_id: &str,
    ) -> Result<Redeemed, IdentityError> {
        let tenant = TenantId::default_tenant();
        let email = normal_email(email.unwrap_or_default());
        let email = email.map_err(|fault| IdentityError::invalid("/email", "invalid_email", fault.to_string()))?;
        let hash = self.judged_hash(password, &email).await?;
        let now = self.ports.clock.now();
        let (account, changes) = self.new_account(&email, &tenant);
        // Whoever reads the server's terminal may use any address; that it is theirs is yet to be shown.
        let account = AccountRecord { password: Some(hash), ..account };
        let role = Role::Admin.into();
        let member = MemberRecord {
            user: account.id,
            invited: email.clone(),
            role,
            joined: Some(now),
            disabled: false,
            cut: None,
            created: now,
        };
        let changes = changes
            .create(account_key(account.id), &account, None)
            .create(member_key(&tenant, account.id), &member, None)
            .create(first_admin_key(), &EmailRecord { user: account.id }, None)
            .remove(link);
        let audited = Change {
            action: "user.first_admin",
            target: account.id.to_string(),
            tenant: &tenant,
            before: None,
            after: Some(json!({ "email": email, "role": member.role, "request": correlation_id })),
        };
        self.write_records(None, changes, Some(audited)).await.map_err(gone)?;
        let verify = self.make_link(email_purpose(&account, email.clone())).await?;
        self.send_email_link(&email, &verify);
        Ok(Redeemed::Account)
    }

    async fn join(
        &self,
        link: &Loaded<LinkRecord>,
        user: UserId,
        tenant: &TenantId,
        password: Option<&Secret<String>>,
    ) -> Result<Redeemed, IdentityError> {
        let account = self.load::<AccountRecord>(account_key(user)).await?.ok_or(IdentityError::LinkGone)?;
        let member = self.load::<MemberRecord>(member_key(tenant, user)).await?.ok_or(IdentityError::LinkGone)?;
        let now = self.ports.clock.now();
        let mut changed = AccountRecord { verified: account.value.verified.or(Some(now)), ..account.value.clone() };
        match &account.value.password {
            Some(hash) => {
                let Some(given) = password else { return Err(password_needed("your password, to join")) };
                if !self.verify_password(given, Some(hash)).await? {
                    return Err(IdentityError::Refused);
                }
            }
            None => {
                changed.password = Some(self.judged_hash(password, &account.value.email).await?);
                changed.sign_outs += 1;
            }
        }
        let joined = MemberRecord { joined: Some(now), ..member.value.clone() };
        let mut changes = RecordChanges::default().replace(&account, &changed).replace(&member, &joined).remove(link);
        if account.value.password.is_none() {
            changes = changes.and(self.without_logins(user).await?);
        }
        let audited = Change {
            action: "user.join",
            target: user.to_string(),
            tenant,
            before: None,
            after: Some(json!({ "role": joined.role })),
        };
        self.write_records(None, changes, Some(audited)).await.map_err(gone)?;
        Ok(Redeemed::Account)
    }

    async fn reset(
        &self,
        link: &Loaded<LinkRecord>,
        user: UserId,
        sign_outs: u64,
        password: Option<&Secret<String>>,
    ) -> Result<Redeemed, IdentityError> {
        let account = self.load::<AccountRecord>(account_key(user)).await?;
        let account = account.filter(|it| it.value.sign_outs == sign_outs).ok_or(IdentityError::LinkGone)?;
        let hash = self.judged_hash(password, &account.value.email).await?;
        let changed = Self::with_password(&account.value, hash);
        let changes = RecordChanges::default().replace(&account, &changed).remove(link);
        let tenant = account.value.tenants.first().cloned().unwrap_or_else(TenantId::default_tenant);
        let audited =
            Change { action: "password.reset", target: user.to_string(), tenant: &tenant, before: None, after: None };
        self.write_records(None, changes, Some(audited)).await.map_err(gone)?;
        Ok(Redeemed::Account)
    }

    /// Whoever reads the mailbox shows the account's password besides: an address may be mistyped.
    async fn take_email(
        &self,
        link: &Loaded<LinkRecord>,
        (user, sign_outs, was): (UserId, u64, &str),
        email: &str,
        password: Option<&Secret<String>>,
    ) -> Result<Redeemed, IdentityError> {
        let account = self.load::<AccountRecord>(account_key(user)).await?;
        let account = account.filter(|it| it.value.sign_outs == sign_outs && it.value.email == was);
        let account = account.ok_or(IdentityError::LinkGone)?;
        let Some(given) = password else { return Err(password_needed("your password")) };
        if !self.verify_password(given, account.value.password.as_deref()).await? {
            return Err(IdentityError::Refused);
        }
        let now = self.ports.clock.now();
        let changed = AccountRecord { email: email.to_owned(), verified: Some(now), ..account.value.clone() };
        let mut changes = RecordChanges::default().replace(&account, &changed).remove(link);
        if account.value.email != email {
            let before = self.load::<EmailRecord>(email_key(&account.value.email)).await?;
            changes = changes.create(email_key(email), &EmailRecord { user }, None);
            if let Some(before) = before {
                changes = changes.remove(&before);
            }
        }
        let tenant = account.value.tenants.first().cloned().unwrap_or_else(TenantId::default_tenant);
        let audited =
            Change { action: "email.change", target: user.to_string(), tenant: &tenant, before: None, after: None };
        self.write_records(None, changes, Some(audited)).await.map_err(gone)?;
        Ok(Redeemed::Email)
    }

    async fn judged_hash(&self, new: Option<&Secret<String>>, email: &str) -> Result<String, IdentityError> {
        let new = new.ok_or_else(|| password_needed("a password"))?;
        password::judge(new, email)?;
        self.hash_password(new).await
    }
}

/// A link that makes an address someone's, as their account is now.
fn email_purpose(account: &AccountRecord, email: String) -> LinkPurpose {
    LinkPurpose::Email { user: account.id, email, sign_outs: account.sign_outs, was: account.email.clone() }
}

fn password_needed(what: &str) -> IdentityError {
    IdentityError::invalid("/password", "missing", format!("this link takes `password`: {what}"))
}

/// A link that someone else has used meanwhile is gone.
fn gone(fault: crate::records::WriteFault) -> IdentityError {
    match fault {
        crate::records::WriteFault::Conflict => IdentityError::LinkGone,
        crate::records::WriteFault::Store(fault) => PortError::into(fault),
    }
}
