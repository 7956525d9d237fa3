//! Where a browser comes with the request of a client, and where a person answers it.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_engine::{AuthorizeStep as Step, Parameters};

use crate::App;
use crate::auth::{Access, Caller, unauthenticated};
use crate::body::JsonObject;
use crate::context::SaysItself;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::form::{FORM, parameters};
use crate::operation::{JSON, Operation};
use crate::origin::From;
use crate::session;

/// The request's parameters, as the document lists them.
const PARAMETERS: [(&str, &str); 12] = [
    ("client_id", "Who asks"),
    ("redirect_uri", "Where the answer goes; one that the client is registered with, letter by letter"),
    ("response_type", "code"),
    ("scope", "What is asked for, with spaces between"),
    ("state", "Comes back as it is"),
    ("code_challenge", "SHA-256 of the verifier in base64url (RFC 7636); every client sends it"),
    ("code_challenge_method", "S256"),
    ("nonce", "Comes back in the ID token"),
    ("prompt", "none, or some of login, consent, select_account"),
    ("max_age", "Seconds since the person signed in, at most; a sign-in of the last minute always counts"),
    ("login_hint", "Not used: the person says who they are"),
    ("resource", "This server, if anything (RFC 8707)"),
];

pub(super) fn operations() -> Vec<Operation> {
    let asks = |mut operation: Operation| {
        for (name, detail) in PARAMETERS {
            operation = operation.query(name, detail);
        }
        operation
    };
    vec![
        asks(
            Operation::get("/oauth/authorize", "authorize", authorize)
                .summary("A client asks the person in this browser for a code")
                .access(Access::Open)
                .answers_as(303, None, None)
                .answers_as(400, Some(HTML), None),
        ),
        Operation::post("/oauth/authorize", "authorizeByForm", authorize_by_form)
            .summary("The same for clients whose page posts the request (OpenID Connect Core, section 3.1.2.1)")
            .access(Access::Open)
            .takes(FORM, "AuthorizationForm")
            .answers_as(303, None, None)
            .answers_as(400, Some(HTML), None),
        asks(
            Operation::get("/v1/oauth/consent", "getConsent", get_consent)
                .summary("What a client asks of you, before you answer")
                .access(Access::Key)
                .answers(200, "ConsentRequest"),
        ),
        Operation::post("/v1/oauth/consent", "giveConsent", give_consent)
            .summary("Lets a client do what it asks for, or not; the browser goes where the answer says")
            .access(Access::Key)
            .takes(JSON, "ConsentAnswer")
            .answers(200, "Location"),
    ]
}

const HTML: &str = "text/html; charset=utf-8";

async fn authorize(
    State(app): State<App>,
    From(origin): From,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(request) = parameters(query.as_deref().unwrap_or_default()) else {
        return Ok(stopped("The request is too long, or not UTF-8."));
    };
    let holder = session::holder(&app, &origin, &headers).await?.map(|(_, principal)| principal);
    Ok(match app.engine.authorize(&request, holder.as_deref(), None).await? {
        Step::Back(location) => to(&location),
        Step::SignIn => {
            let here = format!("/oauth/authorize?{}", request.to_query());
            let next = Parameters::from_iter([("next".to_owned(), here)]);
            to(&format!("/account?{}#sign-in", next.to_query()))
        }
        Step::Ask => to(&format!("/oauth/consent?{}", request.to_query())),
        Step::Stop(why) => stopped(why),
    })
}

/// Goes on with a query: a browser sends its session's cookie with that only, where another site posts.
async fn authorize_by_form(body: Bytes) -> Response {
    let request = std::str::from_utf8(&body).ok().filter(|text| parameters(text).is_some());
    match request.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(request) => to(&format!("/oauth/authorize?{request}")),
        None => stopped("The request is too long, or no form."),
    }
}

fn to(location: &str) -> Response {
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// A page that says what is wrong and leads nowhere.
fn stopped(why: &'static str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tidings</title>\
         <h1>This cannot go on</h1><p>{why}</p><p>Nothing was given to anyone. Tell those who sent you here.</p></html>"
    );
    let mut response = (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, HTML)], page).into_response();
    response.extensions_mut().insert(SaysItself);
    response
}

async fn get_consent(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let fault = |detail: &str| ApiError::parameter("client_id", "invalid_request", detail);
    let request = parameters(query.as_deref().unwrap_or_default());
    let request = request.ok_or_else(|| fault("the request is too long, or not UTF-8"))?;
    let view = app.engine.consent_view(&request).await?.map_err(fault)?;
    Ok(super::super::json(&view))
}

async fn give_consent(
    State(app): State<App>,
    Caller(principal): Caller,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (request, is_allowed) = (fields.needed("request"), fields.flag("allow"));
    if is_allowed.is_none() {
        fields.fault("allow", "missing", "`allow` must be true or false");
    }
    let request = parameters(&request);
    if request.is_none() {
        fields.fault("request", "invalid_field", "`request` is too long, or not UTF-8");
    }
    fields.finish("an answer to a client")?;
    let request = request.unwrap_or_default();
    match app.engine.authorize(&request, Some(&principal), Some(is_allowed.unwrap_or_default())).await? {
        Step::Back(location) => Ok(super::super::json(&json!({ "location": location }))),
        Step::SignIn | Step::Ask => Err(unauthenticated(None).detail("sign in with your account first, in a browser")),
        Step::Stop(why) => Err(ApiError::invalid(vec![tidings_engine::Fault {
            pointer: "/request".to_owned(),
            code: "invalid_request",
            detail: why.to_owned(),
        }])),
    }
}
