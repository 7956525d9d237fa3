//! Where clients come by tokens, give them back, and ask what they are worth.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::App;
use crate::auth::{self, Access, Caller};
use crate::error::{self, ApiError};
use crate::form::{ClientForm, FORM, Refused, private};
use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    let of_clients =
        |operation: Operation| operation.access(Access::Open).answers(400, "OAuthError").answers(401, "OAuthError");
    vec![
        of_clients(Operation::post("/oauth/token", "issueTokens", issue))
            .summary("Gives a client tokens for a code, a refresh token, or in its own name")
            .takes(FORM, "TokenForm")
            .answers(200, "Tokens"),
        of_clients(Operation::post("/oauth/revoke", "revokeToken", revoke))
            .summary("Ends the grant of one of a client's tokens, and with it all its tokens (RFC 7009)")
            .takes(FORM, "OneTokenForm")
            .answers_as(200, None, None),
        of_clients(Operation::post("/oauth/introspect", "introspectToken", introspect))
            .summary("What a token of the tenant is worth, for clients that keep a secret (RFC 7662)")
            .takes(FORM, "OneTokenForm")
            .answers(200, "TokenDetails"),
        Operation::get("/oauth/userinfo", "getUserInfo", user_info)
            .summary("Who the person is, as far as the token's scopes go (OpenID Connect Core, section 5.3)")
            .access(Access::Key)
            .answers(200, "UserInfo")
            .ends_in(&error::NOT_FOUND),
        Operation::post("/oauth/userinfo", "postUserInfo", user_info)
            .summary("The same for clients that post")
            .access(Access::Key)
            .answers(200, "UserInfo")
            .ends_in(&error::NOT_FOUND),
    ]
}

async fn issue(State(app): State<App>, form: ClientForm) -> Result<Response, Refused> {
    Ok(answer(&app.engine.issue_tokens(form.request()).await?))
}

async fn revoke(State(app): State<App>, form: ClientForm) -> Result<Response, Refused> {
    app.engine.revoke_token(form.request()).await?;
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

async fn introspect(State(app): State<App>, form: ClientForm) -> Result<Response, Refused> {
    Ok(answer(&app.engine.introspect(form.request()).await?))
}

async fn user_info(
    State(app): State<App>,
    Caller(principal): Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let scoped = |fault: tidings_engine::IdentityError| match fault {
        tidings_engine::IdentityError::NotPermitted(detail) => ApiError::new(&error::FORBIDDEN)
            .detail(detail)
            .header(header::WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\", scope=\"openid\""),
        other => other.into(),
    };
    let shown = headers.get(header::AUTHORIZATION).and_then(auth::bearer).unwrap_or_default();
    Ok(answer(&app.engine.user_info(&principal, shown).await.map_err(scoped)?))
}

pub(super) fn answer(value: &impl Serialize) -> Response {
    (private(), serde_json::to_vec(value).expect("answers are plain data")).into_response()
}
