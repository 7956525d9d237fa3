//! What the sender said, before we judge it.
//!
//! A decoder fills a draft from bytes and repairs what its format lets it repair; it decides
//! nothing about identity, place or trust.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::event::{Code, Link, Segment, Warning};
use crate::id::UserId;
use crate::time::Timestamp;
use crate::vocabulary::{Action, SeverityOrigin, Status};

/// The format that a draft was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Our own JSON.
    Native,
    /// CAP 1.1 or 1.2 XML, also inside Atom.
    Cap,
    /// An Atom entry without CAP inside.
    Atom,
    /// Alerts of the US National Weather Service as GeoJSON.
    Nws,
    /// Earthquakes of the US Geological Survey as GeoJSON.
    Usgs,
    /// A CloudEvent whose data no decoder claims.
    CloudEvents,
    /// Plain text.
    Text,
}

impl Format {
    /// Every format; its place here is its number in stored rows, so new ones are added last.
    pub const ALL: &'static [Self] =
        &[Self::Native, Self::Cap, Self::Atom, Self::Nws, Self::Usgs, Self::CloudEvents, Self::Text];

    /// Its name in metrics, identities and the `source` of an event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Cap => "cap",
            Self::Atom => "atom",
            Self::Nws => "nws",
            Self::Usgs => "usgs",
            Self::CloudEvents => "cloudevents",
            Self::Text => "text",
        }
    }

    /// True for formats in which the sender is an agency's identity, so that a message speaks in
    /// its name; elsewhere a sender's name lives within the bringer's own namespace.
    pub const fn names_its_issuer(self) -> bool {
        matches!(self, Self::Cap | Self::Nws | Self::Usgs)
    }
}

/// A name under which a thread can be found, besides the ids of its messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadKey {
    /// The kind of name: `vtec`, `usgs`, `thread`.
    pub scheme: &'static str,
    /// The name.
    pub value: String,
}

/// A thread that a message closes besides being part of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The thread's name.
    pub key: ThreadKey,
    /// True when the message's own thread takes its place (VTEC `UPG`).
    pub upgraded: bool,
}

/// One message as its sender meant it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it was read from.
    pub format: Format,
    /// The media type of `raw`.
    pub media_type: String,
    /// The bytes of this message alone, as received.
    pub raw: Bytes,
    /// The sender as spelled; empty when the format names none.
    pub sender: String,
    /// The sender's id of this message, with URN and URL prefixes taken off.
    pub native_id: Option<String>,
    /// The sender's version of it, when ids alone do not tell messages apart.
    pub native_version: Option<String>,
    /// Names of the thread it belongs to, besides its own id.
    pub thread_keys: Vec<ThreadKey>,
    /// Ids of earlier messages that it is about, as `native_id` would hold them.
    pub references: Vec<String>,
    /// Other threads that it closes.
    pub closings: Vec<Closing>,
    /// What it does to its thread; `None` when the sender does not say.
    pub action: Option<Action>,
    /// True when its source withdraws it as never having been.
    pub retracted: bool,
    /// What it is for.
    pub status: Status,
    /// Title, where the format has one of its own.
    pub title: Option<String>,
    /// Codes of what happened.
    pub codes: Vec<Code>,
    /// The sender's own word or number for severity.
    pub severity_native: Option<Code>,
    /// Whether severities were given or inferred.
    pub severity_origin: SeverityOrigin,
    /// 0 to 1, where the format says more than certainty does.
    pub confidence: Option<f64>,
    /// Its parts, at least one but in a message that only refers to others.
    pub segments: Vec<Segment>,
    /// When it happened.
    pub occurred: Option<Timestamp>,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// Times as written, by field name, where they are not in our form.
    pub time_texts: BTreeMap<String, String>,
    /// Numbers, named with their unit.
    pub measures: BTreeMap<String, f64>,
    /// Where to read on.
    pub links: Vec<Link>,
    /// Other names of the same happening.
    pub related: Vec<Code>,
    /// Only these users may see it.
    pub audience: Option<Vec<UserId>>,
    /// True for CAP `Private` and `Restricted`: kept from those without the right.
    pub restricted: bool,
    /// Repairs made while decoding.
    pub warnings: Vec<Warning>,
    /// What the message held besides.
    pub extra: Map<String, Value>,
}

impl Draft {
    /// A draft of one message with nothing said yet.
    pub fn new(format: Format, media_type: &str, raw: Bytes) -> Self {
        Self {
            format,
            media_type: media_type.to_owned(),
            raw,
            sender: String::new(),
            native_id: None,
            native_version: None,
            thread_keys: Vec::new(),
            references: Vec::new(),
            closings: Vec::new(),
            action: None,
            retracted: false,
            status: Status::Actual,
            title: None,
            codes: Vec::new(),
            severity_native: None,
            severity_origin: SeverityOrigin::Given,
            confidence: None,
            segments: Vec::new(),
            occurred: None,
            sent: None,
            updated: None,
            time_texts: BTreeMap::new(),
            measures: BTreeMap::new(),
            links: Vec::new(),
            related: Vec::new(),
            audience: None,
            restricted: false,
            warnings: Vec::new(),
            extra: Map::new(),
        }
    }
}
