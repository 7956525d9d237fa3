//! JSON as a borrowed tree, read once: text is not copied, members keep their order, and what our
//! rules refuse (a member named twice, too deep, not UTF-8) is found on the way, with its place.

mod parse;

pub(crate) use parse::{Fault, Parser};

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::rejection::{Reason, Rejection};

/// A JSON value that borrows from its text.
///
/// The wide tag keeps what follows it aligned: with a byte for a tag, moving a value reads across
/// what was just written in parts, which stalls the processor.
#[repr(u64)]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    /// An array of two numbers: what shapes are made of, without a list for each.
    Pair(Pair),
    Object(Object<'a>),
}

/// Two numbers, and whether each was written as a whole one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    pub(crate) numbers: [f64; 2],
    pub(crate) whole: [bool; 2],
}

impl Pair {
    /// Both as they would stand in a list.
    fn nodes<'a>(self) -> [Node<'a>; 2] {
        let node = |index: usize| match self.whole[index] {
            true => Node::Number(Number::from(self.numbers[index] as i64)),
            false => Number::from_f64(self.numbers[index]).map_or(Node::Null, Node::Number),
        };
        [node(0), node(1)]
    }
}

/// The members of a JSON object in the order of the text.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Object<'a> {
    pub(crate) members: Vec<(Cow<'a, str>, Node<'a>)>,
}

impl<'a> Node<'a> {
    /// What it is, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) | Self::Pair(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// Its numbers, when it is an array of nothing else.
    pub(crate) fn as_numbers(&self) -> Option<Vec<f64>> {
        match self {
            Self::Pair(pair) => Some(pair.numbers.to_vec()),
            Self::List(items) => items.iter().map(Node::as_number).collect(),
            _ => None,
        }
    }

    /// Its items, when it is an array.
    pub(crate) fn into_list(self) -> Result<Vec<Node<'a>>, Self> {
        match self {
            Self::List(items) => Ok(items),
            Self::Pair(pair) => Ok(pair.nodes().into()),
            other => Err(other),
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The same value with nothing borrowed.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(is) => Value::Bool(is),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::List(items) => Value::Array(items.into_iter().map(Node::into_value).collect()),
            Self::Pair(pair) => Value::Array(pair.nodes().map(Node::into_value).into()),
            Self::Object(object) => Value::Object(object.into_map()),
        }
    }
}

impl<'a> Object<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Node<'a>> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes a member out; `None` when it is absent or null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let index = self.members.iter().position(|(key, _)| key == name)?;
        match self.members.swap_remove(index).1 {
            Node::Null => None,
            node => Some(node),
        }
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.members.into_iter().map(|(key, node)| (key.into_owned(), node.into_value())).collect()
    }
}

/// The bytes as text, without a byte order mark.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let at = fault.valid_up_to();
        let (line, column) = line_column(&bytes[..at]);
        let detail = format!("byte {at} (line {line}, column {column}) is not UTF-8; send UTF-8");
        Rejection::decode(Reason::InvalidEncoding, format!("{line}:{column}"), detail)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Line and column, from 1, of what follows `before`.
fn line_column(before: &[u8]) -> (usize, usize) {
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

/// `name` as one step of a JSON pointer (RFC 6901).
pub(crate) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
