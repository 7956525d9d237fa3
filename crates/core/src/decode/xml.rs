//! Reads XML without copying: a cursor over elements and texts that borrows from the document.
//!
//! Our own, because it is several times faster than the general crate and refuses what a message
//! never needs: document types, custom entities, endless nesting. Namespaces are resolved; an
//! unbound prefix is told, not refused. Faults name `line:column`.

mod encoding;
mod markup;
mod tag;
mod value;

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use crate::envelope::Limits;
use crate::rejection::{Reason, Rejection};

pub(crate) use encoding::{Decoded, decode_text};
pub(crate) use value::{add_member, element_value};

use markup::{Attributes, unescape};

/// True for bytes that can only be XML: the first letter is `<`, in UTF-8 or UTF-16.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    match bytes {
        [0xFE, 0xFF, 0, b'<', ..] | [0xFF, 0xFE, b'<', 0, ..] | [0, b'<', ..] => true,
        _ => bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().first() == Some(&b'<'),
    }
}

/// The namespaces we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// CAP 1.1 or 1.2.
    Cap,
    /// Atom (RFC 4287).
    Atom,
    /// XML signatures.
    Signature,
    /// None: no prefix, no default namespace.
    None,
    /// A prefix that nobody declared.
    Unbound,
    /// Any other.
    Other,
}

impl Namespace {
    fn of(uri: &str) -> Self {
        match uri {
            "urn:oasis:names:tc:emergency:cap:1.2" | "urn:oasis:names:tc:emergency:cap:1.1" => Self::Cap,
            "http://www.w3.org/2005/Atom" => Self::Atom,
            "http://www.w3.org/2000/09/xmldsig#" => Self::Signature,
            "" => Self::None,
            _ => Self::Other,
        }
    }
}

/// The beginning of an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'a> {
    /// Its name without prefix.
    pub(crate) name: &'a str,
    /// Its prefix, empty without one.
    pub(crate) prefix: &'a str,
    /// What its prefix stands for.
    pub(crate) namespace: Namespace,
    /// Where it begins, in bytes of the decoded document.
    pub(crate) at: usize,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The value of the attribute called `name` as written, references included.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        Attributes::new(self.attributes).flatten().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// What comes next in a document.
#[derive(Debug)]
pub(crate) enum Token<'a> {
    /// An element begins.
    Open(Tag<'a>),
    /// Text, its references resolved; never only white space.
    Text(Cow<'a, str>),
    /// The innermost open element ends.
    Close,
    /// The document ends.
    End,
}

/// What comes next where elements are expected.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// An element begins.
    Open(Tag<'a>),
    /// The innermost open element ends.
    Close,
    /// Something else: [`Xml::next`] tells.
    Other,
}

struct Binding<'a> {
    prefix: &'a str,
    namespace: Namespace,
}

struct OpenElement<'a> {
    qualified: &'a str,
    bindings_before: usize,
}

/// A cursor over a document.
pub(crate) struct Xml<'a> {
    text: &'a str,
    at: usize,
    open: Vec<OpenElement<'a>>,
    bindings: Vec<Binding<'a>>,
    /// An element was written as `<name/>`: its end comes next.
    closes_now: bool,
    depth_max: usize,
    /// How many more unknown elements may be kept as JSON.
    keepable: usize,
}

/// Unknown elements kept as JSON; each takes many times its own bytes.
const KEPT_MAX: usize = 10_000;

impl<'a> Xml<'a> {
    /// A cursor before the first element of a decoded document.
    pub(crate) fn new(text: &'a str, limits: &Limits) -> Self {
        let (open, bindings) = (Vec::with_capacity(12), Vec::with_capacity(4));
        Self { text, at: 0, open, bindings, closes_now: false, depth_max: limits.depth, keepable: KEPT_MAX }
    }

    /// The root element.
    ///
    /// # Errors
    /// As [`Xml::next`], and when there is none.
    pub(crate) fn root(&mut self) -> Result<Tag<'a>, Rejection> {
        match self.next()? {
            Token::Open(tag) => Ok(tag),
            _ => Err(self.fault(Reason::InvalidXml, self.at, "a document without an element")),
        }
    }

    /// What comes next; comments, instructions and white space between elements are passed over.
    ///
    /// # Errors
    /// `InvalidXml`, `DtdRefused`, `TooDeep` or `TooLarge` with `line:column`.
    pub(crate) fn next(&mut self) -> Result<Token<'a>, Rejection> {
        if self.closes_now {
            self.closes_now = false;
            self.pop();
            return Ok(Token::Close);
        }
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(length) = memchr(b'<', rest) else { return self.end_of_document() };
            let start = self.at;
            if length > 0 && !rest[..length].trim_ascii().is_empty() {
                return self.text_token(start, start + length).map(Token::Text);
            }
            self.at = start + length;
            match rest.get(length + 1) {
                Some(b'/') => {
                    self.close_tag()?;
                    return Ok(Token::Close);
                }
                Some(b'?') => self.pass("?>", "an instruction that never ends")?,
                Some(b'!') => {
                    if let Some(text) = self.bang()? {
                        return Ok(Token::Text(Cow::Borrowed(text)));
                    }
                }
                _ => return self.open_tag().map(Token::Open),
            }
        }
    }

    /// The next element inside the one that is open, where nothing but white space stands before it
    /// or before the end; `None` at that end. Anything else is left to [`Xml::next`].
    ///
    /// # Errors
    /// As [`Xml::next`].
    #[inline]
    pub(crate) fn next_element(&mut self) -> Result<Step<'a>, Rejection> {
        if self.closes_now {
            self.closes_now = false;
            self.pop();
            return Ok(Step::Close);
        }
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'<') {
            return Ok(Step::Other);
        }
        match bytes.get(at + 1) {
            Some(b'/') => {
                self.at = at;
                self.close_tag()?;
                Ok(Step::Close)
            }
            Some(b'!' | b'?') | None => Ok(Step::Other),
            Some(_) => {
                self.at = at;
                self.open_tag().map(Step::Open)
            }
        }
    }

    /// The text of the element that was just opened, trimmed, up to and with its end. Elements
    /// inside it give their text in place.
    ///
    /// # Errors
    /// As [`Xml::next`].
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Rejection> {
        if let Some(text) = self.plain_text() {
            return Ok(Cow::Borrowed(text));
        }
        let mut whole = String::new();
        let inside = self.open.len();
        loop {
            match self.next()? {
                Token::Text(text) => whole.push_str(&text),
                Token::Open(_) => {}
                Token::Close if self.open.len() < inside => break,
                Token::Close => {}
                Token::End => return Err(self.unexpected_end()),
            }
        }
        let trimmed = whole.trim_ascii();
        if trimmed.len() < whole.len() {
            whole = trimmed.to_owned();
        }
        Ok(Cow::Owned(whole))
    }

    /// The text of the element just opened if nothing but text stands in it; else nothing is read.
    fn plain_text(&mut self) -> Option<&'a str> {
        if self.closes_now {
            return None;
        }
        let rest = &self.text.as_bytes()[self.at..];
        let length = memchr3(b'<', b'&', b'\r', rest)?;
        let name = self.open.last()?.qualified;
        let end = rest.get(length..)?.strip_prefix(b"</")?.strip_prefix(name.as_bytes())?.first();
        if end != Some(&b'>') {
            return None;
        }
        let text = self.text.get(self.at..self.at + length)?;
        self.at += length + name.len() + 3;
        self.pop();
        Some(text.trim_ascii())
    }

    /// Passes over the rest of the element that was just opened.
    ///
    /// # Errors
    /// As [`Xml::next`].
    pub(crate) fn skip(&mut self) -> Result<(), Rejection> {
        let inside = self.open.len();
        while self.open.len() >= inside {
            if matches!(self.next()?, Token::End) {
                return Err(self.unexpected_end());
            }
        }
        Ok(())
    }

    /// Reads to the end of the document, which may hold nothing more.
    ///
    /// # Errors
    /// `InvalidXml` when something follows the root element.
    pub(crate) fn finish(&mut self) -> Result<(), Rejection> {
        match self.next()? {
            Token::End => Ok(()),
            _ => Err(self.fault(Reason::InvalidXml, self.at, "something follows the root element")),
        }
    }

    /// How far it has read, in bytes of the decoded document.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// A refusal that points to a place of the document.
    pub(crate) fn fault(&self, reason: Reason, at: usize, detail: impl Into<String>) -> Rejection {
        Rejection::decode(reason, place(self.text, at), detail)
    }

    /// The document ended inside an element.
    pub(crate) fn unexpected_end(&self) -> Rejection {
        let name = self.open.last().map_or("", |element| element.qualified);
        self.fault(Reason::InvalidXml, self.text.len(), format!("the document ends before </{name}>"))
    }

    fn end_of_document(&mut self) -> Result<Token<'a>, Rejection> {
        if !self.open.is_empty() {
            return Err(self.unexpected_end());
        }
        if !self.text[self.at..].trim_ascii().is_empty() {
            return Err(self.fault(Reason::InvalidXml, self.at, "text outside of the root element"));
        }
        self.at = self.text.len();
        Ok(Token::End)
    }

    fn text_token(&mut self, start: usize, end: usize) -> Result<Cow<'a, str>, Rejection> {
        if self.open.is_empty() {
            return Err(self.fault(Reason::InvalidXml, start, "text outside of the root element"));
        }
        self.at = end;
        unescape(&self.text[start..end])
            .map_err(|(offset, detail)| self.fault(Reason::InvalidXml, start + offset, detail))
    }
}

/// `line:column` of a byte, both from 1, columns in characters.
pub(crate) fn place(text: &str, at: usize) -> String {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = 1 + memchr::memchr_iter(b'\n', before).count();
    // Bytes that do not continue a UTF-8 character each begin one.
    let column = 1 + before[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count();
    format!("{line}:{column}")
}

/// At most 64 characters of something that a stranger named.
pub(crate) fn shorten(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(end, _)| &text[..end])
}

/// True when a text holds characters that mean something in XML.
fn has_markup(text: &str) -> bool {
    memchr2(b'&', b'\r', text.as_bytes()).is_some()
}

#[cfg(test)]
mod tests;
