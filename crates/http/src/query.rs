//! The query string, read so that every fault in it is named at once.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Value, json};
use tidings_core::filter::Filter;
use tidings_core::time::Timestamp;
use tidings_engine::Fault;

use crate::error::ApiError;

/// The parameters that make a filter, CONTRACT section 2.
pub(crate) const FILTER_KEYS: &[(&str, &str)] = &[
    ("category", "One of these categories; several separated by commas"),
    ("type", "One of these types or below one of them"),
    ("severity_min", "At least this severity"),
    ("status", "One of these statuses"),
    ("state", "One of these states"),
    ("urgency", "One of these urgencies"),
    ("certainty", "One of these certainties"),
    ("source", "One of these sources"),
    ("sender", "One of these senders"),
    ("country", "In one of these countries, ISO 3166-1"),
    ("region", "In one of these subdivisions, ISO 3166-2"),
    ("bbox", "Intersecting west,south,east,north in degrees"),
    ("near", "Within `radius_km` of lat,lon"),
    ("radius_km", "The distance for `near` in kilometers"),
    ("measure", "A measure compared with a number, as magnitude>=5"),
    ("q", "All these words; \"quoted\" words are a phrase"),
];

/// The parameters not yet read, and the faults found so far.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    faults: Vec<Fault>,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    /// Splits and decodes a query string.
    ///
    /// # Errors
    /// When a part is not UTF-8 after percent-decoding.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let fault = || ApiError::parameter(name, "invalid_encoding", format!("`{name}` is not UTF-8"));
            pairs.push((decode(name).ok_or_else(fault)?, decode(value).ok_or_else(fault)?));
        }
        Ok(Self { pairs, faults: Vec::new() })
    }

    /// Notes a fault of a parameter.
    pub(crate) fn fault(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault { pointer: format!("?{name}"), code, detail: detail.into() });
    }

    /// A parameter that stands at most once.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let mut found = self.all(name);
        if found.len() > 1 {
            self.fault(name, "repeated", format!("`{name}` may be given once"));
        }
        found.pop()
    }

    /// Every value of a parameter.
    fn all(&mut self, name: &str) -> Vec<String> {
        let taken = self.pairs.extract_if(.., |(key, _)| key == name);
        taken.map(|(_, value)| value).collect()
    }

    /// A parameter of a type that reads itself.
    pub(crate) fn read<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(name, "invalid_field", format!("`{name}`: {fault}"));
                None
            }
        }
    }

    /// A number in a range.
    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<usize>, default: usize) -> usize {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = range.into_inner();
                self.fault(name, "invalid_field", format!("`{name}` must be a number from {least} to {most}"));
                default
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.text(name).as_deref() {
            None => default,
            Some("true" | "1" | "") => true,
            Some("false" | "0") => false,
            Some(_) => {
                self.fault(name, "invalid_field", format!("`{name}` must be true or false"));
                default
            }
        }
    }

    /// An RFC 3339 time.
    pub(crate) fn time(&mut self, name: &str) -> Option<Timestamp> {
        // A plus sign of an offset means a space where the caller did not encode it.
        let text = self.text(name)?.replace(' ', "+");
        match Timestamp::parse(&text) {
            Ok(time) => Some(time),
            Err(fault) => {
                self.fault(name, "invalid_time", format!("`{name}`: {fault}"));
                None
            }
        }
    }

    /// Everything that [`FILTER_KEYS`] says, as one filter.
    pub(crate) fn filter(&mut self) -> Filter {
        let mut conditions = Vec::new();
        for name in
            ["category", "type", "status", "state", "urgency", "certainty", "source", "sender", "country", "region"]
        {
            let words: Vec<Value> =
                self.all(name).iter().flat_map(|list| list.split(',')).map(|word| json!(word.trim())).collect();
            if !words.is_empty() {
                self.condition(name, json!({ name: words }), &mut conditions);
            }
        }
        if let Some(severity) = self.text("severity_min") {
            self.condition("severity_min", json!({ "severity_min": severity }), &mut conditions);
        }
        if let Some(words) = self.text("q").filter(|words| !words.trim().is_empty()) {
            self.condition("q", json!({ "text": words }), &mut conditions);
        }
        for measure in self.all("measure") {
            match read_measure(&measure) {
                Some(measure) => self.condition("measure", json!({ "measure": measure }), &mut conditions),
                None => self.fault(
                    "measure",
                    "invalid_field",
                    "`measure` must be like magnitude>=5, with = != < <= > or >=",
                ),
            }
        }
        self.places(&mut conditions);
        match conditions.len() {
            1 => conditions.pop().expect("there is one"),
            _ => Filter::All(conditions),
        }
    }

    fn places(&mut self, conditions: &mut Vec<Filter>) {
        if let Some(text) = self.text("bbox") {
            match numbers::<4>(&text) {
                Some(bounds) => self.condition("bbox", json!({ "bbox": bounds }), conditions),
                None => self.fault("bbox", "invalid_coordinates", "`bbox` must be west,south,east,north in degrees"),
            }
        }
        let radius_km = self.text("radius_km");
        match (self.text("near"), radius_km) {
            (None, None) => {}
            (None, Some(_)) => self.fault("radius_km", "missing_field", "`radius_km` needs `near`"),
            (Some(_), None) => self.fault("near", "missing_field", "`near` needs `radius_km`"),
            (Some(near), Some(radius)) => match (numbers::<2>(&near), numbers::<1>(&radius)) {
                (Some([lat, lon]), Some([radius_km])) => {
                    let near = json!({ "near": { "lat": lat, "lon": lon, "radius_km": radius_km } });
                    self.condition("near", near, conditions);
                }
                (None, _) => self.fault("near", "invalid_coordinates", "`near` must be lat,lon in degrees"),
                (_, None) => self.fault("radius_km", "invalid_field", "`radius_km` must be a number"),
            },
        }
    }

    fn condition(&mut self, name: &str, condition: Value, conditions: &mut Vec<Filter>) {
        match Filter::from_json(&condition) {
            Ok(filter) => conditions.push(filter),
            Err(faults) => {
                for fault in faults {
                    self.fault(name, fault.code, format!("`{name}`: {}", fault.detail));
                }
            }
        }
    }

    /// Refuses what was wrong and what nobody asked for.
    ///
    /// # Errors
    /// With every fault found.
    pub(crate) fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            let shown: String = name.chars().take(64).collect();
            self.fault(&shown, "unknown_parameter", format!("`{shown}` is not a parameter of this operation"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::parameters(self.faults)) }
    }
}

fn numbers<const COUNT: usize>(text: &str) -> Option<[f64; COUNT]> {
    let read = text.split(',').map(|number| number.trim().parse::<f64>().ok().filter(|number| number.is_finite()));
    read.collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// `magnitude>=5`; the longer operators are tried first.
fn read_measure(text: &str) -> Option<Value> {
    ["!=", "<=", ">=", "=", "<", ">"].iter().find_map(|op| {
        let (name, value) = text.split_once(op)?;
        let [value] = numbers::<1>(value)?;
        Some(json!({ "name": name.trim(), "op": op, "value": value }))
    })
}

/// Percent-decoding with `+` for a space; a `%` that begins no code stands for itself.
pub(crate) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).and_then(|byte| (*byte as char).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match (byte, digit(index + 1), digit(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                index += 3;
                continue;
            }
            (b'+', _, _) => decoded.push(b' '),
            _ => decoded.push(*byte),
        }
        index += 1;
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_forms_encode() {
        let mut query = Query::parse("a=1%2B1&b=x+y&c=%&a=2").expect("is UTF-8");
        assert_eq!(query.all("a"), ["1+1", "2"]);
        assert_eq!(query.text("b").as_deref(), Some("x y"));
        assert_eq!(query.text("c").as_deref(), Some("%"));
        assert!(query.finish().is_ok());
        assert!(Query::parse("a=%ff").is_err());
    }

    #[test]
    fn names_every_fault() {
        let mut query = Query::parse("limit=0&since=lunch&colour=red&near=1,2").expect("is UTF-8");
        query.number("limit", 1..=1_000, 50);
        query.time("since");
        query.filter();
        assert_eq!(query.faults.len(), 3);
        assert!(query.finish().is_err());
    }

    #[test]
    fn reads_measures() {
        assert_eq!(read_measure("magnitude>=5"), Some(json!({"name": "magnitude", "op": ">=", "value": 5.0})));
        assert_eq!(read_measure("depth_km < 10.5"), Some(json!({"name": "depth_km", "op": "<", "value": 10.5})));
        assert_eq!(read_measure("magnitude"), None);
    }
}
