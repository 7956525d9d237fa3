//! Devices without a browser: they begin here, and their person answers on a page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::token::answer;
use crate::App;
use crate::auth::{Access, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::form::{ClientForm, FORM, Refused};
use crate::limits;
use crate::operation::{JSON, Operation};
use crate::query::Query;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/oauth/device_authorization", "beginDevice", begin)
            .summary("A device without a browser begins to wait for its person (RFC 8628)")
            .access(Access::Open)
            .takes(FORM, "DeviceForm")
            .answers(200, "DeviceBegun")
            .answers(400, "OAuthError")
            .answers(401, "OAuthError"),
        Operation::get("/v1/oauth/device", "getDevice", get)
            .summary("Which device waits under a code that you were shown")
            .access(Access::Key)
            .query("user_code", "The code, however it is typed")
            .answers(200, "DeviceRequest")
            .ends_in(&error::NOT_FOUND),
        Operation::post("/v1/oauth/device", "answerDevice", give)
            .summary("Lets the device in that waits under a code, or not")
            .access(Access::Key)
            .takes(JSON, "DeviceAnswer")
            .answers_as(204, None, None)
            .ends_in(&error::NOT_FOUND)
            .ends_in(&error::CONFLICT),
    ]
}

async fn begin(State(app): State<App>, form: ClientForm) -> Result<Response, Refused> {
    Ok(answer(&app.engine.begin_device(form.request()).await?))
}

async fn get(State(app): State<App>, Caller(principal): Caller, mut query: Query) -> Result<Response, ApiError> {
    let code = query.text("user_code").unwrap_or_default();
    query.finish()?;
    limits::enter_account(&app, &format!("device {}", principal.user))?;
    Ok(super::super::json(&app.engine.device_view(&code).await?))
}

async fn give(
    State(app): State<App>,
    Caller(principal): Caller,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (code, is_allowed) = (fields.needed("user_code"), fields.flag("allow"));
    if is_allowed.is_none() {
        fields.fault("allow", "missing", "`allow` must be true or false");
    }
    fields.finish("an answer to a device")?;
    limits::enter_account(&app, &format!("device {}", principal.user))?;
    app.engine.answer_device(&principal, &code, is_allowed.unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
