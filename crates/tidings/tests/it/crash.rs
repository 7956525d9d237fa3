//! kill -9 at random moments under load: what was answered 202 is there after the restart, and is
//! told exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::server::Server;

/// How often the server is killed.
const CYCLES: u32 = 100;
/// Callers that post at the same time.
const CALLERS: u32 = 4;
/// The server lives this long at most before it is killed.
const LIFE_MS_MAX: u64 = 250;

/// Posts until the server is gone; the ids that were answered 202.
async fn post_until_gone(server: &Server, cycle: u32, caller: u32) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0.. {
        let id = format!("{cycle}-{caller}-{number}");
        let body = json!({"id": id, "category": "flood", "title": id, "severity": "Severe"}).to_string();
        let Some((status, answer)) = server.post("/v1/events", body).await else { break };
        assert_eq!(status, 202, "{answer}");
        accepted.push(answer["results"][0]["id"].as_str().expect("an id").to_owned());
    }
    accepted
}

async fn live_and_die(data: &Path, cycle: u32, life: Duration) -> Vec<String> {
    let server = std::sync::Arc::new(Server::start(data));
    if cycle == 0 {
        let wish = json!({"filter": {"category": "flood"}}).to_string();
        let (status, answer) = server.post("/v1/subscriptions", wish).await.expect("it runs");
        assert_eq!(status, 201, "{answer}");
    }
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let server = server.clone();
            tokio::spawn(async move { post_until_gone(&server, cycle, caller).await })
        })
        .collect();
    tokio::time::sleep(life).await;
    server.kill();
    let mut accepted = Vec::new();
    for caller in callers {
        accepted.extend(caller.await.expect("a caller never panics"));
    }
    accepted
}

/// Every notice of the inbox, by event.
async fn told(server: &Server) -> BTreeMap<String, Vec<Value>> {
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut path = "/v1/notifications?limit=1000".to_owned();
    loop {
        let page = server.get(&path).await;
        for notice in page["data"].as_array().expect("a page") {
            let event = notice["event_id"].as_str().expect("an id").to_owned();
            told.entry(event).or_default().push(notice["id"].clone());
        }
        let Some(cursor) = page["next_cursor"].as_str() else { return told };
        path = format!("/v1/notifications?limit=1000&cursor={cursor}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_accepted_is_lost_and_nothing_is_told_twice() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut dice = rand::rngs::StdRng::seed_from_u64(42);
    let mut accepted = BTreeSet::new();
    for cycle in 0..CYCLES {
        let life = Duration::from_millis(dice.random_range(1..LIFE_MS_MAX));
        accepted.extend(live_and_die(data.path(), cycle, life).await);
    }
    let server = Server::start(data.path());
    let mut seen = told(&server).await;
    for _ in 0..200 {
        if accepted.iter().all(|id| seen.contains_key(id)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        seen = told(&server).await;
    }
    for id in &accepted {
        let notices = seen.get(id).unwrap_or_else(|| panic!("{id} was accepted and not told"));
        assert_eq!(notices.len(), 1, "{id} was told more than once: {notices:?}");
    }
    let all: Vec<&Value> = seen.values().flatten().collect();
    let distinct: BTreeSet<String> = all.iter().map(|id| id.to_string()).collect();
    assert_eq!(all.len(), distinct.len(), "a notice id stands twice");
    println!("{} accepted over {CYCLES} kills, {} told", accepted.len(), all.len());
    assert!(accepted.len() > CYCLES as usize, "the load was too small to show anything");
    server.kill();
}
