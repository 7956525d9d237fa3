//! One's own account: password, address, second factor, and the links that are sent by mail.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tidings_core::secret::Secret;
use tidings_engine::Redeemed;

use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::context::Around;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::limits;
use crate::operation::{JSON, Operation};

pub(super) fn operations() -> Vec<Operation> {
    let own = |operation: Operation| operation.access(Access::Key).ends_in(&error::NOT_FOUND);
    let proven = |operation: Operation| {
        own(operation).sign_in().ends_in(&error::OVERLOADED).ends_in(&error::CONFLICT).ends_in(&error::WRONG_PROOF)
    };
    vec![
        own(Operation::get("/v1/account", "getAccount", get)).summary("Your account").answers(200, "Account"),
        own(Operation::patch("/v1/account", "changeAccount", rename))
            .summary("Changes what you are called")
            .takes(JSON, "AccountChange")
            .answers(200, "Account")
            .ends_in(&error::CONFLICT),
        proven(Operation::post("/v1/account/password", "changePassword", change_password))
            .summary("Changes your password; every session of yours ends")
            .takes(JSON, "PasswordChange")
            .answers_as(204, None, None),
        proven(Operation::post("/v1/account/email", "changeEmail", change_email))
            .summary("Sends a link to another address, which makes it yours")
            .takes(JSON, "EmailChange")
            .answers_as(202, None, None),
        proven(Operation::post("/v1/account/second-factor", "beginSecondFactor", begin))
            .summary("Begins to enroll an app for codes by time")
            .takes(JSON, "OwnPassword")
            .answers(200, "Enrollment"),
        proven(Operation::post("/v1/account/second-factor:confirm", "confirmSecondFactor", confirm))
            .summary("Ends the enrollment with a code of the app; shows the recovery codes, once")
            .takes(JSON, "SecondFactorCode")
            .answers(200, "RecoveryCodes"),
        proven(Operation::post("/v1/account/second-factor:remove", "removeSecondFactor", remove))
            .summary("Takes the second factor away")
            .takes(JSON, "SecondFactorProof")
            .answers_as(204, None, None),
        Operation::post("/v1/password-resets", "forgotPassword", forgot)
            .summary("Sends a link for a new password, if someone has the address; the answer is the same either way")
            .access(Access::Open)
            .sign_in()
            .takes(JSON, "ForgottenPassword")
            .answers_as(202, None, None),
        Operation::post("/v1/links:redeem", "redeemLink", redeem)
            .summary("Uses a link that works once: the first Admin's, an invitation, a new password, an address")
            .access(Access::Open)
            .sign_in()
            .takes(JSON, "LinkUse")
            .answers(200, "LinkUsed")
            .ends_in(&error::LINK_GONE)
            .ends_in(&error::WRONG_PROOF)
            .ends_in(&error::OVERLOADED),
    ]
}

async fn get(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    Ok(super::json(&app.engine.account(&principal).await?))
}

async fn rename(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let name = fields.text("name");
    fields.finish("a change of an account")?;
    app.engine.rename_account(asking.by(), name).await?;
    Ok(super::json(&app.engine.account(&asking.principal).await?))
}

async fn change_password(
    State(app): State<App>,
    asking: Asking,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (present, new) = (fields.needed_secret("present"), fields.needed_secret("password"));
    fields.finish("a change of password")?;
    limits::enter_account(&app, &asking.principal.user.to_string())?;
    app.engine.change_password(asking.by(), &present, &new).await.map_err(own_proof)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn change_email(
    State(app): State<App>,
    asking: Asking,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (email, password) = (fields.needed("email"), fields.needed_secret("password"));
    fields.finish("a change of address")?;
    limits::enter_account(&app, &asking.principal.user.to_string())?;
    app.engine.change_email(asking.by(), &email, &password).await.map_err(own_proof)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn begin(
    State(app): State<App>,
    Caller(principal): Caller,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let password = fields.needed_secret("password");
    fields.finish("a proof")?;
    limits::enter_account(&app, &principal.user.to_string())?;
    let enrollment = app.engine.begin_second_factor(&principal, &password).await.map_err(own_proof)?;
    Ok(secret_answer(&json!({ "secret": enrollment.secret.reveal(), "address": enrollment.address.reveal() })))
}

async fn confirm(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let code = fields.needed("code");
    fields.finish("a code")?;
    limits::enter_account(&app, &asking.principal.user.to_string())?;
    let codes = app.engine.confirm_second_factor(asking.by(), &code).await.map_err(own_proof)?;
    let codes: Vec<&String> = codes.iter().map(Secret::reveal).collect();
    Ok(secret_answer(&json!({ "recovery_codes": codes })))
}

async fn remove(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (password, code) = (fields.needed_secret("password"), fields.text("code").unwrap_or_default());
    fields.finish("a proof")?;
    limits::enter_account(&app, &asking.principal.user.to_string())?;
    app.engine.remove_second_factor(asking.by(), &password, &code).await.map_err(own_proof)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn forgot(State(app): State<App>, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let email = fields.needed("email");
    fields.finish("a forgotten password")?;
    limits::enter_account(&app, &email)?;
    app.engine.forgot_password(&email);
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn redeem(
    State(app): State<App>,
    Around(context): Around,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (link, email, password) = (fields.needed_secret("link"), fields.text("email"), fields.secret("password"));
    fields.finish("the use of a link")?;
    let used = app.engine.redeem_link(link.reveal(), email.as_deref(), password.as_ref(), &context.correlation_id);
    let made = match used.await.map_err(own_proof)? {
        Redeemed::Account => "account",
        Redeemed::Email => "email",
    };
    Ok(super::json(&json!({ "made": made })))
}

/// One who is known, and whose password or code is wrong, is still known.
fn own_proof(fault: tidings_engine::IdentityError) -> ApiError {
    match fault {
        tidings_engine::IdentityError::Refused => ApiError::new(&error::WRONG_PROOF),
        fault => fault.into(),
    }
}

fn secret_answer(body: &Value) -> Response {
    let mut response = super::json(body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
