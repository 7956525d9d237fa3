//! The parser. serde_json would tell neither where an item of an array ends nor that a member
//! stands twice nor the pointer of a fault; here one pass answers all three.

use std::borrow::Cow;

use hashbrown::HashSet;
use serde_json::Number;

use super::{Node, Object, Pair, line_column, step};
use crate::rejection::{Reason, Rejection};

/// From so many members on an object remembers its names in a set.
const MANY_MEMBERS: usize = 32;

/// What is wrong with a text, and at which byte. Boxed, so that what is right stays small.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault(Box<Flaw>);

#[derive(Debug, Clone, PartialEq)]
struct Flaw {
    reason: Reason,
    at: usize,
    detail: String,
}

impl Fault {
    fn new(reason: Reason, at: usize, detail: impl Into<String>) -> Self {
        Self(Box::new(Flaw { reason, at, detail: detail.into() }))
    }

    /// The refusal of the item that begins at byte `start`, with the pointer from there.
    pub(crate) fn rejection_within(mut self, text: &str, start: usize) -> Rejection {
        self.0.at = self.0.at.saturating_sub(start);
        self.rejection(&text[start..])
    }

    /// The refusal of `text`: broken JSON is placed by line and column, the rest by pointer.
    pub(crate) fn rejection(self, text: &str) -> Rejection {
        let Flaw { reason, at, detail } = *self.0;
        let at = at.min(text.len());
        let (line, column) = line_column(&text.as_bytes()[..at]);
        let pointer = match reason {
            Reason::InvalidJson => format!("{line}:{column}"),
            _ => pointer_at(text, at),
        };
        Rejection::decode(reason, pointer, format!("{detail} at line {line}, column {column}"))
    }
}

/// Reads JSON values one after the other.
#[derive(Debug)]
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
    repeated: Option<Fault>,
    /// Names of the object whose members are given out, kept for its room.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, depth: usize) -> Self {
        Self { text, at: 0, depth_left: depth, repeated: None, names: Vec::new() }
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

    /// How many levels may still be opened.
    pub(crate) fn depth_left(&self) -> usize {
        self.depth_left
    }

    /// Goes back to byte `at`, before which so many levels were left.
    pub(crate) fn rewind(&mut self, at: usize, depth_left: usize) {
        (self.at, self.depth_left) = (at, depth_left);
        self.repeated = None;
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
    #[inline]
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
    #[inline]
    pub(crate) fn passes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn fault(&self, detail: impl Into<String>) -> Fault {
        Fault::new(Reason::InvalidJson, self.at, detail)
    }

    /// The next value. Inlined, so that a member goes from here to its field in registers.
    #[inline(always)]
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
            return Err(self.too_deep());
        }
        self.depth_left -= 1;
        self.at += 1;
        let node = read(self)?;
        self.depth_left += 1;
        Ok(node)
    }

    fn list(&mut self) -> Result<Node<'a>, Fault> {
        if let Some(pair) = self.pair() {
            return Ok(Node::Pair(pair));
        }
        let mut items = Vec::new();
        if self.passes(b']') {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            if matches!(items[..], [Node::Pair(_)]) {
                // A ring or a path: a few points more are likely.
                items.reserve(31);
            }
            if self.passes(b']') {
                return Ok(Node::List(items));
            }
            if !self.passes(b',') {
                return Err(self.fault("`,` or `]` was expected"));
            }
        }
    }

    fn object(&mut self) -> Result<Node<'a>, Fault> {
        let mut members: Vec<(Cow<'a, str>, Node<'a>)> = Vec::with_capacity(4);
        let mut names = Names::default();
        if self.passes(b'}') {
            return Ok(Node::Object(Object::default()));
        }
        loop {
            let (name, name_at) = self.name()?;
            if names.holds(&name, &members, |(name, _)| name) {
                self.repeat(&name, name_at);
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

    /// Gives `take` the members of the object that is next, one by one; ends early, with false,
    /// when it wants no more.
    pub(crate) fn each_member(&mut self, mut take: impl FnMut(Cow<'a, str>, Node<'a>) -> bool) -> Result<bool, Fault> {
        self.passes(b'{');
        if self.passes(b'}') {
            return Ok(true);
        }
        let mut earlier = std::mem::take(&mut self.names);
        earlier.clear();
        let mut names = Names::default();
        let ended = loop {
            let (name, name_at) = self.name()?;
            if names.holds(&name, &earlier, |name| name) {
                self.repeat(&name, name_at);
            }
            earlier.push(name.clone());
            let Some(depth_left) = self.depth_left.checked_sub(1) else {
                return Err(self.too_deep());
            };
            self.depth_left = depth_left;
            let node = self.value()?;
            self.depth_left += 1;
            if !take(name, node) {
                break false;
            }
            if self.passes(b'}') {
                break true;
            }
            if !self.passes(b',') {
                return Err(self.fault("`,` or `}` was expected"));
            }
        };
        self.names = earlier;
        Ok(ended)
    }

    fn repeat(&mut self, name: &str, at: usize) {
        let detail = || format!("the member `{}` stands twice", name.chars().take(64).collect::<String>());
        self.repeated.get_or_insert_with(|| Fault::new(Reason::DuplicateKey, at, detail()));
    }

    fn too_deep(&self) -> Fault {
        Fault::new(Reason::TooDeep, self.at, "nested deeper than the limit")
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
            return Err(self.fault(format!("a value was expected; of those without quotes only `{word}` begins so")));
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

    /// The rest of an array of two numbers; goes nowhere when it is another.
    fn pair(&mut self) -> Option<Pair> {
        let start = self.at;
        let mut read = || {
            let mut one = |end: u8| {
                matches!(self.peek(), Some(b'-' | b'0'..=b'9')).then_some(())?;
                let number = self.number().ok()?;
                self.passes(end).then_some(number)
            };
            Some((one(b',')?, one(b']')?))
        };
        let numbers = read();
        let in_float = |number: &Number| number.as_i64().is_none_or(|whole| whole.unsigned_abs() <= 1 << 53);
        let Some((first, second)) = numbers.filter(|(first, second)| in_float(first) && in_float(second)) else {
            self.at = start;
            return None;
        };
        Some(Pair { numbers: [first.as_f64()?, second.as_f64()?], whole: [first.is_i64(), second.is_i64()] })
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let is_negative = bytes[start] == b'-';
        let first = start + usize::from(is_negative);
        let mut digits = Digits::default();
        let mut end = digits.run(bytes, first);
        let mut is_complete = end > first && (bytes[first] != b'0' || end == first + 1);
        let whole_digits = digits.count;
        let mut is_whole = true;
        if bytes.get(end) == Some(&b'.') {
            let fraction = end + 1;
            end = digits.run(bytes, fraction);
            is_complete &= end > fraction;
            is_whole = false;
        }
        let decimals = digits.count - whole_digits;
        let has_exponent = matches!(bytes.get(end), Some(b'e' | b'E'));
        if has_exponent {
            let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = Digits::default().run(bytes, exponent);
            is_complete &= end > exponent;
            is_whole = false;
        }
        if !is_complete {
            return Err(self.fault("a number was expected"));
        }
        self.at = end;
        // Up to 15 digits are exact as a float, and so is their quotient with an exact power of ten.
        if digits.count <= 15 && !has_exponent && !(is_whole && is_negative && digits.value == 0) {
            let signed = if is_negative { -(digits.value as i64) } else { digits.value as i64 };
            if is_whole {
                return Ok(Number::from(signed));
            }
            let size = digits.value as f64 / TENS[decimals];
            let number = Number::from_f64(if is_negative { -size } else { size });
            return Ok(number.expect("a quotient of finite numbers above 0 is finite"));
        }
        let text = &self.text[start..end];
        let whole = || text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        let number = if is_whole && text != "-0" { whole().ok() } else { None };
        let number = number.or_else(|| text.parse().ok().and_then(Number::from_f64));
        number.ok_or_else(|| Fault::new(Reason::InvalidJson, start, "a number is out of range"))
    }
}

/// Powers of ten that a float holds exactly.
const TENS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Digits read so far; the value counts for the first 18 or so only.
#[derive(Default)]
struct Digits {
    value: u64,
    count: usize,
}

impl Digits {
    /// Reads digits from `at` on; where they end.
    fn run(&mut self, bytes: &[u8], mut at: usize) -> usize {
        let start = at;
        while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            self.value = self.value.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        self.count += at - start;
        at
    }
}

/// The names an object has had: a bit for each, then a set when there are many.
#[derive(Debug, Default)]
struct Names {
    bits: u64,
    many: HashSet<String, foldhash::fast::RandomState>,
}

impl Names {
    /// Adds `name`; true when it is among the earlier ones.
    fn holds<T>(&mut self, name: &str, earlier: &[T], name_of: impl Fn(&T) -> &str) -> bool {
        if earlier.len() >= MANY_MEMBERS {
            if self.many.is_empty() {
                self.many.extend(earlier.iter().map(|one| name_of(one).to_owned()));
            }
            return !self.many.insert(name.to_owned());
        }
        let ends = name.as_bytes().first().zip(name.as_bytes().last());
        let mix = ends.map_or(0, |(first, last)| name.len() * 31 + usize::from(*first) * 7 + usize::from(*last));
        let bit = 1 << (mix % 64);
        let may_be_there = self.bits & bit != 0;
        self.bits |= bit;
        may_be_there && earlier.iter().any(|one| name_of(one) == name)
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
