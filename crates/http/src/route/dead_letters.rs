//! What was set aside: look at it, send it again, give it up.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tidings_core::id::DeadLetterId;
use tidings_core::permission::Permission;
use tidings_core::port::DeadLetterState;
use tidings_core::time::Timestamp;
use tidings_engine::{DeadLetterFilter, Fault};

use super::Id;
use super::event_list::{PAGE, PAGE_MAX};
use super::events::stranger_bytes;
use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::ApiError;
use crate::operation::{JSON, Operation};
use crate::pages::Question;
use crate::query::Query;

/// Letters that one call acts on; the answer says whether there are more.
const BULK_MAX: usize = 1_000;

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::DeadLetters);
    vec![
        Operation::get("/v1/dead-letters", "listDeadLetters", list)
            .summary("What was set aside, newest first")
            .access(of)
            .query("cause", "With this code, as invalid_coordinates")
            .query("source", "From this source")
            .query("stage", "Set aside in this stage")
            .query("state", "parked, replayed or discarded")
            .query("limit", "1 to 1,000 items; default 50")
            .query("cursor", "`next_cursor` of the page before")
            .answers(200, "DeadLetterPage"),
        Operation::get("/v1/dead-letters/groups", "listDeadLetterGroups", groups)
            .summary("What was set aside, by cause, the largest group first")
            .access(of)
            .answers(200, "DeadLetterGroups"),
        Operation::get("/v1/dead-letters/{id}", "getDeadLetter", get)
            .summary("One dead letter with its replays")
            .access(of)
            .answers(200, "DeadLetter"),
        Operation::get("/v1/dead-letters/{id}/raw", "getDeadLetterRaw", raw)
            .summary("Its bytes as received")
            .access(of)
            .answers_as(200, Some("*/*"), None),
        Operation::post("/v1/dead-letters/{id}:replay", "replayDeadLetter", replay)
            .summary("Sends it through the pipeline again, with another body where one is given")
            .access(of)
            .takes(JSON, "Replay")
            .answers(200, "Replayed"),
        Operation::post("/v1/dead-letters/{id}:discard", "discardDeadLetter", discard)
            .summary("Gives it up; its bytes stay for the retention time")
            .access(of)
            .answers(200, "DeadLetter"),
        Operation::post("/v1/dead-letters:replay", "replayDeadLetters", replay_all)
            .summary("Sends every parked dead letter of a cause again, at most 1,000 a call")
            .access(of)
            .takes(JSON, "Replay")
            .answers(200, "ReplayedAll"),
        Operation::post("/v1/dead-letters:discard", "discardDeadLetters", discard_all)
            .summary("Gives up every parked dead letter of a cause, at most 1,000 a call")
            .access(of)
            .takes(JSON, "Replay")
            .answers(200, "DiscardedAll"),
    ]
}

/// A word of one of the model's lists.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(json!(text)).ok()
}

fn read_word<T: DeserializeOwned>(query: &mut Query, name: &str) -> Option<T> {
    let text = query.text(name)?;
    let read = word(&text);
    if read.is_none() {
        query.fault(name, "invalid_enum", format!("`{text}` is not a {name} that is known"));
    }
    read
}

async fn list(
    State(app): State<App>,
    Caller(principal): Caller,
    uri: Uri,
    mut query: Query,
) -> Result<Response, ApiError> {
    let filter = DeadLetterFilter {
        cause: read_word(&mut query, "cause"),
        source: query.text("source"),
        stage: read_word(&mut query, "stage"),
        state: read_word(&mut query, "state"),
    };
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["dead-letters", principal.tenant.as_str(), &format!("{filter:?}")]);
    let before = cursor.map(|cursor| app.pages.check(question, &cursor)).transpose()?.map(|(_, at)| at);
    let page = app.engine.dead_letters(&principal, &filter, before, limit).await?;
    let next = page.next.map(|next| app.pages.sign(question, (Timestamp::default(), next)));
    let mut response = super::json(&json!({ "data": page.letters, "next_cursor": next }));
    if let Some(next) = next {
        super::link_next(&mut response, &uri, &next);
    }
    Ok(response)
}

async fn groups(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    Ok(super::json(&json!({ "data": app.engine.dead_letter_groups(&principal).await? })))
}

async fn get(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<DeadLetterId>,
) -> Result<Response, ApiError> {
    let letter = app.engine.dead_letter(&principal, id).await?;
    Ok(super::json(&letter.ok_or_else(|| ApiError::no_such("dead letter"))?))
}

async fn raw(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<DeadLetterId>,
) -> Result<Response, ApiError> {
    let none = || ApiError::no_such("dead letter");
    let letter = app.engine.dead_letter(&principal, id).await?.ok_or_else(none)?;
    let bytes = app.engine.dead_letter_raw(&principal, id).await?.ok_or_else(none)?;
    Ok(stranger_bytes(bytes, letter.media_type.as_deref().unwrap_or("application/octet-stream")))
}

/// What a replay or a discard is asked to do.
#[derive(Debug, Default)]
struct Wish {
    filter: DeadLetterFilter,
    dry_run: bool,
    body: Option<Bytes>,
}

fn read_wish(mut body: Map<String, Value>, is_bulk: bool) -> Result<Wish, ApiError> {
    let mut faults = Vec::new();
    let mut fault = |name: &str, code: &'static str, detail: String| {
        faults.push(Fault { pointer: format!("/{name}"), code, detail });
    };
    let mut wish = Wish::default();
    wish.filter.state = Some(DeadLetterState::Parked);
    if is_bulk {
        match body.remove("cause").map(|cause| cause.as_str().and_then(word)) {
            Some(Some(cause)) => wish.filter.cause = Some(cause),
            Some(None) => fault("cause", "invalid_enum", "`cause` must be the code of a dead letter".to_owned()),
            None => fault("cause", "missing_field", "name the `cause` to act on".to_owned()),
        }
        match body.remove("source") {
            None => {}
            Some(Value::String(source)) => wish.filter.source = Some(source),
            Some(_) => fault("source", "invalid_field", "`source` must be a text".to_owned()),
        }
    }
    match body.remove("dry_run") {
        None => {}
        Some(Value::Bool(dry_run)) => wish.dry_run = dry_run,
        Some(_) => fault("dry_run", "invalid_field", "`dry_run` must be true or false".to_owned()),
    }
    wish.body = body.remove("body").map(|body| match body {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    });
    for name in body.keys() {
        fault(name, "unknown_field", format!("`{name}` is not known here"));
    }
    if faults.is_empty() { Ok(wish) } else { Err(ApiError::invalid(faults)) }
}

async fn replay(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<DeadLetterId>,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let wish = read_wish(body, false)?;
    if !wish.dry_run {
        app.engine.may_take_in(&asking.principal.tenant)?;
    }
    let replayed = app.engine.replay_dead_letter(asking.by(), id, wish.body, wish.dry_run).await?;
    Ok(super::json(&replayed.ok_or_else(|| ApiError::no_such("dead letter"))?))
}

async fn discard(State(app): State<App>, asking: Asking, Id(id): Id<DeadLetterId>) -> Result<Response, ApiError> {
    let letter = app.engine.discard_dead_letter(asking.by(), id).await?;
    Ok(super::json(&letter.ok_or_else(|| ApiError::no_such("dead letter"))?))
}

async fn replay_all(
    State(app): State<App>,
    asking: Asking,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let wish = read_wish(body, true)?;
    if !wish.dry_run {
        app.engine.may_take_in(&asking.principal.tenant)?;
    }
    let page = app.engine.dead_letters(&asking.principal, &wish.filter, None, BULK_MAX).await?;
    let mut counts: Map<String, Value> =
        ["accepted", "duplicate", "rejected", "failed"].map(|name| (name.to_owned(), json!(0))).into_iter().collect();
    let mut results = Vec::new();
    for letter in page.letters {
        let replayed = app.engine.replay_dead_letter(asking.by(), letter.id, wish.body.clone(), wish.dry_run).await?;
        let Some(replayed) = replayed else { continue };
        let count = counts[replayed.outcome].as_u64().unwrap_or_default();
        counts.insert(replayed.outcome.to_owned(), json!(count + 1));
        results.push(json!(replayed));
    }
    let has_more = page.next.is_some();
    Ok(super::json(&json!({ "dry_run": wish.dry_run, "counts": counts, "has_more": has_more, "results": results })))
}

async fn discard_all(
    State(app): State<App>,
    asking: Asking,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let wish = read_wish(body, true)?;
    let page = app.engine.dead_letters(&asking.principal, &wish.filter, None, BULK_MAX).await?;
    let discarded = page.letters.len();
    if !wish.dry_run {
        for letter in page.letters {
            app.engine.discard_dead_letter(asking.by(), letter.id).await?;
        }
    }
    let has_more = page.next.is_some();
    Ok(super::json(&json!({ "dry_run": wish.dry_run, "discarded": discarded, "has_more": has_more })))
}
