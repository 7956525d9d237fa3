//! What comes out of a world.

use tidings_core::time::Timestamp;

/// One document on its way to an intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When it is sent.
    pub at: Timestamp,
    /// The document; most hold one message, none more.
    pub body: Vec<u8>,
    /// Its declared media type.
    pub media_type: &'static str,
    /// What it is meant to be.
    pub intent: Intent,
}

/// What a message is meant to be, for a test to compare with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The sender's own id of the message, which its duplicates share; of a bad one a name.
    pub identity: String,
    /// The sender's own name of what it is about; empty for a bad one.
    pub thread: String,
    /// What it does.
    pub kind: Kind,
}

/// What a message is meant to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Begins a thread.
    New,
    /// Changes it.
    Update,
    /// Takes it back.
    Cancel,
    /// Says that it is over.
    End,
    /// Is a message of before again: the same bytes, another spelling, another container.
    Duplicate,
    /// Is an older version, after a newer one.
    Late,
    /// Must be refused.
    Bad,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::New, Self::Update, Self::Cancel, Self::End, Self::Duplicate, Self::Late, Self::Bad];

    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Cancel => "cancel",
            Self::End => "end",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Bad => "bad",
        }
    }
}
