//! From bytes to drafts: which format it is, and one file for each.

mod json;
mod faults;
mod geojson;
mod native;
mod severity;

use std::ops::Range;

use bytes::Bytes;

use crate::batch::{Batch, Refused};
use crate::draft::Draft;
use crate::envelope::{Envelope, Limits};
use crate::rejection::{Reason, Rejection};
use json::{Node, Parser};

/// Reads every message of every envelope; what cannot be read is refused with its place.
///
/// One result an item: an array, a line of NDJSON, a feature, an alert. An envelope that nobody can
/// read is one refused item with all its bytes. A container without messages gives none.
pub fn decode(batch: &[Envelope], limits: &Limits) -> Batch<Draft> {
    let mut drafts = Batch::default();
    for (index, envelope) in batch.iter().enumerate() {
        let intake = Intake { envelope, limits };
        match intake.items() {
            Ok(items) => items.into_iter().for_each(|item| drafts.push(index, item)),
            Err(rejection) => drafts.push(index, Err(intake.refused(rejection, envelope.bytes.clone()))),
        }
    }
    drafts
}

/// What became of each message of one envelope.
type Items = Vec<Result<Draft, Refused>>;

/// One envelope while it is read.
struct Intake<'e> {
    envelope: &'e Envelope,
    limits: &'e Limits,
}

impl Intake<'_> {
    fn refused(&self, rejection: Rejection, raw: Bytes) -> Refused {
        Refused { rejection, raw, media_type: self.envelope.media_type.clone() }
    }

    fn items(&self) -> Result<Items, Rejection> {
        let size = self.envelope.bytes.len();
        if size > self.limits.envelope_bytes {
            let detail = format!("{size} bytes; at most {} are taken at once", self.limits.envelope_bytes);
            return Err(Rejection::decode(Reason::TooLarge, "", detail));
        }
        let declared = self.envelope.media_type.as_deref().unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => self.lines(),
            _ => self.json(),
        }
    }

    fn json(&self) -> Result<Items, Rejection> {
        let text = json::text(&self.envelope.bytes)?;
        let mut parser = Parser::new(text, self.limits.depth);
        match parser.peek() {
            Some(b'[') => self.array(text),
            Some(b'{') => {
                let node = Parser::document(text, self.limits.depth)?;
                Ok(vec![self.item(node, self.envelope.bytes.clone())])
            }
            _ => Err(Rejection::decode(Reason::UnknownFormat, "", "no decoder knows these bytes")),
        }
    }

    /// The items of a JSON array, each judged alone; broken JSON refuses the whole.
    fn array(&self, text: &str) -> Result<Items, Rejection> {
        let offset = self.envelope.bytes.len() - text.len();
        let mut parser = Parser::new(text, self.limits.depth);
        let mut items: Items = Vec::new();
        let mut read = || {
            parser.passes(b'[');
            if parser.passes(b']') {
                return Ok(());
            }
            loop {
                parser.peek();
                let start = parser.at();
                let node = parser.value()?;
                let raw = self.slice(offset + start..offset + parser.at());
                match parser.take_repeated() {
                    Some(fault) => items.push(Err(self.refused(fault.rejection(text), raw))),
                    None => items.push(self.item(node, raw)),
                }
                if parser.passes(b']') {
                    return Ok(());
                }
                if !parser.passes(b',') {
                    return Err(parser.fault("`,` or `]` was expected"));
                }
            }
        };
        read().map_err(|fault| fault.rejection(text))?;
        Ok(items)
    }

    fn lines(&self) -> Result<Items, Rejection> {
        Ok(Vec::new())
    }

    fn item(&self, node: Node<'_>, raw: Bytes) -> Result<Draft, Refused> {
        native::read(node, raw.clone(), "application/json").map_err(|rejection| self.refused(rejection, raw))
    }

    fn slice(&self, range: Range<usize>) -> Bytes {
        self.envelope.bytes.slice(range)
    }
}
