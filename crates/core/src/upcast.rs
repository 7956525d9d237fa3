//! Reads events of older schemas as if they were written today, and writes older shapes on request.

use serde_json::{Map, Value};

use crate::event::{Event, SCHEMA_VERSION};
use crate::normalize;
use crate::time::Timestamp;
use crate::vocabulary::Category;

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
    // Nearly every event is of this version: it is read once, straight into its type.
    let fault = match serde_json::from_slice::<Event>(json) {
        Ok(event) if event.schema_version == SCHEMA_VERSION => return Ok(event),
        Ok(_) => None,
        Err(fault) => Some(fault),
    };
    let mut stored: Map<String, Value> = serde_json::from_slice(json)?;
    let found = stored.get("schema_version").and_then(Value::as_u64).unwrap_or_default();
    if found > u64::from(SCHEMA_VERSION) {
        return Err(UpcastError::Newer { found });
    }
    if let (Some(fault), true) = (fault, found == u64::from(SCHEMA_VERSION)) {
        return Err(fault.into());
    }
    for version in found..u64::from(SCHEMA_VERSION) {
        if version == 0 {
            to_version_1(&mut stored);
        }
    }
    stored.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
    Ok(serde_json::from_value(Value::Object(stored))?)
}

/// The event's JSON in an older shape; `None` when this build does not know that version.
pub fn downcast(event: Value, version: u32) -> Option<Value> {
    match (version, event) {
        (SCHEMA_VERSION, event) => Some(event),
        (0, Value::Object(mut members)) => {
            to_version_0(&mut members);
            Some(Value::Object(members))
        }
        _ => None,
    }
}

/// Version 0 knew neither `place_precision` nor `hazard_end`.
fn to_version_1(event: &mut Map<String, Value>) {
    set_precision(event);
    for segment in event.get_mut("segments").and_then(Value::as_array_mut).into_iter().flatten() {
        segment.as_object_mut().into_iter().for_each(set_precision);
    }
    if !event.contains_key("hazard_end") {
        let time = |name: &str| Timestamp::parse(event.get(name)?.as_str()?).ok();
        let word = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let category = word("category").parse().unwrap_or(Category::Other);
        let begun = ["onset", "effective", "occurred", "sent", "received"].iter().find_map(|name| time(name));
        let by_default = begun.unwrap_or_default().plus_hours(normalize::default_hours(category, word("type")));
        let end = time("ends").unwrap_or_else(|| time("expires").map_or(by_default, |expires| expires.max(by_default)));
        event.insert("hazard_end".to_owned(), end.to_string().into());
    }
}

fn set_precision(part: &mut Map<String, Value>) {
    let has = |name: &str| part.get(name).is_some_and(|value| !value.is_null());
    let precision = match (has("geometry"), part.get("geometry_origin").and_then(Value::as_str)) {
        (true, Some("geocode")) => "code",
        (true, _) => "exact",
        (false, _) => "none",
    };
    part.entry("place_precision").or_insert_with(|| precision.into());
}

fn to_version_0(event: &mut Map<String, Value>) {
    event.remove("hazard_end");
    event.remove("place_precision");
    for segment in event.get_mut("segments").and_then(Value::as_array_mut).into_iter().flatten() {
        segment.as_object_mut().and_then(|segment| segment.remove("place_precision"));
    }
    event.insert("schema_version".to_owned(), 0.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Value {
        let golden = r#"{
            "id": "evt_00000000000000000000000001", "tenant": "default", "source": "api", "sender": "s", "issuer": "s",
            "official": false, "action": "new", "status": "actual", "category": "weather", "type": "weather.thunderstorm",
            "severity": "Severe", "severity_origin": "given", "urgency": "Immediate", "certainty": "Likely", "confidence": 0.8,
            "title": "Storm", "geometry": {"type": "Point", "coordinates": [1.0, 2.0]}, "geometry_origin": "point",
            "place_precision": "exact", "forms": [], "onset": "2026-01-01T00:00:00.000Z", "received": "2026-01-01T00:00:00.000Z",
            "hazard_end": "2026-01-01T03:00:00.000Z", "schema_version": 1, "correlation_id": "c"}"#;
        serde_json::from_str(golden).expect("JSON")
    }

    #[test]
    fn an_older_event_reads_as_if_written_today() {
        let today = read_event(stored().to_string().as_bytes()).expect("of this version");
        let older = downcast(stored(), 0).expect("a known version");
        assert!(older.get("hazard_end").is_none() && older["schema_version"] == 0);
        assert_eq!(read_event(older.to_string().as_bytes()).expect("upcast"), today);
        assert_eq!(downcast(stored(), 1), Some(stored()));
        assert_eq!(downcast(stored(), 2), None);
    }

    #[test]
    fn a_newer_event_is_refused() {
        let mut newer = stored();
        newer["schema_version"] = 2.into();
        let fault = read_event(newer.to_string().as_bytes()).expect_err("newer");
        assert!(fault.to_string().contains("schema version 2 is newer than 1"), "{fault}");
        assert!(matches!(read_event(b"{}"), Err(UpcastError::Json(_))));
        assert!(matches!(read_event(b"[]"), Err(UpcastError::Json(_))));
    }
}
