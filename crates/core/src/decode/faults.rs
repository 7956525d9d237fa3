//! What is wrong with an item of our own JSON: everything at once, each with its pointer.

use std::fmt;
use std::str::FromStr;

use super::json::{Node, step};
use crate::rejection::{Reason, Rejection};
use crate::time::Timestamp;
use crate::vocabulary::VocabularyError;

/// Most faults that a rejection names.
const NAMED: usize = 20;

/// A member of what stands at a pointer; it becomes text only when there is a fault to tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p>(pub(super) &'p str, pub(super) &'p str);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, step(self.1))
    }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<(Reason, String, String)>,
}

impl Faults {
    pub(super) fn add(&mut self, reason: Reason, pointer: impl fmt::Display, detail: impl Into<String>) {
        self.found.push((reason, pointer.to_string(), detail.into()));
    }

    /// The refusal for all of them: the first gives code and pointer, the detail names the rest.
    pub(super) fn rejection(self) -> Option<Rejection> {
        let mut faults = self.found.into_iter();
        let (reason, pointer, mut detail) = faults.next()?;
        let rest = faults.len();
        for (_, pointer, fault) in faults.by_ref().take(NAMED) {
            detail.push_str(&format!("; also {pointer}: {fault}"));
        }
        if rest > NAMED {
            detail.push_str(&format!("; and {} more", rest - NAMED));
        }
        Some(Rejection::validate(reason, pointer, detail))
    }

    /// A member that should be of another type.
    pub(super) fn wrong(&mut self, pointer: impl fmt::Display, wanted: &str, node: &Node<'_>) {
        self.add(Reason::InvalidField, pointer, format!("{wanted} is expected here, not {}", node.kind()));
    }

    pub(super) fn text(&mut self, node: Node<'_>, pointer: impl fmt::Display) -> Option<String> {
        match node {
            Node::Text(text) => Some(text.into_owned()),
            Node::Null => None,
            other => {
                self.wrong(pointer, "a string", &other);
                None
            }
        }
    }

    /// A name, which may be written as a number.
    pub(super) fn name(&mut self, node: Node<'_>, pointer: impl fmt::Display) -> Option<String> {
        let name = match node {
            Node::Number(number) => Some(number.to_string()),
            other => self.text(other, &pointer),
        }?;
        if name.trim().is_empty() {
            self.add(Reason::InvalidField, pointer, "a name must not be empty; leave the member out");
        }
        Some(name)
    }

    pub(super) fn number(&mut self, node: Node<'_>, pointer: impl fmt::Display) -> Option<f64> {
        match node {
            Node::Null => None,
            Node::Number(number) => number.as_f64(),
            other => {
                self.wrong(pointer, "a number", &other);
                None
            }
        }
    }

    pub(super) fn word<W: FromStr<Err = VocabularyError>>(
        &mut self,
        node: Node<'_>,
        pointer: impl fmt::Display,
    ) -> Option<W> {
        match node {
            Node::Null => None,
            Node::Text(text) => match text.parse() {
                Ok(word) => Some(word),
                Err(fault) => {
                    self.add(Reason::InvalidEnum, pointer, fault.to_string());
                    None
                }
            },
            other => {
                self.add(Reason::InvalidEnum, pointer, format!("a word is expected here, not {}", other.kind()));
                None
            }
        }
    }

    /// A time, and its text where that names another offset than UTC.
    pub(super) fn time(&mut self, node: Node<'_>, pointer: impl fmt::Display) -> Option<(Timestamp, Option<String>)> {
        match node {
            Node::Null => None,
            Node::Text(text) => match Timestamp::parse(text.trim()) {
                Ok(time) => Some((time, (!text.ends_with(['Z', 'z'])).then(|| text.into_owned()))),
                Err(fault) => {
                    self.add(Reason::InvalidTime, pointer, fault.to_string());
                    None
                }
            },
            other => {
                let detail = format!("a time like \"2026-01-02T03:04:05Z\" is expected here, not {}", other.kind());
                self.add(Reason::InvalidTime, pointer, detail);
                None
            }
        }
    }

    pub(super) fn list<'a>(&mut self, node: Node<'a>, pointer: impl fmt::Display) -> Vec<Node<'a>> {
        match node.into_list() {
            Ok(items) => items,
            Err(Node::Null) => Vec::new(),
            Err(other) => {
                self.wrong(pointer, "an array", &other);
                Vec::new()
            }
        }
    }

    pub(super) fn texts(&mut self, node: Node<'_>, pointer: impl fmt::Display) -> Vec<String> {
        let items = self.list(node, &pointer).into_iter().enumerate();
        items.filter_map(|(index, item)| self.name(item, format_args!("{pointer}/{index}"))).collect()
    }
}
