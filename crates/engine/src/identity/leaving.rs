//! What is kept of people outside a tenant because they were in it, taken away when the tenant is erased:
//! their sessions and links there, its providers of sign-ins, programs and what these were
//! given, and the accounts of those who are in no other.

use tidings_core::id::{SessionId, TenantId};
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};

use super::account::{AccountRecord, EmailRecord, account_key, email_key};
use super::link::LinkRecord;
use super::member::MemberRecord;
use super::session::{Opener, SessionOf, SessionRecord, session_key};
use crate::engine::Engine;
use crate::oauth::{ClientAt, CodeRecord, DeviceOf, DeviceRecord, GrantRecord};
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};
use crate::sso::{LoginRecord, Pending, ProviderRecord};

/// Records looked at together.
const AT_ONCE: usize = 200;

impl Engine {
    /// Forgets everyone who was in a tenant; how many records that took. Taken again, it goes on with those
    /// who are left: that they were members is erased with the tenant's own rows.
    ///
    /// # Errors
    /// When the store fails, or something was changed meanwhile.
    pub(crate) async fn forget_people(&self, tenant: &TenantId) -> Result<usize, PortError> {
        // Those whose end has passed are read by nobody, and still stored.
        self.sweep_records().await?;
        let mut forgotten = 0;
        // What a key that is gone has left behind opens nothing, in whose tenant it ever was.
        let is_of_key = |key| self.control.key_of(key).is_none_or(|key| key.tenant == *tenant);
        let sessions = self.all::<SessionRecord>(&Fence::Server, |session| match &session.opener {
            Opener::Key(key) => is_of_key(*key),
            Opener::Account { tenant: of, .. } => of == tenant,
        });
        for session in sessions.await? {
            self.end_named(&session).await?;
            forgotten += 1;
        }
        forgotten += self.forget::<LinkRecord>(|link| link.leads_into(tenant, is_of_key)).await?;
        forgotten += self.forget::<ProviderRecord>(|provider| provider.tenant == *tenant).await?;
        forgotten += self.forget::<GrantRecord>(|grant| grant.tenant == *tenant).await?;
        forgotten += self.forget::<CodeRecord>(|code| code.tenant == *tenant).await?;
        forgotten += self.forget::<DeviceRecord>(|device| device.tenant == *tenant).await?;
        forgotten += self.forget::<ClientAt>(|client| client.tenant == *tenant).await?;
        for member in self.all::<MemberRecord>(&Fence::Tenant(tenant.clone()), |_| true).await? {
            forgotten += usize::from(self.leave(&member.value, tenant).await?);
        }
        Ok(forgotten + self.forget_stumps().await?)
    }

    /// Takes away rows that lead to what is gone: they hold ids of people, and nothing leads on from them.
    async fn forget_stumps(&self) -> Result<usize, PortError> {
        let mut sessions = Vec::new();
        for row in self.all::<SessionOf>(&Fence::Server, |_| true).await? {
            let id = row.key.name().rsplit('/').next().and_then(|id| id.parse::<SessionId>().ok());
            let leads_on = match id {
                Some(id) => self.load::<SessionRecord>(session_key(id)).await?.is_some(),
                None => false,
            };
            sessions.extend(Some(row).filter(|_| !leads_on));
        }
        let mut devices = Vec::new();
        for row in self.all::<DeviceOf>(&Fence::Server, |_| true).await? {
            let device = RecordKey::of_server(Shelf::Device, row.value.name.clone());
            let leads_on = self.load::<DeviceRecord>(device).await?.is_some();
            devices.extend(Some(row).filter(|_| !leads_on));
        }
        let mut pending = Vec::new();
        for row in self.all::<Pending>(&Fence::Server, |_| true).await? {
            let leads_on = self.provider(&row.value.provider).await?.is_some();
            pending.extend(Some(row).filter(|_| !leads_on));
        }
        Ok(self.remove_all(&sessions).await? + self.remove_all(&devices).await? + self.remove_all(&pending).await?)
    }

    /// Takes a tenant off a person's list; one who is in no other is forgotten. False where that was done
    /// before.
    async fn leave(&self, member: &MemberRecord, tenant: &TenantId) -> Result<bool, PortError> {
        let Some(account) = self.load::<AccountRecord>(account_key(member.user)).await? else { return Ok(false) };
        if !account.value.tenants.contains(tenant) && !account.value.tenants.is_empty() {
            return Ok(false);
        }
        let mut tenants = account.value.tenants.clone();
        tenants.retain(|of| of != tenant);
        if !tenants.is_empty() {
            let changed = AccountRecord { tenants, ..account.value.clone() };
            self.change(RecordChanges::default().replace(&account, &changed)).await?;
            return Ok(true);
        }
        let user = account.value.id;
        let of_user = self.all::<SessionRecord>(&Fence::Server, |session| session.user == user);
        for session in of_user.await? {
            self.end_named(&session).await?;
        }
        self.forget::<LoginRecord>(|login| login.user == user).await?;
        self.forget::<LinkRecord>(|link| link.is_for(user)).await?;
        let mut changes = RecordChanges::default().remove(&account);
        if let Some(email) = self.load::<EmailRecord>(email_key(&account.value.email)).await? {
            changes = changes.remove(&email);
        }
        self.change(changes).await?;
        Ok(true)
    }

    async fn end_named(&self, session: &Loaded<SessionRecord>) -> Result<(), PortError> {
        match session.key.name().parse::<SessionId>() {
            Ok(id) => self.end_session(session.value.user, id).await.map(drop),
            Err(_) => self.change(RecordChanges::default().remove(session)).await,
        }
    }

    /// Takes away every record of a kind that is asked for; how many.
    async fn forget<T: Shelved>(&self, asked: impl Fn(&T) -> bool) -> Result<usize, PortError> {
        self.remove_all(&self.all::<T>(&Fence::Server, asked).await?).await
    }

    async fn remove_all<T: Shelved>(&self, found: &[Loaded<T>]) -> Result<usize, PortError> {
        for some in found.chunks(AT_ONCE) {
            self.change(some.iter().fold(RecordChanges::default(), RecordChanges::remove)).await?;
        }
        Ok(found.len())
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
