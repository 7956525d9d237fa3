//! Random filters and events, crowded where mistakes are likely: seams, poles, edges, odd words.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::event::{Area, Code, Event, Place, Segment, Text};
use crate::filter::{Comparison, Compiled, Filter, TextQuery, TimeField};
use crate::geometry::{BoundingBox, Geometry, Point, Polygon, Ring};
use crate::time::Timestamp;
use crate::vocabulary::{Category, Certainty, PlacePrecision, Severity, State, Status, Urgency};

const ANCHORS: &[(f64, f64)] = &[
    (179.95, 10.0),
    (-179.9, 10.2),
    (180.0, 0.0),
    (-180.0, 0.3),
    (0.0, 90.0),
    (45.0, -90.0),
    (30.0, 89.8),
    (11.5, 48.1),
    (-97.0, 32.0),
    (-97.5, 32.4),
    (139.7, 35.6),
];
const KINDS: &[&str] = &["weather", "Weather.Thunderstorm", "weather.thunderstorm.severe", "earthquake", "news.local"];
const SOURCES: &[&str] = &["nws", "USGS", "api", "Агентство"];
const SENDERS: &[&str] = &["w-nws.webmaster@noaa.gov", "us", "STRASSE@example.org", "ÉTAT"];
const COUNTRIES: &[&str] = &["US", "DE", "jp", "FR"];
const REGIONS: &[&str] = &["US-TX", "DE-BY", "JP-13"];
const CODES: &[(&str, &str)] =
    &[("SAME", "048113"), ("same", "048113"), ("UGC", "TXC113"), ("UGC", "TXZ001"), ("NUTS", "DE212"), ("X\nY", "Z")];
const WORDS: &[&str] = &[
    "flood",
    "flooding",
    "storms",
    "Überschwemmung",
    "severe",
    "thunderstorm",
    "地震",
    "earthquakes",
    "inondations",
    "running",
    "runs",
];
const LANGUAGES: &[&str] = &["en-US", "de", "fr", "und", "ja"];
const MEASURES: &[&str] = &["magnitude", "wind_speed_mps"];

/// A source of random things.
pub(super) struct World {
    pub(super) random: StdRng,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed) }
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    fn one<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn some<T: Clone>(&mut self, list: &[T]) -> Vec<T> {
        (0..1 + self.below(2)).map(|_| self.one(list)).collect()
    }

    fn names(&mut self, list: &[&str]) -> Vec<String> {
        self.some(list).into_iter().map(str::to_owned).collect()
    }

    /// A size between the two, each order of magnitude alike.
    fn size(&mut self, least: f64, most: f64) -> f64 {
        (self.random.random_range(least.ln()..most.ln())).exp()
    }

    fn point(&mut self) -> Point {
        if self.chance(0.05) {
            return Point::new(self.random.random_range(-180.0..=180.0), self.random.random_range(-90.0..=90.0));
        }
        let (lon, lat) = self.one(ANCHORS);
        if self.chance(0.2) {
            return Point::new(lon, lat);
        }
        let reach = self.size(0.001, 3.0);
        on_earth(lon + self.random.random_range(-reach..reach), lat + self.random.random_range(-reach..reach))
    }

    /// A ring around a point, its corners at different distances.
    fn ring(&mut self, center: Point, corners: usize, reach: f64) -> Ring {
        let mut ring: Ring = (0..corners)
            .map(|corner| {
                let angle = corner as f64 / corners as f64 * std::f64::consts::TAU;
                let distance = reach * self.random.random_range(0.5..1.0);
                on_earth(center.lon + distance * angle.cos(), center.lat + distance * angle.sin())
            })
            .collect();
        ring.push(ring[0]);
        ring
    }

    fn polygon(&mut self, corners: usize) -> Polygon {
        let center = self.point();
        let reach = self.size(0.01, 40.0);
        let exterior = self.ring(center, corners, reach);
        let hole_corners = 4 + self.below(5);
        let holes = if self.chance(0.3) { vec![self.ring(center, hole_corners, reach * 0.4)] } else { Vec::new() };
        Polygon { exterior, holes }
    }

    /// Some polygons, or one of about as many vertices as a filter may have.
    fn area(&mut self) -> Geometry {
        if self.chance(0.05) {
            return Geometry::Polygon(self.polygon(9_985));
        }
        let parts = (0..1 + self.below(3)).map(|_| {
            let corners = 3 + self.below(40);
            Geometry::Polygon(self.polygon(corners))
        });
        Geometry::union(parts.collect()).expect("there is one part at least")
    }

    fn shape(&mut self) -> Geometry {
        match self.below(10) {
            0..6 => Geometry::Point(self.point()),
            6 => Geometry::Circle { center: self.point(), radius_km: self.size(0.5, 3_000.0) },
            7 => Geometry::Line((0..2 + self.below(3)).map(|_| self.point()).collect()),
            8 => self.area(),
            _ => Geometry::union(vec![Geometry::Point(self.point()), self.area()]).expect("there are parts"),
        }
    }

    fn bounding_box(&mut self) -> BoundingBox {
        let (one, reach) = (self.point(), self.size(0.01, 120.0));
        let south = on_earth(0.0, one.lat - reach / 2.0).lat;
        let east = one.lon + reach;
        BoundingBox([one.lon, south, if east > 180.0 { east - 360.0 } else { east }, one.lat])
    }

    fn entries(&mut self, most: usize) -> Vec<String> {
        (0..self.below(most + 1))
            .map(|_| match self.below(6) {
                0 => format!("\"{} {}\"", self.one(WORDS), self.one(WORDS)),
                1 => format!("{} {}", self.one(WORDS), self.one(WORDS)),
                _ => self.one(WORDS).to_owned(),
            })
            .collect()
    }

    fn leaf(&mut self) -> Filter {
        match self.below(22) {
            0 => Filter::Category(self.some(Category::ALL)),
            1 | 2 => Filter::SeverityMin {
                at_least: self.one(Severity::ALL),
                unknown: self.one(&[None, None, Some(true), Some(false)]),
            },
            3 => Filter::Type(self.names(KINDS)),
            4 => Filter::Source(self.names(SOURCES)),
            5 => Filter::Sender(self.names(SENDERS)),
            6 => Filter::Urgency(self.some(Urgency::ALL)),
            7 => Filter::Certainty(self.some(Certainty::ALL)),
            8 => Filter::Status(self.some(Status::ALL)),
            9 => Filter::State(self.some(State::ALL)),
            10 => Filter::Measure {
                name: self.one(MEASURES).to_owned(),
                op: self.one(&[Comparison::AtLeast, Comparison::Less, Comparison::NotEqual]),
                value: f64::from(self.random.random_range(1..8_u8)),
            },
            11 | 12 => Filter::Text(TextQuery { any: self.entries(2), all: self.entries(2), none: self.entries(1) }),
            13 => Filter::Country(self.names(COUNTRIES)),
            14 => Filter::Region(self.names(REGIONS)),
            15 => {
                let codes = self.some(CODES);
                Filter::AreaCode(codes.into_iter().map(|(scheme, value)| Code::new(scheme, value)).collect())
            }
            16..=18 => Filter::Near { center: self.point(), radius_km: self.size(0.5, 20_000.0) },
            19 => Filter::Bbox(self.bounding_box()),
            20 => Filter::Within(self.area()),
            _ => Filter::Time {
                field: self.one(&[TimeField::Received, TimeField::Onset]),
                from: Some(Timestamp::from_millis(self.below(1_000) as i64)),
                to: self.chance(0.5).then(|| Timestamp::from_millis(self.below(1_000) as i64)),
            },
        }
    }

    fn filter(&mut self, depth: u32) -> Filter {
        if depth == 0 || self.chance(0.3) {
            return self.leaf();
        }
        let parts = 1 + self.below(3);
        match self.below(8) {
            0 | 1 => Filter::Any((0..parts).map(|_| self.filter(depth - 1)).collect()),
            2 => Filter::Not(Box::new(self.filter(depth - 1))),
            _ => Filter::All((0..parts).map(|_| self.filter(depth - 1)).collect()),
        }
    }

    /// A filter that passes every check.
    pub(super) fn compiled(&mut self) -> Compiled {
        loop {
            let depth = 1 + self.below(3) as u32;
            if let Ok(compiled) = Compiled::new(&self.filter(depth)) {
                return compiled;
            }
        }
    }

    fn segment(&mut self) -> Segment {
        let texts = (0..self.below(3)).map(|_| Text {
            lang: self.one(LANGUAGES).to_owned(),
            headline: Some(format!("{} {}", self.one(WORDS), self.one(WORDS))),
            description: self.chance(0.3).then(|| format!("{}, {}!", self.one(WORDS), self.one(WORDS))),
            ..Text::default()
        });
        let texts = texts.collect();
        let code = |(scheme, value): (&str, &str)| Code::new(scheme, value);
        let codes = if self.chance(0.3) { self.some(CODES).into_iter().map(code).collect() } else { Vec::new() };
        let place =
            Place { countries: self.names(COUNTRIES), regions: self.names(REGIONS), nearest: None, timezone: None };
        Segment {
            category: self.one(Category::ALL),
            kind: self.one(KINDS).to_owned(),
            severity: self.one(Severity::ALL),
            urgency: self.one(Urgency::ALL),
            certainty: self.one(Certainty::ALL),
            texts,
            onset: self.chance(0.5).then(|| Timestamp::from_millis(self.below(1_000) as i64)),
            areas: vec![Area { codes, ..Area::default() }],
            geometry: if self.chance(0.9) { Some(self.shape()) } else { None },
            place_precision: self.one(&[
                PlacePrecision::Exact,
                PlacePrecision::Exact,
                PlacePrecision::Exact,
                PlacePrecision::Code,
                PlacePrecision::Region,
                PlacePrecision::Country,
                PlacePrecision::None,
            ]),
            place: self.chance(0.5).then_some(place),
            ..Segment::default()
        }
    }

    pub(super) fn event(&mut self) -> Event {
        let mut event = blank();
        let first = self.segment();
        event.source = self.one(SOURCES).to_owned();
        event.sender = self.one(SENDERS).to_owned();
        event.status = self.one(Status::ALL);
        event.title = self.one(WORDS).to_owned();
        event.received = Timestamp::from_millis(self.below(1_000) as i64);
        if self.chance(0.5) {
            event.measures.insert(self.one(MEASURES).to_owned(), f64::from(self.random.random_range(1..8_u8)));
        }
        if self.chance(0.2) {
            event.segments = (0..2 + self.below(2)).map(|_| self.segment()).collect();
        }
        event.category = first.category;
        event.kind = first.kind;
        event.severity = first.severity;
        event.urgency = first.urgency;
        event.certainty = first.certainty;
        event.texts = first.texts;
        event.onset = first.onset;
        event.areas = first.areas;
        event.geometry = first.geometry;
        event.place_precision = first.place_precision;
        event.place = first.place;
        event
    }
}

fn on_earth(lon: f64, lat: f64) -> Point {
    Point::new(lon.clamp(-180.0, 180.0), lat.clamp(-90.0, 90.0))
}

/// An event that says nothing.
fn blank() -> Event {
    serde_json::from_str(
        r#"{"id": "evt_00000000000000000000000000", "tenant": "public", "source": "", "sender": "", "issuer": "",
            "official": false, "action": "new", "status": "actual", "category": "other", "type": "other",
            "severity": "Unknown", "severity_origin": "given", "urgency": "Unknown", "certainty": "Unknown",
            "confidence": 1.0, "title": "", "geometry_origin": "none", "place_precision": "none", "forms": [],
            "received": "2026-01-01T00:00:00Z", "hazard_end": "2026-01-01T00:00:00Z", "schema_version": 1,
            "correlation_id": ""}"#,
    )
    .expect("the text has every required field")
}
