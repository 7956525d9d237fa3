//! Clients of the WebSocket.

use std::net::SocketAddr;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// The subprotocol.
pub(super) const PROTOCOL: &str = "tidings.v1+json";
/// Bytes of each buffer: the library's default costs 128 KiB a buffer, and there are thousands.
const BUFFER: usize = 4 << 10;

/// An open socket that follows something.
pub(super) type Socket = WebSocketStream<TcpStream>;

/// How sockets are set up at both ends.
pub(super) fn settings() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER)
}

/// Opens a socket with a key, says what it follows, and waits until it does.
///
/// # Errors
/// When the server refuses either.
pub(super) async fn open(address: SocketAddr, key: &str, subscribe: &Value) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{address}/v1/ws").into_client_request().context("make a request")?;
    let bearer = HeaderValue::from_str(&format!("Bearer {key}")).context("make a request")?;
    request.headers_mut().insert("authorization", bearer);
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(PROTOCOL));
    let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
    stream.set_nodelay(true).context("set up a socket")?;
    let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(settings())).await;
    let (mut socket, _) = opened.context("open a socket")?;
    socket.send(Message::text(subscribe.to_string())).await.context("subscribe")?;
    let answer = next_text(&mut socket).await?;
    anyhow::ensure!(answer.contains("\"ready\""), "subscribing was answered {answer}");
    Ok(socket)
}

/// The next frame of text.
///
/// # Errors
/// When the socket ends.
pub(super) async fn next_text(socket: &mut Socket) -> anyhow::Result<String> {
    loop {
        match socket.next().await.context("a socket was closed")?.context("read a socket")? {
            Message::Text(text) => return Ok(text.as_str().to_owned()),
            Message::Close(reason) => anyhow::bail!("a socket was closed: {reason:?}"),
            _ => {}
        }
    }
}
