//! Fixed layouts, for rows of which there are very many: `id`, `told`, `inbox` and `decision`.
//! Each begins with the format byte; numbers are big-endian; words have the codes below for good.

use ::fjall::UserValue;

use tidings_core::draft::Format;
use tidings_core::id::{EventId, NotificationId, SubscriptionId, TenantId, ThreadId, UserId};
use tidings_core::notice::{Decision, Notice, NoticeKind, StoredDecision, UpdateReason, Verdict};
use tidings_core::port::{IdentityRow, InboxEntry, PortError, Says, Told, ToldPlace};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Severity, State};

use super::values::{FORMAT, after_format, damaged};

/// `id`: position, thread, tuple hash, content hash, state, format, what it says, version time where
/// known; 76 bytes of the 96 that an identity may take.
pub(super) fn identity(row: &IdentityRow) -> UserValue {
    let mut value = Vec::with_capacity(76);
    value.push(FORMAT);
    value.extend_from_slice(&row.position.to_key());
    value.extend_from_slice(row.thread.as_bytes());
    value.extend_from_slice(&row.tuple_hash);
    value.extend_from_slice(&row.content_hash);
    value.push(row.state.code());
    value.push(row.format.code());
    value.push(row.says.0);
    if let Some(time) = row.version_time {
        value.extend_from_slice(&time.as_millis().to_be_bytes());
    }
    UserValue::from(value)
}

/// Reads what [`identity`] wrote.
pub(super) fn read_identity(value: &[u8]) -> Result<IdentityRow, PortError> {
    const WHAT: &str = "an identity row";
    let mut fields = Fields(after_format(WHAT, value)?);
    let mut read = || {
        Some(IdentityRow {
            position: Position::from_key(fields.take()?),
            thread: ThreadId::from_bytes(fields.take()?),
            tuple_hash: fields.take()?,
            content_hash: fields.take()?,
            state: Coded::of(fields.byte()?)?,
            format: Coded::of(fields.byte()?)?,
            says: Says(fields.byte()?),
            version_time: match fields.is_empty() {
                true => None,
                false => Some(Timestamp::from_millis(i64::from_be_bytes(fields.take()?))),
            },
        })
    };
    read().ok_or_else(|| damaged(WHAT))
}

/// `told`: event, position, severity, flags, then 37 bytes a subscription.
pub(super) fn told(told: &Told) -> UserValue {
    let mut value = Vec::with_capacity(35 + 37 * told.places.len());
    value.push(FORMAT);
    value.extend_from_slice(told.event.as_bytes());
    value.extend_from_slice(&told.position.to_key());
    value.push(told.severity.code());
    value.push(u8::from(told.is_over) | u8::from(told.is_away) << 1);
    for place in &told.places {
        value.extend_from_slice(place.subscription.as_bytes());
        value.extend_from_slice(&place.mark.to_be_bytes());
        value.extend_from_slice(&place.leaves.to_be_bytes());
        value.push(place.severity.code());
        value.extend_from_slice(&place.kind);
    }
    UserValue::from(value)
}

/// Reads what [`told`] wrote; whom and which thread its key says.
pub(super) fn read_told(
    value: &[u8],
    thread_tenant: &TenantId,
    thread: ThreadId,
    tenant: &TenantId,
    user: UserId,
) -> Result<Told, PortError> {
    const WHAT: &str = "a told row";
    let mut fields = Fields(after_format(WHAT, value)?);
    let mut read = || {
        let mut told = Told {
            tenant: tenant.clone(),
            user,
            thread_tenant: thread_tenant.clone(),
            thread,
            event: EventId::from_bytes(fields.take()?),
            position: Position::from_key(fields.take()?),
            severity: Coded::of(fields.byte()?)?,
            is_over: false,
            is_away: false,
            places: Vec::new(),
        };
        let flags = fields.byte()?;
        (told.is_over, told.is_away) = (flags & 1 != 0, flags & 2 != 0);
        while !fields.is_empty() {
            told.places.push(ToldPlace {
                subscription: SubscriptionId::from_bytes(fields.take()?),
                mark: u32::from_be_bytes(fields.take()?),
                leaves: u64::from_be_bytes(fields.take()?),
                severity: Coded::of(fields.byte()?)?,
                kind: fields.take()?,
            });
        }
        Some(told)
    };
    read().ok_or_else(|| damaged(WHAT))
}

/// `inbox`: event, position; 33 bytes.
pub(super) fn inbox(event: EventId, position: Position) -> UserValue {
    let mut value = [0; 33];
    value[0] = FORMAT;
    value[1..17].copy_from_slice(event.as_bytes());
    value[17..].copy_from_slice(&position.to_key());
    UserValue::from(&value[..])
}

/// Reads what [`inbox`] wrote; the number its key says.
pub(super) fn read_inbox(value: &[u8], number: u64) -> Result<InboxEntry, PortError> {
    const WHAT: &str = "an inbox row";
    let mut fields = Fields(after_format(WHAT, value)?);
    let mut read = || {
        let event = EventId::from_bytes(fields.take()?);
        Some(InboxEntry { number, event, position: Position::from_key(fields.take()?) })
    };
    read().ok_or_else(|| damaged(WHAT))
}

/// `decision`: position, when, the number of notices, 47 bytes for each, then 21 bytes a verdict.
pub(super) fn decision(decision: &StoredDecision) -> UserValue {
    let mut value = Vec::with_capacity(27 + 47 * decision.notices.len() + 21 * decision.verdicts.len());
    value.push(FORMAT);
    value.extend_from_slice(&decision.position.to_key());
    value.extend_from_slice(&decision.decided.as_millis().to_be_bytes());
    // One event closes a handful of threads; a recipient is not told of more than 65,535 at once.
    let count = u16::try_from(decision.notices.len()).unwrap_or(u16::MAX);
    value.extend_from_slice(&count.to_be_bytes());
    for notice in decision.notices.iter().take(usize::from(count)) {
        value.extend_from_slice(notice.id.as_bytes());
        value.extend_from_slice(notice.thread.as_bytes());
        value.extend_from_slice(&notice.revision.to_be_bytes());
        value.push(notice.kind.code());
        value.push(notice.update_reason.map_or(0, Coded::code));
        value.push(notice.severity.code());
        value.extend_from_slice(&notice.number.to_be_bytes());
    }
    for verdict in &decision.verdicts {
        value.extend_from_slice(verdict.subscription.as_bytes());
        value.extend_from_slice(&verdict.revision.to_be_bytes());
        value.push(verdict.decision.code());
    }
    UserValue::from(value)
}

/// Reads what [`decision`] wrote; whose and about which event its key says.
pub(super) fn read_decision(
    value: &[u8],
    tenant: &TenantId,
    user: UserId,
    event: EventId,
) -> Result<StoredDecision, PortError> {
    const WHAT: &str = "a decision row";
    let mut fields = Fields(after_format(WHAT, value)?);
    let mut read = || {
        let mut decision = StoredDecision {
            tenant: tenant.clone(),
            user,
            event,
            position: Position::from_key(fields.take()?),
            decided: Timestamp::from_millis(i64::from_be_bytes(fields.take()?)),
            notices: Vec::new(),
            verdicts: Vec::new(),
        };
        for _ in 0..u16::from_be_bytes(fields.take()?) {
            decision.notices.push(fields.notice()?);
        }
        while !fields.is_empty() {
            decision.verdicts.push(Verdict {
                subscription: SubscriptionId::from_bytes(fields.take()?),
                revision: u32::from_be_bytes(fields.take()?),
                decision: Coded::of(fields.byte()?)?,
            });
        }
        Some(decision)
    };
    read().ok_or_else(|| damaged(WHAT))
}

/// What is left of a row.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn notice(&mut self) -> Option<Notice> {
        Some(Notice {
            id: NotificationId::from_bytes(self.take()?),
            thread: ThreadId::from_bytes(self.take()?),
            revision: u32::from_be_bytes(self.take()?),
            kind: Coded::of(self.byte()?)?,
            update_reason: match self.byte()? {
                0 => None,
                reason => Some(Coded::of(reason)?),
            },
            severity: Coded::of(self.byte()?)?,
            number: u64::from_be_bytes(self.take()?),
        })
    }
}

/// A word with a code that it keeps for good.
trait Coded: Copy {
    fn code(self) -> u8;
    fn of(code: u8) -> Option<Self>;
}

/// The match makes a word without a code a compile error.
macro_rules! coded {
    ($($name:ident { $($variant:ident = $code:literal),* $(,)? })*) => {$(
        impl Coded for $name {
            fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            fn of(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

coded! {
    Format { Native = 0, Cap = 1, Atom = 2, Nws = 3, Usgs = 4, CloudEvents = 5, Text = 6 }
    State { Active = 1, Ended = 2, Cancelled = 3, Expired = 4, Retracted = 5 }
    Severity { Unknown = 1, Minor = 2, Moderate = 3, Severe = 4, Extreme = 5 }
    NoticeKind { New = 1, Update = 2, Cancel = 3, End = 4 }
    UpdateReason { SeverityRise = 1, NewlyCovered = 2, MovedAway = 3, TypeChange = 4, Upgraded = 5 }
    Decision {
        Notified = 1, Late = 2, TooOld = 3, NothingNew = 4, DuplicateOf = 5, Expired = 6, NoMatch = 7,
        PlaceTooCoarse = 8, Paused = 9, Drill = 10, NotPermitted = 11,
    }
}
