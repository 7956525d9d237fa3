//! One event a request over 64 connections, durable, beside a server of the same parts whose
//! handler reads the body and answers 202.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::post;
use tidings_core::port::Clock;
use tidings_core::time::Timestamp;

use super::http::Connection;
use super::row::{Figure, Goal, Row};
use super::times::rate;
use super::{Place, Scale, events, product};

/// Connections at once.
const CONNECTIONS: usize = 64;
/// An answer of the length that ours has for one event.
const ANSWER: &str = r#"{"accepted":1,"correlation_id":"0123456789abcdef0123456789abcdef","duplicates":0,"rejected":0,"results":[{"id":"evt_00000000-0000-8000-8000-000000000000","index":0,"status":"accepted"}]}"#;

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    let each = scale.posts.div_ceil(CONNECTIONS);
    let server = product::start(place).await?;
    let posted = async {
        post_all(server.address, server.admin_key.reveal(), "warm", each.div_ceil(10)).await?;
        post_all(server.address, server.admin_key.reveal(), "run", each).await
    };
    let posted = posted.await;
    server.stop().await;
    let bare = bare_server().await?;
    post_all(bare, "none", "warm", each.div_ceil(10)).await?;
    let limit = post_all(bare, "none", "run", each).await?;
    Ok(vec![Row {
        name: "post",
        what: format!("one event a POST, {CONNECTIONS} connections, durable"),
        measured: Figure::PerSecond(rate(each * CONNECTIONS, posted?)),
        limit: Figure::PerSecond(rate(each * CONNECTIONS, limit)),
        limit_is: "a handler that reads and answers 202".to_owned(),
        goal: Goal::ShareOfLimit(0.5),
    }])
}

/// Posts from every connection, one request after the other; how long all took.
async fn post_all(address: SocketAddr, key: &str, name: &str, each: usize) -> anyhow::Result<Duration> {
    let now = tidings_adapters::clock::SystemClock.now();
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let connection = Connection::open(address, key, "application/json").await?;
        connections.push((connection, bodies(&format!("{name}-{number}"), number, each, now)));
    }
    let began = Instant::now();
    let posting = connections.into_iter().map(|(mut connection, bodies)| {
        tokio::spawn(async move {
            for body in bodies {
                connection.post(&body).await?;
            }
            anyhow::Ok(())
        })
    });
    for posted in posting.collect::<Vec<_>>() {
        posted.await.context("post")??;
    }
    Ok(began.elapsed())
}

fn bodies(name: &str, seed: usize, count: usize, now: Timestamp) -> Vec<Vec<u8>> {
    let body = |number: usize| {
        let (lat, lon) = events::place(number * 7 + seed);
        events::quake(&format!("{name}-{number}"), lat, lon, now)
    };
    (0..count).map(body).collect()
}

/// Serves the least that can be called an answer, until this process ends.
async fn bare_server() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("listen")?;
    listener.set_nonblocking(true).context("listen")?;
    let address = listener.local_addr().context("listen")?;
    let accept = |body: bytes::Bytes| async move {
        drop(body);
        (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], ANSWER)
    };
    let router = Router::new().route("/v1/events", post(accept));
    let server = axum_server::from_tcp(listener).context("listen")?;
    tokio::spawn(server.serve(router.into_make_service()));
    Ok(address)
}
