//! Bodies of many messages: arrays, lines, feature collections. Each message is judged alone;
//! broken JSON refuses the whole, but for lines, where it refuses the line.

use bytes::Bytes;

use super::json::{self, Parser};
use super::{Intake, Items, Means, features, native, unknown};
use crate::draft::{Draft, Format};
use crate::rejection::{Reason, Rejection};

pub(super) const JSON: &str = "application/json";

impl Intake<'_> {
    /// One JSON document.
    pub(super) fn json(&self, items: &mut Items<'_>) -> Result<(), Rejection> {
        let bytes = &self.envelope.bytes;
        let text = json::text(bytes)?;
        let mut parser = Parser::new(text, self.limits.depth);
        match parser.peek() {
            None => Err(empty()),
            Some(b'[') => self.array(text, items),
            Some(b'{') => {
                let may_be_collection = memchr::memmem::find(bytes, b"\"features\"").is_some();
                if may_be_collection && self.collection(text, items)? {
                    return Ok(());
                }
                items.clear();
                self.document(text, items)
            }
            _ if self.means == Means::Anything => Err(unknown()),
            _ => Parser::document(text, self.limits.depth).and(Err(unknown())),
        }
    }

    /// One object, or several on a line each that nobody declared as such.
    fn document(&self, text: &str, items: &mut Items<'_>) -> Result<(), Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        let start = parser.at();
        self.message(&mut parser, text, start, items)?;
        let end = parser.at();
        if parser.peek().is_none() {
            return Ok(());
        }
        let is_lines = self.means == Means::Anything && text[end..parser.at()].contains('\n');
        if !is_lines {
            return Err(parser.fault("something follows the end").rejection(text));
        }
        items.clear();
        self.lines(items)
    }

    fn array(&self, text: &str, items: &mut Items<'_>) -> Result<(), Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        self.elements(&mut parser, text, items, |parser, items| {
            let start = parser.at();
            self.message(parser, text, start, items)
        })?;
        if parser.peek().is_some() {
            return Err(parser.fault("something follows the end of the array").rejection(text));
        }
        if items.len() == 0 && self.means != Means::CloudEvents {
            return Err(empty());
        }
        if items.are_unknown() {
            return Err(unknown());
        }
        Ok(())
    }

    /// The message at byte `start`, which is next: at once where it is a good one of our own.
    fn message<'t>(
        &self,
        parser: &mut Parser<'t>,
        text: &'t str,
        start: usize,
        items: &mut Items<'_>,
    ) -> Result<(), Rejection> {
        let may_be_ours = matches!(self.means, Means::Json | Means::Lines) && parser.peek() == Some(b'{');
        if may_be_ours {
            let depth_left = parser.depth_left();
            // The draft is filled where it will stay: it is large, and moving it would cost a
            // tenth of reading it.
            items.push(Ok(Draft::new(Format::Native, JSON, Bytes::new())));
            let draft = items.batch.last_mut().expect("it was just added");
            let is_good = native::stream(parser, draft).map_err(|fault| fault.rejection(text))?;
            if is_good && parser.take_repeated().is_none() {
                draft.raw = self.slice(text, start, parser.at());
                return Ok(());
            }
            items.batch.truncate(items.batch.len() - 1);
            parser.rewind(start, depth_left);
        }
        let node = parser.value().map_err(|fault| fault.rejection(text))?;
        let raw = self.slice(text, start, parser.at());
        match parser.take_repeated() {
            Some(fault) => items.push(Err(self.refused(fault.rejection_within(text, start), raw))),
            None => self.item(node, raw, items),
        }
        Ok(())
    }

    /// A part of the text as the bytes it came in.
    fn slice(&self, text: &str, start: usize, end: usize) -> Bytes {
        self.envelope.bytes.slice_ref(&text.as_bytes()[start..end])
    }

    /// A FeatureCollection; false when the object is something else.
    fn collection(&self, text: &str, items: &mut Items<'_>) -> Result<bool, Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        let mut is_collection = false;
        parser.passes(b'{');
        loop {
            let (name, _) = parser.name().map_err(|fault| fault.rejection(text))?;
            if name == "features" && parser.peek() == Some(b'[') {
                self.elements(&mut parser, text, items, |parser, items| {
                    let start = parser.at();
                    let node = parser.value().map_err(|fault| fault.rejection(text))?;
                    let raw = self.slice(text, start, parser.at());
                    match parser.take_repeated() {
                        Some(fault) => items.push(Err(self.refused(fault.rejection_within(text, start), raw))),
                        None => items.push(self.kept(features::read(node, raw.clone()), raw)),
                    }
                    Ok(())
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
            return Ok(false);
        }
        // Several of another feed are one refusal, with all bytes.
        if items.are_unknown() {
            return Err(features::unknown());
        }
        Ok(true)
    }

    /// Has each element of the array that is next read.
    fn elements<'t>(
        &self,
        parser: &mut Parser<'t>,
        text: &'t str,
        items: &mut Items<'_>,
        mut read: impl FnMut(&mut Parser<'t>, &mut Items<'_>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        parser.passes(b'[');
        if parser.passes(b']') {
            return Ok(());
        }
        loop {
            parser.peek();
            let start = parser.at();
            read(parser, items)?;
            self.count(items)?;
            if items.len() == 1 {
                // Most arrays hold items of about one size.
                let length = (parser.at() - start).max(1);
                items.batch.reserve((text.len() / length).min(self.limits.items));
            }
            if parser.passes(b']') {
                return Ok(());
            }
            if !parser.passes(b',') {
                return Err(parser.fault("`,` or `]` was expected").rejection(text));
            }
        }
    }

    /// One message a line; blank lines are none.
    pub(super) fn lines(&self, items: &mut Items<'_>) -> Result<(), Rejection> {
        let bytes = &self.envelope.bytes;
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len()));
        for end in ends {
            let line = bytes[start..end].trim_ascii();
            if !line.is_empty()
                && let Err(rejection) = json::text(line).and_then(|text| self.line(text, items))
            {
                items.push(Err(self.refused(rejection, bytes.slice_ref(line))));
            }
            self.count(items)?;
            start = end + 1;
        }
        if items.len() == 0 {
            return Err(empty());
        }
        if items.are_unknown() {
            return Err(unknown());
        }
        Ok(())
    }

    fn line(&self, text: &str, items: &mut Items<'_>) -> Result<(), Rejection> {
        let mut parser = Parser::new(text, self.limits.depth);
        let before = items.batch.len();
        if let Err(rejection) = self.message(&mut parser, text, 0, items) {
            items.batch.truncate(before);
            return Err(rejection);
        }
        if parser.peek().is_some() {
            items.batch.truncate(before);
            return Err(parser.fault("something follows the end of the line's value").rejection(text));
        }
        Ok(())
    }

    fn count(&self, items: &Items<'_>) -> Result<(), Rejection> {
        if items.len() <= self.limits.items {
            return Ok(());
        }
        let detail = format!("more than {} messages; split them", self.limits.items);
        Err(Rejection::decode(Reason::TooManyItems, "", detail))
    }
}

fn empty() -> Rejection {
    Rejection::decode(Reason::EmptyBatch, "", "there is no message in it")
}
