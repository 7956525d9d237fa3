//! One byte form for all that a sender said, whatever its formatting, for hashing.

use serde_json::Value;

use crate::draft::Draft;
use crate::event::{Area, Code, Segment, Text};
use crate::geometry::{Geometry, Point};
use crate::id::fingerprint;
use crate::time::Timestamp;

/// Hashes what the sender said: not how it was written, nor how or when it came.
pub fn content_hash(draft: &Draft) -> [u8; 16] {
    let mut form = Form(Vec::with_capacity(512));
    form.draft(draft);
    fingerprint(&[&form.0])
}

/// Every part is preceded by what it is and how long, so that no two contents share a form.
struct Form(Vec<u8>);

impl Form {
    fn mark(&mut self, mark: u8) {
        self.0.push(mark);
    }

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u32).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.mark(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// Numbers that print alike are alike: -0 is 0.
    fn number(&mut self, number: f64) {
        self.0.extend_from_slice(&(number + 0.0).to_bits().to_be_bytes());
    }

    fn numbers(&mut self, numbers: &[Option<f64>]) {
        for number in numbers {
            self.mark(u8::from(number.is_some()));
            number.iter().for_each(|number| self.number(*number));
        }
    }

    fn times(&mut self, times: &[Option<Timestamp>]) {
        for time in times {
            self.mark(u8::from(time.is_some()));
            time.iter().for_each(|time| self.0.extend_from_slice(&time.as_millis().to_be_bytes()));
        }
    }

    fn each<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    fn code(&mut self, code: &Code) {
        self.text(&code.scheme);
        self.text(&code.value);
    }

    fn draft(&mut self, draft: &Draft) {
        self.text(&draft.sender);
        self.maybe(draft.native_id.as_deref());
        self.each(&draft.thread_keys, |form, key| {
            form.text(key.scheme);
            form.text(&key.value);
        });
        self.each(&draft.references, |form, id| form.text(id));
        self.maybe(draft.action.map(|action| action.as_str()));
        self.mark(u8::from(draft.retracted));
        self.text(draft.status.as_str());
        self.maybe(draft.title.as_deref());
        self.each(&draft.codes, Self::code);
        self.each(draft.severity_native.as_slice(), Self::code);
        self.numbers(&[draft.confidence]);
        self.times(&[draft.occurred, draft.sent, draft.updated]);
        self.each(&draft.segments, Self::segment);
        self.count(draft.measures.len());
        for (name, value) in &draft.measures {
            self.text(name);
            self.number(*value);
        }
        self.each(&draft.links, |form, link| {
            form.text(&link.rel);
            form.text(&link.href);
        });
        self.each(&draft.related, Self::code);
        if let Some(users) = &draft.audience {
            self.each(users, |form, user| form.0.extend_from_slice(user.as_bytes()));
        }
        self.count(draft.extra.len());
        for (name, value) in sorted(&draft.extra) {
            self.text(name);
            self.value(value);
        }
    }

    fn segment(&mut self, segment: &Segment) {
        let words = [segment.category.as_str(), segment.severity.as_str(), segment.urgency.as_str()];
        words.iter().for_each(|word| self.text(word));
        self.text(segment.certainty.as_str());
        self.text(&segment.kind);
        self.maybe(segment.event.as_deref());
        self.each(&segment.response, |form, word| form.text(word));
        self.each(&segment.texts, Self::words);
        self.times(&[segment.effective, segment.onset, segment.expires, segment.ends]);
        self.each(&segment.areas, Self::area);
        self.mark(u8::from(segment.ended));
        self.each(segment.geometry.as_slice(), Self::geometry);
    }

    fn words(&mut self, text: &Text) {
        self.text(&text.lang);
        for part in [&text.event, &text.headline, &text.description, &text.instruction, &text.sender_name] {
            self.maybe(part.as_deref());
        }
        self.maybe(text.web.as_deref());
        self.maybe(text.contact.as_deref());
    }

    fn area(&mut self, area: &Area) {
        self.text(&area.description);
        self.each(&area.codes, Self::code);
        self.numbers(&[area.altitude_m, area.ceiling_m]);
    }

    fn geometry(&mut self, geometry: &Geometry) {
        match geometry {
            Geometry::Point(point) => {
                self.mark(b'p');
                self.points(std::slice::from_ref(point));
            }
            Geometry::Circle { center, radius_km } => {
                self.mark(b'c');
                self.points(std::slice::from_ref(center));
                self.number(*radius_km);
            }
            Geometry::Line(points) => {
                self.mark(b'l');
                self.points(points);
            }
            Geometry::Polygon(polygon) => {
                self.mark(b'a');
                self.points(&polygon.exterior);
                self.each(&polygon.holes, |form, hole| form.points(hole));
            }
            Geometry::Many(parts) => {
                self.mark(b'm');
                self.each(parts, Self::geometry);
            }
        }
    }

    fn points(&mut self, points: &[Point]) {
        self.each(points, |form, point| {
            form.number(point.lon);
            form.number(point.lat);
        });
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.mark(b'0'),
            Value::Bool(is) => self.mark(if *is { b't' } else { b'f' }),
            Value::Number(number) => {
                self.mark(b'n');
                self.number(number.as_f64().unwrap_or_default());
                // Whole numbers above 2^53 are alike as floating point; below, 2 and 2.0 are one.
                if let Some(whole) = number.as_i64().filter(|whole| whole.unsigned_abs() > 1 << 53) {
                    self.0.extend_from_slice(&whole.to_be_bytes());
                }
            }
            Value::String(text) => {
                self.mark(b's');
                self.text(text);
            }
            Value::Array(items) => {
                self.mark(b'[');
                self.each(items, Self::value);
            }
            Value::Object(members) => {
                self.mark(b'{');
                self.count(members.len());
                for (name, value) in sorted(members) {
                    self.text(name);
                    self.value(value);
                }
            }
        }
    }
}

/// Members by name, whatever order the map keeps.
fn sorted(members: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}
