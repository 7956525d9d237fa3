//! What becomes of tokens that are out: taken back (RFC 7009), looked at (RFC 7662), and used to ask who the
//! person is (OpenID Connect Core, section 5.3).

use serde::Serialize;
use tidings_core::id::{ClientId, GrantId, TenantId, UserId};
use tidings_core::port::PortError;
use tidings_core::principal::{Credential, Principal};

use super::client::{ClientRecord, client_key};
use super::exchange::TokenRequest;
use super::grant::{GrantRecord, grant_key, worth};
use super::refresh::RefreshToken;
use super::scopes::{Scope, Scopes};
use super::{ACCESS_LIFETIME, OAuthError};
use crate::engine::Engine;
use crate::identity::{AccountRecord, IdentityError, account_key};
use crate::records::Loaded;

/// What is said of a token (RFC 7662, section 2.2).
#[derive(Debug, Clone, Default, Serialize)]
pub struct TokenView {
    /// True for one that is good.
    pub active: bool,
    /// The rest, where it is.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub about: Option<TokenDetails>,
}

/// What is said of a token that is good.
#[derive(Debug, Clone, Serialize)]
pub struct TokenDetails {
    iss: String,
    aud: String,
    sub: UserId,
    client_id: ClientId,
    scope: String,
    token_type: &'static str,
    iat: i64,
    exp: i64,
    tenant: TenantId,
}

/// What a client learns of a person, as far as its scopes go.
#[derive(Debug, Clone, Serialize)]
pub struct UserInfo {
    sub: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// A token of a grant that stands.
struct Found {
    grant: Loaded<GrantRecord>,
    scope: String,
    kind: &'static str,
    issued: i64,
    expires: i64,
}

impl Engine {
    /// Ends the grant of one of a client's own tokens, and so all its tokens, whether the token shown is still
    /// good or not: who takes back one that was stolen has often been left with a used one. What is no such
    /// token is none already.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn revoke_token(&self, request: TokenRequest<'_>) -> Result<(), OAuthError> {
        let (client, token) = self.client_and_token(&request).await?;
        let Some(id) = self.grant_of_token(token).await? else { return Ok(()) };
        let grant = self.load::<GrantRecord>(grant_key(id)).await?;
        match grant.filter(|grant| grant.value.client == client.id) {
            Some(_) => Ok(self.end_grant(id, "grant.revoke").await?),
            None => Ok(()),
        }
    }

    /// The grant of a token that was ours once.
    async fn grant_of_token(&self, token: &str) -> Result<Option<GrantId>, OAuthError> {
        if let Some(refresh) = RefreshToken::read(token) {
            let grant = self.load::<GrantRecord>(grant_key(refresh.grant)).await?;
            let kept = grant.as_ref().and_then(|grant| grant.value.refresh.as_ref());
            return Ok(kept.filter(|kept| refresh.is_of(kept)).map(|_| refresh.grant));
        }
        let keys = self.token_keys().await?;
        let grant = keys.access.grant_of(token, &keys.verifying).ok().flatten();
        Ok(grant.and_then(|grant| grant.parse().ok()))
    }

    /// Says what a token is worth, to a client of the tenant that keeps a secret.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn introspect(&self, request: TokenRequest<'_>) -> Result<TokenView, OAuthError> {
        let (client, token) = self.client_and_token(&request).await?;
        if !client.is_confidential {
            return Err(OAuthError::client());
        }
        let found = self.find_token(token).await?.filter(|found| found.grant.value.tenant == client.tenant);
        let Some(found) = found else { return Ok(TokenView::default()) };
        let GrantRecord { client, tenant, user, .. } = found.grant.value;
        let about = TokenDetails {
            iss: self.public_url().to_owned(),
            aud: self.public_url().to_owned(),
            sub: user,
            client_id: client,
            scope: found.scope,
            token_type: found.kind,
            iat: found.issued,
            exp: found.expires,
            tenant,
        };
        Ok(TokenView { active: true, about: Some(about) })
    }

    async fn client_and_token<'a>(&self, request: &TokenRequest<'a>) -> Result<(ClientRecord, &'a str), OAuthError> {
        if request.form.repeats_any() {
            return Err(OAuthError::of("invalid_request", "a parameter stands there twice"));
        }
        let client = self.client_of(request).await?;
        let token = request.form.get("token").ok_or(OAuthError::of("invalid_request", "`token` is missing"))?;
        Ok((client, token))
    }

    async fn find_token(&self, token: &str) -> Result<Option<Found>, OAuthError> {
        if let Some(refresh) = RefreshToken::read(token) {
            let Some(grant) = self.standing_grant(refresh.grant).await? else { return Ok(None) };
            if !grant.value.refresh.as_ref().is_some_and(|kept| refresh.is_good(kept)) {
                return Ok(None);
            }
            let principal = self.principal_of_grant(refresh.grant, self.ports.clock.now().plus_millis(1)).await?;
            let Some(worth) = self.worth_of(&grant.value, principal.as_ref()).await? else { return Ok(None) };
            let scope = grant.value.scopes.both(worth).to_string();
            let issued = grant.value.created.as_millis() / 1_000;
            let expires = grant.ends.map_or(i64::MAX, |ends| ends.as_millis()) / 1_000;
            return Ok(Some(Found { grant, scope, kind: "refresh_token", issued, expires }));
        }
        let Some(principal) = self.authenticate_bearer(token).await? else { return Ok(None) };
        let Credential::Token { grant: id, expires } = principal.credential else { return Ok(None) };
        let Some(grant) = self.load::<GrantRecord>(grant_key(id)).await? else { return Ok(None) };
        let keys = self.token_keys().await?;
        let verified = self.tokens.verified.verify(token, &keys.verifying, &keys.access, self.ports.clock.now());
        let Ok(verified) = verified else { return Ok(None) };
        let expires = expires.as_millis() / 1_000;
        let Some(worth) = self.worth_of(&grant.value, Some(&principal)).await? else { return Ok(None) };
        let scope = said(&verified.scopes).both(worth).to_string();
        let issued = expires - ACCESS_LIFETIME / 1_000;
        Ok(Some(Found { grant, scope, kind: "Bearer", issued, expires }))
    }

    /// What tokens of a grant are worth now; none where its client is gone.
    async fn worth_of(&self, grant: &GrantRecord, principal: Option<&Principal>) -> Result<Option<Scopes>, PortError> {
        let client = self.load_known::<ClientRecord>(client_key(&grant.tenant, grant.client)).await?;
        Ok(client.zip(principal).map(|(client, principal)| worth(&client.value, principal)))
    }

    /// What the client of the one who asks with `token` may know of them.
    ///
    /// # Errors
    /// `NotFound` for one who comes without a token, `NotPermitted` where it lacks the scope `openid`.
    pub async fn user_info(&self, principal: &Principal, token: &str) -> Result<UserInfo, IdentityError> {
        let refused = || IdentityError::NotPermitted("this takes an access token with the scope openid".to_owned());
        let Credential::Token { grant, .. } = principal.credential else {
            return Err(IdentityError::NotFound("account"));
        };
        let grant = self.load::<GrantRecord>(grant_key(grant)).await?.ok_or_else(refused)?.value;
        let keys = self.token_keys().await?;
        let verified = self.tokens.verified.verify(token, &keys.verifying, &keys.access, self.ports.clock.now());
        let verified = verified.map_err(|_| refused())?;
        let worth = self.worth_of(&grant, Some(principal)).await?.ok_or_else(refused)?;
        let scopes = said(&verified.scopes).both(worth);
        if !scopes.hold(Scope::OpenId) || grant.sign_outs.is_none() {
            return Err(refused());
        }
        let account = self.load_known::<AccountRecord>(account_key(principal.user)).await?.ok_or_else(refused)?;
        let (is_named, is_mailed) = (scopes.hold(Scope::Profile), scopes.hold(Scope::Email));
        Ok(UserInfo {
            sub: principal.user,
            name: account.value.name.clone().filter(|_| is_named),
            email: is_mailed.then(|| account.value.email.clone()),
            email_verified: is_mailed.then_some(account.value.verified.is_some()),
        })
    }
}

/// The scopes that a token of ours says.
fn said(words: &[String]) -> Scopes {
    words.join(" ").parse().unwrap_or_default()
}
