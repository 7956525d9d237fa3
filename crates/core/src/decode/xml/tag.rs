//! Tags, and what else begins with `<`.

use memchr::{memchr, memchr3, memmem};

use super::markup::{self, Attributes};
use super::{Binding, Namespace, OpenElement, Tag, Xml, shorten};
use crate::rejection::{Reason, Rejection};

/// Live namespace declarations; a document with more wants to exhaust us.
const BINDINGS_MAX: usize = 256;

impl<'a> Xml<'a> {
    pub(super) fn pop(&mut self) {
        if let Some(element) = self.open.pop() {
            self.bindings.truncate(element.bindings_before);
        }
    }

    pub(super) fn close_tag(&mut self) -> Result<(), Rejection> {
        let start = self.at;
        if let Some(element) = self.open.last() {
            let name = element.qualified.as_bytes();
            let rest = self.text.as_bytes().get(start + 2..).unwrap_or_default();
            if rest.strip_prefix(name).and_then(<[u8]>::first) == Some(&b'>') {
                self.at = start + name.len() + 3;
                self.pop();
                return Ok(());
            }
        }
        self.odd_close_tag(start)
    }

    /// An end that has white space in it, or is the wrong one.
    fn odd_close_tag(&mut self, start: usize) -> Result<(), Rejection> {
        let rest = &self.text[start + 2..];
        let Some(length) = memchr(b'>', rest.as_bytes()) else {
            return Err(self.fault(Reason::InvalidXml, start, "a tag that never ends"));
        };
        let name = rest[..length].trim_ascii_end();
        match self.open.last() {
            Some(element) if element.qualified == name => {}
            Some(element) => {
                let detail = format!("</{}> where </{}> is expected", shorten(name), element.qualified);
                return Err(self.fault(Reason::InvalidXml, start, detail));
            }
            None => return Err(self.fault(Reason::InvalidXml, start, format!("</{}> ends nothing", shorten(name)))),
        }
        self.at = start + 2 + length + 1;
        self.pop();
        Ok(())
    }

    /// Inlined: returned, its words were read back from memory right after they were written, which took
    /// a twentieth of the time of a small alert.
    #[inline(always)]
    pub(super) fn open_tag(&mut self) -> Result<Tag<'a>, Rejection> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start + 1..];
        let name_length = rest.iter().position(|byte| !markup::is_name_byte(*byte)).unwrap_or(rest.len());
        let qualified = &self.text[start + 1..start + 1 + name_length];
        if !markup::is_name(qualified) {
            return Err(self.fault(Reason::InvalidXml, start, "`<` that begins no element; text writes it as `&lt;`"));
        }
        if self.open.len() >= self.depth_max {
            let detail = format!("elements are nested deeper than {} levels", self.depth_max);
            return Err(self.fault(Reason::TooDeep, start, detail));
        }
        self.open.push(OpenElement { qualified, bindings_before: self.bindings.len() });
        let mut attributes = "";
        if rest.get(name_length) == Some(&b'>') {
            self.at = start + name_length + 2;
        } else {
            attributes = self.attributes(start, start + 1 + name_length)?;
        }
        let (prefix, name) = match qualified.bytes().position(|byte| byte == b':') {
            Some(colon) => (&qualified[..colon], &qualified[colon + 1..]),
            None => ("", qualified),
        };
        Ok(Tag { name, prefix, namespace: self.resolve(prefix), at: start, attributes })
    }

    /// Reads from the end of an element's name to the end of its tag and binds what it declares.
    fn attributes(&mut self, tag: usize, from: usize) -> Result<&'a str, Rejection> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        let end = loop {
            match memchr3(b'>', b'"', b'\'', &bytes[at..]).map(|offset| at + offset) {
                Some(found) if bytes[found] == b'>' => break found,
                Some(quote) => match memchr(bytes[quote], &bytes[quote + 1..]) {
                    Some(length) => at = quote + 1 + length + 1,
                    None => return Err(self.fault(Reason::InvalidXml, quote, "a quoted value that never ends")),
                },
                None => return Err(self.fault(Reason::InvalidXml, tag, "a tag that never ends")),
            }
        };
        self.closes_now = bytes[end - 1] == b'/' && end > from;
        self.at = end + 1;
        let attributes = &self.text[from..end - usize::from(self.closes_now)];
        for attribute in Attributes::new(attributes) {
            let (name, value) = attribute.map_err(|detail| self.fault(Reason::InvalidXml, tag, detail))?;
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => &rest[1..],
                _ => continue,
            };
            if self.bindings.len() == BINDINGS_MAX {
                return Err(self.fault(Reason::TooLarge, tag, format!("more than {BINDINGS_MAX} namespaces")));
            }
            self.bindings.push(Binding { prefix, namespace: Namespace::of(value.trim_ascii()) });
        }
        Ok(attributes)
    }

    fn resolve(&self, prefix: &str) -> Namespace {
        // Lengths first: comparing two empty texts through `memcmp` costs 0.1 us where their
        // pointers dangle (measured: half of the whole decoder).
        let is_it = |bound: &str| bound.len() == prefix.len() && (prefix.is_empty() || bound == prefix);
        let bound = self.bindings.iter().rev().find(|binding| is_it(binding.prefix));
        match bound {
            Some(binding) => binding.namespace,
            None if prefix.is_empty() => Namespace::None,
            None => Namespace::Unbound,
        }
    }

    /// What begins with `<!`: the text of a CDATA section, nothing for a comment.
    pub(super) fn bang(&mut self) -> Result<Option<&'a str>, Rejection> {
        let rest = &self.text[self.at..];
        if rest.starts_with("<!--") {
            self.pass("-->", "a comment that never ends")?;
            return Ok(None);
        }
        if rest.starts_with("<![CDATA[") {
            if self.open.is_empty() {
                return Err(self.fault(Reason::InvalidXml, self.at, "text outside of the root element"));
            }
            let start = self.at + 9;
            self.pass("]]>", "a CDATA section that never ends")?;
            return Ok(Some(&self.text[start..self.at - 3]));
        }
        if rest.get(..9).is_some_and(|word| word.eq_ignore_ascii_case("<!DOCTYPE")) {
            let detail = "a document type declaration can name files and entities; none is taken";
            return Err(self.fault(Reason::DtdRefused, self.at, detail));
        }
        Err(self.fault(Reason::InvalidXml, self.at, "`<!` that begins neither a comment nor CDATA"))
    }

    /// Passes over what ends with `end`.
    pub(super) fn pass(&mut self, end: &str, otherwise: &str) -> Result<(), Rejection> {
        // After `<!--` or `<?` at the earliest; `<?>` and `<!-->` do not end themselves.
        let from = (self.at + 2 + usize::from(end == "-->") * 2).min(self.text.len());
        match memmem::find(&self.text.as_bytes()[from..], end.as_bytes()) {
            Some(length) => {
                self.at = from + length + end.len();
                Ok(())
            }
            None => Err(self.fault(Reason::InvalidXml, self.at, otherwise)),
        }
    }
}
