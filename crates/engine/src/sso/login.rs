//! Logins at other providers, each linked to one account.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{UserId, fingerprint};
use tidings_core::permission::RoleName;
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::principal::{Credential, Principal};
use tidings_core::time::Timestamp;

use super::flow::CallbackFault;
use super::person::Person;
use super::provider::ProviderRecord;
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::identity::{AccountRecord, IdentityError, MemberRecord, account_key, hex, member_key};
use crate::records::{Loaded, RecordChanges, Shelved};

/// Logins of one account.
const LOGINS_MAX: usize = 20;

/// A login as it is kept: under the hash of issuer and subject, and once more under its user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoginRecord {
    pub user: UserId,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub linked: Timestamp,
}

impl Shelved for LoginRecord {
    const SHELF: Shelf = Shelf::Login;
}

/// A login as its owner sees it.
#[derive(Debug, Clone, Serialize)]
pub struct LoginView {
    /// By what it is unlinked.
    pub id: String,
    /// At which provider.
    pub provider: String,
    /// Who they are there.
    pub subject: String,
    /// The address that the provider has verified.
    pub email: Option<String>,
    /// When it was linked.
    pub linked: Timestamp,
}

/// Providers with the same issuer share their people.
pub(super) fn hash_of_login(issuer: &str, subject: &str) -> [u8; 16] {
    fingerprint(&[b"login", issuer.as_bytes(), subject.as_bytes()])
}

fn hash(provider: &ProviderRecord, person: &Person) -> String {
    hex(&hash_of_login(&provider.issuer, &person.subject))
}

pub(super) fn view(login: Loaded<LoginRecord>) -> LoginView {
    let id = login.key.name().rsplit('/').next().unwrap_or_default().to_owned();
    let LoginRecord { provider, subject, email, linked, .. } = login.value;
    LoginView { id, provider, subject, email, linked }
}

pub(super) fn login_key(hash: &str) -> RecordKey {
    RecordKey::of_server(Shelf::Login, format!("id/{hash}"))
}

fn login_of_key(user: UserId, hash: &str) -> RecordKey {
    RecordKey::of_server(Shelf::Login, format!("of/{user}/{hash}"))
}

impl Engine {
    /// The account that a person signs in to; made, joined or linked where that is safe.
    pub(super) async fn account_by_login(
        &self,
        provider: &ProviderRecord,
        person: &Person,
    ) -> Result<AccountRecord, CallbackFault> {
        let email = person.email.as_ref().filter(|email| provider.lets_in(email)).ok_or(CallbackFault::Address)?;
        let role = role_of(provider, person)?;
        let hash = hash(provider, person);
        if let Some(login) = self.load::<LoginRecord>(login_key(&hash)).await? {
            let account = self.load::<AccountRecord>(account_key(login.value.user)).await?;
            let account = account.ok_or(CallbackFault::NotInvited)?;
            self.follow_role(provider, account.value.id, role).await?;
            return Ok(account.value);
        }
        match self.account_of(email).await? {
            Some(account) => self.take_up_invitation(provider, person, account, role, &hash).await,
            None => self.make_account(provider, person, email, role, &hash).await,
        }
    }

    /// An account without a password was only invited: whoever has its address may take it up.
    async fn take_up_invitation(
        &self,
        provider: &ProviderRecord,
        person: &Person,
        account: Loaded<AccountRecord>,
        role: Option<RoleName>,
        hash: &str,
    ) -> Result<AccountRecord, CallbackFault> {
        let user = account.value.id;
        if account.value.password.is_some() || account.value.verified.is_some() {
            return Err(CallbackFault::LinkFirst);
        }
        let member = self.load::<MemberRecord>(member_key(&provider.tenant, user)).await?;
        let member = member.ok_or(CallbackFault::LinkFirst)?;
        let now = self.ports.clock.now();
        let changed = AccountRecord { verified: Some(now), ..account.value.clone() };
        let role = role.unwrap_or_else(|| member.value.role.clone());
        let joined = MemberRecord { joined: Some(now), role, ..member.value.clone() };
        let changes = RecordChanges::default().replace(&account, &changed).replace(&member, &joined);
        let changes = changes.and(self.linked(provider, person, user, hash));
        self.write_login(provider, "user.join", user, &joined.role, changes).await?;
        Ok(changed)
    }

    async fn make_account(
        &self,
        provider: &ProviderRecord,
        person: &Person,
        email: &str,
        role: Option<RoleName>,
        hash: &str,
    ) -> Result<AccountRecord, CallbackFault> {
        let role = role.or_else(|| provider.default_role.clone()).ok_or(CallbackFault::NotInvited)?;
        let now = self.ports.clock.now();
        let (account, changes) = self.new_account(email, &provider.tenant);
        let name =
            person.name.clone().filter(|name| name.chars().count() <= 100 && !name.chars().any(char::is_control));
        let account = AccountRecord { verified: Some(now), name, ..account };
        let user = account.id;
        let member = MemberRecord {
            user,
            invited: email.to_owned(),
            role,
            joined: Some(now),
            disabled: false,
            cut: None,
            created: now,
        };
        let changes = changes
            .create(account_key(user), &account, None)
            .create(member_key(&provider.tenant, user), &member, None)
            .and(self.linked(provider, person, user, hash));
        self.write_login(provider, "user.join", user, &member.role, changes).await?;
        Ok(account)
    }

    /// Gives a member the role that the provider says, where it says roles.
    async fn follow_role(
        &self,
        provider: &ProviderRecord,
        user: UserId,
        role: Option<RoleName>,
    ) -> Result<(), CallbackFault> {
        let Some(role) = role else { return Ok(()) };
        let member = self.load::<MemberRecord>(member_key(&provider.tenant, user)).await?;
        let Some(member) = member.filter(|member| member.value.role != role) else { return Ok(()) };
        let changed = MemberRecord { role, ..member.value.clone() };
        let changes = RecordChanges::default().replace(&member, &changed);
        self.write_login(provider, "user.change", user, &changed.role, changes).await
    }

    async fn write_login(
        &self,
        provider: &ProviderRecord,
        action: &'static str,
        user: UserId,
        role: &RoleName,
        changes: RecordChanges,
    ) -> Result<(), CallbackFault> {
        let audited = Change {
            action,
            target: user.to_string(),
            tenant: &provider.tenant,
            before: None,
            after: Some(json!({ "role": role, "provider": provider.name })),
        };
        Ok(self.write_records(None, changes, Some(audited)).await?)
    }

    fn linked(&self, provider: &ProviderRecord, person: &Person, user: UserId, hash: &str) -> RecordChanges {
        let login = LoginRecord {
            user,
            provider: provider.name.clone(),
            issuer: provider.issuer.clone(),
            subject: person.subject.clone(),
            email: person.email.clone(),
            linked: self.ports.clock.now(),
        };
        RecordChanges::default().create(login_key(hash), &login, None).create(login_of_key(user, hash), &login, None)
    }

    /// Links a login to the account of one who is signed in here while they signed in there.
    pub(super) async fn link_login(
        &self,
        provider: &ProviderRecord,
        person: &Person,
        user: UserId,
    ) -> Result<(), CallbackFault> {
        let hash = hash(provider, person);
        if let Some(login) = self.load::<LoginRecord>(login_key(&hash)).await? {
            return if login.value.user == user { Ok(()) } else { Err(CallbackFault::Taken) };
        }
        if self.load::<AccountRecord>(account_key(user)).await?.is_none() {
            return Err(CallbackFault::State);
        }
        let prefix = format!("of/{user}/");
        if self.load_all::<LoginRecord>(&Fence::Server, &prefix, None, LOGINS_MAX).await?.len() >= LOGINS_MAX {
            return Err(CallbackFault::TooMany);
        }
        let audited = Change {
            action: "login.link",
            target: user.to_string(),
            tenant: &provider.tenant,
            before: None,
            after: Some(json!({ "provider": provider.name })),
        };
        Ok(self.write_records(None, self.linked(provider, person, user, &hash), Some(audited)).await?)
    }

    /// Takes every login off an account that gets its first password: whoever linked them was known by
    /// the word of a provider alone.
    pub(crate) async fn without_logins(&self, user: UserId) -> Result<RecordChanges, PortError> {
        let prefix = format!("of/{user}/");
        let mut changes = RecordChanges::default();
        for of in self.load_all::<LoginRecord>(&Fence::Server, &prefix, None, LOGINS_MAX).await? {
            let hash = of.key.name().rsplit('/').next().unwrap_or_default().to_owned();
            if let Some(login) = self.load::<LoginRecord>(login_key(&hash)).await? {
                changes = changes.remove(&login);
            }
            changes = changes.remove(&of);
        }
        Ok(changes)
    }

    /// The logins that are linked to the account of one who asks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn logins(&self, principal: &Principal) -> Result<Vec<LoginView>, IdentityError> {
        let prefix = format!("of/{}/", principal.user);
        let found = self.load_all::<LoginRecord>(&Fence::Server, &prefix, None, LOGINS_MAX).await?;
        Ok(found.into_iter().map(view).collect())
    }

    /// Takes a login off the account of one who asks. The last way in stays.
    ///
    /// # Errors
    /// `NotFound` where there is none, `Conflict` where nothing else lets them in.
    pub async fn unlink_login(&self, asker: Asker<'_>, id: &str) -> Result<(), IdentityError> {
        let user = asker.principal.user;
        if let Credential::Session(session) = asker.principal.credential
            && self.opening_of(session).await?.is_some_and(|opening| opening.by.is_some())
        {
            let detail = "sign in with the password of your account to take a login off it";
            return Err(IdentityError::NotPermitted(detail.to_owned()));
        }
        if !is_hash(id) {
            return Err(IdentityError::NotFound("login"));
        }
        let of = self.load::<LoginRecord>(login_of_key(user, id)).await?.ok_or(IdentityError::NotFound("login"))?;
        let login = self.load::<LoginRecord>(login_key(id)).await?.ok_or(IdentityError::NotFound("login"))?;
        let account = self.own_account(user).await?;
        if account.value.password.is_none() && self.logins(asker.principal).await?.len() < 2 {
            let detail = "nothing else lets you in: ask for a password first, by `Forgot your password?`";
            return Err(IdentityError::Conflict(detail.to_owned()));
        }
        let audited = Change {
            action: "login.unlink",
            target: user.to_string(),
            tenant: &asker.principal.tenant,
            before: Some(json!({ "provider": login.value.provider })),
            after: None,
        };
        self.write_records(Some(asker), RecordChanges::default().remove(&login).remove(&of), Some(audited)).await?;
        Ok(())
    }
}

/// True for what a login's id looks like.
pub(super) fn is_hash(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The role that the provider's claims give; none where it says none and need not.
fn role_of(provider: &ProviderRecord, person: &Person) -> Result<Option<RoleName>, CallbackFault> {
    if provider.role_claim.is_none() {
        return Ok(None);
    }
    let given = provider.roles.iter().find(|(value, _)| person.groups.contains(value)).map(|(_, role)| role.clone());
    match given.or_else(|| provider.default_role.clone()) {
        Some(role) => Ok(Some(role)),
        None => Err(CallbackFault::NotInvited),
    }
}
