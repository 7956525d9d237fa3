//! The JSON form of a filter.

mod read;
mod value;
mod area;
mod write;

pub(super) use area::of_rings;
pub(super) use value::{Word, bounding_box, wrapped};
pub(super) use write::pointers;

use serde_json::Value;

use super::{Fault, Filter, check};

impl Filter {
    /// Reads the JSON form; a string, here or wherever a filter may stand, is read as the text form.
    ///
    /// # Errors
    /// Every fault, each with its JSON pointer.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Fault>> {
        check::whole(written_bytes(value), |faults| read::filter(value, "", 0, faults))
    }

    /// The JSON form.
    pub fn to_json(&self) -> Value {
        write::filter(self)
    }
}

/// How many bytes a value has when written.
pub(super) fn written_bytes(value: &Value) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match value {
        Value::String(text) => text.len(),
        // Counting cannot fail, and a value's keys are strings.
        _ => serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0),
    }
}
