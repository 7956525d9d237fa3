//! kill -9 within an event of very many recipients: each of them is told once all the same.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use tidings_adapters::fjall::{FjallStore, Options};
use tidings_core::id::{TenantId, UserId};
use tidings_core::notice::NoticeKind;
use tidings_core::permission::Role;
use tidings_core::port::DeliveryStore;
use tidings_core::time::Timestamp;
use tidings_engine::{Engine, NewKey};
use tidings_testkit::{HandClock, MemoryStore};

use crate::server::Server;

/// Who is told; many times what is decided in one step.
const PEOPLE: u64 = 5_000;
/// Subscriptions made at once.
const AT_ONCE: u64 = 500;
/// How often a server is killed within an event.
const KILLS_WITHIN: u32 = 3;
/// How often a server is killed at most.
const KILLS_MAX: u64 = 40;
/// How often something is looked at, 5 ms apart.
const LOOKS: u32 = 12_000;
/// How long a server may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);

fn person(number: u64) -> UserId {
    UserId::derived(&[b"person", &number.to_be_bytes()])
}

/// Gives everyone a subscription, in the store of a stopped server.
async fn subscribe_all(data: &Path) {
    let store = Arc::new(FjallStore::open(data, Options::default()).expect("a stopped server's"));
    let mut ports = tidings_testkit::ports(&MemoryStore::new(), &Arc::new(HandClock::default()), 1);
    (ports.ledger, ports.rows, ports.log) = (store.clone(), store.clone(), store.clone());
    (ports.events, ports.control, ports.deliveries) = (store.clone(), store.clone(), store);
    let (engine, running) = Engine::start(ports, tidings_engine::Options::default()).await.expect("it can be read");
    let new = NewKey::of(TenantId::default_tenant(), Role::Viewer);
    let (_, secret) = engine.create_key(new).await.expect("there is space");
    let template = engine.authenticate(secret.reveal()).expect("the key was just made");
    for first in (0..PEOPLE).step_by(AT_ONCE as usize) {
        let mut making = tokio::task::JoinSet::new();
        for number in first..(first + AT_ONCE).min(PEOPLE) {
            let (engine, mut principal) = (engine.clone(), template.clone());
            principal.user = person(number);
            let draft = serde_json::from_value(json!({"filter": {"category": "earthquake"}})).expect("an object");
            making.spawn(async move { engine.create_subscription(&principal, draft).await.map(drop) });
        }
        while let Some(made) = making.join_next().await {
            made.expect("it does not panic").expect("valid");
        }
    }
    running.stop().await;
    drop(engine);
    // The owner lets go of the store when it has seen that nobody is left to serve.
    for _ in 0..LOOKS {
        if FjallStore::open(data, Options::default()).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn post(server: &Server, number: i64, severity: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right").as_millis();
    let sent = Timestamp::from_millis(i64::try_from(now).expect("not that far ahead") + number);
    let event = json!({"id": format!("q-{number}"), "thread": "q", "category": "earthquake", "title": "Quake",
        "severity": severity, "sent": sent});
    let answer = server.ask(Method::POST, "/v1/events", &server.key, Some(&event)).await;
    assert!(matches!(answer, Some((202, _))), "{answer:?}");
}

/// True once the server has nothing left to tell.
async fn has_told_all(server: &Server) -> bool {
    let health = server.ask(Method::GET, "/readyz?verbose", &server.key, None).await;
    let checks = health.map(|(_, body)| body["checks"].clone()).unwrap_or(Value::Null);
    let notifier = checks.as_array().into_iter().flatten().find(|check| check["name"] == "notifier");
    notifier.is_some_and(|check| check["detail"] == "0 entries behind")
}

/// How far the store of a stopped server is with its broad events: one reached somebody, none is left.
async fn reached(data: &Path) -> (bool, bool) {
    let store = FjallStore::open(data, Options::default()).expect("a killed server's");
    let cursor = store.notifier_cursor().await.expect("it can be read");
    (cursor.unfinished.iter().any(|it| it.after.is_some()), cursor.unfinished.is_empty())
}

async fn everyone_heard_twice(data: &Path) {
    let store = FjallStore::open(data, Options::default()).expect("a stopped server's");
    let tenant = TenantId::default_tenant();
    for number in 0..PEOPLE {
        let places = store.inbox_after(&tenant, person(number), 0, 100).await.expect("it can be read");
        let mut heard = Vec::new();
        for place in &places {
            let decision = store.decision(&tenant, person(number), place.event).await.expect("it can be read");
            let notices = decision.expect("a place has a decision").notices;
            heard.extend(notices.iter().map(|notice| (notice.number, notice.kind)));
        }
        assert_eq!(heard, [(1, NoticeKind::New), (2, NoticeKind::Update)], "person {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_within_a_broad_event_tells_everyone_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    Server::start(&data, &[]).expect("it starts").stop(PATIENCE);
    subscribe_all(&data).await;
    let mut within = 0;
    for kill in 0..KILLS_MAX {
        let server = Server::start(&data, &[]).expect("it starts");
        if kill == 0 {
            post(&server, 0, "Severe").await;
            post(&server, 1, "Extreme").await;
        }
        // Each lives a little longer than the one before, until one gets far enough.
        tokio::time::sleep(Duration::from_millis(10 * (kill + 1))).await;
        server.kill();
        let (is_within, _) = reached(&data).await;
        within += u32::from(is_within);
        if within >= KILLS_WITHIN {
            break;
        }
    }
    let server = Server::start(&data, &[]).expect("it starts");
    for _ in 0..LOOKS {
        if has_told_all(&server).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop(PATIENCE);
    assert!(reached(&data).await.1, "the notifier comes to an end");
    everyone_heard_twice(&data).await;
    assert!(within > 0, "no server was killed within an event");
}
