//! One event to every socket that follows a filter, beside a loop that sends a frame of the same
//! length to as many sockets.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use futures_util::SinkExt;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::crowd::{Crowd, Wish};
use super::row::{Figure, Goal, Row};
use super::times::rate;
use super::{Place, Scale, events, machine, product, sockets};

/// Files that a process needs beside its sockets.
const FILES_BESIDE: usize = 500;
/// Sockets that one user opens; a server allows 1,000.
const SOCKETS_A_USER: usize = 500;
/// Events of which nothing is measured, at the start.
const WARM: usize = 3;

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    let files = machine::open_files();
    let mut rows = Vec::new();
    for wanted in scale.fanout_sockets {
        let sockets = wanted.min(files.saturating_sub(FILES_BESIDE));
        if sockets < wanted {
            eprintln!("WARNING: this process may open {files} files: {sockets} sockets and not {wanted}");
        }
        let rounds = (scale.fanout_frames / sockets).max(5);
        let through = through_product(sockets, rounds, place).await?;
        let bare = through_loop(sockets, rounds, through.frame_bytes).await?;
        rows.push(Row {
            name: "fanout",
            what: format!("one event to {sockets} sockets, frames"),
            measured: Figure::PerSecond(through.frames_a_second(sockets)),
            limit: Figure::PerSecond(bare.frames_a_second(sockets)),
            limit_is: format!("a loop that writes {} bytes to each", through.frame_bytes),
            goal: Goal::ShareOfLimit(0.6),
        });
    }
    Ok(rows)
}

/// Some events, each to every socket.
struct Rounds {
    /// From the first frame of an event to its last, over all events.
    spread: Duration,
    count: usize,
    frame_bytes: usize,
}

impl Rounds {
    fn frames_a_second(&self, sockets: usize) -> f64 {
        rate(self.count * sockets.saturating_sub(1), self.spread)
    }
}

async fn through_product(sockets: usize, rounds: usize, place: &Place) -> anyhow::Result<Rounds> {
    let server = product::start(place).await?;
    let heard = async {
        let admin = product::admin(&server)?;
        let keys = product::keys(server.engine(), &admin, sockets.div_ceil(SOCKETS_A_USER)).await?;
        let subscribe = json!({ "op": "subscribe", "sub": "all", "filter": { "category": events::CATEGORY } });
        let wish = Wish { address: server.address, keys, sockets, subscribe };
        let mut crowd = Crowd::gather(&wish).await?;
        let mut all = Rounds { spread: Duration::ZERO, count: rounds, frame_bytes: 0 };
        for round in 0..rounds + WARM {
            let (lat, lon) = events::place(round);
            let body = events::quake(&format!("round-{round:06}"), lat, lon, server.engine().clock().now());
            product::publish(server.engine(), &admin, body).await?;
            let heard = crowd.heard().await?;
            if round >= WARM {
                all.spread += Duration::from_nanos(heard.spread_ns);
                all.frame_bytes = heard.bytes;
            }
        }
        anyhow::Ok(all)
    };
    let heard = heard.await;
    server.stop().await;
    std::fs::remove_dir_all(place.folder.join("data")).context("remove the data directory")?;
    heard
}

async fn through_loop(sockets: usize, rounds: usize, frame_bytes: usize) -> anyhow::Result<Rounds> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen")?;
    let address: SocketAddr = listener.local_addr().context("listen")?;
    let wish = Wish { address, keys: vec!["none".to_owned()], sockets, subscribe: json!({}) };
    let (crowd, streams) = tokio::join!(Crowd::gather(&wish), accept_all(listener, sockets));
    let (mut crowd, mut streams) = (crowd?, streams?);
    let frame = frame_of(frame_bytes);
    let mut all = Rounds { spread: Duration::ZERO, count: rounds, frame_bytes };
    for round in 0..rounds + WARM {
        for stream in &mut streams {
            stream.write_all(&frame).await.context("write to a socket")?;
        }
        let heard = crowd.heard().await?;
        if round >= WARM {
            all.spread += Duration::from_nanos(heard.spread_ns);
        }
    }
    Ok(all)
}

/// Shakes hands with so many sockets, and says that they follow.
#[expect(clippy::result_large_err, reason = "the library wants refusals by value")]
async fn accept_all(listener: TcpListener, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    let mut accepting = Vec::with_capacity(count);
    for _ in 0..count {
        let (stream, _) = listener.accept().await.context("accept a socket")?;
        accepting.push(tokio::spawn(async move {
            stream.set_nodelay(true).context("set up a socket")?;
            let answer = |_: &Request, mut response: Response| {
                let protocol = HeaderValue::from_static(sockets::PROTOCOL);
                response.headers_mut().insert("sec-websocket-protocol", protocol);
                Ok(response)
            };
            let settings = Some(sockets::settings());
            let accepted = tokio_tungstenite::accept_hdr_async_with_config(stream, answer, settings).await;
            let mut socket = accepted.context("accept a socket")?;
            socket.send(Message::text(r#"{"op":"ready"}"#)).await.context("write to a socket")?;
            anyhow::Ok(socket.into_inner())
        }));
    }
    let mut streams = Vec::with_capacity(count);
    for accepted in accepting {
        streams.push(accepted.await.context("accept a socket")??);
    }
    Ok(streams)
}

/// A frame of text of a server, which is not masked (RFC 6455 section 5.2).
fn frame_of(bytes: usize) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(bytes) {
        Ok(short @ ..126) => frame.push(short as u8),
        Ok(medium) => {
            frame.push(126);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => {
            frame.push(127);
            frame.extend((bytes as u64).to_be_bytes());
        }
    }
    frame.resize(frame.len() + bytes, b'x');
    frame
}
