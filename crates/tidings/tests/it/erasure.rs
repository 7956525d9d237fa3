//! A tenant is erased by a server that is killed again and again: in the end nothing of it is on the disk,
//! and the operator can show so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Server;

/// In every text that the tenant's people write.
const MARKER: &str = "Quetzalcoatlus";
/// Requests with events of each tenant, and events in each.
const BATCHES: usize = 6;
const BATCH: usize = 200;
/// How often the server is killed at most; each lives twice as long as the one before.
const KILLS_MAX: u32 = 14;
/// How long a server may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The files below a directory that hold a text.
fn files_with(dir: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
            continue;
        }
        let bytes = std::fs::read(&path).expect("nobody removes it now");
        if bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes())) {
            found.push(path);
        }
    }
    found
}

async fn asked(server: &Server, method: Method, path: &str, key: &str, body: Value, expected: u16) -> Value {
    let answer = server.ask(method, path, key, Some(&body)).await;
    let Some((status, answer)) = answer else { panic!("{path}: no answer") };
    assert_eq!(status, expected, "{path}: {answer}");
    answer
}

/// Makes a tenant with something of everything; its key.
async fn settle(server: &Server, tenant: &str, marker: &str) -> String {
    let new = json!({ "id": tenant, "branding": { "display_name": marker, "contact": marker } });
    asked(server, Method::POST, "/v1/tenants", &server.key, new, 201).await;
    let new = json!({ "role": "admin", "tenant": tenant, "name": marker });
    let key = asked(server, Method::POST, "/v1/keys", &server.key, new, 201).await;
    let key = key["key"].as_str().expect("a key").to_owned();
    let wish = json!({ "name": marker, "filter": {} });
    asked(server, Method::POST, "/v1/subscriptions", &key, wish, 201).await;
    for batch in 0..BATCHES {
        let event = |number: usize| json!({ "id": format!("{batch}-{number}"), "title": format!("{marker} {number}"), "extra": marker });
        let mut events: Vec<Value> = (0..BATCH).map(event).collect();
        events.push(json!({ "id": "bad", "title": marker, "lat": 99, "lon": 0 }));
        asked(server, Method::POST, "/v1/events", &key, json!(events), 202).await;
    }
    key
}

async fn state_of(server: &Server, tenant: &str) -> Value {
    asked(server, Method::GET, &format!("/v1/tenants/{tenant}"), &server.key, Value::Null, 200).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_survives_kills_and_leaves_no_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]).expect("it starts");
    let key = settle(&server, "gone", MARKER).await;
    let other_key = settle(&server, "kept", "Pteranodon").await;
    assert!(!files_with(&data, MARKER).is_empty(), "the search finds what is there");
    let answer = server.ask(Method::DELETE, "/v1/tenants/gone", &server.key, None).await;
    assert!(matches!(answer, Some((428, _))), "{answer:?}");
    let deleted = delete(&server, 1).await;
    assert_eq!(deleted["state"], "erasing");
    let refused = server.ask(Method::GET, "/v1/me", &key, None).await;
    assert!(matches!(refused, Some((401 | 403, _))), "{refused:?}");
    server.kill();
    let mut kills = 1;
    let proof = loop {
        let server = Server::start(&data, &[]).expect("it starts");
        tokio::time::sleep(Duration::from_millis(10 << kills)).await;
        let tenant = state_of(&server, "gone").await;
        if tenant["state"] == "erased" {
            server.stop(PATIENCE);
            break tenant["proof"].clone();
        }
        assert_eq!(tenant["state"], "erasing", "it never comes back");
        server.kill();
        kills += 1;
        assert!(kills < KILLS_MAX, "it is never done");
    };
    assert!(kills >= 3, "{kills} kills are too few to tell");
    let removed = |space: &str| proof["removed"][space].as_u64().unwrap_or_default();
    let events = (BATCHES * BATCH) as u64;
    assert_eq!((removed("event"), removed("id")), (events, events), "each counted once: {proof}");
    assert_eq!((removed("raw"), removed("inbox")), (events + BATCHES as u64, events), "{proof}");
    let left = files_with(&data, MARKER);
    assert!(left.is_empty(), "{left:?}");

    let server = Server::start(&data, &[]).expect("it starts");
    assert_eq!(state_of(&server, "gone").await["proof"], proof);
    let refused = server.ask(Method::GET, "/v1/me", &key, None).await;
    assert!(matches!(refused, Some((401, _))), "{refused:?}");
    let kept = server.ask(Method::GET, "/v1/notifications?limit=1000", &other_key, None).await;
    let kept = kept.and_then(|(_, body)| body["data"].as_array().map(Vec::len));
    assert_eq!(kept, Some(1_000), "what others have stays");
    server.stop(PATIENCE);
}

/// Deletes the tenant as of a revision.
async fn delete(server: &Server, revision: u32) -> Value {
    let answer = server.change(Method::DELETE, "/v1/tenants/gone", revision).await;
    let Some((status, body)) = answer else { panic!("no answer") };
    assert_eq!(status, 202, "{body}");
    body
}
