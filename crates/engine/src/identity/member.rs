//! A person in a tenant: invited, as what, and taken out again.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{TenantId, UserId};
use tidings_core::permission::RoleName;
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::principal::{Issuers, Principal};
use tidings_core::time::Timestamp;

use super::IdentityError;
use super::account::{AccountRecord, account_key, normal_email};
use super::link::{LinkPurpose, LinkRecord};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Expected;
use crate::records::{Loaded, RecordChanges, Shelved};

/// Tenants that one person may be a member of.
const TENANTS_MAX: usize = 100;

/// A person in a tenant as they are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    /// Who.
    pub user: UserId,
    /// The address they were invited by.
    pub invited: String,
    /// As what they act.
    pub role: RoleName,
    /// When they took the invitation up; none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
    /// True where they may not enter for now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// When they were last disabled: what was opened before stays shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Timestamp>,
    /// When they were invited.
    pub created: Timestamp,
}

impl MemberRecord {
    /// True for what was opened since they joined, and since they were disabled last: neither a session nor a
    /// program comes back with someone who does.
    pub fn holds_since(&self, opened: Timestamp) -> bool {
        [self.joined, self.cut].into_iter().flatten().all(|since| since <= opened)
    }
}

impl Shelved for MemberRecord {
    const SHELF: Shelf = Shelf::Member;
}

/// Whether a member may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// They have not taken the invitation up.
    Invited,
    /// They may.
    Active,
    /// They may not for now.
    Disabled,
}

/// A member as those see them who make users.
#[derive(Debug, Clone, Serialize)]
pub struct MemberView {
    /// Who.
    pub id: UserId,
    /// The address that they were invited by.
    pub email: String,
    /// As what they act.
    pub role: RoleName,
    /// Whether they may enter.
    pub state: MemberState,
    /// When they were invited.
    pub created: Timestamp,
    /// How many times they were changed, from 1.
    pub revision: u64,
}

/// Who is to be invited.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Where the invitation goes.
    pub email: String,
    /// As what they are to act.
    pub role: RoleName,
}

fn view(member: &Loaded<MemberRecord>) -> MemberView {
    let MemberRecord { user, invited, role, joined, disabled, created, .. } = member.value.clone();
    let state = match joined {
        _ if disabled => MemberState::Disabled,
        None => MemberState::Invited,
        Some(_) => MemberState::Active,
    };
    MemberView { id: user, email: invited, role, state, created, revision: member.revision }
}

pub(crate) fn member_key(tenant: &TenantId, user: UserId) -> RecordKey {
    RecordKey::new(Fence::Tenant(tenant.clone()), Shelf::Member, user.to_string())
}

impl Engine {
    /// A person's membership, where it lets them enter.
    pub(crate) async fn member(&self, tenant: &TenantId, user: UserId) -> Result<Option<MemberRecord>, PortError> {
        let known = self.load_known::<MemberRecord>(member_key(tenant, user)).await?;
        Ok(known.map(|known| known.value.clone()).filter(|member| member.joined.is_some() && !member.disabled))
    }

    /// Invites someone into the tenant of the one who asks; the link goes to their address. Whether they
    /// have an account elsewhere is not said.
    ///
    /// # Errors
    /// `NotPermitted` where the role may do more than the one who asks, `Conflict` for a member.
    pub async fn invite(&self, asker: Asker<'_>, new: NewMember) -> Result<MemberView, IdentityError> {
        let tenant = &asker.principal.tenant;
        let email = normal_email(&new.email);
        let email = email.map_err(|fault| IdentityError::invalid("/email", "invalid_email", fault.to_string()))?;
        self.may_give(asker.principal, &new.role)?;
        let known = self.account_of(&email).await?;
        let (account, changes) = match &known {
            Some(known) => {
                let mut account = known.value.clone();
                if !account.tenants.contains(tenant) {
                    if account.tenants.len() >= TENANTS_MAX {
                        return Err(IdentityError::Conflict(format!("one person is in at most {TENANTS_MAX} tenants")));
                    }
                    account.tenants.push(tenant.clone());
                }
                let changes = RecordChanges::default().replace(known, &account);
                (account, changes)
            }
            None => {
                let (account, changes) = self.new_account(&email, tenant);
                let changes = changes.create(account_key(account.id), &account, None);
                (account, changes)
            }
        };
        let key = member_key(tenant, account.id);
        if self.load::<MemberRecord>(key.clone()).await?.is_some() {
            return Err(IdentityError::Conflict("this address has been invited already".to_owned()));
        }
        let now = self.ports.clock.now();
        let member = MemberRecord {
            user: account.id,
            invited: email,
            role: new.role,
            joined: None,
            disabled: false,
            cut: None,
            created: now,
        };
        let link = LinkRecord::new(LinkPurpose::Invitation { user: account.id, tenant: tenant.clone() }, now);
        let (secret, made) = self.draw_link(&link);
        let changes = changes.and(made).create(key.clone(), &member, None);
        let audited = Change {
            action: "user.invite",
            target: account.id.to_string(),
            tenant,
            before: None,
            after: Some(json!({ "email": member.invited, "role": member.role })),
        };
        self.write_records(Some(asker), changes, Some(audited)).await?;
        self.send_invitation(&member.invited, tenant, &secret);
        let made = self.load::<MemberRecord>(key).await?.ok_or(IdentityError::NotFound("user"))?;
        Ok(view(&made))
    }

    /// Refuses a role that may do more than the one who gives it.
    pub(crate) fn may_give(&self, principal: &Principal, role: &RoleName) -> Result<(), IdentityError> {
        let permissions = self.control.permissions_of(&principal.tenant, role).ok_or_else(|| {
            let detail = format!("there is no role `{role}`; there are admin, curator, viewer and those of /v1/roles");
            IdentityError::invalid("/role", "unknown_role", detail)
        })?;
        let is_bounded = principal.sees_only.is_some() || principal.authority.says_only.is_some();
        if is_bounded && *role != principal.role {
            let detail = "your role sees or publishes some events only, so you give that role only";
            return Err(IdentityError::NotPermitted(detail.to_owned()));
        }
        if !principal.may_give(permissions, &principal.tenant) {
            let detail = format!("nobody gives away more than they hold; you hold: {}", principal.permissions);
            return Err(IdentityError::NotPermitted(detail));
        }
        if Issuers::of_role(role) == Issuers::All && principal.authority.issuers != Issuers::All {
            let detail = "people of that role speak for every issuer, and you do not: give a role of your tenant's own";
            return Err(IdentityError::NotPermitted(detail.to_owned()));
        }
        Ok(())
    }

    /// Members of the tenant of the one who asks, in order of ids, those after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn members(
        &self,
        principal: &Principal,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<MemberView>, PortError> {
        let fence = Fence::Tenant(principal.tenant.clone());
        let after = after.map(|user| user.to_string());
        let found = self.load_all::<MemberRecord>(&fence, "", after.as_deref(), limit).await?;
        Ok(found.iter().map(view).collect())
    }

    /// One member of the tenant of the one who asks.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn member_view(&self, principal: &Principal, user: UserId) -> Result<MemberView, IdentityError> {
        Ok(view(&self.member_within_reach(principal, user).await?))
    }

    async fn member_within_reach(
        &self,
        principal: &Principal,
        user: UserId,
    ) -> Result<Loaded<MemberRecord>, IdentityError> {
        self.load(member_key(&principal.tenant, user)).await?.ok_or(IdentityError::NotFound("user"))
    }

    /// Gives a member another role, or lets them enter or not. What they have open follows at once.
    ///
    /// # Errors
    /// `NotFound` where there is none, `NotPermitted` where either role may do more than the one who asks,
    /// `Conflict` for one's own role.
    pub async fn change_member(
        &self,
        asker: Asker<'_>,
        user: UserId,
        role: Option<RoleName>,
        disabled: Option<bool>,
    ) -> Result<MemberView, IdentityError> {
        let member = self.member_within_reach(asker.principal, user).await?;
        self.may_give(asker.principal, &member.value.role)?;
        if let Some(role) = &role {
            self.may_give(asker.principal, role)?;
        }
        let is_cut = disabled == Some(true) && !member.value.disabled;
        let changed = MemberRecord {
            cut: if is_cut { Some(self.ports.clock.now()) } else { member.value.cut },
            role: role.unwrap_or_else(|| member.value.role.clone()),
            disabled: disabled.unwrap_or(member.value.disabled),
            ..member.value.clone()
        };
        if user == asker.principal.user && (changed.disabled || changed.role != member.value.role) {
            return Err(IdentityError::Conflict("nobody changes their own role; ask another admin".to_owned()));
        }
        let standing = self.must_stand(asker.principal).await?;
        let said = |member: &MemberRecord| Some(json!({ "role": member.role, "disabled": member.disabled }));
        let audited = Change {
            action: "user.change",
            target: user.to_string(),
            tenant: &asker.principal.tenant,
            before: said(&member.value),
            after: said(&changed),
        };
        let changes = RecordChanges::default().replace(&member, &changed);
        self.write_records_if(Some(asker), changes, Some(audited), standing).await?;
        self.member_view(asker.principal, user).await
    }

    /// Takes a member out of the tenant. Their account stays, as does what they have elsewhere.
    ///
    /// # Errors
    /// As [`Self::change_member`].
    pub async fn remove_member(&self, asker: Asker<'_>, user: UserId) -> Result<(), IdentityError> {
        let tenant = &asker.principal.tenant;
        let member = self.member_within_reach(asker.principal, user).await?;
        self.may_give(asker.principal, &member.value.role)?;
        if user == asker.principal.user {
            return Err(IdentityError::Conflict("nobody takes themselves out; ask another admin".to_owned()));
        }
        let standing = self.must_stand(asker.principal).await?;
        let mut changes = RecordChanges::default().remove(&member);
        if let Some(account) = self.load::<AccountRecord>(account_key(user)).await? {
            let tenants = account.value.tenants.iter().filter(|other| *other != tenant).cloned().collect();
            changes = changes.replace(&account, &AccountRecord { tenants, ..account.value.clone() });
        }
        let audited = Change {
            action: "user.remove",
            target: user.to_string(),
            tenant,
            before: Some(json!({ "email": member.value.invited, "role": member.value.role })),
            after: None,
        };
        self.write_records_if(Some(asker), changes, Some(audited), standing).await?;
        Ok(())
    }

    /// What lets someone in, to be there still when they take another out: one of two Admins who take each
    /// other out at the same moment stays.
    async fn must_stand(&self, principal: &Principal) -> Result<Expected, IdentityError> {
        let detail = "what you came with was taken from you while you asked";
        self.still_in(principal).await?.ok_or_else(|| IdentityError::NotPermitted(detail.to_owned()))
    }
}
