//! One socket from its handshake to its end: a single task that listens, reads on and writes.
//!
//! A slow client fills its bounded queue; then its readers are not asked until there is room, so
//! they stay where they are in log and inbox, and nothing is lost.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::future::select_all;
use futures_util::stream::SplitStream;
use serde_json::json;
use tidings_core::permission::Permission;
use tidings_core::port::PortError;
use tidings_core::principal::Principal;
use tidings_engine::{InboxFrame, KindLabels, QueueLabels, TailFrame};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};

use super::client::{Mistake, Said, read};
use super::outbox::Outbox;
use super::reader::{Frame, Reader};
use crate::App;
use crate::auth;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::frames;
use crate::quota::OpenStream;
use crate::route::stream::Counted;

/// Subscriptions of one socket.
const SUBS_MAX: usize = 64;
/// Frames that a client may send at once, and each second thereafter.
const BURST: f64 = 200.0;
const FRAMES_PER_SECOND: f64 = 50.0;

/// Close codes, UX section 4.
mod code {
    pub(super) const DRAIN: u16 = 1001;
    pub(super) const BAD_MESSAGE: u16 = 4400;
    pub(super) const NO_AUTH: u16 = 4401;
    pub(super) const FORBIDDEN: u16 = 4403;
    pub(super) const IDLE: u16 = 4408;
    pub(super) const RATE: u16 = 4429;
}

/// Why a socket ends whose key was revoked.
const REVOKED: &str = "revoked";
/// Why one ends whose tenant was suspended or closed.
const NOT_SERVED: &str = "the tenant is suspended or closed";

/// Why a socket is closed, as its close frame says.
type Close = (u16, &'static str);

/// How a socket closes that showed a wrong key.
const NOT_VALID: Close = (code::NO_AUTH, "the key is not valid");

/// Serves a socket; one that did not say who it is in its head must do so in its first frame.
pub(super) async fn run(
    app: App,
    context: Arc<Context>,
    identity: Option<(Arc<Principal>, OpenStream)>,
    socket: WebSocket,
) {
    let (sink, mut stream) = socket.split();
    let depth = app.engine.metrics().queue_depth.get_or_create_owned(&QueueLabels { queue: "streams" });
    let mut outbox = Outbox::new(sink, app.options.socket_queue_bytes, depth);
    let identity = match identity {
        Some(identity) => Ok(identity),
        None => introduce(&app, &context, &mut stream).await,
    };
    let close = match identity {
        Ok((principal, quota)) => {
            let _counted = Counted::new(&app, "websocket", quota);
            let mut session = Session { app: app.clone(), context, principal, subs: Vec::new(), outbox, stream };
            let close = session.serve().await;
            outbox = session.outbox;
            close
        }
        Err(close) => Some(close),
    };
    if let Some((code, reason)) = close {
        if code == code::DRAIN || [REVOKED, NOT_SERVED].contains(&reason) {
            outbox.push_json(&json!({ "op": "bye", "reason": reason }));
        }
        outbox.push_close(code, reason);
        // A client that does not read must not hold up a stop.
        let _unread = timeout(app.options.drain / 2, outbox.finish()).await;
    }
}

/// Waits for `{"op":"auth","token":"…"}`.
async fn introduce(
    app: &App,
    context: &Context,
    stream: &mut SplitStream<WebSocket>,
) -> Result<(Arc<Principal>, OpenStream), Close> {
    let late = (code::NO_AUTH, "say who you are within 5 s");
    let deadline = Instant::now() + app.options.auth_timeout;
    let said = loop {
        match timeout_at(deadline, stream.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => break read(&text),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            _ => return Err(late),
        }
    };
    let token = match said {
        Ok(Said::Auth { token }) => token,
        Ok(_) => return Err((code::NO_AUTH, "the first frame must be auth")),
        Err(_) => return Err((code::BAD_MESSAGE, "the first frame must be auth")),
    };
    let principal = app.engine.authenticate_bearer(&token).await.ok().flatten();
    let admitted = admit(app, principal.as_deref());
    if let (Err(_), refused) = (&admitted, principal.as_deref()) {
        auth::note_refusal(app, super::OPERATION, refused, Some(context));
    }
    admitted?;
    let principal = principal.ok_or(NOT_VALID)?;
    let quota = app.streams.open(&app.engine, &principal).map_err(|_| (code::RATE, "too many streams are open"))?;
    Ok((principal, quota))
}

/// What the gate asks of those who say who they are in the head.
fn admit(app: &App, principal: Option<&Principal>) -> Result<(), Close> {
    let principal = principal.ok_or(NOT_VALID)?;
    auth::require_open(app, &principal.tenant).map_err(|_| (code::FORBIDDEN, NOT_SERVED))?;
    auth::require(principal, Permission::EventsRead).map_err(|_| (code::FORBIDDEN, "the key may not read events"))
}

/// One subscription of the socket.
struct Sub {
    name: String,
    reader: Reader,
}

struct Session {
    app: App,
    context: Arc<Context>,
    principal: Arc<Principal>,
    subs: Vec<Sub>,
    outbox: Outbox,
    stream: SplitStream<WebSocket>,
}

/// What happened first.
enum Woke {
    Draining,
    Revoked,
    Heard(Option<Result<Message, axum::Error>>),
    Read(usize, Result<Frame, PortError>),
    Wrote(Result<(), axum::Error>),
    Tick,
}

impl Session {
    /// Runs until one side ends it; `None` when the client did.
    async fn serve(&mut self) -> Option<Close> {
        let every = self.app.options.ping_every;
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut draining = self.app.draining.subscribe();
        let mut revoked = pin!(self.app.engine.until_invalid(&self.principal));
        let mut heard = Instant::now();
        let mut allowance = Allowance::full();
        let frames_written =
            self.app.engine.metrics().stream_frames.get_or_create_owned(&KindLabels { kind: "websocket" });
        loop {
            // Reading goes before writing, so that frames which are there together leave together.
            let woke = tokio::select! {
                biased;
                _ = draining.wait_for(|draining| *draining) => Woke::Draining,
                () = &mut revoked => Woke::Revoked,
                message = self.stream.next(), if !self.outbox.is_stuffed() => Woke::Heard(message),
                (index, frame) = next_frame(&mut self.subs), if self.outbox.has_room() && !self.subs.is_empty() => {
                    Woke::Read(index, frame)
                }
                written = self.outbox.write(), if self.outbox.has_work() => Woke::Wrote(written),
                _ = ticks.tick() => Woke::Tick,
            };
            match woke {
                Woke::Draining => return Some((code::DRAIN, "drain")),
                Woke::Revoked if auth::require_open(&self.app, &self.principal.tenant).is_err() => {
                    return Some((code::FORBIDDEN, NOT_SERVED));
                }
                Woke::Revoked => return Some((code::NO_AUTH, REVOKED)),
                Woke::Heard(None | Some(Err(_) | Ok(Message::Close(_)))) | Woke::Wrote(Err(_)) => return None,
                Woke::Heard(Some(Ok(message))) => {
                    heard = Instant::now();
                    if !allowance.spend(heard) {
                        return Some((code::RATE, "too many frames"));
                    }
                    match message {
                        Message::Text(text) => {
                            if let Err(close) = self.hear(&text).await {
                                return Some(close);
                            }
                        }
                        Message::Binary(_) => return Some((code::BAD_MESSAGE, "frames are text")),
                        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
                    }
                }
                Woke::Read(index, frame) => {
                    self.tell(index, frame);
                    frames_written.inc();
                }
                Woke::Wrote(Ok(())) => {}
                Woke::Tick if heard.elapsed() > every * 5 / 2 => return Some((code::IDLE, "nothing heard")),
                Woke::Tick => self.outbox.push_ping(),
            }
        }
    }

    async fn hear(&mut self, text: &str) -> Result<(), Close> {
        match read(text) {
            Ok(Said::Ping) => self.outbox.push_json(&json!({ "op": "pong" })),
            Ok(Said::Auth { .. }) => return Err((code::BAD_MESSAGE, "it is known who you are")),
            Ok(Said::Inbox { sub, cursor }) => {
                let opened = match auth::require(&self.principal, Permission::Subscriptions) {
                    Ok(()) => {
                        let inbox = self.app.engine.inbox(&self.principal, cursor.as_deref()).await;
                        inbox.map(Reader::Inbox).map_err(ApiError::from)
                    }
                    Err(error) => Err(error),
                };
                self.add(sub, opened);
            }
            Ok(Said::Tail { sub, filter, cursor }) => {
                let opened = self.app.engine.tail(&self.principal, &filter, cursor.as_deref());
                self.add(sub, opened.map(Reader::Tail).map_err(ApiError::from));
            }
            Ok(Said::Unsubscribe { sub }) => {
                let before = self.subs.len();
                self.subs.retain(|open| open.name != sub);
                if self.subs.len() == before {
                    self.complain(&sub, &ApiError::no_such("subscription on this socket"));
                }
            }
            Ok(Said::Ack { sub, cursor }) => self.acknowledge(&sub, &cursor).await,
            Err(Mistake::Content { sub, faults }) => self.complain(&sub, &ApiError::invalid(faults)),
            Err(Mistake::Frame(detail)) => {
                self.complain("", &ApiError::new(&error::BAD_REQUEST).detail(detail));
                return Err((code::BAD_MESSAGE, "not a frame of tidings.v1+json"));
            }
        }
        Ok(())
    }

    fn add(&mut self, name: String, opened: Result<Reader, ApiError>) {
        let opened = match opened {
            Ok(_) if self.subs.iter().any(|sub| sub.name == name) => {
                Err(ApiError::new(&error::INVALID).detail(format!("`{name}` is open already; unsubscribe it first")))
            }
            Ok(_) if self.subs.len() >= SUBS_MAX => {
                Err(ApiError::new(&error::QUOTA_REACHED)
                    .detail(format!("a socket has at most {SUBS_MAX} subscriptions")))
            }
            other => other,
        };
        match opened {
            Ok(reader) => {
                self.outbox.push_json(&json!({ "op": "ready", "sub": name, "cursor": reader.cursor() }));
                self.subs.push(Sub { name, reader });
            }
            Err(error) => self.complain(&name, &error),
        }
    }

    async fn acknowledge(&mut self, sub: &str, cursor: &str) {
        let is_inbox = self.subs.iter().any(|open| open.name == sub && matches!(open.reader, Reader::Inbox(_)));
        if !is_inbox {
            return self.complain(sub, &ApiError::no_such("inbox on this socket"));
        }
        match self.app.engine.acknowledge(&self.principal, cursor).await {
            Ok(()) => {}
            Err(error) => self.complain(sub, &error.into()),
        }
    }

    fn complain(&mut self, sub: &str, error: &ApiError) {
        error.log(&self.context);
        let problem = error.to_json(&self.context);
        self.outbox.push_json(&json!({ "op": "error", "sub": sub, "problem": problem }));
    }

    /// Queues what a reader yielded. One that failed ends; the client resumes from its cursor.
    fn tell(&mut self, index: usize, frame: Result<Frame, PortError>) {
        let name = &self.subs[index].name;
        let simplified = &self.app.simplified;
        match frame {
            Ok(Frame::Tail(TailFrame::Event { cursor, event })) => {
                self.outbox.push(frames::around("event", name, &cursor, |out| frames::event(&event, simplified, out)))
            }
            Ok(Frame::Inbox(InboxFrame::Notification(notice))) => {
                self.outbox.push(frames::around("notification", name, &notice.cursor(), |out| {
                    frames::notification(&notice, simplified, out)
                }))
            }
            Ok(
                Frame::Tail(TailFrame::Gap { from, to, reason }) | Frame::Inbox(InboxFrame::Gap { from, to, reason }),
            ) => {
                let gap = json!({ "op": "gap", "sub": name, "from": from, "to": to, "reason": reason });
                self.outbox.push_json(&gap);
            }
            Ok(Frame::Tail(TailFrame::Lag { behind }) | Frame::Inbox(InboxFrame::Lag { behind })) => {
                self.outbox.push_json(&json!({ "op": "lag", "sub": name, "behind": behind }));
            }
            Err(error) => {
                let failed = self.subs.remove(index);
                return self.complain(&failed.name, &error.into());
            }
        }
        // The next in turn goes first, so that a busy one does not starve the others.
        self.subs.rotate_left(index + 1);
    }
}

/// The first frame of any subscription, and which one's.
async fn next_frame(subs: &mut [Sub]) -> (usize, Result<Frame, PortError>) {
    if let [only] = subs {
        return (0, only.reader.next().await);
    }
    let readers = subs.iter_mut().map(|sub| Box::pin(sub.reader.next()));
    let (frame, index, _rest) = select_all(readers).await;
    (index, frame)
}

/// How many frames a client may still send.
struct Allowance {
    frames: f64,
    at: Instant,
}

impl Allowance {
    fn full() -> Self {
        Self { frames: BURST, at: Instant::now() }
    }

    fn spend(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * FRAMES_PER_SECOND;
        self.frames = (self.frames + earned).min(BURST) - 1.0;
        self.at = now;
        self.frames >= 0.0
    }
}
