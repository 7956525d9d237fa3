//! What waits to be written to a socket: bounded in bytes.

use std::collections::VecDeque;
use std::future::poll_fn;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use serde_json::Value;
use tidings_engine::Gauge;

/// Frames in order, and the half of the socket that they go to.
pub(super) struct Outbox {
    sink: SplitSink<WebSocket, Message>,
    queue: VecDeque<Message>,
    bytes: usize,
    bytes_max: usize,
    is_unflushed: bool,
    depth: Gauge,
}

impl Outbox {
    /// An empty queue; its frames are counted in `depth` as long as they wait.
    pub(super) fn new(sink: SplitSink<WebSocket, Message>, bytes_max: usize, depth: Gauge) -> Self {
        Self { sink, queue: VecDeque::new(), bytes: 0, bytes_max, is_unflushed: false, depth }
    }

    /// True where readers may add frames.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < self.bytes_max
    }

    /// True where even answers to the client have to wait, so it is not listened to.
    pub(super) fn is_stuffed(&self) -> bool {
        self.bytes > 2 * self.bytes_max
    }

    /// True where something waits to be written.
    pub(super) fn has_work(&self) -> bool {
        self.is_unflushed || !self.queue.is_empty()
    }

    /// Adds a frame of JSON.
    pub(super) fn push(&mut self, frame: Vec<u8>) {
        match Utf8Bytes::try_from(frame) {
            Ok(text) => self.push_message(Message::Text(text)),
            Err(_) => tracing::error!("a frame was not UTF-8"),
        }
    }

    pub(super) fn push_json(&mut self, frame: &Value) {
        self.push_message(Message::Text(frame.to_string().into()));
    }

    pub(super) fn push_ping(&mut self) {
        self.push_message(Message::Ping(bytes::Bytes::new()));
    }

    pub(super) fn push_close(&mut self, code: u16, reason: &str) {
        self.push_message(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
    }

    fn push_message(&mut self, message: Message) {
        self.bytes += size(&message);
        self.queue.push_back(message);
        self.depth.inc();
    }

    /// Writes the next frame, or what is buffered when there is none. May be dropped while it
    /// waits: a frame leaves the queue only once the socket takes it.
    pub(super) async fn write(&mut self) -> Result<(), axum::Error> {
        if self.queue.is_empty() {
            poll_fn(|cx| self.sink.poll_flush_unpin(cx)).await?;
            self.is_unflushed = false;
            return Ok(());
        }
        poll_fn(|cx| self.sink.poll_ready_unpin(cx)).await?;
        if let Some(message) = self.queue.pop_front() {
            self.bytes -= size(&message);
            self.depth.dec();
            self.is_unflushed = true;
            self.sink.start_send_unpin(message)?;
        }
        Ok(())
    }

    /// Writes everything.
    pub(super) async fn finish(&mut self) {
        while self.has_work() {
            if self.write().await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.depth.dec_by(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
    }
}

/// What a frame costs while it waits.
fn size(message: &Message) -> usize {
    let payload = match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    };
    payload + size_of::<Message>()
}
