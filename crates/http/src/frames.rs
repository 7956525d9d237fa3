//! What streams carry. An event is encoded once, when it is stored; a frame is a small head and
//! that one copy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};
use tidings_core::id::EventId;
use tidings_engine::{EventView, NotificationView};

/// Events above this many bytes are sent with simplified shapes (DESIGN section 8).
const WHOLE_BYTES_MAX: usize = 64 << 10;
/// Points that all shapes of a simplified event keep together, about.
const POINTS_MAX: usize = 400;
/// Simplified bodies kept.
const KEPT_MAX: usize = 128;

/// Simplified bodies of large events, so that each is made once for all sockets.
#[derive(Debug, Default)]
pub(crate) struct Simplified(Mutex<HashMap<EventId, Bytes>>);

impl Simplified {
    /// The event as a stream shows it, and whether that is less than all of it.
    fn of<'a>(&self, event: &'a EventView, room: &'a mut Option<EventView>) -> (&'a EventView, bool) {
        if event.body.len() <= WHOLE_BYTES_MAX {
            return (event, false);
        }
        let mut kept = self.0.lock().expect("no holder panics");
        let id = event.event.id;
        let body = kept.get(&id).cloned().unwrap_or_else(|| {
            let body = simplify(&event.body);
            if kept.len() >= KEPT_MAX {
                kept.clear();
            }
            kept.insert(id, body.clone());
            body
        });
        (room.insert(EventView { body, ..event.clone() }), true)
    }
}

/// `event` of a tail, as its bare object.
pub(crate) fn event(event: &EventView, simplified: &Simplified, out: &mut Vec<u8>) -> bool {
    let mut room = None;
    let (event, is_truncated) = simplified.of(event, &mut room);
    event.write_json(out);
    is_truncated
}

/// `notification` of an inbox, as its bare object.
pub(crate) fn notification(notice: &Arc<NotificationView>, simplified: &Simplified, out: &mut Vec<u8>) -> bool {
    let mut room = None;
    let (event, is_truncated) = simplified.of(&notice.event, &mut room);
    if is_truncated {
        NotificationView { event: event.clone(), ..NotificationView::clone(notice) }.write_json(out);
    } else {
        notice.write_json(out);
    }
    is_truncated
}

/// A frame of the socket around an object: `{"op":…,"sub":…,"cursor":…,"event":{…}}`.
pub(crate) fn around(op: &str, sub: &str, cursor: &str, write: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(2_048);
    let head = format!("{{\"op\":\"{op}\",\"sub\":{},\"cursor\":{},\"{op}\":", json!(sub), json!(cursor));
    out.extend_from_slice(head.as_bytes());
    if write(&mut out) {
        out.extend_from_slice(b",\"truncated\":true");
    }
    out.push(b'}');
    out
}

/// The body with fewer points in its shapes, marked `truncated`; the whole event is at its address.
fn simplify(body: &[u8]) -> Bytes {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else { return Bytes::copy_from_slice(body) };
    let mut shapes: Vec<&mut Value> = Vec::new();
    let mut segments = members.remove("segments");
    let mut geometry = members.remove("geometry");
    shapes.extend(geometry.as_mut());
    if let Some(Value::Array(segments)) = &mut segments {
        shapes.extend(segments.iter_mut().filter_map(|segment| segment.get_mut("geometry")));
    }
    let points: usize = shapes.iter().map(|shape| count_points(shape)).sum();
    let step = points.div_ceil(POINTS_MAX).max(1);
    for shape in shapes {
        thin(shape, step);
    }
    members.extend(geometry.map(|geometry| ("geometry".to_owned(), geometry)));
    members.extend(segments.map(|segments| ("segments".to_owned(), segments)));
    members.insert("truncated".to_owned(), Value::Bool(true));
    Value::Object(members).to_string().into()
}

fn is_point(value: &Value) -> bool {
    value.as_array().is_some_and(|parts| parts.first().is_some_and(Value::is_number))
}

fn count_points(value: &Value) -> usize {
    match value {
        point if is_point(point) => 1,
        Value::Array(parts) => parts.iter().map(count_points).sum(),
        Value::Object(members) => members.values().map(count_points).sum(),
        _ => 0,
    }
}

/// Keeps every `step`th point of each path, its ends, and of a ring at least four points.
fn thin(value: &mut Value, step: usize) {
    match value {
        Value::Array(parts) if parts.first().is_some_and(is_point) => {
            let last = parts.len().saturating_sub(1);
            let step = step.min((last / 3).max(1));
            let mut index = 0;
            parts.retain(|_| {
                let keeps = index % step == 0 && index + step <= last || index == last || index == 0;
                index += 1;
                keeps
            });
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| thin(part, step)),
        Value::Object(members) => {
            for name in ["coordinates", "geometries"] {
                members.get_mut(name).into_iter().for_each(|part| thin(part, step));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_ring_stays_a_ring() {
        let ring: Vec<Value> = (0..1_000).map(|index| json!([f64::from(index % 999), 0.0])).collect();
        let body = json!({ "id": "x", "geometry": { "type": "Polygon", "coordinates": [ring] } }).to_string();
        let thinned: Value = serde_json::from_slice(&simplify(body.as_bytes())).expect("is JSON");
        let ring = thinned["geometry"]["coordinates"][0].as_array().expect("a ring");
        assert!((4..=POINTS_MAX + 2).contains(&ring.len()), "{}", ring.len());
        assert_eq!(ring.first(), ring.last());
        assert_eq!(thinned["truncated"], true);
    }

    #[test]
    fn small_rings_and_points_are_left() {
        for shape in [json!([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), json!([12.5, 43.1])] {
            let mut thinned = shape.clone();
            thin(&mut thinned, 50);
            assert_eq!(thinned, shape);
        }
    }
}
