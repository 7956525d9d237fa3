//! A client that costs next to nothing, so that what is measured is the server: one connection,
//! requests built beforehand, answers read to their end and not parsed.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A kept connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    head: String,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Connection {
    /// Connects; every request is a POST of events with this key.
    ///
    /// # Errors
    /// When nobody listens.
    pub(super) async fn open(address: SocketAddr, key: &str, media_type: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true).context("set up a connection")?;
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Type: {media_type}\r\nContent-Length: "
        );
        Ok(Self { stream, head, sent: Vec::new(), received: Vec::new() })
    }

    /// Posts a body, which must be accepted.
    ///
    /// # Errors
    /// When it is not answered 202.
    pub(super) async fn post(&mut self, body: &[u8]) -> anyhow::Result<()> {
        self.sent.clear();
        self.sent.extend_from_slice(format!("{}{}\r\n\r\n", self.head, body.len()).as_bytes());
        self.sent.extend_from_slice(body);
        self.stream.write_all(&self.sent).await.context("send a request")?;
        self.received.clear();
        loop {
            let read = self.stream.read_buf(&mut self.received).await.context("read an answer")?;
            anyhow::ensure!(read > 0, "the connection was closed before the answer's end");
            if let Some(status) = whole(&self.received)? {
                anyhow::ensure!(status == 202, "answered {}", String::from_utf8_lossy(&self.received));
                return Ok(());
            }
        }
    }
}

/// The status of an answer that is there to its end.
fn whole(answer: &[u8]) -> anyhow::Result<Option<u16>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end]).context("read an answer's head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("read an answer's status")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.context("an answer does not say how long it is")?;
    Ok((answer.len() >= end + 4 + length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(whole(answer).expect("well formed"), Some(202));
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end]).expect("well formed"), None, "{end}");
        }
        assert!(whole(b"HTTP/1.1 202 Accepted\r\n\r\n").is_err());
    }
}
