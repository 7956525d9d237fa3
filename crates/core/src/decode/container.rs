//! Bodies of many messages: arrays, lines, feature collections. Each message is judged alone;
//! broken JSON refuses the whole, but for lines, where it refuses the line.

use bytes::Bytes;

use super::json::{self, Node, Parser};
use super::{Intake, Items, Means, features, unknown};
use crate::rejection::{Reason, Rejection};

pub(super) const JSON: &str = "application/json";

impl Intake<'_> {
    /// One JSON document.
    pub(super) fn json(&self) -> Result<Items, Rejection> {
        let bytes = &self.envelope.bytes;
        let text = json::text(bytes)?;
        let mut parser = Parser::new(text, self.limits.depth);
        match parser.peek() {
            None => Err(empty()),
            Some(b'[') => self.array(text),
            Some(b'{') if memchr::memmem::find(bytes, b"\"features\"").is_some() => match self.collection(text)? {
                Some(items) => Ok(items),
                None => self.document(text),
            },
            Some(b'{') => self.document(text),
            _ if self.means == Means::Anything => Err(unknown()),
            _ => Parser::document(text, self.limits.depth).and(Err(unknown())),
        }
    }

    /// One object, or several on a line each that nobody declared as such.
    fn document(&self, text: &str) -> Result<Items, Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        let node = parser.value().map_err(|fault| fault.rejection(text))?;
        let end = parser.at();
        if parser.peek().is_some() {
            let is_lines = self.means == Means::Anything && text[end..parser.at()].contains('\n');
            return if is_lines {
                self.lines()
            } else {
                Err(parser.fault("something follows the end").rejection(text))
            };
        }
        match parser.take_repeated() {
            Some(fault) => Err(fault.rejection(text)),
            None => Ok(self.item(node, self.envelope.bytes.clone())),
        }
    }

    fn array(&self, text: &str) -> Result<Items, Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        let mut items = Items::new();
        let is_good = self.elements(&mut parser, text, &mut items, |node, raw| self.item(node, raw))?;
        if is_good && parser.peek().is_some() {
            return Err(parser.fault("something follows the end of the array").rejection(text));
        }
        if items.is_empty() && self.means != Means::CloudEvents {
            return Err(empty());
        }
        if is_unknown(&items) {
            return Err(unknown());
        }
        Ok(items)
    }

    /// A FeatureCollection; `None` when the object is something else.
    fn collection(&self, text: &str) -> Result<Option<Items>, Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        let mut items = Items::new();
        let mut is_collection = false;
        let mut is_known = true;
        parser.passes(b'{');
        loop {
            let (name, _) = parser.name().map_err(|fault| fault.rejection(text))?;
            if name == "features" && parser.peek() == Some(b'[') {
                self.elements(&mut parser, text, &mut items, |node, raw| {
                    is_known &= features::is_known(&node);
                    vec![self.kept(features::read(node, raw.clone()), raw)]
                })?;
            } else {
                let node = parser.value().map_err(|fault| fault.rejection(text))?;
                is_collection |= name == "type" && node.as_text() == Some("FeatureCollection");
            }
            if parser.passes(b'}') {
                break;
            }
            if !parser.passes(b',') {
                return Err(parser.fault("`,` or `}` was expected").rejection(text));
            }
        }
        if !is_collection || parser.peek().is_some() {
            return Ok(None);
        }
        // Several of another feed are one refusal, with all bytes.
        if !is_known && is_unknown(&items) {
            return Err(features::unknown());
        }
        Ok(Some(items))
    }

    /// The elements of the array that is next; true when it was read to its end.
    fn elements<'t>(
        &self,
        parser: &mut Parser<'t>,
        text: &'t str,
        items: &mut Items,
        mut read: impl FnMut(Node<'t>, Bytes) -> Items,
    ) -> Result<bool, Rejection> {
        let offset = self.envelope.bytes.len() - text.len();
        parser.passes(b'[');
        if parser.passes(b']') {
            return Ok(true);
        }
        loop {
            parser.peek();
            let start = parser.at();
            let node = parser.value().map_err(|fault| fault.rejection(text))?;
            let raw = self.envelope.bytes.slice(offset + start..offset + parser.at());
            match parser.take_repeated() {
                Some(fault) => items.push(Err(self.refused(fault.rejection_within(text, start), raw))),
                None => items.extend(read(node, raw)),
            }
            self.count(items)?;
            if parser.passes(b']') {
                return Ok(true);
            }
            if !parser.passes(b',') {
                return Err(parser.fault("`,` or `]` was expected").rejection(text));
            }
        }
    }

    /// One message a line; blank lines are none.
    pub(super) fn lines(&self) -> Result<Items, Rejection> {
        let bytes = &self.envelope.bytes;
        let mut items = Items::new();
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len()));
        for end in ends {
            let line = bytes[start..end].trim_ascii();
            if !line.is_empty() {
                let raw = bytes.slice_ref(line);
                let read = json::text(line).and_then(|text| Parser::document(text, self.limits.depth));
                match read {
                    Ok(node) => items.extend(self.item(node, raw)),
                    Err(rejection) => items.push(Err(self.refused(rejection, raw))),
                }
                self.count(&items)?;
            }
            start = end + 1;
        }
        if items.is_empty() {
            return Err(empty());
        }
        if is_unknown(&items) {
            return Err(unknown());
        }
        Ok(items)
    }

    fn count(&self, items: &Items) -> Result<(), Rejection> {
        if items.len() <= self.limits.items {
            return Ok(());
        }
        let detail = format!("more than {} messages; split them", self.limits.items);
        Err(Rejection::decode(Reason::TooManyItems, "", detail))
    }
}

/// True where there are messages and no decoder knows any of them.
pub(super) fn is_unknown(items: &Items) -> bool {
    let is_unknown = |item: &Result<_, crate::batch::Refused>| {
        item.as_ref().is_err_and(|refused| refused.rejection.reason == Reason::UnknownFormat)
    };
    !items.is_empty() && items.iter().all(is_unknown)
}

fn empty() -> Rejection {
    Rejection::decode(Reason::EmptyBatch, "", "there is no message in it")
}
