//! How processes end: with the code that tells their supervisor, or a script, what to do.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::power::PowerDisk;
use crate::server::{Server, ended, send};

/// Longer than any stop takes; reached only when it fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server goes on reading once its store has failed (`READS_AFTER_FAILURE` of `serve`).
const READS_GO_ON: Duration = Duration::from_secs(30);
/// How often something is looked at that is to come, 20 ms apart.
const LOOKS: u32 = 500;

fn code(status: Option<ExitStatus>) -> Option<i32> {
    status.unwrap_or_else(|| panic!("it does not end")).code()
}

/// A client command that goes on until it is interrupted.
fn client(data: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.env_clear().env("TIDINGS_DATA", data).env("TIDINGS_LOG", "error");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the binary was built")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_command_ends_with_130() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start(dir.path(), &[]).expect("it starts");
    for arguments in [&["tail"][..], &["tail", "--inbox"]] {
        let mut child = client(dir.path(), arguments);
        let mut said = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        assert!(said.any(|line| line.starts_with("following ")), "{arguments:?}");
        send(&child, "INT");
        assert_eq!(code(ended(&mut child, PATIENCE)), Some(130), "{arguments:?}");
    }
    for speed in ["1000", "0"] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let server = Server::start(dir.path(), &[]).expect("it starts");
        let mut child = client(dir.path(), &["simulate", "--speed", speed]);
        await_an_event(&server).await;
        send(&child, "INT");
        let status = tokio::task::block_in_place(|| ended(&mut child, PATIENCE));
        assert_eq!(code(status), Some(130), "simulate --speed {speed}");
    }
    assert!(server.ended(Duration::from_millis(10)).is_none(), "the server goes on");
}

async fn await_an_event(server: &Server) {
    for _ in 0..LOOKS {
        let page = server.ask(Method::GET, "/v1/events?limit=1", &server.key, None).await.expect("an answer");
        if page.1["data"].as_array().is_some_and(|events| !events.is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no event comes in");
}

#[test]
fn a_server_that_is_told_to_stop_ends_with_0() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..2 {
        let server = Server::start(dir.path(), &[]).expect("it starts");
        server.terminate();
        assert_eq!(code(server.ended(PATIENCE)), Some(0));
    }
}

/// A server whose disk has failed for good: nothing is taken any more, and what is there is read.
async fn failed(disk: &PowerDisk) -> Server {
    let server = Server::start(&disk.data(), &[]).expect("it starts");
    let post = |id: &'static str| {
        let (server, event) = (&server, json!({"id": id, "category": "other", "title": id}));
        async move { server.ask(Method::POST, "/v1/events", &server.key, Some(&event)).await.expect("an answer") }
    };
    let (status, answer) = post("before").await;
    assert_eq!(status, 202, "{answer}");
    let event = format!("/v1/events/{}", answer["results"][0]["id"].as_str().expect("an id"));
    let ask = |path: &'static str| async { server.ask(Method::GET, path, &server.key, None).await.expect("an answer") };
    assert_eq!(ask("/readyz").await.0, 200);

    disk.switch_off();
    let (status, problem) = post("during").await;
    assert!(matches!(status, 500 | 503), "{status} {problem}");
    assert_eq!(problem["status"], status, "{problem}");
    let mut ready = ask("/readyz").await;
    for _ in 0..LOOKS {
        if ready.0 == 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        ready = ask("/readyz").await;
    }
    assert_eq!((ready.0, ready.1["code"].as_str()), (503, Some("unavailable")), "{}", ready.1);
    let (status, problem) = post("after").await;
    assert_eq!((status, problem["status"].as_u64()), (503, Some(503)), "{problem}");
    let (status, read) = server.ask(Method::GET, &event, &server.key, None).await.expect("an answer");
    assert_eq!((status, read["title"].as_str()), (200, Some("before")), "reads go on");
    assert_eq!(ask("/livez").await.0, 200);
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_failed_for_good_ends_the_server_with_70() {
    let Some(disk) = PowerDisk::mount() else { return };
    let since = Instant::now();
    let server = failed(&disk).await;
    let status = tokio::task::block_in_place(|| server.ended(READS_GO_ON + PATIENCE));
    assert_eq!(code(status), Some(70));
    assert!(since.elapsed() >= READS_GO_ON, "it ended after {:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_server_that_is_told_to_stop_ends_with_70_at_once() {
    let Some(disk) = PowerDisk::mount() else { return };
    let server = failed(&disk).await;
    server.terminate();
    assert_eq!(code(tokio::task::block_in_place(|| server.ended(PATIENCE))), Some(70));
}
