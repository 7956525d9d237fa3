//! From a request to the frame on a socket: 1,000 events a second, each for the inbox of one of
//! 1,000 people who have a socket open.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use tidings_adapters::clock::SystemClock;
use tidings_core::port::Clock;
use tidings_engine::{Engine, SubscriptionDraft};

use super::http::Connection;
use super::row::{Figure, Goal, Row};
use super::sockets::{self, Socket};
use super::times::Times;
use super::{Place, Scale, events, limit, machine, product};

/// Events a second.
const RATE: u64 = 1_000;
/// Connections that bring them.
const CONNECTIONS: u64 = 64;
/// What is waited for at the same time before anything is measured.
const AT_ONCE: usize = 64;
/// A timer fires up to so late, which is not the server's doing; later than that it is.
const TIMER: Duration = Duration::from_millis(2);
/// Syncs to compare with, before and after.
const SYNCS: usize = 500;
/// How long frames may still come after the last event.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    machine::open_files();
    let server = product::start(place).await?;
    let told = async {
        let admin = product::admin(&server)?;
        let keys = product::keys(server.engine(), &admin, scale.latency_sockets).await?;
        subscribe_all(server.engine(), &keys).await?;
        let inbox = json!({ "op": "subscribe", "sub": "in", "inbox": true });
        let opening = futures_util::stream::iter(&keys).map(|key| sockets::open(server.address, key, &inbox));
        let sockets = opening.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut syncs = limit::append_and_sync(&place.folder, 1_024, SYNCS).await?;
        let times = tell(server.address, server.admin_key.reveal(), sockets, RATE * scale.latency_seconds).await?;
        syncs.join(&limit::append_and_sync(&place.folder, 1_024, SYNCS).await?);
        anyhow::Ok((times, syncs))
    };
    let told = told.await;
    server.stop().await;
    let (times, syncs) = told?;
    let row = |name: &str, share: f64, goal: Goal| Row {
        name: "latency",
        what: format!("POST to frame, {RATE} events/s, {} sockets, {name}", scale.latency_sockets),
        measured: Figure::Time(times.at(share)),
        limit: Figure::Time(syncs.at(share)),
        limit_is: format!("append 1,024 bytes, fdatasync, {name}"),
        goal,
    };
    Ok(vec![
        row("p50", 0.5, Goal::TimesLimit(2.0, Duration::from_millis(1))),
        row("p99", 0.99, Goal::TimesLimit(3.0, Duration::from_millis(5))),
    ])
}

/// Everyone asks for what happens near a place of their own.
async fn subscribe_all(engine: &Arc<Engine>, keys: &[String]) -> anyhow::Result<()> {
    let subscribing = futures_util::stream::iter(keys.iter().enumerate()).map(|(number, key)| async move {
        let person = engine.authenticate(key).context("find whose key it is")?;
        let (lat, lon) = events::place(number);
        let near = json!({ "filter": { "near": { "lat": lat, "lon": lon, "radius_km": 50.0 } } });
        let draft: SubscriptionDraft = serde_json::from_value(near).context("make a subscription")?;
        engine.create_subscription(&person, draft).await.context("make a subscription")?;
        anyhow::Ok(())
    });
    subscribing.buffer_unordered(AT_ONCE).try_collect().await
}

/// What senders and listeners share.
struct Shared {
    began: Instant,
    /// When each event was sent, in nanoseconds since the beginning, by its number.
    sent_ns: Vec<AtomicU64>,
    times: Mutex<Times>,
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends so many events at the rate, and takes down when each is on its socket.
async fn tell(address: SocketAddr, key: &str, sockets: Vec<Socket>, count: u64) -> anyhow::Result<Times> {
    let places = sockets.len();
    let sent_ns = (0..count).map(|_| AtomicU64::new(0)).collect();
    let began = Instant::now() + Duration::from_millis(200);
    let shared = Arc::new(Shared { began, sent_ns, times: Mutex::new(Times::new()) });
    // They end with the server, which closes their sockets.
    for socket in sockets {
        tokio::spawn(listen(socket, shared.clone()));
    }
    let mut sending = Vec::new();
    for first in 0..CONNECTIONS {
        let connection = Connection::open(address, key, "application/json").await?;
        sending.push(tokio::spawn(send(connection, first, places, shared.clone())));
    }
    for sender in sending {
        sender.await.context("send")??;
    }
    let deadline = Instant::now() + PATIENCE;
    while shared.told().count() < count {
        anyhow::ensure!(Instant::now() < deadline, "{} of {count} events came to a socket", shared.told().count());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let times = shared.told().clone();
    Ok(times)
}

/// Sends every 64th event at its time.
async fn send(mut connection: Connection, first: u64, places: usize, shared: Arc<Shared>) -> anyhow::Result<()> {
    for (number, sent_ns) in (0..).zip(&shared.sent_ns).skip(first as usize).step_by(CONNECTIONS as usize) {
        let (lat, lon) = events::place(number % places);
        let body = events::quake(&format!("number-{number}"), lat, lon, SystemClock.now());
        let due = shared.began + Duration::from_nanos(number as u64 * 1_000_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        // A request that had to wait for the one before it was due all the same.
        let now = Instant::now();
        let begins = if now.saturating_duration_since(due) > TIMER { due } else { now };
        let since = begins.saturating_duration_since(shared.began);
        sent_ns.store(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX), Ordering::Release);
        connection.post(&body).await?;
    }
    Ok(())
}

/// Takes down when events come to a socket, until it is closed.
async fn listen(mut socket: Socket, shared: Arc<Shared>) {
    while let Ok(frame) = sockets::next_text(&mut socket).await {
        let now = Instant::now().saturating_duration_since(shared.began);
        let number = frame.split_once("number-").map(|(_, rest)| rest.split('"').next().unwrap_or_default());
        let sent = number.and_then(|number| shared.sent_ns.get(number.parse::<usize>().ok()?));
        if let Some(sent) = sent {
            let sent = Duration::from_nanos(sent.load(Ordering::Acquire));
            shared.told().add(now.saturating_sub(sent));
        }
    }
}
