//! Why a message was refused, and how each one ended.

use serde::{Deserialize, Serialize};

use crate::id::{DeadLetterId, EventId};

/// Where in the pipeline something was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Bytes could not be read.
    Decode,
    /// The message breaks a rule of its format.
    Validate,
    /// The bringer may not say this.
    Authorize,
    /// A tenant's rule set it aside.
    Rule,
    /// Its identity is contested.
    Resolve,
    /// A delivery failed for good.
    Deliver,
}

impl Stage {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Validate => "validate",
            Self::Authorize => "authorize",
            Self::Rule => "rule",
            Self::Resolve => "resolve",
            Self::Deliver => "deliver",
        }
    }
}

/// A reason to refuse, with its stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No decoder knows these bytes.
    UnknownFormat,
    /// Not well-formed JSON.
    InvalidJson,
    /// A JSON object names the same member twice.
    DuplicateKey,
    /// Not well-formed XML.
    InvalidXml,
    /// Bytes that are not UTF-8, or not the declared encoding.
    InvalidEncoding,
    /// A document type declaration, which can name entities and files.
    DtdRefused,
    /// Nested deeper than the limit.
    TooDeep,
    /// Larger than a limit.
    TooLarge,
    /// More messages than one envelope may hold.
    TooManyItems,
    /// An envelope without any message.
    EmptyBatch,
    /// A member that must be there is not.
    MissingField,
    /// A member has the wrong type or an impossible value.
    InvalidField,
    /// A time that cannot be read.
    InvalidTime,
    /// A longitude or latitude off the globe, or not a number.
    InvalidCoordinates,
    /// A shape that cannot be repaired.
    InvalidGeometry,
    /// A word that is not in its list.
    InvalidEnum,
    /// The bringer may not speak for this sender.
    SenderNotPermitted,
    /// The bringer may not publish.
    PublishNotPermitted,
    /// The bringer may publish some events only, and this is not one of them.
    EventNotPermitted,
    /// Two different messages with the same derived id.
    IdCollision,
}

impl Reason {
    /// Its stable name, as answers, metrics and docs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownFormat => "unknown_format",
            Self::InvalidJson => "invalid_json",
            Self::DuplicateKey => "duplicate_key",
            Self::InvalidXml => "invalid_xml",
            Self::InvalidEncoding => "invalid_encoding",
            Self::DtdRefused => "dtd_refused",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::TooManyItems => "too_many_items",
            Self::EmptyBatch => "empty_batch",
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::InvalidTime => "invalid_time",
            Self::InvalidCoordinates => "invalid_coordinates",
            Self::InvalidGeometry => "invalid_geometry",
            Self::InvalidEnum => "invalid_enum",
            Self::SenderNotPermitted => "sender_not_permitted",
            Self::PublishNotPermitted => "publish_not_permitted",
            Self::EventNotPermitted => "event_not_permitted",
            Self::IdCollision => "id_collision",
        }
    }
}

/// Why a message was refused, in words its sender can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Rejection {
    /// Where in the pipeline.
    pub stage: Stage,
    /// The reason's stable name.
    #[serde(rename = "code")]
    pub reason: Reason,
    /// Where in the input: a JSON pointer, or `line:column` of XML.
    pub pointer: String,
    /// What was found and what would be right.
    pub detail: String,
}

impl Rejection {
    /// A refusal while decoding.
    pub fn decode(reason: Reason, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { stage: Stage::Decode, reason, pointer: pointer.into(), detail: detail.into() }
    }

    /// A refusal while validating.
    pub fn validate(reason: Reason, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { stage: Stage::Validate, reason, pointer: pointer.into(), detail: detail.into() }
    }
}

/// How one message ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Durable, and new.
    Accepted(EventId),
    /// Known already; durable before.
    Duplicate {
        /// The event it is a copy of.
        id: EventId,
        /// Whether the copy was of another kind.
        kind: Copy,
    },
    /// Refused; a dead letter with its bytes is durable.
    Rejected {
        /// Where its bytes are kept.
        dead_letter: DeadLetterId,
        /// Why.
        rejection: Rejection,
    },
    /// Nothing was stored: send it again.
    Failed(String),
}

/// In what way a message was a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// The same message again.
    Same,
    /// The same message in another form, kept beside the first.
    Form,
    /// Other content under the same identity, kept but not believed.
    Conflict,
}

impl Outcome {
    /// Its name in answers and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Duplicate { .. } => "duplicate",
            Self::Rejected { .. } => "rejected",
            Self::Failed(_) => "failed",
        }
    }
}
