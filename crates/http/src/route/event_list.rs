//! Lists of events, by the keys of the query or by a filter in a body.

mod forms;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tidings_core::filter::Filter;
use tidings_core::permission::Permission;
use tidings_core::port::Sort;
use tidings_core::principal::Principal;
use tidings_core::time::Timestamp;
use tidings_engine::{Fault, PageRequest};

use super::events::write_list;
use crate::App;
use crate::auth::{Access, Caller};
use crate::body::JsonObject;
use crate::error::ApiError;
use crate::negotiate;
use crate::operation::{JSON, Operation};
use crate::pages::Question;
use crate::query::{FILTER_KEYS, Query};

/// The forms that a list can take.
const FORMS: &[&str] = &[JSON, "application/geo+json", "application/x-ndjson", "text/csv"];
/// Items of a page where the caller names no number, and the most they may name.
pub(super) const PAGE: usize = 50;
pub(super) const PAGE_MAX: usize = 1_000;

pub(super) fn operations() -> Vec<Operation> {
    let reads = Access::Needs(Permission::EventsRead);
    let mut list = Operation::get("/v1/events", "listEvents", list)
        .summary("Events that all the given keys hold for, newest first")
        .access(reads)
        .query("since", "Received at or after, RFC 3339")
        .query("until", "Received before, RFC 3339")
        .query("latest", "Only the newest revision of each thread; default true")
        .query("sort", "-received (default) or -occurred")
        .query("limit", "1 to 1,000 items; default 50")
        .query("cursor", "`next_cursor` of the page before")
        .answers(200, "EventPage");
    for (name, detail) in FILTER_KEYS {
        list = list.query(name, detail);
    }
    let mut search = Operation::post("/v1/events:search", "searchEvents", search)
        .summary("Events that a filter holds for, newest first")
        .access(reads)
        .takes(JSON, "Search")
        .answers(200, "EventPage");
    for form in &FORMS[1..] {
        list = list.answers_as(200, Some(form), None);
        search = search.answers_as(200, Some(form), None);
    }
    vec![list, search]
}

/// A question for a page, before its cursor is read.
struct Asked {
    filter: Filter,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    latest: bool,
    sort: Sort,
    limit: usize,
    cursor: Option<String>,
}

async fn list(
    State(app): State<App>,
    Caller(principal): Caller,
    uri: Uri,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let form = negotiate::choose(&headers, FORMS)?;
    let sort = query.text("sort");
    let asked = Asked {
        filter: query.filter(),
        since: query.time("since"),
        until: query.time("until"),
        latest: query.flag("latest", true),
        sort: read_sort(sort.as_deref()).unwrap_or_else(|detail| {
            query.fault("sort", "invalid_enum", detail);
            Sort::Received
        }),
        limit: query.number("limit", 1..=PAGE_MAX, PAGE),
        cursor: query.text("cursor"),
    };
    query.finish()?;
    page(&app, &principal, asked, form, Some(&uri)).await
}

fn read_sort(text: Option<&str>) -> Result<Sort, String> {
    match text {
        None | Some("-received") => Ok(Sort::Received),
        Some("-occurred") => Ok(Sort::Occurred),
        Some(_) => Err("`sort` must be -received or -occurred".to_owned()),
    }
}

async fn search(
    State(app): State<App>,
    Caller(principal): Caller,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let form = negotiate::choose(&headers, FORMS)?;
    page(&app, &principal, read_search(body)?, form, None).await
}

/// The body of a search, every fault at once.
fn read_search(mut body: Map<String, Value>) -> Result<Asked, ApiError> {
    let mut faults = Vec::new();
    let mut fault = |pointer: String, code: &'static str, detail: String| {
        faults.push(Fault { pointer, code, detail });
    };
    let mut conditions = Vec::new();
    let texts = body.remove("q").map(|text| json!({ "text": text }));
    for (pointer, condition) in [("/filter", body.remove("filter")), ("/q", texts)] {
        match condition.as_ref().map(Filter::from_json) {
            None => {}
            Some(Ok(filter)) => conditions.push(filter),
            Some(Err(found)) => {
                for found in found {
                    let inner = if pointer == "/q" { "" } else { &found.pointer };
                    fault(format!("{pointer}{inner}"), found.code, found.detail);
                }
            }
        }
    }
    let mut time = |name: &str| match body.remove(name)? {
        Value::String(text) => {
            Timestamp::parse(&text).map_err(|error| fault(format!("/{name}"), "invalid_time", error.to_string())).ok()
        }
        _ => {
            fault(format!("/{name}"), "invalid_time", format!("`{name}` must be an RFC 3339 time"));
            None
        }
    };
    let (since, until) = (time("since"), time("until"));
    let sort = match body.remove("sort") {
        None => Ok(Sort::Received),
        Some(sort) => read_sort(Some(sort.as_str().unwrap_or_default())),
    };
    let sort = sort.unwrap_or_else(|detail| {
        fault("/sort".to_owned(), "invalid_enum", detail);
        Sort::Received
    });
    let limit = body.remove("limit").map_or(Some(PAGE as u64), |limit| limit.as_u64());
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=PAGE_MAX).contains(limit));
    if limit.is_none() {
        fault("/limit".to_owned(), "invalid_field", format!("`limit` must be a number from 1 to {PAGE_MAX}"));
    }
    let latest = body.remove("latest").map_or(Some(true), |latest| latest.as_bool());
    if latest.is_none() {
        fault("/latest".to_owned(), "invalid_field", "`latest` must be true or false".to_owned());
    }
    let cursor = body.remove("cursor").filter(|cursor| !cursor.is_null());
    if cursor.as_ref().is_some_and(|cursor| !cursor.is_string()) {
        fault("/cursor".to_owned(), "invalid_field", "`cursor` must be the `next_cursor` of a page".to_owned());
    }
    if body.remove("facets").is_some_and(|facets| facets.as_array().is_none_or(|facets| !facets.is_empty())) {
        fault(
            "/facets".to_owned(),
            "not_supported",
            "facets cannot be counted by this build; leave them out".to_owned(),
        );
    }
    for name in body.keys() {
        fault(format!("/{name}"), "unknown_field", format!("`{name}` is not a member of a search"));
    }
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    Ok(Asked {
        filter: if conditions.len() == 1 { conditions.remove(0) } else { Filter::All(conditions) },
        since,
        until,
        latest: latest.unwrap_or(true),
        sort,
        limit: limit.unwrap_or(PAGE),
        cursor: cursor.and_then(|cursor| cursor.as_str().map(str::to_owned)),
    })
}

/// Reads a page and writes it in the form asked for; `uri` is that of a page that a link can name.
async fn page(
    app: &App,
    principal: &Principal,
    asked: Asked,
    form: &'static str,
    uri: Option<&Uri>,
) -> Result<Response, ApiError> {
    let question = Question::of(&[
        "events",
        principal.tenant.as_str(),
        &asked.filter.to_json().to_string(),
        &format!("{:?} {:?} {:?} {:?}", asked.since, asked.until, asked.latest, asked.sort),
    ]);
    let after = asked.cursor.map(|cursor| app.pages.check(question, &cursor)).transpose()?;
    let Asked { filter, since, until, latest, sort, limit, .. } = asked;
    let request = PageRequest { filter, since, until, latest, sort, limit, after };
    let page = app.engine.events(principal, request).await?;
    let next = page.next.map(|next| app.pages.sign(question, next));
    let mut response = match form {
        "application/geo+json" => forms::geojson(&page.events),
        "application/x-ndjson" => forms::ndjson(&page.events),
        "text/csv" => forms::csv(&page.events),
        _ => {
            let mut body = b"{\"data\":".to_vec();
            write_list(&page.events, &mut body);
            let rest = json!({ "next_cursor": next, "as_of": page.as_of }).to_string();
            body.push(b',');
            body.extend_from_slice(&rest.as_bytes()[1..]);
            super::json_bytes(body)
        }
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    if let (Some(next), Some(uri)) = (next, uri) {
        super::link_next(&mut response, uri, &next);
    }
    Ok(response)
}
