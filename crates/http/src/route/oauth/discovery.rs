//! What the server says of itself (OpenID Connect Discovery, RFC 8414, RFC 9728), and its public keys.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};
use tidings_core::permission::Permissions;
use tidings_engine::Scopes;

use crate::App;
use crate::auth::Access;
use crate::error::ApiError;
use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    let open = |operation: Operation, schema| operation.access(Access::Open).answers(200, schema);
    vec![
        open(
            Operation::get("/.well-known/openid-configuration", "getOpenIdConfiguration", server)
                .summary("Where the authorization server is and what it can do (OpenID Connect Discovery)"),
            "AuthorizationServer",
        ),
        open(
            Operation::get("/.well-known/oauth-authorization-server", "getAuthorizationServer", server)
                .summary("Where the authorization server is and what it can do (RFC 8414)"),
            "AuthorizationServer",
        ),
        open(
            Operation::get("/.well-known/oauth-protected-resource", "getProtectedResource", resource)
                .summary("Whose tokens the API takes (RFC 9728)"),
            "ProtectedResource",
        ),
        open(
            Operation::get("/oauth/jwks.json", "getKeySet", keys)
                .summary("The public keys that tokens are verified with (RFC 7517)"),
            "KeySet",
        ),
    ]
}

async fn server(State(app): State<App>) -> Response {
    let issuer = app.engine.public_url();
    let at = |path: &str| format!("{issuer}{path}");
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    kept(&json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "jwks_uri": at("/oauth/jwks.json"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "scopes_supported": Scopes::ALL.names().collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "ES256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods[..2],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "email", "email_verified"],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "service_documentation": at("/docs/api"),
    }))
}

async fn resource(State(app): State<App>) -> Response {
    let issuer = app.engine.public_url();
    kept(&json!({
        "resource": issuer,
        "resource_name": "Tidings",
        "authorization_servers": [issuer],
        "scopes_supported": Permissions::ALL,
        "bearer_methods_supported": ["header"],
        "resource_documentation": format!("{issuer}/docs/api"),
    }))
}

async fn keys(State(app): State<App>) -> Result<Response, ApiError> {
    Ok(kept(&app.engine.published_keys().await?))
}

/// Others may keep it for five minutes; the next key is there a day before it signs.
fn kept(value: &Value) -> Response {
    let mut response = super::super::json(value);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
