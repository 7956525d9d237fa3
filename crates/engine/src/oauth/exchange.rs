//! The token endpoint (RFC 6749, section 3.2): who a client is, and what it gets for what it shows.

use std::time::Duration;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;
use tidings_core::id::{GrantId, fingerprint};
use tidings_core::permission::RoleName;
use tidings_core::port::{PortError, Shelf};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::authorize::CodeRecord;
use super::client::{ClientRecord, GrantType};
use super::grant::{GrantRecord, grant_key, worth};
use super::parameters::Parameters;
use super::refresh::RefreshToken;
use super::scopes::{Scope, Scopes};
use super::{ACCESS_LIFETIME, OAuthError};
use crate::audit::Change;
use crate::engine::Engine;
use crate::identity::{hex, key_of_secret};
use crate::records::{Loaded, RecordChanges, WriteFault};
use crate::token::{AccessToken, IdToken, KeyError};

/// What a client sends, in a form.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    /// The form.
    pub form: &'a Parameters,
    /// Id and secret of `Authorization: Basic`.
    pub basic: Option<(String, Secret<String>)>,
}

/// What it gets (RFC 6749, section 5.1).
#[derive(Serialize)]
pub struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: Scopes,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({}, ***)", self.scope)
    }
}

/// What is issued of a grant, besides the access token.
pub(super) struct Besides {
    pub scopes: Scopes,
    pub refresh: Option<RefreshToken>,
    pub nonce: Option<String>,
}

impl Engine {
    /// Gives a client tokens for what it shows.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn issue_tokens(&self, request: TokenRequest<'_>) -> Result<Issued, OAuthError> {
        let form = request.form;
        if form.repeats_any() {
            return Err(OAuthError::of("invalid_request", "a parameter stands there twice"));
        }
        let Some(grant_type) = form.get("grant_type") else {
            return Err(OAuthError::of("invalid_request", "`grant_type` is missing"));
        };
        let client = self.client_of(&request).await?;
        let Some(grant_type) = read_grant_type(grant_type) else {
            return Err(OAuthError::of("unsupported_grant_type", "there is no such `grant_type` here"));
        };
        if !client.may_use(grant_type) {
            return Err(OAuthError::of("unauthorized_client", "this client does not come by tokens like this"));
        }
        if form.get("resource").is_some_and(|resource| resource.trim_end_matches('/') != self.public_url()) {
            return Err(OAuthError::of("invalid_target", "the only resource here is this server"));
        }
        match grant_type {
            GrantType::AuthorizationCode => self.redeem_code(&client, form).await,
            GrantType::RefreshToken => self.refresh(&client, form).await,
            GrantType::ClientCredentials => self.issue_to_itself(&client, form).await,
            GrantType::DeviceCode => self.redeem_device(&client, form).await,
        }
    }

    /// Who a client is (RFC 6749, section 2.3): one way of saying so, not two.
    pub(super) async fn client_of(&self, request: &TokenRequest<'_>) -> Result<ClientRecord, OAuthError> {
        let (id, secret) = (request.form.get("client_id"), request.form.get("client_secret"));
        let (id, secret) = match (&request.basic, id, secret) {
            (Some(_), _, Some(_)) => {
                return Err(OAuthError::of("invalid_request", "a client says in one way who it is"));
            }
            (Some((id, secret)), given, None) if given.is_none_or(|given| given == id) => {
                (id.as_str(), Some(secret.reveal().as_str()))
            }
            (None, Some(id), secret) => (id, secret),
            _ => return Err(OAuthError::client()),
        };
        let client = self.client_named(id).await?.ok_or_else(OAuthError::client)?;
        let now = self.ports.clock.now();
        let is_it = match secret {
            Some(secret) => client.has_secret(secret, now),
            None => !client.is_confidential,
        };
        if is_it { Ok(client) } else { Err(OAuthError::client()) }
    }

    async fn redeem_code(&self, client: &ClientRecord, form: &Parameters) -> Result<Issued, OAuthError> {
        let code = form.get("code").ok_or(OAuthError::of("invalid_request", "`code` is missing"))?;
        let verifier = form.get("code_verifier");
        let verifier = verifier.ok_or(OAuthError::of("invalid_grant", "`code_verifier` is missing"))?;
        let kept = self.load::<CodeRecord>(key_of_secret(Shelf::Code, code)).await?;
        let kept = kept.filter(|kept| kept.value.client == client.id).ok_or_else(OAuthError::grant)?;
        let now = self.ports.clock.now();
        if kept.value.is_used {
            // Someone else has it as well, so what it gave ends (RFC 6749, section 4.1.2).
            self.end_grant(kept.value.grant, "grant.code_reused").await?;
            return Err(OAuthError::grant());
        }
        let is_theirs = form.get("redirect_uri") == Some(&kept.value.redirect_uri)
            && is_verifier(verifier, &kept.value.challenge)
            && kept.value.good_until > now;
        if !is_theirs {
            return Err(OAuthError::grant());
        }
        let (id, grant, refresh) = self.grant_of_code(&kept.value, client, now);
        let used = CodeRecord { is_used: true, ..kept.value.clone() };
        let changes = RecordChanges::default()
            .replace_until(&kept, &used, Some(Loaded::<CodeRecord>::remembered_until(now)))
            .create(grant_key(id), &grant, Some(grant.ends(now)));
        let said = json!({ "client": client.id, "user": grant.user, "scopes": grant.scopes });
        let (target, tenant) = (id.to_string(), &client.tenant);
        let audited = Change { action: "grant.create", target, tenant, before: None, after: Some(said) };
        match self.write_records(None, changes, Some(audited)).await {
            Ok(()) => {}
            Err(WriteFault::Conflict) => {
                // Two at once are two uses: what the faster one was given ends.
                self.end_grant(id, "grant.code_reused").await?;
                return Err(OAuthError::grant());
            }
            Err(WriteFault::Store(fault)) => return Err(fault.into()),
        }
        let besides = Besides { scopes: grant.scopes, refresh, nonce: kept.value.nonce.clone() };
        self.issued(client, id, &grant, besides).await
    }

    fn grant_of_code(
        &self,
        code: &CodeRecord,
        client: &ClientRecord,
        now: Timestamp,
    ) -> (GrantId, GrantRecord, Option<RefreshToken>) {
        let is_lasting = code.scopes.hold(Scope::OfflineAccess) && client.may_use(GrantType::RefreshToken);
        let token = is_lasting.then(|| RefreshToken::draw(self, code.grant));
        let grant = GrantRecord {
            client: client.id,
            tenant: code.tenant.clone(),
            user: code.user,
            sign_outs: Some(code.sign_outs),
            scopes: code.scopes,
            authenticated: Some(code.authenticated),
            created: now,
            refresh: token.as_ref().map(RefreshToken::kept),
        };
        (code.grant, grant, token)
    }

    async fn issue_to_itself(&self, client: &ClientRecord, form: &Parameters) -> Result<Issued, OAuthError> {
        let most = client.scopes.of_a_service();
        let scopes = match form.get("scope") {
            None => most,
            Some(text) => {
                text.parse().map_err(|_| OAuthError::of("invalid_scope", "one of the scopes is not known"))?
            }
        };
        if !client.is_confidential || client.role.is_none() {
            return Err(OAuthError::of("unauthorized_client", "this client does not come by tokens like this"));
        }
        if scopes.is_empty() || !scopes.are_within(most) {
            return Err(OAuthError::of("invalid_scope", "`scope` names one at least, and only those of the client"));
        }
        let (id, now) = (GrantId::from_bytes(self.draw_id()), self.ports.clock.now());
        let grant = GrantRecord {
            client: client.id,
            tenant: client.tenant.clone(),
            user: client.user,
            sign_outs: None,
            scopes,
            authenticated: None,
            created: now,
            refresh: None,
        };
        let changes = RecordChanges::default().create(grant_key(id), &grant, Some(grant.ends(now)));
        self.write_records(None, changes, None).await?;
        self.issued(client, id, &grant, Besides { scopes, refresh: None, nonce: None }).await
    }

    /// The answer that carries the tokens of a grant.
    pub(super) async fn issued(
        &self,
        client: &ClientRecord,
        id: GrantId,
        grant: &GrantRecord,
        besides: Besides,
    ) -> Result<Issued, OAuthError> {
        let now = self.ports.clock.now();
        let expires = now.plus_millis(ACCESS_LIFETIME);
        let principal = self.principal_of_grant(id, expires).await?.ok_or_else(OAuthError::grant)?;
        let keys = self.token_keys().await?;
        let (issuer, user, party) = (self.public_url(), grant.user.to_string(), client.id.to_string());
        let (token, id_text) = (hex(&fingerprint(&[b"jti", &self.draw_id()])), id.to_string());
        let held = besides.scopes.both(worth(client, &principal));
        let scopes: Vec<&str> = held.names().collect();
        let access = AccessToken {
            issuer,
            subject: &user,
            audience: issuer,
            client: &party,
            id: &token,
            grant: Some(&id_text),
            tenant: &grant.tenant,
            roles: &[RoleName::as_str(&principal.role)],
            scopes: &scopes,
            lifetime: lifetime(),
        };
        let access_token = access.issue(keys.signer(crate::token::SigningAlgorithm::EdDsa)?, now).map_err(broken)?;
        let id_token = match grant.authenticated.filter(|_| held.hold(Scope::OpenId)) {
            None => None,
            Some(authenticated) => {
                let about = IdToken {
                    issuer,
                    subject: &user,
                    client: &party,
                    nonce: besides.nonce.as_deref(),
                    authenticated,
                    access_token: Some(&access_token),
                    grant: None,
                    lifetime: lifetime(),
                };
                Some(about.issue(keys.signer(client.signed_with)?, now).map_err(broken)?)
            }
        };
        Ok(Issued {
            access_token,
            token_type: "Bearer",
            expires_in: ACCESS_LIFETIME / 1_000,
            scope: held,
            refresh_token: besides.refresh.map(|token| token.to_text()),
            id_token,
        })
    }
}

fn lifetime() -> Duration {
    Duration::from_millis(ACCESS_LIFETIME.unsigned_abs())
}

fn broken(error: KeyError) -> PortError {
    PortError::never("sign a token", error)
}

fn read_grant_type(text: &str) -> Option<GrantType> {
    match text {
        "authorization_code" => Some(GrantType::AuthorizationCode),
        "refresh_token" => Some(GrantType::RefreshToken),
        "client_credentials" => Some(GrantType::ClientCredentials),
        "urn:ietf:params:oauth:grant-type:device_code" => Some(GrantType::DeviceCode),
        _ => None,
    }
}

/// RFC 7636, sections 4.1 and 4.6.
fn is_verifier(verifier: &str, challenge: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let hashed = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(is_plain)
        && constant_time::verify_slices_are_equal(hashed.as_bytes(), challenge.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_the_one_of_its_challenge() {
        // RFC 7636, appendix B.
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_verifier(verifier, challenge));
        for wrong in [challenge, "", &verifier[1..], &format!("{verifier}="), &"a".repeat(129)] {
            assert!(!is_verifier(wrong, challenge), "{wrong}");
        }
        assert!(!is_verifier(verifier, verifier), "plain");
    }
}
