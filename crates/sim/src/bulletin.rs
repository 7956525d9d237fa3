//! What a sender says, before it is put into a format.

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Category, Certainty, Severity, Status, Urgency};

use crate::city::City;
use crate::language::Language;

/// One message as its sender means it.
#[derive(Debug, Clone)]
pub(crate) struct Bulletin {
    /// The sender's id of the message.
    pub id: String,
    /// The sender's name of what it is about.
    pub thread: String,
    /// The sender.
    pub source: &'static str,
    pub action: Action,
    pub status: Status,
    pub category: Category,
    pub kind: &'static str,
    pub severity: Severity,
    pub urgency: Urgency,
    pub certainty: Certainty,
    /// The name of the happening in English, and in the language of the place.
    pub names: [&'static str; 2],
    pub language: Language,
    pub title: String,
    pub description: &'static str,
    pub instruction: &'static str,
    pub city: &'static City,
    pub shape: Shape,
    /// Numbers by name.
    pub measures: Vec<(&'static str, f64)>,
    pub occurred: Option<Timestamp>,
    pub sent: Timestamp,
    pub expires: Option<Timestamp>,
    pub ends: Option<Timestamp>,
    /// The message before of the same thread, with its time.
    pub previous: Option<(String, Timestamp)>,
}

/// Where a bulletin draws its happening.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// Nowhere.
    None,
    /// At a point.
    Point(Point),
    /// Within a radius in kilometers.
    Circle(Point, f64),
    /// Within a closed ring.
    Ring(Vec<Point>),
}

impl Bulletin {
    /// The number reported under a name.
    pub(crate) fn measure(&self, name: &str) -> Option<f64> {
        self.measures.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
