//! Who a provider says that someone is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use tidings_core::port::{PortError, WebRequest};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::flow::{CallbackFault, Pending};
use super::provider::{ProviderKind, ProviderRecord};
use crate::engine::Engine;
use crate::identity::normal_email;
use crate::token::{Kind, Profile, TokenError};

/// A person as a provider knows them.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// What the provider knows them by, for good.
    pub subject: String,
    /// An address that the provider has verified; none where it has not.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// Values of the claim that gives roles.
    pub groups: Vec<String>,
    /// When they showed the provider who they are, where it tells.
    pub proved: Option<Timestamp>,
}

impl Engine {
    /// Where people are sent to sign in at a provider.
    pub(super) async fn authorization_endpoint(&self, provider: &ProviderRecord) -> Result<String, CallbackFault> {
        match provider.kind {
            ProviderKind::Github => Ok(format!("{}/login/oauth/authorize", provider.issuer)),
            ProviderKind::Oidc => {
                let issuer = self.issuer(provider, None).await?;
                issuer.authorization_endpoint.clone().ok_or(CallbackFault::Provider)
            }
        }
    }

    async fn issuer(
        &self,
        provider: &ProviderRecord,
        key: Option<&str>,
    ) -> Result<std::sync::Arc<crate::token::Issuer>, CallbackFault> {
        let found = self.issuers.get(&provider.issuer, key, &*self.ports.web, &*self.ports.clock).await;
        found.map_err(|fault| said(provider, &fault))
    }

    /// Swaps a code for who the person is.
    pub(super) async fn person(
        &self,
        provider: &ProviderRecord,
        pending: &Pending,
        code: &str,
    ) -> Result<Person, CallbackFault> {
        match provider.kind {
            ProviderKind::Oidc => self.person_by_id_token(provider, pending, code).await,
            ProviderKind::Github => self.person_of_github(provider, pending, code).await,
        }
    }

    async fn person_by_id_token(
        &self,
        provider: &ProviderRecord,
        pending: &Pending,
        code: &str,
    ) -> Result<Person, CallbackFault> {
        let endpoint = self.issuer(provider, None).await?.token_endpoint.clone().ok_or(CallbackFault::Provider)?;
        let tokens = self.swap_code(provider, pending, code, endpoint).await?;
        let token = tokens.get("id_token").and_then(Value::as_str).ok_or(CallbackFault::Provider)?;
        let profile = Profile::foreign(Kind::Id, &provider.issuer, &provider.client_id).with_nonce(&pending.nonce);
        let now = self.ports.clock.now();
        let mut keys = self.issuer(provider, None).await?;
        let mut verified = profile.verify(token, &keys.keys, now);
        if let Err(TokenError::UnknownKey) = verified {
            // It may have begun to sign with another one.
            keys = self.issuer(provider, Some("")).await?;
            verified = profile.verify(token, &keys.keys, now);
        }
        let claims = verified.map_err(|fault| {
            tracing::warn!(code = "sso_refused", provider = %provider.name, "an ID token was refused: {fault}");
            CallbackFault::Provider
        })?;
        let mut said_of = claims.others;
        if !said_of.contains_key("email")
            && let (Some(endpoint), Some(token)) =
                (&keys.userinfo_endpoint, tokens.get("access_token").and_then(Value::as_str))
        {
            said_of.extend(self.userinfo(provider, endpoint, token, &claims.subject).await?);
        }
        let text = |name: &str| said_of.get(name).and_then(Value::as_str).map(str::to_owned);
        // Some providers write it as a text.
        let is_verified = match said_of.get("email_verified") {
            Some(Value::Bool(is_verified)) => *is_verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let email = text("email").filter(|_| is_verified).and_then(|email| normal_email(&email).ok());
        let groups = provider.role_claim.as_ref().and_then(|path| at(&said_of, path)).map(texts).unwrap_or_default();
        Ok(Person { subject: claims.subject, email, name: text("name"), groups, proved: claims.authenticated })
    }

    /// What a provider says of a person beside the ID token (OpenID Connect Core, section 5.3): many say the
    /// address only there.
    async fn userinfo(
        &self,
        provider: &ProviderRecord,
        endpoint: &str,
        token: &str,
        subject: &str,
    ) -> Result<Map<String, Value>, CallbackFault> {
        let mut request = WebRequest::get(endpoint);
        request.headers.push(("authorization", Secret::new(format!("Bearer {token}"))));
        let answer = self.ports.web.ask(request).await.map_err(|fault| said(provider, &fault))?;
        let body: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        // Else the answer about another person could be put in its place (section 5.3.2).
        if answer.status != 200 || body.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(CallbackFault::Provider);
        }
        Ok(body)
    }

    async fn swap_code(
        &self,
        provider: &ProviderRecord,
        pending: &Pending,
        code: &str,
        url: String,
    ) -> Result<Map<String, Value>, CallbackFault> {
        let secret = provider.client_secret();
        let mut form = vec![
            ("grant_type", Secret::new("authorization_code".to_owned())),
            ("code", Secret::new(code.to_owned())),
            ("redirect_uri", Secret::new(self.redirect_uri(&provider.name))),
            ("code_verifier", Secret::new(pending.verifier.clone())),
            ("client_id", Secret::new(provider.client_id.clone())),
        ];
        let mut headers = vec![("accept", Secret::new("application/json".to_owned()))];
        match provider.kind {
            // RFC 6749, section 2.3.1: both are form-encoded before.
            ProviderKind::Oidc => {
                let both = format!("{}:{}", form_encoded(&provider.client_id), form_encoded(secret.reveal()));
                headers.push(("authorization", Secret::new(format!("Basic {}", STANDARD.encode(both)))));
            }
            ProviderKind::Github => form.push(("client_secret", secret)),
        }
        let answer = self.ports.web.ask(WebRequest { url, headers, form: Some(form) }).await;
        let answer = answer.map_err(|fault| said(provider, &fault))?;
        let body: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status != 200 || body.contains_key("error") {
            let error = body.get("error").and_then(Value::as_str).unwrap_or("no reason");
            let error: String = error.chars().take(100).filter(|letter| !letter.is_control()).collect();
            tracing::warn!(code = "sso_refused", provider = %provider.name, "a code was refused: {error} ({})", answer.status);
            return Err(CallbackFault::Provider);
        }
        Ok(body)
    }

    async fn person_of_github(
        &self,
        provider: &ProviderRecord,
        pending: &Pending,
        code: &str,
    ) -> Result<Person, CallbackFault> {
        let endpoint = format!("{}/login/oauth/access_token", provider.issuer);
        let tokens = self.swap_code(provider, pending, code, endpoint).await?;
        let token = tokens.get("access_token").and_then(Value::as_str).ok_or(CallbackFault::Provider)?;
        let api = match provider.issuer.as_str() {
            "https://github.com" => "https://api.github.com".to_owned(),
            // As GitHub Enterprise Server has it.
            other => format!("{other}/api/v3"),
        };
        let ask = async |path: &str| -> Result<Value, CallbackFault> {
            let mut request = WebRequest::get(format!("{api}{path}"));
            request.headers.push(("authorization", Secret::new(format!("Bearer {token}"))));
            let answer = self.ports.web.ask(request).await.map_err(|fault| said(provider, &fault))?;
            let body = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
            body.ok_or(CallbackFault::Provider)
        };
        let user = ask("/user").await?;
        let subject = user["id"].as_u64().ok_or(CallbackFault::Provider)?.to_string();
        let emails = ask("/user/emails").await?;
        let is_good = |entry: &&Value| entry["verified"] == true && entry["primary"] == true;
        let email = emails.as_array().into_iter().flatten().find(is_good).and_then(|entry| entry["email"].as_str());
        let email = email.and_then(|email| normal_email(email).ok());
        Ok(Person { subject, email, name: user["name"].as_str().map(str::to_owned), groups: Vec::new(), proved: None })
    }
}

fn said(provider: &ProviderRecord, fault: &PortError) -> CallbackFault {
    let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(code = "sso_unreachable", provider = %provider.name, "the provider was not read: {fault}: {cause}");
    CallbackFault::Unreachable
}

/// A claim by its name, or by names with dots between for one inside others (`realm_access.roles`).
fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, name| value.get(name))
    })
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// `application/x-www-form-urlencoded`, of one text.
pub(super) fn form_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
