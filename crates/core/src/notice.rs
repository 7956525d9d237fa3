//! What was decided for a recipient, and the notice that came of it.

use serde::{Deserialize, Serialize};

use crate::id::{EventId, NotificationId, SubscriptionId, TenantId, ThreadId, UserId};
use crate::position::Position;
use crate::time::Timestamp;
use crate::vocabulary::Severity;

/// How one subscription's judgment of one event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Its owner was told.
    Notified,
    /// The thread has a newer version already.
    Late,
    /// It was over or old news when it came in.
    TooOld,
    /// It changes nothing that its owner asked to hear.
    NothingNew,
    /// Its owner was told of the same incident through another thread.
    DuplicateOf,
    /// It matched and matters no more.
    Expired,
    /// The filter does not hold.
    NoMatch,
    /// The filter asks for more detail than the event's place has.
    PlaceTooCoarse,
    /// The subscription is paused.
    Paused,
    /// It is an exercise or a test, and the subscription does not ask for those.
    Drill,
    /// Its owner may not see it.
    NotPermitted,
}

impl Decision {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notified => "notified",
            Self::Late => "late",
            Self::TooOld => "too_old",
            Self::NothingNew => "nothing_new",
            Self::DuplicateOf => "duplicate_of",
            Self::Expired => "expired",
            Self::NoMatch => "no_match",
            Self::PlaceTooCoarse => "place_too_coarse",
            Self::Paused => "paused",
            Self::Drill => "drill",
            Self::NotPermitted => "not_permitted",
        }
    }
}

/// What a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The first that its recipient hears of the thread.
    New,
    /// Something changed.
    Update,
    /// It was taken back.
    Cancel,
    /// It is over.
    End,
}

impl NoticeKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Cancel => "cancel",
            Self::End => "end",
        }
    }
}

/// Why an update was worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateReason {
    /// It became worse than anything told.
    SeverityRise,
    /// It covers a place of the recipient that it did not cover.
    NewlyCovered,
    /// It covers none of the places that the recipient was told for.
    MovedAway,
    /// It is something else now.
    TypeChange,
    /// It took the place of a thread that the recipient was told of.
    Upgraded,
}

/// The judgment of one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which.
    pub subscription: SubscriptionId,
    /// Its revision in force.
    pub revision: u32,
    /// How it ended.
    pub decision: Decision,
}

/// The notice that a recipient got: an inbox place, and what it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Derived from recipient, thread and revision: the same at every repeat.
    pub id: NotificationId,
    /// The thread that it speaks of; another than the event's own where the event closed that one.
    pub thread: ThreadId,
    /// The revision of that thread; 0 where a message of another thread closed it.
    pub revision: u32,
    /// What it is.
    pub kind: NoticeKind,
    /// Why an update was worth telling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_reason: Option<UpdateReason>,
    /// Worst severity of what matched this recipient.
    pub severity: Severity,
    /// Its place in the recipient's inbox.
    pub number: u64,
}

impl Notice {
    /// The id of the notice to one recipient about one revision of one thread.
    pub fn id_for(tenant: &TenantId, user: UserId, thread: ThreadId, revision: u32) -> NotificationId {
        NotificationId::derived(&[
            tenant.as_str().as_bytes(),
            user.as_bytes(),
            thread.as_bytes(),
            &revision.to_be_bytes(),
        ])
    }

    /// The id of the notice that a thread was closed by a message of another one: that message has
    /// no number in the thread.
    pub fn id_for_closing(tenant: &TenantId, user: UserId, thread: ThreadId, closing: EventId) -> NotificationId {
        NotificationId::derived(&[tenant.as_str().as_bytes(), user.as_bytes(), thread.as_bytes(), closing.as_bytes()])
    }

    /// True where a message of another thread closed the thread that it speaks of.
    pub const fn is_of_closed_thread(&self) -> bool {
        self.revision == 0
    }
}

/// What was decided for one recipient and one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDecision {
    /// The recipient's tenant.
    pub tenant: TenantId,
    /// The recipient.
    pub user: UserId,
    /// The event.
    pub event: EventId,
    /// Where it is.
    pub position: Position,
    /// When it was decided. Nothing is judged by it: a repeat after a crash decides the same, later.
    pub decided: Timestamp,
    /// The judgment of each subscription.
    pub verdicts: Vec<Verdict>,
    /// What the recipient was told, if anything: of the event's thread, and of threads it closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

impl StoredDecision {
    /// Notes that a subscription's owner was told for it.
    pub fn note_notified(&mut self, subscription: SubscriptionId, revision: u32) {
        let decision = Decision::Notified;
        match self.verdicts.iter_mut().find(|verdict| verdict.subscription == subscription) {
            Some(verdict) => verdict.decision = decision,
            None => self.verdicts.push(Verdict { subscription, revision, decision }),
        }
    }
}
