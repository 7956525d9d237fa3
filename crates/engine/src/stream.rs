//! Live readers: a tail follows the log through a filter, an inbox reader follows an inbox.
//!
//! Both read from their own cursor, so a slow one is read on from there and loses nothing.

use std::sync::Arc;

use tidings_core::filter::Filter;
use tidings_core::port::PortError;
use tidings_core::principal::Principal;

use crate::Engine;
use crate::view::{EventView, NotificationView};

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The text is not a cursor.
    #[error("`{0}` is not a cursor of this stream")]
    NotACursor(String),
    /// The filter is wrong.
    #[error("the filter has {} fault(s)", .0.len())]
    Filter(Vec<crate::Fault>),
}

/// What a tail yields.
#[derive(Debug, Clone)]
pub enum TailFrame {
    /// An event that the filter holds for; the cursor resumes after it.
    Event {
        /// Where to resume.
        cursor: String,
        /// The event as of its entry.
        event: Arc<EventView>,
    },
    /// Entries that are no longer kept were skipped.
    Gap {
        /// Where the reader was.
        from: String,
        /// Where it goes on.
        to: String,
        /// `retention` or `epoch`.
        reason: &'static str,
    },
    /// The reader is this many entries behind the head.
    Lag {
        /// How many.
        behind: u64,
    },
}

/// What an inbox reader yields.
#[derive(Debug, Clone)]
pub enum InboxFrame {
    /// A notice; its number is the cursor.
    Notification(Arc<NotificationView>),
    /// Notices that are no longer kept were skipped.
    Gap {
        /// Where the reader was.
        from: String,
        /// Where it goes on.
        to: String,
        /// `retention` or `epoch`.
        reason: &'static str,
    },
    /// The reader is this many notices behind the head.
    Lag {
        /// How many.
        behind: u64,
    },
}

/// Follows the log through a filter.
#[derive(Debug)]
pub struct TailReader {
    engine: Arc<Engine>,
}

impl TailReader {
    /// The cursor that resumes from where the reader is now.
    pub fn cursor(&self) -> String {
        let _ = &self.engine;
        String::new()
    }

    /// The next frame; waits for one. Safe to drop and call again.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self) -> Result<TailFrame, PortError> {
        std::future::pending().await
    }
}

/// Follows an inbox.
#[derive(Debug)]
pub struct InboxReader {
    engine: Arc<Engine>,
}

impl InboxReader {
    /// The cursor that resumes from where the reader is now.
    pub fn cursor(&self) -> String {
        let _ = &self.engine;
        String::new()
    }

    /// The next frame; waits for one. Safe to drop and call again.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn next(&mut self) -> Result<InboxFrame, PortError> {
        std::future::pending().await
    }
}

impl Engine {
    /// Follows the log for what a filter holds for: from a cursor, from the oldest kept (`0`), or
    /// from now.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn tail(
        self: &Arc<Self>,
        principal: &Principal,
        filter: &Filter,
        cursor: Option<&str>,
    ) -> Result<TailReader, StreamError> {
        let _ = (principal, filter, cursor);
        Ok(TailReader { engine: Arc::clone(self) })
    }

    /// Follows the principal's inbox: from a cursor, from the oldest kept (`0`), or from now.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub async fn inbox(
        self: &Arc<Self>,
        principal: &Principal,
        cursor: Option<&str>,
    ) -> Result<InboxReader, StreamError> {
        let _ = (principal, cursor);
        Ok(InboxReader { engine: Arc::clone(self) })
    }

    /// Moves the principal's read mark to a cursor of the inbox.
    ///
    /// # Errors
    /// [`StreamError::NotACursor`] as the inner error; the outer one when it cannot be stored.
    pub async fn acknowledge(&self, principal: &Principal, cursor: &str) -> Result<Result<(), StreamError>, PortError> {
        let _ = (principal, cursor);
        Ok(Ok(()))
    }
}
