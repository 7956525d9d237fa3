//! The one filter language: subscriptions, queries and live tails all speak it.
//!
//! A [`Filter`] is the parsed tree. `json` and `text` read and print its two forms, `compile`
//! checks it and prepares it, `evaluate` judges an event by it.

mod json;
mod text;
mod keys;
mod query;
mod value;
mod check;
mod compile;
mod words;
mod evaluate;
mod places;
mod condition;
mod reason;

pub use check::{CONJUNCTIONS_MAX, DEPTH_MAX, FILTER_BYTES_MAX, TERMS_MAX, VERTICES_MAX};
pub use compile::{Compiled, Leaf, Literal, Measure, Program, Span};
pub use condition::Condition;
pub use evaluate::{SegmentSet, Subject, is_severe_enough};
pub(crate) use words::hash_word;
pub use words::{Entry, Phrase, TextMatch, WordIndex};

use crate::event::Code;
use crate::geometry::{BoundingBox, Geometry, Point};
use crate::time::Timestamp;
use crate::vocabulary::{Category, Certainty, Severity, State, Status, Urgency};

/// A condition on one segment of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one holds. An empty list holds for everything.
    All(Vec<Filter>),
    /// At least one holds.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The category is one of these.
    Category(Vec<Category>),
    /// The type is one of these, or begins with one at a dot.
    Type(Vec<String>),
    /// The source is one of these.
    Source(Vec<String>),
    /// The sender is one of these.
    Sender(Vec<String>),
    /// The urgency is one of these.
    Urgency(Vec<Urgency>),
    /// The certainty is one of these.
    Certainty(Vec<Certainty>),
    /// The status is one of these.
    Status(Vec<Status>),
    /// The state of the thread is one of these.
    State(Vec<State>),
    /// The severity is at least this.
    SeverityMin {
        /// The least that passes.
        at_least: Severity,
        /// Whether `Unknown` passes; by default it does, but for categories without severities.
        unknown: Option<bool>,
    },
    /// A measure is there and compares so.
    Measure {
        /// Its name.
        name: String,
        /// How.
        op: Comparison,
        /// With what.
        value: f64,
    },
    /// Words are found in the title or the texts.
    Text(TextQuery),
    /// One of the event's countries is one of these (ISO 3166-1 alpha-2).
    Country(Vec<String>),
    /// One of the event's subdivisions is one of these (ISO 3166-2).
    Region(Vec<String>),
    /// One of the event's area codes is one of these.
    AreaCode(Vec<Code>),
    /// The geometry comes within a geodesic distance.
    Near {
        /// Of here.
        center: Point,
        /// In kilometers.
        radius_km: f64,
    },
    /// The geometry intersects the box.
    Bbox(BoundingBox),
    /// The geometry intersects the area: a polygon or several.
    Within(Geometry),
    /// A time of the event lies in a span.
    Time {
        /// Which time.
        field: TimeField,
        /// Not before.
        from: Option<Timestamp>,
        /// Not after.
        to: Option<Timestamp>,
    },
}

impl Filter {
    /// True where it asks for a category by name, not under `not`: device positions are told only
    /// to filters that do.
    pub fn names(&self, category: Category) -> bool {
        match self {
            Self::Category(categories) => categories.contains(&category),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.names(category)),
            _ => false,
        }
    }
}

/// How a measure is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// One of an event's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// When it happened.
    Occurred,
    /// When it was sent.
    Sent,
    /// When it takes effect.
    Effective,
    /// When the hazard begins.
    Onset,
    /// When the message expires.
    Expires,
    /// When the hazard ends.
    Ends,
    /// When it was changed.
    Updated,
    /// When we received it.
    Received,
}

/// Words to find. Each entry is one word, or several in `"quotes"` for a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextQuery {
    /// At least one of these, where there are any.
    pub any: Vec<String>,
    /// All of these.
    pub all: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The place in the JSON form, as a JSON pointer; in a text form that of the text.
    pub pointer: String,
    /// A stable name.
    pub code: &'static str,
    /// What was found and what would be right.
    pub detail: String,
}

impl Fault {
    pub(crate) fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() { f.write_str(&self.detail) } else { write!(f, "{}: {}", self.pointer, self.detail) }
    }
}

impl std::error::Error for Fault {}

impl serde::Serialize for Filter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Filter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            serde::de::Error::custom(faults.join("; "))
        })
    }
}

#[cfg(test)]
mod tests;
