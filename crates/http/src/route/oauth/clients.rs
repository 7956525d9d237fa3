//! The clients of a tenant, made by its admins.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidings_core::id::ClientId;
use tidings_core::permission::{Permission, RoleName};
use tidings_engine::token::SigningAlgorithm;
use tidings_engine::{ClientChange, ClientDraft, ClientView, GrantType, NewSecret, Scopes};

use super::super::{Id, event_list};
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::operation::{JSON, Operation};
use crate::query::Query;
use crate::{App, precondition};

/// How long a replaced secret goes on if nothing is said: a day.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;
/// How long it may go on at most: 30 days.
const OVERLAP_SECONDS_MAX: i64 = 30 * OVERLAP_SECONDS;

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Users);
    vec![
        Operation::get("/v1/oauth/clients", "listClients", list)
            .summary("The programs that may ask for tokens in your tenant, in order of ids")
            .access(of)
            .query("after", "The id of the last one of the page before")
            .query("limit", "1 to 1,000, 50 by default")
            .answers(200, "ClientList"),
        Operation::post("/v1/oauth/clients", "createClient", create)
            .summary("Registers a program; the answer is the only place that shows its secret")
            .access(of)
            .takes(JSON, "NewClient")
            .answers(201, "Client")
            .ends_in(&error::CONFLICT),
        Operation::get("/v1/oauth/clients/{id}", "getClient", get)
            .summary("One program of your tenant")
            .access(of)
            .answers(200, "Client"),
        Operation::patch("/v1/oauth/clients/{id}", "changeClient", change)
            .summary("Changes a program; what it was given follows at once")
            .access(of)
            .header("If-Match", "The ETag of the client as it was read")
            .takes(JSON, "ClientChange")
            .answers(200, "Client")
            .ends_in(&error::CONFLICT),
        Operation::post("/v1/oauth/clients/{id}:rotate-secret", "rotateClientSecret", rotate)
            .summary("Draws another secret; the old one goes on for `overlap_seconds`, a day if not given")
            .access(of)
            .takes(JSON, "SecretRotation")
            .answers(201, "Client")
            .ends_in(&error::CONFLICT),
        Operation::delete("/v1/oauth/clients/{id}", "removeClient", remove)
            .summary("Removes a program; everything that it was given ends")
            .access(of)
            .answers_as(204, None, None)
            .ends_in(&error::CONFLICT),
    ]
}

async fn list(State(app): State<App>, Caller(principal): Caller, mut query: Query) -> Result<Response, ApiError> {
    let after = query.read::<ClientId>("after");
    let limit = query.number("limit", 1..=event_list::PAGE_MAX, 50);
    query.finish()?;
    let found = app.engine.clients(&principal, after, limit).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.id);
    Ok(super::super::json(&json!({ "data": found, "next_cursor": next })))
}

async fn create(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let draft = ClientDraft {
        name: fields.needed("name"),
        is_confidential: fields.flag("confidential").unwrap_or(true),
        redirect_uris: typed(&mut fields, "redirect_uris", "a list of addresses").unwrap_or_default(),
        scopes: scopes(&mut fields).unwrap_or_default(),
        grant_types: typed(&mut fields, "grant_types", "a list of grant types, as the discovery document names them")
            .unwrap_or_else(|| vec![GrantType::AuthorizationCode, GrantType::RefreshToken]),
        is_first_party: fields.flag("first_party").unwrap_or(false),
        role: fields.read::<RoleName>("role"),
        signed_with: typed(&mut fields, "id_token_signed_response_alg", "EdDSA or ES256")
            .unwrap_or(SigningAlgorithm::EdDsa),
    };
    fields.finish("a new client")?;
    let made = app.engine.create_client(asking.by(), draft).await?;
    Ok(with_secret(&made))
}

/// A member of a type of its own.
fn typed<T: DeserializeOwned>(fields: &mut Fields, name: &str, what: &str) -> Option<T> {
    let read = serde_json::from_value(fields.take(name)?);
    read.map_err(|_| fields.fault(name, "invalid_field", format!("`{name}` must be {what}"))).ok()
}

fn scopes(fields: &mut Fields) -> Option<Scopes> {
    let names: Vec<String> = typed(fields, "scopes", "a list of scopes")?;
    let scopes = names.join(" ").parse();
    scopes.map_err(|cause| fields.fault("scopes", "invalid_field", format!("`scopes`: {cause}"))).ok()
}

async fn get(State(app): State<App>, Caller(principal): Caller, Id(id): Id<ClientId>) -> Result<Response, ApiError> {
    Ok(answer(&app.engine.client_view(&principal, id).await?))
}

async fn change(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<ClientId>,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let change = ClientChange {
        name: fields.text("name"),
        redirect_uris: typed(&mut fields, "redirect_uris", "a list of addresses"),
        scopes: scopes(&mut fields),
        grant_types: typed(&mut fields, "grant_types", "a list of grant types"),
        is_first_party: fields.flag("first_party"),
        role: fields.read::<RoleName>("role"),
    };
    fields.finish("a change of a client")?;
    if let Some(expected) = precondition::if_match(&headers)? {
        let now = app.engine.client_view(&asking.principal, id).await?.revision;
        if now != u64::from(expected) {
            return Err(ApiError::new(&error::STALE));
        }
    }
    Ok(answer(&app.engine.change_client(asking.by(), id, change).await?))
}

async fn rotate(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<ClientId>,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let seconds = fields.take("overlap_seconds").map_or(Some(OVERLAP_SECONDS), |seconds| seconds.as_i64());
    let seconds = seconds.filter(|seconds| (0..=OVERLAP_SECONDS_MAX).contains(seconds));
    if seconds.is_none() {
        let detail = format!("`overlap_seconds` must be a number from 0 to {OVERLAP_SECONDS_MAX}, 30 days");
        fields.fault("overlap_seconds", "invalid_field", detail);
    }
    fields.finish("a rotation")?;
    let overlap = seconds.unwrap_or_default() * 1_000;
    Ok(with_secret(&app.engine.rotate_client_secret(asking.by(), id, overlap).await?))
}

async fn remove(State(app): State<App>, asking: Asking, Id(id): Id<ClientId>) -> Result<Response, ApiError> {
    app.engine.remove_client(asking.by(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(client: &ClientView) -> Response {
    let mut response = super::super::json(client);
    if let Ok(revision) = u32::try_from(client.revision) {
        response.headers_mut().insert(header::ETAG, precondition::etag(revision));
    }
    response
}

/// The only answer that shows a secret.
fn with_secret(made: &NewSecret) -> Response {
    let mut body = serde_json::to_value(&made.client).unwrap_or(Value::Null);
    if let Some(secret) = &made.secret {
        body["client_secret"] = json!(secret.reveal());
    }
    (StatusCode::CREATED, super::super::json(&body)).into_response()
}
