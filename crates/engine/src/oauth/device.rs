//! Devices without a browser, let in by their person in one elsewhere (RFC 8628).

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{ClientId, GrantId, TenantId, UserId};
use tidings_core::port::{PortError, RecordKey, Shelf};
use tidings_core::principal::Principal;
use tidings_core::time::Timestamp;

use super::OAuthError;
use super::client::{ClientRecord, GrantType, client_key};
use super::exchange::{Besides, Issued, TokenRequest};
use super::grant::{GrantRecord, grant_key};
use super::parameters::Parameters;
use super::refresh::RefreshToken;
use super::scopes::{Scope, Scopes};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::identity::{IdentityError, draw_secret, hash_of, key_of_secret};
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};

/// How long a device waits, in milliseconds.
const LIFETIME: i64 = 10 * 60 * 1_000;
/// How long it waits between two questions, in milliseconds, and how much longer when it asks too soon.
const INTERVAL: i64 = 5_000;
/// Letters of a code that people type: no vowels, so no words, and nothing that looks like another.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many: 34 bits, tried a few times in a quarter of an hour at most.
const CODE_LETTERS: usize = 8;

/// A device as it is kept, by the hash of its code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeviceRecord {
    client: ClientId,
    pub tenant: TenantId,
    scopes: Scopes,
    answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Waiting,
    Denied,
    Allowed { user: UserId, sign_outs: u64, authenticated: Timestamp },
}

impl Shelved for DeviceRecord {
    const SHELF: Shelf = Shelf::Device;
}

/// Which device waits under a code that people type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeviceOf {
    pub name: String,
}

impl Shelved for DeviceOf {
    const SHELF: Shelf = Shelf::DeviceUserCode;
}

/// What a device is told (RFC 8628, section 3.2).
#[derive(Serialize)]
pub struct DeviceBegun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

impl std::fmt::Debug for DeviceBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceBegun(***)")
    }
}

/// What a person is asked about a device.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceView {
    client: ClientId,
    name: String,
    tenant: TenantId,
    scopes: Vec<&'static str>,
}

/// A typed code in the one form that it is found by.
fn normal_code(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
    letters.take(2 * CODE_LETTERS).collect()
}

impl Engine {
    /// Has a device wait for its person.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn begin_device(&self, request: TokenRequest<'_>) -> Result<DeviceBegun, OAuthError> {
        if request.form.repeats_any() {
            return Err(OAuthError::of("invalid_request", "a parameter stands there twice"));
        }
        let client = self.client_of(&request).await?;
        if !client.may_use(GrantType::DeviceCode) {
            return Err(OAuthError::of("unauthorized_client", "this client does not come by tokens like this"));
        }
        let scopes = request.form.get("scope").unwrap_or_default().parse::<Scopes>();
        let scopes = scopes.map_err(|_| OAuthError::of("invalid_scope", "one of the scopes is not known"))?;
        if scopes.is_empty() || !scopes.are_within(client.scopes) {
            return Err(OAuthError::of("invalid_scope", "`scope` names one at least, and only those of the client"));
        }
        let (secret, code) = (draw_secret(self), self.draw_user_code());
        let key = key_of_secret(Shelf::Device, secret.reveal());
        let device = DeviceRecord { client: client.id, tenant: client.tenant, scopes, answer: Answer::Waiting };
        let ends = Some(self.ports.clock.now().plus_millis(LIFETIME));
        let of = DeviceOf { name: key.name().to_owned() };
        let changes = RecordChanges::default().create(key, &device, ends).create(
            key_of_secret(Shelf::DeviceUserCode, &code),
            &of,
            ends,
        );
        match self.write_records(None, changes, None).await {
            Ok(()) => {}
            Err(WriteFault::Conflict) => return Err(PortError::later("draw a code", "it is taken").into()),
            Err(WriteFault::Store(fault)) => return Err(fault.into()),
        }
        let shown = format!("{}-{}", &code[..CODE_LETTERS / 2], &code[CODE_LETTERS / 2..]);
        let verification_uri = format!("{}/device", self.public_url());
        Ok(DeviceBegun {
            device_code: secret.reveal().clone(),
            verification_uri_complete: format!("{verification_uri}?user_code={shown}"),
            user_code: shown,
            verification_uri,
            expires_in: LIFETIME / 1_000,
            interval: INTERVAL / 1_000,
        })
    }

    fn draw_user_code(&self) -> String {
        let mut code = String::with_capacity(CODE_LETTERS);
        while code.len() < CODE_LETTERS {
            let mut byte = [0; 1];
            self.ports.randomness.fill(&mut byte);
            // The last 16 values would make the first letters likelier.
            if byte[0] < 240 {
                code.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
            }
        }
        code
    }

    async fn waiting_device(&self, typed: &str) -> Result<Option<Loaded<DeviceRecord>>, PortError> {
        let code = normal_code(typed);
        let of = self.load::<DeviceOf>(key_of_secret(Shelf::DeviceUserCode, &code)).await?;
        let Some(of) = of else { return Ok(None) };
        let device = self.load::<DeviceRecord>(RecordKey::of_server(Shelf::Device, of.value.name)).await?;
        Ok(device.filter(|device| device.value.answer == Answer::Waiting))
    }

    /// What the page shows of the device that waits under a code.
    ///
    /// # Errors
    /// `NotFound` where none does.
    pub async fn device_view(&self, typed: &str) -> Result<DeviceView, IdentityError> {
        let device = self.waiting_device(typed).await?.ok_or(IdentityError::NotFound("code"))?.value;
        let client = self.load::<ClientRecord>(client_key(&device.tenant, device.client)).await?;
        let client = client.ok_or(IdentityError::NotFound("code"))?.value;
        let scopes = device.scopes.names().collect();
        Ok(DeviceView { client: client.id, name: client.name, tenant: client.tenant, scopes })
    }

    /// Lets the device in that waits under a code, or not.
    ///
    /// # Errors
    /// `NotFound` where none does, `NotPermitted` for one who is no member of the client's tenant or not
    /// signed in as a person.
    pub async fn answer_device(
        &self,
        principal: &Principal,
        typed: &str,
        is_allowed: bool,
    ) -> Result<(), IdentityError> {
        let refused = |detail: &str| IdentityError::NotPermitted(detail.to_owned());
        let first = || refused("sign in with your account first, in a browser");
        if self.person_in(principal, &principal.tenant).await?.is_none() {
            return Err(first());
        }
        let device = self.waiting_device(typed).await?.ok_or(IdentityError::NotFound("code"))?;
        let tenant = &device.value.tenant;
        let person = self.person_in(principal, tenant).await?.ok_or_else(first)?;
        if self.member(tenant, person.user).await?.is_none() {
            return Err(refused("you are not in the tenant of this program"));
        }
        let answer = if is_allowed {
            Answer::Allowed { user: person.user, sign_outs: person.sign_outs, authenticated: person.authenticated }
        } else {
            Answer::Denied
        };
        let said = json!({ "scopes": device.value.scopes, "allowed": is_allowed });
        let target = device.value.client.to_string();
        let audited = Change { action: "device.answer", target, tenant, before: None, after: Some(said) };
        let changed = DeviceRecord { answer, ..device.value.clone() };
        let changes = RecordChanges::default().replace(&device, &changed);
        Ok(self.write_records(Some(Asker::from(principal)), changes, Some(audited)).await?)
    }

    /// Tells a device what its person said (RFC 8628, section 3.5).
    pub(super) async fn redeem_device(&self, client: &ClientRecord, form: &Parameters) -> Result<Issued, OAuthError> {
        let code = form.get("device_code").ok_or(OAuthError::of("invalid_request", "`device_code` is missing"))?;
        let device = self.load::<DeviceRecord>(key_of_secret(Shelf::Device, code)).await?;
        let expired = || OAuthError::of("expired_token", "the device waited for too long, or not at all; begin again");
        let device = device.filter(|device| device.value.client == client.id).ok_or_else(expired)?;
        let now = self.ports.clock.now();
        self.not_too_soon(code, now)?;
        let (user, sign_outs, authenticated) = match device.value.answer {
            Answer::Waiting => return Err(OAuthError::of("authorization_pending", "the person has not answered yet")),
            Answer::Denied => return Err(OAuthError::of("access_denied", "the person said no")),
            Answer::Allowed { user, sign_outs, authenticated } => (user, sign_outs, authenticated),
        };
        let id = GrantId::from_bytes(self.draw_id());
        let scopes = device.value.scopes;
        let is_lasting = scopes.hold(Scope::OfflineAccess) && client.may_use(GrantType::RefreshToken);
        let refresh = is_lasting.then(|| RefreshToken::draw(self, id));
        let grant = GrantRecord {
            client: client.id,
            tenant: device.value.tenant.clone(),
            user,
            sign_outs: Some(sign_outs),
            scopes,
            authenticated: Some(authenticated),
            created: now,
            refresh: refresh.as_ref().map(RefreshToken::kept),
        };
        let said = json!({ "client": client.id, "user": user, "scopes": scopes });
        let (target, tenant) = (id.to_string(), &client.tenant);
        let audited = Change { action: "grant.create", target, tenant, before: None, after: Some(said) };
        let ends = Some(grant.ends(now));
        let changes = RecordChanges::default().remove(&device).create(grant_key(id), &grant, ends);
        self.write_records(None, changes, Some(audited)).await?;
        self.issued(client, id, &grant, Besides { scopes, refresh, nonce: None }).await
    }

    fn not_too_soon(&self, code: &str, now: Timestamp) -> Result<(), OAuthError> {
        let name = hash_of(Shelf::Device, code);
        let (last, interval) = self.tokens.polls.get(&name).unwrap_or((Timestamp::MIN, INTERVAL));
        let is_soon = last != Timestamp::MIN && now.millis_since(last) < interval;
        self.tokens.polls.insert(name, (now, if is_soon { interval + INTERVAL } else { interval }));
        if is_soon {
            return Err(OAuthError::of("slow_down", "wait five seconds longer between two questions from now on"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "B.C.D.F-G.H.J.K"] {
            assert_eq!(normal_code(typed), "BCDFGHJK");
        }
        assert!(normal_code(&"B".repeat(10_000)).len() <= 16);
    }
}
