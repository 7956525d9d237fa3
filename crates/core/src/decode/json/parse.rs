//! The parser. serde_json would tell neither where an item of an array ends nor that a member
//! stands twice nor the pointer of a fault; here one pass answers all three.

use std::borrow::Cow;

use hashbrown::HashSet;
use serde_json::Number;

use super::{Node, Object, line_column, step};
use crate::rejection::{Reason, Rejection};

/// From so many members on an object remembers its names in a set.
const MANY_MEMBERS: usize = 32;

/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    at: usize,
    detail: String,
}

impl Fault {
    /// The refusal of the item that begins at byte `start`, with the pointer from there.
    pub(crate) fn rejection_within(self, text: &str, start: usize) -> Rejection {
        let within = Self { at: self.at.saturating_sub(start), ..self };
        within.rejection(&text[start..])
    }

    /// The refusal of `text`: broken JSON is placed by line and column, the rest by pointer.
    pub(crate) fn rejection(self, text: &str) -> Rejection {
        let at = self.at.min(text.len());
        let (line, column) = line_column(&text.as_bytes()[..at]);
        let pointer = match self.reason {
            Reason::InvalidJson => format!("{line}:{column}"),
            _ => pointer_at(text, at),
        };
        Rejection::decode(self.reason, pointer, format!("{} at line {line}, column {column}", self.detail))
    }
}

/// Reads JSON values one after the other.
#[derive(Debug)]
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
    repeated: Option<Fault>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, depth: usize) -> Self {
        Self { text, at: 0, depth_left: depth, repeated: None }
    }

    /// The one value of the whole text.
    pub(crate) fn document(text: &'a str, depth: usize) -> Result<Node<'a>, Rejection> {
        let mut parser = Self::new(text, depth);
        let read = parser.value().and_then(|node| match (parser.peek(), parser.take_repeated()) {
            (Some(_), _) => Err(parser.fault("something follows the end of the value")),
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(node),
        });
        read.map_err(|fault| fault.rejection(text))
    }

    /// The byte it has come to.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The first member that was named twice since the last call.
    pub(crate) fn take_repeated(&mut self) -> Option<Fault> {
        self.repeated.take()
    }

    /// The next byte that is no white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Goes past `byte` if it is next.
    pub(crate) fn passes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn fault(&self, detail: impl Into<String>) -> Fault {
        Fault { reason: Reason::InvalidJson, at: self.at, detail: detail.into() }
    }

    /// The next value.
    pub(crate) fn value(&mut self) -> Result<Node<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Node::Text),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
            Some(b'-' | b'0'..=b'9') => self.number().map(Node::Number),
            Some(b't') => self.literal("true", Node::Bool(true)),
            Some(b'f') => self.literal("false", Node::Bool(false)),
            Some(b'n') => self.literal("null", Node::Null),
            Some(b'N' | b'I') => Err(self.fault("NaN and Infinity are not JSON; a number was expected")),
            Some(_) => Err(self.fault("a value was expected")),
            None => Err(self.fault("the text ends where a value was expected")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Node<'a>, Fault>) -> Result<Node<'a>, Fault> {
        if self.depth_left == 0 {
            let detail = "nested deeper than the limit".to_owned();
            return Err(Fault { reason: Reason::TooDeep, at: self.at, detail });
        }
        self.depth_left -= 1;
        self.at += 1;
        let node = read(self)?;
        self.depth_left += 1;
        Ok(node)
    }

    fn list(&mut self) -> Result<Node<'a>, Fault> {
        let mut items = Vec::new();
        if self.passes(b']') {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.passes(b']') {
                return Ok(Node::List(items));
            }
            if !self.passes(b',') {
                return Err(self.fault("`,` or `]` was expected"));
            }
        }
    }

    fn object(&mut self) -> Result<Node<'a>, Fault> {
        let mut members = Vec::with_capacity(8);
        let mut names = Names::default();
        if self.passes(b'}') {
            return Ok(Node::Object(Object::default()));
        }
        loop {
            let (name, name_at) = self.name()?;
            if names.holds(&name, &members) && self.repeated.is_none() {
                let detail = format!("the member `{}` stands twice", name.chars().take(64).collect::<String>());
                self.repeated = Some(Fault { reason: Reason::DuplicateKey, at: name_at, detail });
            }
            let node = self.value()?;
            members.push((name, node));
            if self.passes(b'}') {
                return Ok(Node::Object(Object { members }));
            }
            if !self.passes(b',') {
                return Err(self.fault("`,` or `}` was expected"));
            }
        }
    }

    /// A member's name with the colon after it, and at which byte it stands.
    pub(crate) fn name(&mut self) -> Result<(Cow<'a, str>, usize), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("a member's name in double quotes was expected"));
        }
        let at = self.at;
        let name = self.string()?;
        if !self.passes(b':') {
            return Err(self.fault("`:` was expected"));
        }
        Ok((name, at))
    }

    fn literal(&mut self, word: &str, node: Node<'a>) -> Result<Node<'a>, Fault> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fault(format!("`{word}` was expected")));
        }
        self.at += word.len();
        Ok(node)
    }

    /// The string whose opening quote is next.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at + 1;
        self.at = plain_end(self.text.as_bytes(), start);
        if self.text.as_bytes().get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut whole = String::from(&self.text[start..self.at]);
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(whole));
                }
                Some(b'\\') => whole.push(self.escape()?),
                Some(_) => return Err(self.fault("a control character stands in a string; escape it")),
                None => return Err(self.fault("the text ends within a string")),
            }
            let from = self.at;
            self.at = plain_end(self.text.as_bytes(), from);
            whole.push_str(&self.text[from..self.at]);
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match letter {
            Some(b'"' | b'\\' | b'/') => char::from(letter.unwrap_or_default()),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.fault("an unknown escape stands in a string")),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let unit = |at: usize| {
            let digits = self.text.as_bytes().get(at..at + 6).filter(|digits| digits.starts_with(b"\\u"))?;
            digits[2..].iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
        };
        let read = match unit(self.at) {
            Some(high @ 0xd800..=0xdbff) => unit(self.at + 6).and_then(|low| {
                let is_low = (0xdc00..=0xdfff).contains(&low);
                is_low.then(|| (0x1_0000 + ((high - 0xd800) << 10) + (low.wrapping_sub(0xdc00)), 12))
            }),
            Some(code) => Some((code, 6)),
            None => None,
        };
        let read = read.and_then(|(code, length)| Some((char::from_u32(code)?, length)));
        let (letter, length) = read.ok_or_else(|| self.fault("a `\\u` escape stands for no character"))?;
        self.at += length;
        Ok(letter)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let digits_end = |mut at: usize| {
            while is_digit(at) {
                at += 1;
            }
            at
        };
        let first = start + usize::from(bytes[start] == b'-');
        let mut end = if bytes.get(first) == Some(&b'0') { first + 1 } else { digits_end(first) };
        let mut is_whole = true;
        let mut is_complete = end > first && !(bytes[first] == b'0' && is_digit(end));
        if bytes.get(end) == Some(&b'.') {
            is_complete &= is_digit(end + 1);
            end = digits_end(end + 1);
            is_whole = false;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            is_complete &= is_digit(exponent);
            end = digits_end(exponent);
            is_whole = false;
        }
        if !is_complete {
            return Err(self.fault("a number was expected"));
        }
        let text = &self.text[start..end];
        let whole = || text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        let number = match is_whole && text != "-0" {
            true => whole().ok(),
            false => None,
        };
        let number = number.or_else(|| text.parse().ok().and_then(Number::from_f64));
        let number = number.ok_or_else(|| self.fault("a number is out of range"))?;
        self.at = end;
        Ok(number)
    }
}

/// The names an object has had: a bit for each, then a set when there are many.
#[derive(Default)]
struct Names {
    bits: u64,
    many: HashSet<String, foldhash::fast::RandomState>,
}

impl Names {
    /// Adds `name`; true when it was there.
    fn holds(&mut self, name: &str, members: &[(Cow<'_, str>, Node<'_>)]) -> bool {
        if members.len() >= MANY_MEMBERS {
            if self.many.is_empty() {
                self.many.extend(members.iter().map(|(name, _)| name.to_string()));
            }
            return !self.many.insert(name.to_owned());
        }
        let ends = name.as_bytes().first().zip(name.as_bytes().last());
        let mix = ends.map_or(0, |(first, last)| name.len() * 31 + usize::from(*first) * 7 + usize::from(*last));
        let bit = 1 << (mix % 64);
        let may_be_there = self.bits & bit != 0;
        self.bits |= bit;
        may_be_there && members.iter().any(|(member, _)| member == name)
    }
}

/// The first byte from `at` on that ends a run of plain string content: a quote, a backslash, a
/// control character, or the end.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // A byte of `x` is zero where `(x - ONES) & !x & TOPS` has its top bit: eight at a time.
    let zeros = |x: u64| x.wrapping_sub(ONES) & !x & TOPS;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes were taken"));
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\'))) | control;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// The JSON pointer of the value or member name at byte `end` of a text that is good up to there.
fn pointer_at(text: &str, end: usize) -> String {
    /// A place in an object, by the name last read, or in an array, by index.
    enum Place {
        Member(String),
        Item(usize),
    }
    let mut places: Vec<Place> = Vec::new();
    let mut parser = Parser::new(text, 0);
    let mut is_name = false;
    while let Some(byte) = parser.peek() {
        let at_end = parser.at >= end;
        if byte == b'"' {
            let Ok(string) = parser.string() else { break };
            if let (true, Some(Place::Member(name))) = (is_name, places.last_mut()) {
                *name = string.into_owned();
            }
            is_name = false;
        } else {
            parser.at += 1;
        }
        if at_end {
            break;
        }
        match byte {
            b'{' => places.push(Place::Member(String::new())),
            b'[' => places.push(Place::Item(0)),
            b'}' | b']' => drop(places.pop()),
            b',' => {
                if let Some(Place::Item(index)) = places.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
        is_name |= matches!(byte, b'{' | b',') && matches!(places.last(), Some(Place::Member(_)));
    }
    let steps = places.iter().take(16).map(|place| match place {
        Place::Member(name) => step(&name.chars().take(64).collect::<String>()),
        Place::Item(index) => format!("/{index}"),
    });
    steps.collect()
}

#[cfg(test)]
mod tests;
