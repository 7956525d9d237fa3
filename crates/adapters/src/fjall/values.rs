//! Stored values: a format byte, then JSON with the contract's names.

use ::fjall::UserValue;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use tidings_core::event::Form;
use tidings_core::id::{DeadLetterId, EventId, TenantId, ThreadId};
use tidings_core::port::{PortError, Record};
use tidings_core::position::Position;
use tidings_core::stored::Outlook;
use tidings_core::time::Timestamp;

/// The format byte of every value this build writes, and the only one it reads.
pub(super) const FORMAT: u8 = 1;

/// What stands in `log` at a position: which kind of entry, and where the rest of it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum LogRow {
    Event {
        tenant: TenantId,
        event_id: EventId,
        /// When it was committed; rows of older builds do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stored: Option<Timestamp>,
    },
    Form {
        tenant: TenantId,
        event_id: EventId,
    },
    DeadLetter {
        tenant: TenantId,
        dead_letter_id: DeadLetterId,
    },
    Control {
        tenant: TenantId,
    },
    /// What stood here was erased with its tenant.
    Erased,
}

impl LogRow {
    /// Whose it is.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Event { tenant, .. }
            | Self::Form { tenant, .. }
            | Self::DeadLetter { tenant, .. }
            | Self::Control { tenant } => Some(tenant),
            Self::Erased => None,
        }
    }

    /// The same, where the rest does not matter.
    pub fn into_tenant(self) -> Option<TenantId> {
        self.tenant().cloned()
    }
}

/// What stands before an event's JSON in `event`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EventHead {
    pub tenant: TenantId,
    pub thread_id: ThreadId,
    pub revision: u32,
    pub outlook: Outlook,
}

/// What `alias` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AliasRow {
    pub thread_id: ThreadId,
}

/// What `form` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FormRow {
    #[serde(flatten)]
    pub form: Form,
    pub conflict: bool,
}

/// What `cursor` holds of a recipient.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadMarkRow {
    pub read: u64,
}

/// What `dead_id` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeadIdRow {
    pub position: Position,
}

/// What stands before a record's own JSON in `record`.
#[derive(Debug, Serialize, Deserialize)]
struct RecordHead {
    revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Timestamp>,
}

/// A value of JSON.
pub(super) fn json<T: Serialize>(row: &T) -> UserValue {
    let mut value = vec![FORMAT];
    serde_json::to_writer(&mut value, row).expect("rows have text keys, and memory takes every byte");
    UserValue::from(value)
}

/// Reads a value of JSON; `what` names it in the fault.
pub(super) fn read_json<T: DeserializeOwned>(what: &str, value: &[u8]) -> Result<T, PortError> {
    serde_json::from_slice(after_format(what, value)?).map_err(|error| PortError::never(format!("read {what}"), error))
}

/// The event's own JSON, untouched, behind its head and a line feed; no compact JSON holds one.
pub(super) fn event(head: &EventHead, body: &[u8]) -> UserValue {
    headed(head, body)
}

/// A record's own JSON, untouched, behind its head.
pub(super) fn record(record: &Record) -> UserValue {
    headed(&RecordHead { revision: record.revision, ends: record.ends }, &record.body)
}

/// Reads what [`record`] wrote.
pub(super) fn read_record(value: &[u8]) -> Result<Record, PortError> {
    let (RecordHead { revision, ends }, body) = read_headed("a record", value)?;
    Ok(Record { revision, ends, body })
}

fn headed(head: &impl Serialize, body: &[u8]) -> UserValue {
    let mut value = Vec::with_capacity(body.len() + 320);
    value.push(FORMAT);
    serde_json::to_writer(&mut value, head).expect("rows have text keys, and memory takes every byte");
    value.push(b'\n');
    value.extend_from_slice(body);
    UserValue::from(value)
}

/// Reads what [`event`] wrote.
pub(super) fn read_event(value: &[u8]) -> Result<(EventHead, Bytes), PortError> {
    read_headed("a stored event", value)
}

fn read_headed<T: DeserializeOwned>(what: &str, value: &[u8]) -> Result<(T, Bytes), PortError> {
    let rest = after_format(what, value)?;
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return Err(damaged(what)) };
    let head = serde_json::from_slice(&rest[..end]).map_err(|error| PortError::never(format!("read {what}"), error))?;
    Ok((head, Bytes::copy_from_slice(&rest[end + 1..])))
}

/// Whose event [`event`] wrote.
pub(super) fn read_event_tenant(value: &[u8]) -> Result<TenantId, PortError> {
    #[derive(Deserialize)]
    struct Whose {
        tenant: TenantId,
    }
    let head = after_format("a stored event", value)?.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let whose: Whose =
        serde_json::from_slice(head).map_err(|error| PortError::never("read whose a stored event is", error))?;
    Ok(whose.tenant)
}

/// Bytes as received, or a part of them.
pub(super) fn raw(bytes: &[u8]) -> UserValue {
    let mut value = Vec::with_capacity(bytes.len() + 1);
    value.push(FORMAT);
    value.extend_from_slice(bytes);
    UserValue::from(value)
}

/// A value that says all in its key.
pub(super) fn empty() -> UserValue {
    UserValue::from(&[FORMAT][..])
}

/// What follows the format byte.
pub(super) fn after_format<'a>(what: &str, value: &'a [u8]) -> Result<&'a [u8], PortError> {
    match value.split_first() {
        Some((&FORMAT, rest)) => Ok(rest),
        Some((format, _)) => {
            let fault = format!("its format {format} is not {FORMAT}, the one this build reads");
            Err(PortError::never(format!("read {what}"), fault))
        }
        None => Err(damaged(what)),
    }
}

/// The fault of a row that makes no sense.
pub(super) fn damaged(what: &str) -> PortError {
    let fault = "the row is damaged; stop the server and put a copy of its directory in its place, or keep it as it is \
                 for support and start on a new one";
    PortError::never(format!("read {what}"), fault)
}
