//! Forms as OAuth sends them, with its own way of naming faults (RFC 6749, section 5.2).

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tidings_core::secret::Secret;
use tidings_engine::{OAuthError, Parameters, TokenRequest};

use crate::App;
use crate::body::Received;
use crate::error::ApiError;
use crate::limits;
use crate::origin::From as FromOrigin;
use crate::query::decode;

/// The media type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// Bytes of a form or a query, at most.
const BYTES_MAX: usize = 32 << 10;

/// Why a client gets nothing.
#[derive(Debug)]
pub(crate) enum Refused {
    /// As OAuth names it.
    OAuth(OAuthError),
    /// As for any request.
    Api(ApiError),
}

impl From<OAuthError> for Refused {
    fn from(fault: OAuthError) -> Self {
        Self::OAuth(fault)
    }
}

impl From<ApiError> for Refused {
    fn from(fault: ApiError) -> Self {
        Self::Api(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (code, detail) = match self {
            Self::Api(fault) => return fault.into_response(),
            Self::OAuth(OAuthError::Port(fault)) => return ApiError::from(fault).into_response(),
            Self::OAuth(OAuthError::Fault { code, detail }) => (code, detail),
        };
        let status = if code == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = json!({ "error": code, "error_description": detail }).to_string();
        let mut response = (status, private(), body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"tidings\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The head of answers that nobody keeps (RFC 6749, section 5.1).
pub(crate) fn private() -> [(header::HeaderName, HeaderValue); 3] {
    let fixed = HeaderValue::from_static;
    [
        (header::CONTENT_TYPE, fixed("application/json")),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::PRAGMA, fixed("no-cache")),
    ]
}

/// Splits and decodes a form or a query; nothing where it is too long or not UTF-8.
pub(crate) fn parameters(text: &str) -> Option<Parameters> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty() && text.len() <= BYTES_MAX).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    });
    let pairs: Option<Vec<_>> = pairs.collect();
    pairs.filter(|_| text.len() <= BYTES_MAX).map(Parameters::from_iter)
}

/// A form of a client that says who it is, held against the limit of such requests.
#[derive(Debug)]
pub(crate) struct ClientForm {
    form: Parameters,
    basic: Option<(String, Secret<String>)>,
}

impl ClientForm {
    pub(crate) fn request(&self) -> TokenRequest<'_> {
        TokenRequest { form: &self.form, basic: self.basic.clone() }
    }
}

impl FromRequest<App> for ClientForm {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let invalid = |detail| Refused::OAuth(OAuthError::Fault { code: "invalid_request", detail });
        let (mut parts, body) = request.into_parts();
        let FromOrigin(origin) = FromOrigin::from_request_parts(&mut parts, app).await?;
        limits::enter_tokens(app, origin.address)?;
        let media = parts.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
        if !media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM) {
            return Err(invalid("send a form: application/x-www-form-urlencoded"));
        }
        let basic = basic(&parts.headers)?;
        let received = Received::from_request(Request::from_parts(parts, body), app).await?;
        let text = std::str::from_utf8(&received.bytes).map_err(|_| invalid("the form is not UTF-8"))?;
        let form = parameters(text).ok_or_else(|| invalid("the form is too long or not UTF-8"))?;
        Ok(Self { form, basic })
    }
}

/// Id and secret of `Authorization: Basic`, each encoded as in a form (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret<String>)>, Refused> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let wrong = || Refused::OAuth(OAuthError::Fault { code: "invalid_client", detail: "`Authorization` is Basic" });
    let (scheme, encoded) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(wrong());
    }
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = Secret::new(decoded.ok_or_else(wrong)?);
    let (id, secret) = decoded.reveal().split_once(':').ok_or_else(wrong)?;
    let (id, secret) = (decode(id).ok_or_else(wrong)?, decode(secret).ok_or_else(wrong)?);
    Ok(Some((id, Secret::new(secret))))
}
