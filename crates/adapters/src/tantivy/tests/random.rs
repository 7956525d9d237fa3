//! Random events and filters that touch each other often.

use serde_json::{Value, json};
use tidings_core::event::{Code, Event};
use tidings_core::filter::{Comparison, Filter, TextQuery, TimeField};
use tidings_core::geometry::{BoundingBox, Geometry, Point, Polygon};
use tidings_core::vocabulary::{Category, Severity, State};

use super::fixture::{at, event};

/// A generator for tests (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % end
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    pub(super) fn degrees(&mut self, reach: i64) -> f64 {
        // Whole numbers often, so that shapes touch bounds, poles and the antimeridian.
        let whole = self.below(2 * reach as u64 + 1) as i64 - reach;
        if self.below(3) == 0 { whole as f64 } else { (whole as f64 * 0.83).clamp(-(reach as f64), reach as f64) }
    }
}

const WORDS: &[&str] =
    &["flood", "Flooding", "river", "storms", "Überschwemmung", "大阪地震", "bridge closed", "l'inondation"];

pub(super) fn random_event(random: &mut Random, number: u64) -> Event {
    let category = random.pick(&["weather", "flood", "earthquake", "news", "device"]);
    let (lon, lat) = (random.degrees(180), random.degrees(90));
    let geometry = match random.below(5) {
        0 => Value::Null,
        1 => json!({"type": "Point", "coordinates": [lon, lat], "radius_km": 1 + random.below(3_000)}),
        2 if lon < 170.0 && lat < 80.0 => {
            let (east, north) = (lon + 1.0 + random.below(9) as f64, lat + 1.0 + random.below(9) as f64);
            json!({"type": "Polygon", "coordinates": [[[lon, lat], [east, lat], [east, north], [lon, lat]]]})
        }
        _ => json!({"type": "Point", "coordinates": [lon, lat]}),
    };
    let mut with = json!({
        "tenant": random.pick(&["default", "default", "default", "public", "other"]),
        "source": random.pick(&["usgs", "NWS", "Dienst-Ö"]),
        "category": category,
        "type": random.pick(&["weather.thunderstorm.severe", "Weather.Wind", "flood", "earthquake"]),
        "severity": random.pick(Severity::ALL),
        "status": random.pick(&["actual", "actual", "test"]),
        "title": format!("{} {}", random.pick(WORDS), random.pick(WORDS)),
        "texts": [{"lang": random.pick(&["en", "de", "ja", "fr", "und"]), "headline": random.pick(WORDS)}],
        "received": at(random.below(500) as i64),
        "hazard_end": at(random.below(1_000) as i64),
        "place_precision": random.pick(&["exact", "region", "none"]),
        "place": {"countries": [random.pick(&["IT", "DE", "jp"])], "regions": [random.pick(&["IT-55", "DE-BY"])]},
        "codes": [{"scheme": "SAME", "value": random.pick(&["048113", "048085"])}],
        "measures": {"magnitude": random.below(90) as f64 / 10.0 - 1.0},
        "action": random.pick(&["new", "update", "end"]),
    });
    if !geometry.is_null() {
        with["geometry"] = geometry;
    }
    if random.below(3) > 0 {
        with["occurred"] = json!(at(random.below(500) as i64));
    }
    if random.below(10) == 0 {
        let segment = |category: &str, severity: &str, geometry: Value| json!({"category": category, "type": category, "severity": severity, "geometry": geometry});
        let point = json!({"type": "Point", "coordinates": [random.degrees(180), random.degrees(90)]});
        with["segments"] = json!([
            segment("flood", "Minor", point.clone()),
            segment("weather", "Extreme", json!({"type": "Point", "coordinates": [random.degrees(180), 10.0]})),
        ]);
    }
    event(number, with)
}

pub(super) fn random_filter(random: &mut Random, depth: u64) -> Filter {
    let point = |random: &mut Random| Point::new(random.degrees(180), random.degrees(90));
    match random.below(if depth == 0 { 15 } else { 19 }) {
        0 => Filter::Category(vec![random.pick(Category::ALL); 1]),
        1 => Filter::Category(vec!["weather".parse().unwrap(), "earthquake".parse().unwrap()]),
        2 => Filter::Type(vec![random.pick(&["weather", "weather.thunderstorm", "WEATHER.wind", "flood"]).to_owned()]),
        3 => Filter::Source(vec![random.pick(&["USGS", "nws", "dienst-ö"]).to_owned()]),
        4 => Filter::Status(vec!["actual".parse().unwrap()]),
        5 => Filter::State(vec![random.pick(State::ALL)]),
        6 => Filter::SeverityMin {
            at_least: random.pick(Severity::ALL),
            unknown: random.pick(&[None, Some(true), Some(false)]),
        },
        7 => Filter::Measure {
            name: "magnitude".to_owned(),
            op: random.pick(&[
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::AtMost,
                Comparison::Greater,
                Comparison::AtLeast,
            ]),
            value: random.below(90) as f64 / 10.0 - 1.0,
        },
        8 => {
            let words = |random: &mut Random| vec![random.pick(WORDS).to_owned()];
            let mut text = TextQuery::default();
            match random.below(3) {
                0 => text.any = [words(random), words(random)].concat(),
                1 => text.all = words(random),
                _ => (text.all, text.none) = (words(random), words(random)),
            }
            Filter::Text(text)
        }
        9 => Filter::Country(vec![random.pick(&["IT", "JP"]).to_owned()]),
        10 => Filter::AreaCode(vec![Code::new("same", "048113")]),
        11 => Filter::Near { center: point(random), radius_km: 10.0 + random.below(4_000) as f64 },
        12 => {
            let (south, west) = (random.degrees(80), random.degrees(180));
            let (north, east) = (south + random.below(10) as f64, random.degrees(180));
            Filter::Bbox(BoundingBox([west, south, east, north]))
        }
        13 => {
            let (lon, lat) = (random.degrees(160), random.degrees(70));
            let ring = [(lon, lat), (lon + 20.0, lat), (lon + 20.0, lat + 15.0), (lon, lat + 10.0), (lon, lat)];
            let exterior = ring.map(|(lon, lat)| Point::new(lon, lat)).to_vec();
            Filter::Within(Geometry::Polygon(Polygon { exterior, holes: Vec::new() }))
        }
        14 => Filter::Time {
            field: random.pick(&[TimeField::Received, TimeField::Occurred, TimeField::Onset]),
            from: Some(at(random.below(500) as i64)),
            to: (random.below(2) == 0).then(|| at(500)),
        },
        15 => Filter::Not(Box::new(random_filter(random, depth - 1))),
        16 => Filter::Any((0..2).map(|_| random_filter(random, depth - 1)).collect()),
        _ => Filter::All((0..random.below(3)).map(|_| random_filter(random, depth - 1)).collect()),
    }
}
