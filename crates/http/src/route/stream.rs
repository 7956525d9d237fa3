//! `GET /v1/stream`: an inbox or a tail as server-sent events.
//!
//! The body is made as it is written out, so a slow reader costs one frame; what it has not read
//! stays in the log or the inbox.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tidings_core::filter::Filter;
use tidings_core::permission::Permission;
use tidings_engine::{InboxFrame, KindLabels, TailFrame};
use tokio::sync::watch;
use tokio::time::Duration;

use super::socket::reader::{Frame, Reader};
use crate::App;
use crate::auth::{Access, Caller};
use crate::context::{Around, Context};
use crate::error::{self, ApiError};
use crate::frames;
use crate::operation::Operation;
use crate::query::{FILTER_KEYS, Query};
use crate::quota::OpenStream;

/// How often a comment shows that the stream is alive; proxies commonly cut at 30 or 60 s.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// How long a client waits before it connects again.
const RETRY_MILLIS: u32 = 3_000;

pub(super) fn operations() -> Vec<Operation> {
    let mut stream = Operation::get("/v1/stream", "stream", open)
        .summary("Your inbox, or events that a filter holds for, live as server-sent events")
        .access(Access::Needs(Permission::EventsRead))
        .ends_in(&error::QUOTA_REACHED)
        .query("inbox", "true for your inbox")
        .query("filter", "A filter in its JSON or text form, for a tail")
        .query("after", "Resume after this cursor; 0 is the oldest kept. `Last-Event-ID` goes before it")
        .header("Last-Event-ID", "The cursor to resume after, as browsers send it")
        .answers_as(200, Some("text/event-stream"), None);
    for (name, detail) in FILTER_KEYS {
        stream = stream.query(name, detail);
    }
    vec![stream]
}

async fn open(
    State(app): State<App>,
    Caller(principal): Caller,
    Around(context): Around,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let is_inbox = query.flag("inbox", false);
    let text = query.text("filter");
    let after = query.text("after");
    let keys = query.filter();
    let filter = match text.as_deref().map(read_filter) {
        None => keys,
        Some(Ok(filter)) if keys == Filter::All(Vec::new()) => filter,
        Some(Ok(filter)) => Filter::All(vec![filter, keys]),
        Some(Err(faults)) => {
            for fault in faults {
                query.fault("filter", fault.code, format!("`filter` {}: {}", fault.pointer, fault.detail));
            }
            keys
        }
    };
    if is_inbox && filter != Filter::All(Vec::new()) {
        query.fault("inbox", "invalid_field", "an inbox takes no filter; open a second stream for the tail");
    }
    query.finish()?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let cursor = last_id.or(after).filter(|cursor| !cursor.is_empty());
    if app.is_draining() {
        return Err(ApiError::new(&error::DRAINING).retry_after(1));
    }
    let quota = app.streams.open(&app.engine, &principal)?;
    let reader = if is_inbox {
        Reader::Inbox(app.engine.inbox(&principal, cursor.as_deref()).await?)
    } else {
        Reader::Tail(app.engine.tail(&principal, &filter, cursor.as_deref())?)
    };
    let draining = app.draining.subscribe();
    let source = Source {
        app: app.clone(),
        context,
        reader,
        draining,
        revoked: Box::pin(app.engine.until_invalid(&principal)),
        is_over: false,
        _counted: Counted::new(&app, "sse", quota),
    };
    // An id without data sets what the client resumes from before the first frame comes.
    let hello = format!("retry: {RETRY_MILLIS}\nid: {}\n: ready\n\n", source.reader.cursor());
    let frames = stream::unfold(source, Source::next);
    let hello = stream::iter([Ok::<Bytes, std::convert::Infallible>(hello.into())]);
    let body = Body::from_stream(futures_util::StreamExt::chain(hello, frames));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, body).into_response())
}

fn read_filter(text: &str) -> Result<Filter, Vec<tidings_core::filter::Fault>> {
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    Filter::from_json(&value)
}

/// Shows an open stream in the metrics and the user's quota until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    app: App,
    labels: KindLabels,
    _quota: OpenStream,
}

impl Counted {
    pub(super) fn new(app: &App, kind: &'static str, quota: OpenStream) -> Self {
        let labels = KindLabels { kind };
        app.engine.metrics().stream_clients.get_or_create(&labels).inc();
        Self { app: app.clone(), labels, _quota: quota }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.app.engine.metrics().stream_clients.get_or_create(&self.labels).dec();
    }
}

/// What the body is made of.
struct Source {
    app: App,
    context: Arc<Context>,
    reader: Reader,
    draining: watch::Receiver<bool>,
    revoked: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_over: bool,
    _counted: Counted,
}

impl Source {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        if self.is_over {
            return None;
        }
        let read = tokio::select! {
            biased;
            _ = self.draining.wait_for(|draining| *draining) => return None,
            () = &mut self.revoked => return None,
            read = self.reader.next() => Some(read),
            () = tokio::time::sleep(COMMENT_EVERY) => None,
        };
        let bytes = match read {
            Some(Ok(frame)) => {
                self.app.engine.metrics().stream_frames.get_or_create(&KindLabels { kind: "sse" }).inc();
                self.write(&frame)
            }
            Some(Err(error)) => {
                // The client connects again and resumes from the last id it saw.
                ApiError::from(error).log(&self.context);
                self.is_over = true;
                b": the server could not read on; connect again\n\n".to_vec()
            }
            None => b": alive\n\n".to_vec(),
        };
        Some((Ok(bytes.into()), self))
    }

    fn write(&self, frame: &Frame) -> Vec<u8> {
        let simplified = &self.app.simplified;
        match frame {
            Frame::Tail(TailFrame::Event { cursor, event }) => sse("event", Some(cursor), |out| {
                frames::event(event, simplified, out);
            }),
            Frame::Inbox(InboxFrame::Notification(notice)) => sse("notification", Some(&notice.cursor()), |out| {
                frames::notification(notice, simplified, out);
            }),
            Frame::Tail(TailFrame::Gap { from, to, reason }) | Frame::Inbox(InboxFrame::Gap { from, to, reason }) => {
                let gap = json!({ "from": from, "to": to, "reason": reason });
                sse("gap", Some(to), |out| out.extend_from_slice(gap.to_string().as_bytes()))
            }
            Frame::Tail(TailFrame::Lag { behind }) | Frame::Inbox(InboxFrame::Lag { behind }) => {
                sse("lag", None, |out| out.extend_from_slice(json!({ "behind": behind }).to_string().as_bytes()))
            }
        }
    }
}

/// One frame; its data is JSON on one line, so it needs no splitting.
fn sse(event: &str, id: Option<&str>, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(format!("event: {event}\ndata: ").as_bytes());
    write(&mut out);
    out.extend_from_slice(b"\n\n");
    out
}
