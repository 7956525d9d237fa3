//! Live readers: a tail follows the log through a filter, an inbox reader follows an inbox.
//!
//! Both read from their own cursor, so a slow one is read on from there and loses nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use tidings_core::filter::{Compiled, Fault, Filter, Subject};
use tidings_core::port::PortError;
use tidings_core::position::Position;
use tidings_core::principal::Principal;
use tidings_core::stored::Stored;
use tidings_core::vocabulary::Category;
use tokio::sync::watch;

use crate::engine::Engine;
use crate::reading::as_of_entry;
use crate::view::{EventView, NotificationView};

/// Entries that a tail reads at once.
const ENTRIES_AT_ONCE: usize = 64;
/// Bytes that a tail reads at once.
const BYTES_AT_ONCE: usize = 256 << 10;
/// Notices that an inbox reader reads at once.
const NOTICES_AT_ONCE: usize = 64;
/// A reader that is further behind is told so.
const LAG_TOLD: u64 = 1_000;

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The text is not a cursor.
    #[error("`{0}` is not a cursor of this stream")]
    NotACursor(String),
    /// The filter is wrong.
    #[error("the filter has {} fault(s)", .0.len())]
    Filter(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
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
    principal: Principal,
    compiled: Arc<Compiled>,
    names_devices: bool,
    cursor: Position,
    waiting: VecDeque<TailFrame>,
    was_behind: bool,
}

/// Follows an inbox.
#[derive(Debug)]
pub struct InboxReader {
    engine: Arc<Engine>,
    principal: Principal,
    epoch: u32,
    cursor: u64,
    grown: watch::Receiver<u64>,
    waiting: VecDeque<InboxFrame>,
    was_behind: bool,
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
        let compiled = Arc::new(Compiled::new(filter).map_err(StreamError::Filter)?);
        let mut waiting = VecDeque::new();
        let cursor = match cursor {
            None => self.ports.log.head(),
            Some("0") => self.ports.log.tail(),
            Some(text) => {
                let wanted = text.parse().map_err(|_| StreamError::NotACursor(text.to_owned()))?;
                self.resume(wanted, &mut waiting)
            }
        };
        Ok(TailReader {
            engine: Arc::clone(self),
            principal: principal.clone(),
            names_devices: filter.names(Category::Device),
            compiled,
            cursor,
            waiting,
            was_behind: false,
        })
    }

    /// Where a tail goes on from a cursor, with a gap where that is not where it was.
    fn resume(&self, wanted: Position, waiting: &mut VecDeque<TailFrame>) -> Position {
        let (tail, head) = (self.ports.log.tail(), self.ports.log.head());
        let is_foreign = wanted.epoch != head.epoch || wanted.partition != head.partition || wanted > head;
        let reason = match (is_foreign, wanted < tail) {
            (true, _) => "epoch",
            (false, true) => "retention",
            (false, false) => return wanted,
        };
        waiting.push_back(TailFrame::Gap { from: wanted.to_string(), to: tail.to_string(), reason });
        tail
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
        // Followed first: what comes in meanwhile is seen twice rather than missed, and read once.
        let grown = self.inboxes.follow(&principal.tenant, principal.user);
        let head = self.ports.deliveries.inbox_head(&principal.tenant, principal.user).await?;
        let mut waiting = VecDeque::new();
        let epoch = self.ports.log.head().epoch;
        let cursor = match cursor.map(InboxCursor::read).transpose()? {
            None => head,
            Some(InboxCursor::Oldest) => 0,
            Some(InboxCursor::After { epoch: of, number }) if of == epoch && number <= head => number,
            Some(InboxCursor::After { epoch: of, number }) => {
                // Of another log, or ahead of anything told: the cursor is of another life.
                let (from, to) = (inbox_cursor(of, number), inbox_cursor(epoch, 0));
                waiting.push_back(InboxFrame::Gap { from, to, reason: "epoch" });
                0
            }
        };
        Ok(InboxReader {
            engine: Arc::clone(self),
            principal: principal.clone(),
            epoch,
            cursor,
            grown,
            waiting,
            was_behind: false,
        })
    }

    /// Moves the principal's read mark to a cursor of the inbox.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub async fn acknowledge(&self, principal: &Principal, cursor: &str) -> Result<(), StreamError> {
        let epoch = self.ports.log.head().epoch;
        let number = match InboxCursor::read(cursor)? {
            InboxCursor::Oldest => 0,
            InboxCursor::After { epoch: of, number } if of == epoch => number,
            // It says nothing of what was read here.
            InboxCursor::After { .. } => return Err(StreamError::NotACursor(cursor.to_owned())),
        };
        let head = self.ports.deliveries.inbox_head(&principal.tenant, principal.user).await?;
        let number = number.min(head);
        if self.control.closed().contains(&principal.tenant) {
            // It is being erased, and this request came before it was closed.
            return Err(PortError::later("move a read mark", "the tenant is closed").into());
        }
        self.ports.deliveries.set_read_mark(&principal.tenant, principal.user, number).await?;
        Ok(())
    }
}

/// Where to go on in an inbox.
#[derive(Debug, Clone, Copy)]
enum InboxCursor {
    /// `0`.
    Oldest,
    /// `epoch-number`: after a place of the inbox of this log.
    After { epoch: u32, number: u64 },
}

impl InboxCursor {
    fn read(text: &str) -> Result<Self, StreamError> {
        if text == "0" {
            return Ok(Self::Oldest);
        }
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let read = || {
            let (epoch, number) = text.split_once('-').filter(|_| is_plain)?;
            Some(Self::After { epoch: epoch.parse().ok()?, number: number.parse().ok()? })
        };
        read().ok_or_else(|| StreamError::NotACursor(text.chars().take(64).collect()))
    }
}

/// The text of a cursor of an inbox.
fn inbox_cursor(epoch: u32, number: u64) -> String {
    format!("{epoch}-{number}")
}

impl TailReader {
    /// The cursor that resumes from where the reader is now.
    pub fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// The next frame; waits for one. Safe to drop and call again.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self) -> Result<TailFrame, PortError> {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Ok(frame);
            }
            let entries = self.engine.ports.log.read(self.cursor, ENTRIES_AT_ONCE, BYTES_AT_ONCE).await?;
            let Some(last) = entries.last().map(|entry| entry.position) else {
                self.was_behind = false;
                self.engine.ports.log.beyond(self.cursor).await;
                continue;
            };
            let behind = self.engine.ports.log.head().offset.saturating_sub(last.offset);
            if behind >= LAG_TOLD && !self.was_behind {
                self.was_behind = true;
                self.waiting.push_back(TailFrame::Lag { behind });
            }
            for found in entries.into_iter().filter_map(Stored::of) {
                if self.wants(&found) {
                    let cursor = found.position.to_string();
                    self.waiting.push_back(TailFrame::Event { cursor, event: Arc::new(as_of_entry(&found)) });
                }
            }
            self.cursor = last;
        }
    }

    fn wants(&self, found: &Stored) -> bool {
        let hides_device = found.event.category == Category::Device && !self.names_devices;
        !hides_device
            && self.principal.may_see(&found.event)
            && self.compiled.matches(&Subject::new(&found.event, found.outlook.state))
    }
}

impl InboxReader {
    /// The cursor that resumes from where the reader is now.
    pub fn cursor(&self) -> String {
        inbox_cursor(self.epoch, self.cursor)
    }

    /// The next frame; waits for one. Safe to drop and call again.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn next(&mut self) -> Result<InboxFrame, PortError> {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Ok(frame);
            }
            let head = *self.grown.borrow_and_update();
            let (tenant, user) = (&self.principal.tenant, self.principal.user);
            let store = &self.engine.ports.deliveries;
            let places = store.inbox_after(tenant, user, self.cursor, NOTICES_AT_ONCE).await?;
            let Some(last) = places.last().map(|place| place.number) else {
                self.was_behind = false;
                if self.grown.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            };
            let behind = head.saturating_sub(last);
            if behind >= LAG_TOLD && !self.was_behind {
                self.was_behind = true;
                self.waiting.push_back(InboxFrame::Lag { behind });
            }
            let read = store.read_mark(tenant, user).await?;
            let mut frames = Vec::with_capacity(places.len());
            for place in places {
                let notice = self.engine.notification(&self.principal, place, read).await?;
                frames.extend(notice.map(|notice| InboxFrame::Notification(Arc::new(notice))));
            }
            self.waiting.extend(frames);
            self.cursor = last;
        }
    }
}
