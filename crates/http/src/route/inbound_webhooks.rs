//! Inbound webhooks as admins manage them; `hooks.rs` is where they send to.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::id::HookId;
use tidings_core::permission::{Permission, RoleName};
use tidings_core::port::{HmacAlgorithm, HmacEncoding, HmacScheme, HookName, HookNameError, HookRecord, HookScheme};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;
use tidings_engine::{Fault, NewHook};

use super::{Id, keys};
use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};

/// Letters of a prefix.
const PREFIX_LENGTH_MAX: usize = 32;
/// Letters of the name of a header field.
const FIELD_LENGTH_MAX: usize = 64;

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Users);
    vec![
        Operation::post("/v1/inbound-webhooks", "createInboundWebhook", create)
            .summary("Makes a way in for signed requests; a secret that is made for it is in this answer only")
            .access(of)
            .takes(JSON, "NewInboundWebhook")
            .answers(201, "InboundWebhook")
            .ends_in(&error::CONFLICT)
            .ends_in(&error::QUOTA_REACHED),
        Operation::get("/v1/inbound-webhooks", "listInboundWebhooks", list)
            .summary("The inbound webhooks of your tenant, oldest first; never their secrets")
            .access(of)
            .answers(200, "InboundWebhookList"),
        Operation::get("/v1/inbound-webhooks/{id}", "getInboundWebhook", get)
            .summary("One inbound webhook")
            .access(of)
            .answers(200, "InboundWebhook"),
        Operation::post("/v1/inbound-webhooks/{id}:rotate", "rotateInboundWebhook", rotate)
            .summary("Gives it another secret; the one before goes on for `overlap_seconds`, a day if not given")
            .access(of)
            .takes(JSON, "InboundWebhookRotation")
            .answers(200, "InboundWebhook"),
        Operation::delete("/v1/inbound-webhooks/{id}", "deleteInboundWebhook", delete)
            .summary("Deletes it for good: it lets nothing in any more")
            .access(of)
            .answers_as(204, None, None),
    ]
}

async fn create(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let (hook, secret) = app.engine.create_hook(asking.by(), read(body)?).await?;
    let shown = shown(&app, &hook, &HashMap::new());
    Ok(with_secret(StatusCode::CREATED, shown, secret.as_ref()))
}

async fn list(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    let uses = app.engine.last_uses(&principal.tenant).await?;
    let data: Vec<Value> = app.engine.hooks(&principal).iter().map(|hook| shown(&app, hook, &uses)).collect();
    Ok(super::json(&json!({ "data": data })))
}

async fn get(State(app): State<App>, Caller(principal): Caller, Id(id): Id<HookId>) -> Result<Response, ApiError> {
    let hook = app.engine.hook(&principal, id).ok_or_else(|| ApiError::no_such("webhook"))?;
    Ok(super::json(&shown(&app, &hook, &app.engine.last_uses(&principal.tenant).await?)))
}

async fn rotate(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<HookId>,
    JsonObject(mut body): JsonObject,
) -> Result<Response, ApiError> {
    let mut faults = Vec::new();
    let secret = take_secret(&mut body, &mut faults);
    let overlap_ends = keys::overlap_ends(body, faults, &app)?;
    let (hook, made) = app.engine.rotate_hook(asking.by(), id, secret, overlap_ends).await?;
    let shown = shown(&app, &hook, &app.engine.last_uses(&hook.tenant).await?);
    Ok(with_secret(StatusCode::OK, shown, made.as_ref()))
}

async fn delete(State(app): State<App>, asking: Asking, Id(id): Id<HookId>) -> Result<Response, ApiError> {
    app.engine.delete_hook(asking.by(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The only answer that shows a secret: one that was just made here.
fn with_secret(status: StatusCode, mut body: Value, made: Option<&Secret<String>>) -> Response {
    if let Some(secret) = made {
        body["secret"] = json!(secret.reveal());
    }
    let mut response = (status, super::json(&body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A webhook as it may be shown at any time.
fn shown(app: &App, hook: &HookRecord, uses: &HashMap<String, Timestamp>) -> Value {
    let now = app.engine.clock().now();
    let old = hook.secrets.iter().filter_map(|secret| secret.ends).find(|ends| *ends > now);
    let mut body = json!({
        "id": hook.id, "name": hook.name, "path": format!("/v1/hooks/{}", hook.id), "speaks_as": hook.namespace,
        "role": hook.role, "issuers": hook.issuers, "tenant": hook.tenant, "user": hook.user, "created": hook.created,
        "updated": hook.updated, "expires": hook.expires, "old_secret_ends": old,
        "last_used": uses.get(&hook.id.to_string()),
    });
    // `kind`, and with a scheme of one's own what it says.
    if let (Some(members), Value::Object(scheme)) = (body.as_object_mut(), json!(hook.scheme)) {
        members.extend(scheme);
    }
    body
}

/// Reads a new webhook, naming every fault.
fn read(mut body: Map<String, Value>) -> Result<NewHook, ApiError> {
    let mut faults = Vec::new();
    let secret = take_secret(&mut body, &mut faults);
    let scheme = take_scheme(&mut body, &mut faults);
    let mut take = |name: &str| body.remove(name).filter(|value| !value.is_null());
    let name = take("name").and_then(|name| name.as_str()?.parse::<HookName>().ok());
    if name.is_none() {
        faults.push(keys::fault("name", "invalid_field", format!("`name`: {HookNameError}")));
    }
    let role = take("role").map(|role| serde_json::from_value::<RoleName>(role).ok());
    if role == Some(None) {
        faults.push(keys::fault("role", "invalid_enum", "`role` must be curator, admin or a role of your tenant"));
    }
    let issuers = take("issuers").map(keys::issuers_of);
    if issuers == Some(None) {
        faults.push(keys::fault("issuers", "invalid_field", "`issuers` must be a list of names, [\"*\"] for all"));
    }
    let expires = take("expires").map(|time| time.as_str().and_then(|time| Timestamp::parse(time).ok()));
    if expires == Some(None) {
        faults.push(keys::fault("expires", "invalid_time", "`expires` must be a time like 2027-01-31T00:00:00Z"));
    }
    let unknown = |name: &String| keys::fault(name, "unknown_field", "this is not a member of a webhook of this kind");
    faults.extend(body.keys().map(unknown));
    match (name, scheme) {
        (Some(name), Some(scheme)) if faults.is_empty() => Ok(NewHook {
            name,
            scheme,
            secret,
            role: role.flatten(),
            issuers: issuers.flatten(),
            expires: expires.flatten(),
        }),
        _ => Err(ApiError::invalid(faults)),
    }
}

fn take_secret(body: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Option<Secret<String>> {
    match body.remove("secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.into()),
        Some(_) => {
            faults.push(keys::fault("secret", "invalid_field", "`secret` must be a text"));
            None
        }
    }
}

fn take_scheme(body: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Option<HookScheme> {
    match body.remove("kind").as_ref().and_then(Value::as_str) {
        Some("standard") => Some(HookScheme::Standard),
        Some("github") => Some(HookScheme::Github),
        Some("hmac") => take_hmac(body, faults).map(HookScheme::Hmac),
        _ => {
            faults.push(keys::fault("kind", "invalid_enum", "`kind` must be standard, github or hmac"));
            None
        }
    }
}

fn take_hmac(body: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Option<HmacScheme> {
    let mut take = |name: &str| body.remove(name).filter(|value| !value.is_null());
    let field_name = |value: Value| value.as_str().filter(|text| is_field_name(text)).map(str::to_ascii_lowercase);
    let header = take("header").and_then(field_name);
    if header.is_none() {
        faults.push(keys::fault("header", "invalid_field", "`header` must name the header field with the signature"));
    }
    let algorithm = match take("algorithm").as_ref().map(Value::as_str) {
        None | Some(Some("sha256")) => Some(HmacAlgorithm::Sha256),
        Some(Some("sha512")) => Some(HmacAlgorithm::Sha512),
        Some(_) => None,
    };
    if algorithm.is_none() {
        faults.push(keys::fault("algorithm", "invalid_enum", "`algorithm` must be sha256 or sha512"));
    }
    let encoding = match take("encoding").as_ref().map(Value::as_str) {
        None | Some(Some("hex")) => Some(HmacEncoding::Hex),
        Some(Some("base64")) => Some(HmacEncoding::Base64),
        Some(_) => None,
    };
    if encoding.is_none() {
        faults.push(keys::fault("encoding", "invalid_enum", "`encoding` must be hex or base64"));
    }
    let is_prefix = |text: &&str| {
        (1..=PREFIX_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    let prefix = take("prefix").map(|value| value.as_str().filter(is_prefix).map(str::to_owned));
    if prefix == Some(None) {
        let detail = format!("`prefix` must be 1 to {PREFIX_LENGTH_MAX} ASCII letters that stand before the signature");
        faults.push(keys::fault("prefix", "invalid_field", detail));
    }
    let timestamp_header = take("timestamp_header").map(field_name);
    if timestamp_header == Some(None) || timestamp_header.as_ref().is_some_and(|name| *name == header) {
        let detail = "`timestamp_header` must name the header field with the Unix time that is signed with the body";
        faults.push(keys::fault("timestamp_header", "invalid_field", detail));
    }
    Some(HmacScheme {
        header: header?,
        algorithm: algorithm?,
        encoding: encoding?,
        prefix: prefix.flatten(),
        timestamp_header: timestamp_header.flatten(),
    })
}

fn is_field_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=FIELD_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}
