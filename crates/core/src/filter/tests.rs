mod forms;
mod faults;
mod semantics;
mod explain;

use serde_json::{Value, json};

use super::*;
use crate::event::Event;

/// An event with what every event has, and `more` over it.
fn event(more: Value) -> Event {
    let mut body = json!({
        "id": "evt_00000000000000000000000000", "tenant": "public", "source": "usgs", "sender": "us", "issuer": "usgs",
        "official": true, "action": "new", "status": "actual", "category": "earthquake", "type": "earthquake",
        "severity": "Severe", "severity_origin": "inferred", "urgency": "Past", "certainty": "Observed",
        "confidence": 0.95, "title": "M 6.1 near Example", "geometry_origin": "point", "place_precision": "exact",
        "geometry": {"type": "Point", "coordinates": [12.5, 43.1]}, "forms": [],
        "received": "2026-01-02T03:04:05Z", "hazard_end": "2026-01-03T03:04:05Z",
        "measures": {"magnitude": 6.1}, "schema_version": 1, "correlation_id": "c",
    });
    let (Value::Object(body_map), Value::Object(more)) = (&mut body, more) else { unreachable!("both are objects") };
    for (key, value) in more {
        if value.is_null() {
            body_map.remove(&key);
        } else {
            body_map.insert(key, value);
        }
    }
    serde_json::from_value(body).expect("an event")
}

fn compiled(text: &str) -> Compiled {
    let filter = Filter::parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    Compiled::new(&filter).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn from_json(json: Value) -> Filter {
    Filter::from_json(&json).unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
}
