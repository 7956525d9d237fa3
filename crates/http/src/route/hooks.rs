//! `POST /v1/hooks/{id}`: events of a sender that has no key and signs what it sends.
//!
//! Who is asking is known only once the body is there, so this operation is not held against its limits
//! before: a right signature counts as its tenant's, anything else against the address it comes from.
//! What is not signed is not read: no attributes in header fields, no query.

use std::net::IpAddr;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use tidings_core::decode::MEDIA_TYPES;
use tidings_core::envelope::Envelope;
use tidings_core::id::TenantId;
use tidings_engine::{Admitted, Claim, Refusal};

use super::publish;
use crate::App;
use crate::auth::{self, Access};
use crate::body::Received;
use crate::context::{Around, Context};
use crate::error::{self, ApiError};
use crate::limits::{self, Purpose, Spender};
use crate::operation::Operation;
use crate::origin::From;
use crate::query::Query;

/// The operation's name, also in the audit log.
const OPERATION: &str = "receiveWebhook";

pub(super) fn operations() -> Vec<Operation> {
    let mut receive = Operation::post("/v1/hooks/{id}", OPERATION, receive)
        .summary("Takes events in from a sender that signs them; /v1/inbound-webhooks makes the address")
        .access(Access::Signed)
        .header("webhook-id", "Of kind standard: the message's id, the same at each attempt")
        .header("webhook-timestamp", "Of kind standard: the time of the attempt in Unix seconds")
        .header("webhook-signature", "Of kind standard: `v1,` and a signature; several with a space between")
        .header("X-Hub-Signature-256", "Of kind github: `sha256=` and the signature")
        .header("X-GitHub-Delivery", "Of kind github: the delivery's id")
        .ends_in(&error::BAD_SIGNATURE);
    for media in MEDIA_TYPES {
        let is_native = matches!(*media, "application/json" | "application/x-ndjson");
        receive = receive.takes(media, if is_native { "NativeEvent" } else { "Bytes" });
    }
    vec![receive.answers(202, "Published").answers_as(422, Some(error::PROBLEM_JSON), Some("Published"))]
}

async fn receive(
    State(app): State<App>,
    Around(context): Around,
    From(origin): From,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let stranger = Stranger { app: &app, context: &context, address: origin.address };
    let hook = id.ok().and_then(|Path(id)| app.engine.hook_at(id.parse().ok()?));
    let hook = hook.ok_or_else(|| stranger.refuse(None))?;
    let claim = app.engine.claim(&hook, |name| only(&headers, name));
    let claim = claim.ok_or_else(|| stranger.refuse(Some(&hook.tenant)))?;
    let received = Received::from_request(request, &app).await.map_err(|fault| stranger.fault(fault))?;
    let Some(sender) = app.engine.admit(&claim, &received.bytes) else {
        let refusal = stranger.refuse(Some(&hook.tenant));
        limits::spend_bytes(&app, &context, received.bytes.len());
        return Err(refusal);
    };
    limits::enter_as(&app, &context, Spender::Known(&sender.tenant, sender.user), Purpose::Publish)?;
    limits::spend_bytes(&app, &context, received.bytes.len());
    auth::require_open(&app, &sender.tenant)?;
    app.engine.may_take_in(&sender.tenant)?;
    if !sender.authority.may_publish {
        stranger.note(Some(&sender.tenant));
        let detail = "the role of this webhook publishes no longer; ask an admin of its tenant";
        return Err(ApiError::new(&error::FORBIDDEN).detail(detail));
    }
    query?.finish()?;
    let envelope = envelope(&app, &context, &headers, &claim, sender, received.bytes.clone())?;
    publish::take_in(&app, &context, envelope).await
}

fn envelope(
    app: &App,
    context: &Context,
    headers: &HeaderMap,
    claim: &Claim,
    sender: Admitted,
    bytes: bytes::Bytes,
) -> Result<Envelope, ApiError> {
    if headers.contains_key("ce-specversion") {
        let detail = "header fields are not signed; send CloudEvents in structured or batched mode";
        return Err(ApiError::new(&error::BAD_REQUEST).detail(detail));
    }
    Ok(Envelope {
        bytes,
        media_type: publish::media_type(headers)?,
        headers: Vec::new(),
        source: "webhook".to_owned(),
        tenant: sender.tenant,
        authority: sender.authority,
        coordinate: claim.coordinate().clone(),
        first_item: 0,
        received: app.engine.clock().now(),
        correlation_id: context.correlation_id.clone(),
    })
}

/// A header field that is there exactly once, as text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// One who has not shown that they hold a secret.
struct Stranger<'a> {
    app: &'a App,
    context: &'a Context,
    address: Option<IpAddr>,
}

impl Stranger<'_> {
    /// The same for each reason, so that trying tells nothing; it is held against the attempts to sign in,
    /// and the log of the webhook's tenant says so.
    fn refuse(&self, tenant: Option<&TenantId>) -> ApiError {
        let spender = Spender::Stranger(self.address);
        if let Err(too_soon) = limits::enter_as(self.app, self.context, spender, Purpose::SignIn) {
            return too_soon;
        }
        self.note(tenant);
        ApiError::new(&error::BAD_SIGNATURE).header(header::WWW_AUTHENTICATE, "Webhook realm=\"tidings\"")
    }

    /// What is wrong with a body that could not be read.
    fn fault(&self, fault: ApiError) -> ApiError {
        let spender = Spender::Stranger(self.address);
        limits::enter_as(self.app, self.context, spender, Purpose::Send).err().unwrap_or(fault)
    }

    fn note(&self, tenant: Option<&TenantId>) {
        // The address of no webhook can be anything, and would make an entry each time.
        let target = tenant.map_or("/v1/hooks", |_| &self.context.path);
        self.app.engine.refused(Refusal {
            actor: None,
            tenant: tenant.cloned(),
            action: OPERATION,
            target: target.to_owned(),
            correlation_id: self.context.correlation_id.clone(),
        });
    }
}
