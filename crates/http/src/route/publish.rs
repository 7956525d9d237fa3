//! `POST /v1/events`: bytes become one envelope, and each message in them gets its answer.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tidings_core::decode::{MEDIA_TYPES, is_known_media_type};
use tidings_core::envelope::{Coordinate, Envelope};
use tidings_core::permission::Permission;
use tidings_core::rejection::{Copy, Outcome};
use tidings_engine::Fault;

use crate::App;
use crate::auth::{Access, Caller};
use crate::body::Received;
use crate::context::{Around, Context};
use crate::error::{self, ApiError};
use crate::limits;
use crate::operation::Operation;
use crate::query::Query;

/// What may stand in the query, or in headers with `x-` before it, beside a plain text.
const TEXT_KEYS: &[&str] = &[
    "id",
    "thread",
    "source",
    "title",
    "category",
    "type",
    "severity",
    "urgency",
    "certainty",
    "occurred",
    "lat",
    "lon",
    "radius_km",
    "magnitude",
];
/// Letters of an `Idempotency-Key`.
const KEY_LENGTH_MAX: usize = 255;

pub(super) fn operations() -> Vec<Operation> {
    let mut publish = Operation::post("/v1/events", "publishEvents", publish)
        .summary("Takes events in; the media type says how they are written")
        .access(Access::Needs(Permission::EventsWrite))
        .header(
            "Idempotency-Key",
            "A repeat under the same key with the same content is the same event; at most 255 letters",
        )
        .header("X-Request-Id", "Names the request; echoed, and the correlation id where no traceparent is sent")
        .header("traceparent", "W3C trace context; its trace id becomes the correlation id");
    for key in TEXT_KEYS {
        publish = publish.query(key, "For text/plain: the member of this name of the event");
    }
    for media in MEDIA_TYPES {
        let is_native = matches!(*media, "application/json" | "application/x-ndjson");
        publish = publish.takes(media, if is_native { "NativeEvent" } else { "Bytes" });
    }
    vec![
        publish
            .answers(202, "Published")
            .answers_as(422, Some(error::PROBLEM_JSON), Some("Published"))
            .ends_in(&error::QUOTA_REACHED),
    ]
}

async fn publish(
    State(app): State<App>,
    Caller(principal): Caller,
    Around(context): Around,
    query: Query,
    headers: HeaderMap,
    received: Result<Received, ApiError>,
) -> Result<Response, ApiError> {
    app.engine.may_take_in(&principal.tenant)?;
    let media_type = media_type(&headers)?;
    let coordinate = coordinate(&app, &headers)?;
    let mut envelope_headers = meaningful_headers(&headers)?;
    envelope_headers.extend(text_members(query, media_type.as_deref())?);
    let received = received?;
    let envelope = Envelope {
        bytes: received.bytes.clone(),
        media_type,
        headers: envelope_headers,
        source: "api".to_owned(),
        tenant: principal.tenant.clone(),
        authority: principal.authority.clone(),
        coordinate,
        first_item: 0,
        received: app.engine.clock().now(),
        correlation_id: context.correlation_id.clone(),
    };
    take_in(&app, &context, envelope).await
}

/// Takes in one envelope, whoever brought it, and answers for each message in it.
pub(super) async fn take_in(app: &App, context: &Context, envelope: Envelope) -> Result<Response, ApiError> {
    let outcomes = app.engine.publish(vec![envelope]).await?;
    limits::spend_events(app, context, outcomes.iter().map(Vec::len).sum());
    answer(context, outcomes.iter().flatten())
}

/// The declared media type with its parameters; none where it must be sniffed.
pub(super) fn media_type(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(declared) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    let unknown = |shown: &str| {
        ApiError::new(&error::UNSUPPORTED_MEDIA_TYPE)
            .detail(format!("`{shown}` is not a media type of events; send one of {}", MEDIA_TYPES.join(", ")))
            .header(HeaderName::from_static("accept-post"), MEDIA_TYPES.join(", "))
    };
    let declared = declared.to_str().map_err(|_| unknown("?"))?.trim();
    let name = declared.split(';').next().unwrap_or_default().trim();
    if name.is_empty() || name.eq_ignore_ascii_case("application/octet-stream") {
        return Ok(None);
    }
    // In binary mode the media type is that of the data, which may be anything.
    let is_known = is_known_media_type(declared) || headers.contains_key("ce-specversion");
    if is_known { Ok(Some(declared.to_owned())) } else { Err(unknown(&name.chars().take(80).collect::<String>())) }
}

/// What tells this delivery from an equal one: the caller's key, bare or quoted, else an id that we
/// draw.
fn coordinate(app: &App, headers: &HeaderMap) -> Result<Coordinate, ApiError> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(Coordinate::Drawn(app.random_hex::<16>()));
    };
    let fault = || {
        ApiError::new(&error::BAD_REQUEST)
            .detail(format!("`Idempotency-Key` must have 1 to {KEY_LENGTH_MAX} visible ASCII letters"))
    };
    let text = key.to_str().map_err(|_| fault())?.trim();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if bare.is_empty() || bare.len() > KEY_LENGTH_MAX {
        return Err(fault());
    }
    Ok(Coordinate::Key(bare.to_owned()))
}

/// Attributes of CloudEvents in binary mode, whose percent-encoding the decoder reads, and members
/// beside a plain text (`x-title`, `x-severity`, …).
fn meaningful_headers(headers: &HeaderMap) -> Result<Vec<(String, String)>, ApiError> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let is_member = name.as_str().strip_prefix("x-").is_some_and(|member| TEXT_KEYS.contains(&member));
        if !name.as_str().starts_with("ce-") && !is_member {
            continue;
        }
        let fault = |_| ApiError::new(&error::BAD_REQUEST).detail(format!("the header `{name}` is not UTF-8"));
        let text = std::str::from_utf8(value.as_bytes()).map_err(fault)?;
        found.push((name.as_str().to_owned(), text.to_owned()));
    }
    Ok(found)
}

/// Beside a plain text the query may hold members of the event; elsewhere it must be empty.
fn text_members(mut query: Query, media_type: Option<&str>) -> Result<Vec<(String, String)>, ApiError> {
    let mut members = Vec::new();
    if media_type.is_none_or(|media| media.to_ascii_lowercase().starts_with("text/plain")) {
        for name in TEXT_KEYS {
            members.extend(query.text(name).map(|value| ((*name).to_owned(), value)));
        }
    }
    query.finish()?;
    Ok(members)
}

/// CONTRACT section 2, "Answer to every POST of events".
fn answer<'a>(context: &Context, outcomes: impl Iterator<Item = &'a Outcome>) -> Result<Response, ApiError> {
    let (mut accepted, mut duplicates, mut rejected, mut failed) = (0, 0, 0, 0);
    let mut results: Vec<Value> = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    for (index, outcome) in outcomes.enumerate() {
        let mut result = json!({ "index": index, "status": outcome.as_str() });
        match outcome {
            Outcome::Accepted(id) => {
                accepted += 1;
                result["id"] = json!(id);
            }
            Outcome::Duplicate { id, kind } => {
                duplicates += 1;
                result["id"] = json!(id);
                match kind {
                    Copy::Same => {}
                    Copy::Form => result["form"] = json!(true),
                    Copy::Conflict => result["conflict"] = json!(true),
                }
            }
            Outcome::Rejected { dead_letter, rejection } => {
                rejected += 1;
                result["dead_letter_id"] = json!(dead_letter);
                let code = rejection.reason.as_str();
                let (pointer, detail) = (&rejection.pointer, &rejection.detail);
                result["problem"] = json!({ "code": code, "pointer": pointer, "detail": detail });
                let pointer = format!("/results/{index}{pointer}");
                faults.push(Fault { pointer, code, detail: detail.clone() });
            }
            Outcome::Failed(detail) => {
                failed += 1;
                result["problem"] = json!({ "code": "unavailable", "pointer": "", "detail": detail });
            }
        }
        results.push(result);
    }
    if results.is_empty() {
        return Err(ApiError::new(&error::EMPTY_BATCH));
    }
    let body = json!({
        "accepted": accepted, "duplicates": duplicates, "rejected": rejected,
        "correlation_id": context.correlation_id, "results": results,
    });
    let refuse = |problem| {
        let members = body.as_object().into_iter().flatten();
        members.fold(ApiError::new(problem), |error, (name, value)| error.member(name, value.clone()))
    };
    if failed > 0 {
        return Err(refuse(&error::UNAVAILABLE)
            .detail("nothing of what failed was stored; send all of it again")
            .retry_after(1));
    }
    if accepted + duplicates == 0 {
        let is_empty = faults.iter().all(|fault| fault.code == "empty_batch");
        let problem = if is_empty { &error::EMPTY_BATCH } else { &error::ALL_REJECTED };
        return Err(refuse(problem).errors(faults));
    }
    Ok((StatusCode::ACCEPTED, super::json(&body)).into_response())
}
