//! What is kept of people outside a tenant because they were in it, taken away when the tenant is erased:
//! their sessions and links there, its providers of sign-ins, programs and what these were
//! given, and the accounts of those who are in no other.

use tidings_core::id::{SessionId, TenantId};
use tidings_core::port::{Fence, PortError, RecordKey};

use super::account::{AccountRecord, EmailRecord, account_key, email_key};
use super::link::LinkRecord;
use super::member::MemberRecord;
use super::session::{Opener, SessionRecord};
use crate::engine::Engine;
use crate::oauth::{ClientAt, GrantRecord};
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};
use crate::sso::{LoginRecord, ProviderRecord};

/// Records looked at together.
const AT_ONCE: usize = 200;

impl Engine {
    /// Forgets everyone who was in a tenant. Taken again, it goes on with those who are left: that they
    /// were members is erased with the tenant's own rows.
    ///
    /// # Errors
    /// When the store fails, or something was changed meanwhile.
    pub(crate) async fn forget_people(&self, tenant: &TenantId) -> Result<(), PortError> {
        let is_of_key = |key| self.control.key_of(key).is_some_and(|key| key.tenant == *tenant);
        let sessions = self.all::<SessionRecord>(&Fence::Server, |session| match &session.opener {
            Opener::Key(key) => is_of_key(*key),
            Opener::Account { tenant: of, .. } => of == tenant,
        });
        for session in sessions.await? {
            self.end_named(&session).await?;
        }
        let links = self.all::<LinkRecord>(&Fence::Server, |link| link.leads_into(tenant, is_of_key));
        for link in links.await? {
            self.change(RecordChanges::default().remove(&link)).await?;
        }
        for provider in self.all::<ProviderRecord>(&Fence::Server, |provider| provider.tenant == *tenant).await? {
            self.change(RecordChanges::default().remove(&provider)).await?;
        }
        for grant in self.all::<GrantRecord>(&Fence::Server, |grant| grant.tenant == *tenant).await? {
            self.change(RecordChanges::default().remove(&grant)).await?;
        }
        for client in self.all::<ClientAt>(&Fence::Server, |client| client.tenant == *tenant).await? {
            self.change(RecordChanges::default().remove(&client)).await?;
        }
        for member in self.all::<MemberRecord>(&Fence::Tenant(tenant.clone()), |_| true).await? {
            self.leave(&member.value, tenant).await?;
        }
        Ok(())
    }

    /// Takes a tenant off a person's list; one who is in no other is forgotten.
    async fn leave(&self, member: &MemberRecord, tenant: &TenantId) -> Result<(), PortError> {
        let Some(account) = self.load::<AccountRecord>(account_key(member.user)).await? else { return Ok(()) };
        let mut tenants = account.value.tenants.clone();
        tenants.retain(|of| of != tenant);
        if !tenants.is_empty() {
            let changed = AccountRecord { tenants, ..account.value.clone() };
            return self.change(RecordChanges::default().replace(&account, &changed)).await;
        }
        let user = account.value.id;
        let of_user = self.all::<SessionRecord>(&Fence::Server, |session| session.user == user);
        for session in of_user.await? {
            self.end_named(&session).await?;
        }
        for login in self.all::<LoginRecord>(&Fence::Server, |login| login.user == user).await? {
            self.change(RecordChanges::default().remove(&login)).await?;
        }
        let mut changes = RecordChanges::default().remove(&account);
        if let Some(email) = self.load::<EmailRecord>(email_key(&account.value.email)).await? {
            changes = changes.remove(&email);
        }
        self.change(changes).await
    }

    async fn end_named(&self, session: &Loaded<SessionRecord>) -> Result<(), PortError> {
        match session.key.name().parse::<SessionId>() {
            Ok(id) => self.end_session(session.value.user, id).await.map(drop),
            Err(_) => self.change(RecordChanges::default().remove(session)).await,
        }
    }

    /// Every record of a kind that is asked for.
    async fn all<T: Shelved>(&self, fence: &Fence, asked: impl Fn(&T) -> bool) -> Result<Vec<Loaded<T>>, PortError> {
        let mut found = Vec::new();
        let mut after: Option<RecordKey> = None;
        loop {
            let page = self.load_all::<T>(fence, "", after.as_ref().map(RecordKey::name), AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.key.clone());
            found.extend(page.into_iter().filter(|loaded| asked(&loaded.value)));
        }
    }

    async fn change(&self, changes: RecordChanges) -> Result<(), PortError> {
        self.write_records(None, changes, None).await.map_err(|fault| match fault {
            WriteFault::Conflict => PortError::later("forget the people of a tenant", "one was changed meanwhile"),
            WriteFault::Store(fault) => fault,
        })
    }
}
