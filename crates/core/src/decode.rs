//! From bytes to drafts: which format it is, and one file for each.

mod json;
mod faults;
mod lenient;
mod geojson;
mod kinds;
mod severity;
mod native;
mod features;
mod vtec;
mod nws;
mod usgs;
mod cloudevents;
mod text;
mod xml;
mod cap;
mod atom;
mod container;

use bytes::Bytes;

use crate::batch::{Batch, Refused};
use crate::draft::Draft;
use crate::envelope::{Envelope, Limits};
use crate::rejection::{Reason, Rejection};
use cloudevents::{Data, Occurrence};
use json::{Node, Parser};

/// The media types that are read, for answers that list them.
pub const MEDIA_TYPES: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/cap+xml",
    "application/atom+xml",
    "application/geo+json",
    "text/plain",
];

/// Reads every message of every envelope; what cannot be read is refused with its place.
///
/// One result an item: an array, a line of NDJSON, a feature, an alert. An envelope that nobody can
/// read is one refused item with all its bytes. A feed or a batch of CloudEvents without messages
/// gives none. Parameters of a plain text are headers of the envelope by their name in the native
/// form, with or without `x-` before it.
pub fn decode(batch: &[Envelope], limits: &Limits) -> Batch<Draft> {
    let mut drafts = Batch::default();
    for (index, envelope) in batch.iter().enumerate() {
        let intake = Intake { envelope, limits, means: Means::of(envelope.media_type.as_deref()) };
        let mut items = Items { start: drafts.len(), envelope: index, batch: &mut drafts };
        if let Err(rejection) = intake.items(&mut items) {
            items.clear();
            items.push(Err(intake.refused(rejection, envelope.bytes.clone())));
        }
    }
    drafts
}

/// True for a declared media type that may hold something we read.
pub fn is_known_media_type(declared: &str) -> bool {
    Means::of(Some(declared)) != Means::Foreign
}

/// What a declared media type lets expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// Nothing declared, or something that many clients declare for anything.
    Anything,
    Json,
    Lines,
    CloudEvent,
    CloudEvents,
    Xml,
    Text,
    /// What we have no decoder for.
    Foreign,
}

impl Means {
    fn of(declared: Option<&str>) -> Self {
        let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "" | "application/octet-stream" | "application/x-www-form-urlencoded" => Self::Anything,
            // The batch has the same first letters, so it is looked at first.
            batch if batch.starts_with("application/cloudevents-batch") => Self::CloudEvents,
            event if event.starts_with("application/cloudevents") => Self::CloudEvent,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
                Self::Lines
            }
            "text/json" => Self::Json,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            "text/xml" => Self::Xml,
            xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Self::Xml,
            "text/plain" => Self::Text,
            _ => Self::Foreign,
        }
    }
}

/// What became of one message.
type Fate = Result<Draft, Refused>;

/// What became of each message of one envelope, at the end of the batch.
struct Items<'b> {
    batch: &'b mut Batch<Draft>,
    envelope: usize,
    start: usize,
}

impl Items<'_> {
    fn push(&mut self, fate: Fate) {
        self.batch.push(self.envelope, fate);
    }

    fn extend(&mut self, fates: impl IntoIterator<Item = Fate>) {
        fates.into_iter().for_each(|fate| self.push(fate));
    }

    fn len(&self) -> usize {
        self.batch.len() - self.start
    }

    fn clear(&mut self) {
        self.batch.truncate(self.start);
    }

    /// True where there are messages and no decoder knows any of them.
    fn are_unknown(&self) -> bool {
        let items = &self.batch.items()[self.start..];
        !items.is_empty() && items.iter().all(|item| is_unknown(&item.fate))
    }
}

fn is_unknown(fate: &Fate) -> bool {
    fate.as_ref().is_err_and(|refused| refused.rejection.reason == Reason::UnknownFormat)
}

/// One envelope while it is read.
struct Intake<'e> {
    envelope: &'e Envelope,
    limits: &'e Limits,
    means: Means,
}

impl Intake<'_> {
    fn refused(&self, rejection: Rejection, raw: Bytes) -> Refused {
        Refused { rejection, raw, media_type: self.envelope.media_type.clone() }
    }

    fn items(&self, items: &mut Items<'_>) -> Result<(), Rejection> {
        let bytes = &self.envelope.bytes;
        if bytes.len() > self.limits.envelope_bytes {
            let detail = format!("{} bytes; at most {} are taken at once", bytes.len(), self.limits.envelope_bytes);
            return Err(Rejection::decode(Reason::TooLarge, "", detail));
        }
        let content_type = self.envelope.media_type.as_deref();
        if let Some(occurrence) = cloudevents::from_headers(&self.envelope.headers, content_type, bytes) {
            self.occurrence(occurrence?, bytes.clone(), items);
            return Ok(());
        }
        match self.means {
            Means::Lines => self.lines(items)?,
            Means::Text => items.push(self.kept(text::read(bytes, &self.envelope.headers), bytes.clone())),
            Means::Foreign => return Err(unknown()),
            Means::Xml => items.extend(cap::decode(bytes, self.limits)),
            Means::Anything if xml::looks_like(bytes) => items.extend(cap::decode(bytes, self.limits)),
            Means::Anything | Means::Json | Means::CloudEvent | Means::CloudEvents => self.json(items)?,
        }
        Ok(())
    }

    fn kept(&self, read: Result<Draft, Rejection>, raw: Bytes) -> Fate {
        read.map_err(|rejection| self.refused(rejection, raw))
    }

    /// One JSON value that is a message, whichever decoder knows it.
    fn item(&self, node: Node<'_>, raw: Bytes, items: &mut Items<'_>) {
        let object = match &node {
            Node::Object(object) => object,
            _ => return items.push(self.kept(native::read(node, Bytes::new(), container::JSON), raw)),
        };
        let is_event = matches!(self.means, Means::CloudEvent | Means::CloudEvents) || cloudevents::claims(object);
        if is_event {
            return match cloudevents::structured(node) {
                Ok(occurrence) => self.occurrence(occurrence, raw, items),
                Err(rejection) => items.push(Err(self.refused(rejection, raw))),
            };
        }
        let read = if features::claims(object) {
            features::read(node, raw.clone())
        } else if native::claims(object) || (self.means != Means::Anything && native::resembles(object)) {
            native::read(node, raw.clone(), container::JSON)
        } else {
            Err(unknown())
        };
        items.push(self.kept(read, raw));
    }

    /// A CloudEvent: the messages in it where a decoder knows its data, else the event itself.
    fn occurrence(&self, mut occurrence: Occurrence<'_>, raw: Bytes, items: &mut Items<'_>) {
        let means = Means::of(Some(&occurrence.data_type()));
        if let (Means::Xml, Data::Bytes(bytes)) = (means, &occurrence.data) {
            let found = cap::decode(bytes, self.limits);
            if !found.iter().all(is_unknown) {
                return items.extend(found);
            }
        }
        if let (Means::Json, Data::Bytes(bytes)) = (means, &occurrence.data) {
            let bytes = bytes.clone();
            let text = json::text(&bytes).unwrap_or_default();
            if let Ok(node) = Parser::document(text, self.limits.depth)
                && node.as_object().is_some_and(features::claims)
            {
                return self.carried(node, occurrence, raw, items);
            }
        }
        if cloudevents::carries_features(&occurrence.data)
            && let Data::Json(node) = std::mem::replace(&mut occurrence.data, Data::None)
        {
            return self.carried(node, occurrence, raw, items);
        }
        items.push(Ok(occurrence.into_draft(raw, cloudevents::MEDIA_TYPE, self.limits.depth)));
    }

    /// The features that a CloudEvent carries, each with the event's bytes; those of feeds we do
    /// not know leave the event as it is.
    fn carried(&self, node: Node<'_>, mut occurrence: Occurrence<'_>, raw: Bytes, items: &mut Items<'_>) {
        let members = match &node {
            Node::Object(object) if features::is_collection(object) => match object.get("features") {
                Some(Node::List(members)) => members.clone(),
                _ => Vec::new(),
            },
            _ => vec![node.clone()],
        };
        if members.first().is_none_or(|first| !features::is_known(first)) || members.len() > self.limits.items {
            // The attributes and the data outlive the text they were read from.
            occurrence.data = Data::Bytes(serde_json::to_vec(&node.into_value()).unwrap_or_default().into());
            return items.push(Ok(occurrence.into_draft(raw, cloudevents::MEDIA_TYPE, self.limits.depth)));
        }
        for feature in members {
            items.push(self.kept(features::read(feature, raw.clone()), raw.clone()));
        }
    }
}

/// The refusal of what no decoder knows.
fn unknown() -> Rejection {
    let detail = format!("no decoder knows these bytes; send one of {}", MEDIA_TYPES.join(", "));
    Rejection::decode(Reason::UnknownFormat, "", detail)
}

#[cfg(test)]
mod tests;
