//! The way to a provider and back: a state that one browser holds, a nonce, and PKCE (RFC 7636).

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tidings_core::id::{SessionId, UserId};
use tidings_core::port::{PortError, Shelf};
use tidings_core::principal::{Credential, Principal};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::provider::ProviderKind;
use crate::engine::Engine;
use crate::identity::{Browser, Entered, IdentityError, Opening, draw_secret, key_of_secret};
use crate::records::{RecordChanges, Shelved, WriteFault};

/// How long a sign-in at a provider may take, in milliseconds.
const PENDING: i64 = 10 * 60 * 1_000;

/// A sign-in that is under way, under the hash of its state.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub provider: String,
    pub nonce: String,
    pub verifier: String,
    /// Where on our own pages the person wanted to go.
    pub next: String,
    /// Whose account the login is to be linked to, and in which session they asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<(UserId, SessionId)>,
    pub created: Timestamp,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl Shelved for Pending {
    const SHELF: Shelf = Shelf::LoginPending;
}

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What the browser keeps, to show that it is the one that began.
    pub state: Secret<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum Finished {
    /// They are signed in; where to go on.
    Entered(Box<Entered>, String),
    /// The login is linked to their account.
    Linked,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum CallbackFault {
    /// It was not begun by this browser, was ended already, or took too long.
    #[error("this sign-in was not begun here, or took too long")]
    State,
    /// The provider cannot be reached.
    #[error("the provider does not answer")]
    Unreachable,
    /// The provider said no, or something that does not hold.
    #[error("the provider did not let you in, or what it said does not hold")]
    Provider,
    /// The provider has verified no address, or one of a host that may not come in.
    #[error("the provider knows no verified address of yours that may come in here")]
    Address,
    /// There is an account with that address; the login is yet to be linked to it.
    #[error("there is an account with your address: sign in with its password, then link this login to it")]
    LinkFirst,
    /// Nobody invited them, and the provider does not make members.
    #[error("you are no member here; ask an admin for an invitation")]
    NotInvited,
    /// The login is another's.
    #[error("this login is linked to another account")]
    Taken,
    /// Whoever links a login shows that the account is theirs by its own means, not by those of another provider.
    #[error("sign in with the password of your account to link another login to it")]
    PasswordFirst,
    /// There are as many logins as one account may have.
    #[error("as many logins as there may be are linked to this account")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl CallbackFault {
    /// Its stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Unreachable => "unreachable",
            Self::Provider => "provider",
            Self::Address => "address",
            Self::LinkFirst => "link-first",
            Self::NotInvited => "not-invited",
            Self::Taken => "taken",
            Self::PasswordFirst => "password-first",
            Self::TooMany => "too-many",
            Self::Port(_) => "store",
        }
    }
}

impl From<WriteFault> for CallbackFault {
    fn from(fault: WriteFault) -> Self {
        match fault {
            WriteFault::Conflict => Self::State,
            WriteFault::Store(fault) => Self::Port(fault),
        }
    }
}

impl From<IdentityError> for CallbackFault {
    fn from(fault: IdentityError) -> Self {
        match fault {
            IdentityError::Port(fault) => Self::Port(fault),
            _ => Self::NotInvited,
        }
    }
}

impl Engine {
    /// Begins a sign-in at a provider; `link` is the one whose account the login is to be linked to. `next`
    /// must be a path of our own. With `age`, the person is to have shown the provider who they are so many
    /// seconds ago at most.
    ///
    /// # Errors
    /// `Provider` for a name that no provider has.
    pub async fn begin_sso(
        &self,
        name: &str,
        next: &str,
        age: Option<u32>,
        link: Option<&Principal>,
    ) -> Result<Begun, CallbackFault> {
        let link = match link.map(|principal| (principal.user, principal.credential)) {
            Some((user, Credential::Session(session))) => Some((user, session)),
            // A key or a token is no person who sits there.
            Some(_) => return Err(CallbackFault::State),
            None => None,
        };
        if let Some((_, session)) = link {
            self.must_be_own(session).await?;
        }
        let provider = self.provider(name).await?.ok_or(CallbackFault::Provider)?.value;
        let endpoint = self.authorization_endpoint(&provider).await?;
        let [state, nonce, verifier] = std::array::from_fn(|_| draw_secret(self));
        let now = self.ports.clock.now();
        let pending = Pending {
            provider: name.to_owned(),
            nonce: nonce.reveal().clone(),
            verifier: verifier.reveal().clone(),
            next: next.to_owned(),
            link,
            created: now,
        };
        let key = key_of_secret(Shelf::LoginPending, state.reveal());
        let changes = RecordChanges::default().create(key, &pending, Some(now.plus_millis(PENDING)));
        self.write_records(None, changes, None).await?;
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.reveal().as_bytes()));
        let scope = match provider.kind {
            ProviderKind::Oidc => "openid email profile",
            ProviderKind::Github => "read:user user:email",
        };
        let mut members = vec![
            ("response_type", "code"),
            ("client_id", &provider.client_id),
            ("scope", scope),
            ("state", state.reveal()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let age = age.map(|age| age.to_string());
        if provider.kind == ProviderKind::Oidc {
            members.push(("nonce", nonce.reveal()));
            // Whoever asks for a new sign-in here is not served by an old one there.
            members.extend(age.as_deref().map(|age| ("max_age", age)));
            members.extend(age.as_ref().filter(|age| *age == "0").map(|_| ("prompt", "login")));
        }
        let redirect_uri = self.redirect_uri(name);
        members.push(("redirect_uri", &redirect_uri));
        let query: Vec<String> =
            members.into_iter().map(|(name, value)| format!("{name}={}", super::person::form_encoded(value))).collect();
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Begun { address: format!("{endpoint}{joint}{}", query.join("&")), state })
    }

    /// Refuses a session that a provider has opened: it is believed about its own tenant only, and a login
    /// more would lead into others.
    pub(super) async fn must_be_own(&self, session: SessionId) -> Result<(), CallbackFault> {
        match self.opening_of(session).await? {
            Some(opening) if opening.by.is_none() => Ok(()),
            Some(_) => Err(CallbackFault::PasswordFirst),
            None => Err(CallbackFault::State),
        }
    }

    /// Ends a sign-in: `held` is the state that the browser kept, `state` the one that came back.
    ///
    /// # Errors
    /// Each reason by which nobody was let in.
    pub async fn finish_sso(
        self: &Arc<Self>,
        name: &str,
        held: Option<&str>,
        (state, code): (&str, &str),
        browser: &Browser,
        replaces: Option<SessionId>,
    ) -> Result<Finished, CallbackFault> {
        // Else one could make another sign in as oneself.
        if held != Some(state) {
            return Err(CallbackFault::State);
        }
        let pending =
            self.load::<Pending>(key_of_secret(Shelf::LoginPending, state)).await?.ok_or(CallbackFault::State)?;
        self.write_records(None, RecordChanges::default().remove(&pending), None).await?;
        let provider = self.provider(name).await?.ok_or(CallbackFault::Provider)?.value;
        if pending.value.provider != name {
            return Err(CallbackFault::State);
        }
        let person = self.person(&provider, &pending.value, code).await?;
        if let Some((user, session)) = pending.value.link {
            let is_there = self.principal_in_session(session).await?.is_some_and(|principal| principal.user == user);
            if replaces != Some(session) || !is_there {
                return Err(CallbackFault::State);
            }
            self.must_be_own(session).await?;
            self.link_login(&provider, &person, user).await?;
            return Ok(Finished::Linked);
        }
        let account = self.account_by_login(&provider, &person).await?;
        let tenant = self.tenant_to_enter(&account, Some(&provider.tenant)).await?.ok_or(CallbackFault::NotInvited)?;
        let opening = Opening { by: Some(provider.name), proved: person.proved, ..Opening::now(self) };
        let entered = self.open_for(&account, tenant, browser, replaces, opening).await?;
        Ok(Finished::Entered(Box::new(entered), pending.value.next))
    }
}
