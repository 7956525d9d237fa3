//! Clients that speak to a socket frame by frame, or byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything a test waits for; reached only when it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A WebSocket client.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a socket ended with.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    Code(u16),
    Gone,
}

impl Socket {
    pub(crate) async fn open(address: SocketAddr, headers: &[(&str, &str)]) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{address}/v1/ws").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "tidings.v1+json".parse().expect("a header"));
        for (name, value) in headers {
            let name: tungstenite::http::HeaderName = name.parse().expect("a header name");
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        connect_async(request).await.map(|(socket, _)| Self(socket))
    }

    pub(crate) async fn with_key(address: SocketAddr, key: &str) -> Self {
        Self::open(address, &[("authorization", &format!("Bearer {key}"))]).await.expect("opens")
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_text(frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: impl Into<String>) {
        // One that was closed meanwhile says so when it is listened to.
        let _ = self.0.send(Message::text(text.into())).await;
    }

    /// The next frame of JSON, or how the socket ended.
    pub(crate) async fn hear(&mut self) -> Result<Value, End> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(End::Gone, |frame| End::Code(frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Gone),
            }
        }
    }

    /// The next frame, which must be of this kind.
    pub(crate) async fn expect(&mut self, op: &str) -> Value {
        let frame = self.hear().await.expect("a frame");
        assert_eq!(frame["op"], op, "{frame}");
        frame
    }
}

/// Writes bytes to a connection and reads until the server closes it.
pub(crate) async fn raw(address: SocketAddr, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    for part in parts {
        // The server may have said enough already.
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end in time");
    String::from_utf8_lossy(&answer).into_owned()
}
