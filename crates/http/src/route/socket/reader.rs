//! An inbox or a tail, read alike.

use tidings_core::port::PortError;
use tidings_engine::{InboxFrame, InboxReader, TailFrame, TailReader};

/// What a stream follows.
#[derive(Debug)]
pub(in crate::route) enum Reader {
    /// Events that a filter holds for.
    Tail(TailReader),
    /// The caller's inbox.
    Inbox(InboxReader),
}

/// What comes of it.
#[derive(Debug)]
pub(in crate::route) enum Frame {
    /// Of a tail.
    Tail(TailFrame),
    /// Of an inbox.
    Inbox(InboxFrame),
}

impl Reader {
    /// The cursor that resumes from where it is now.
    pub(in crate::route) fn cursor(&self) -> String {
        match self {
            Self::Tail(tail) => tail.cursor(),
            Self::Inbox(inbox) => inbox.cursor(),
        }
    }

    /// The next frame; may be dropped and called again.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(in crate::route) async fn next(&mut self) -> Result<Frame, PortError> {
        match self {
            Self::Tail(tail) => tail.next().await.map(Frame::Tail),
            Self::Inbox(inbox) => inbox.next().await.map(Frame::Inbox),
        }
    }
}
