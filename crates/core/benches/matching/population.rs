//! A made-up world: towns with codes and regions, people there who subscribe, events there.
//!
//! The number of towns grows with that of subscriptions, so that each event matches about ten.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use tidings_core::event::{Area, Code, Event, Place, Text};
use tidings_core::filter::{Comparison, Filter, TextQuery};
use tidings_core::geometry::{BoundingBox, Geometry, Point, Polygon};
use tidings_core::vocabulary::{Category, PlacePrecision, Severity};

/// What a subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Near,
    AreaCode,
    Region,
    Box,
    Within,
    Text,
    Measure,
}

/// Every kind, with how many of a hundred subscriptions are of it.
pub const KINDS: [(Kind, &str, u32); 7] = [
    (Kind::Near, "near", 45),
    (Kind::AreaCode, "area code", 15),
    (Kind::Region, "region", 10),
    (Kind::Box, "bbox", 5),
    (Kind::Within, "within, 24 vertices", 10),
    (Kind::Text, "words and region", 10),
    (Kind::Measure, "near and magnitude", 5),
];

/// Categories of events and of what people ask for.
const CATEGORIES: [Category; 6] = [
    Category::Weather,
    Category::Flood,
    Category::Earthquake,
    Category::Wildfire,
    Category::PublicSafety,
    Category::AirQuality,
];
const SEVERITIES: [Severity; 4] = [Severity::Minor, Severity::Moderate, Severity::Severe, Severity::Extreme];
const TOWNS_PER_REGION: usize = 12;
/// Words that events use, the common ones first.
const WORDS: usize = 30_000;
/// People ask for one in ten of them.
const ASKED_EVERY: usize = 10;

/// The towns, and a source of random numbers.
pub struct World {
    towns: Vec<Point>,
    random: StdRng,
}

impl World {
    pub fn new(seed: u64, towns: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        // Most people live in belts: three in four towns lie near one of a few centers.
        let centers: Vec<Point> =
            (0..40).map(|_| Point::new(random.random_range(-170.0..170.0), random.random_range(-40.0..60.0))).collect();
        let towns = (0..towns.max(1))
            .map(|town| {
                if town % 4 == 0 {
                    return Point::new(random.random_range(-179.0..179.0), random.random_range(-55.0..70.0));
                }
                let center = centers[random.random_range(0..centers.len())];
                let (lon, lat) = (random.random_range(-9.0..9.0), random.random_range(-7.0..7.0));
                Point::new(center.lon + lon, center.lat + lat)
            })
            .collect();
        Self { towns, random }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    fn town(&mut self) -> usize {
        self.below(self.towns.len())
    }

    fn beside(&mut self, town: usize, degrees: f64) -> Point {
        let place = self.towns[town];
        let mut away = || self.random.random_range(-degrees..degrees);
        Point::new(place.lon + away(), place.lat + away())
    }

    /// The number of a word as often as texts hold it: half as often as one of half the number (Zipf).
    fn rank(&mut self) -> usize {
        (WORDS as f64).powf(self.random.random_range(0.0..1.0)) as usize
    }

    fn ring(&mut self, center: Point, corners: usize, degrees: f64) -> Polygon {
        let mut exterior: Vec<Point> = (0..corners)
            .map(|corner| {
                let angle = corner as f64 / corners as f64 * std::f64::consts::TAU;
                let reach = degrees * self.random.random_range(0.7..1.0);
                Point::new(center.lon + reach * angle.cos(), center.lat + reach * angle.sin())
            })
            .collect();
        exterior.push(exterior[0]);
        Polygon { exterior, holes: Vec::new() }
    }

    /// A kind, each as often as its share says.
    pub fn kind(&mut self) -> Kind {
        let mut left = self.random.random_range(0..100_u32);
        for (kind, _, share) in KINDS {
            if left < share {
                return kind;
            }
            left -= share;
        }
        Kind::Near
    }

    /// What one subscriber of a kind asks for.
    pub fn filter(&mut self, kind: Kind) -> Filter {
        let town = self.town();
        let place = self.beside(town, 0.02);
        let at_least = SEVERITIES[self.below(3)];
        let severe = Filter::SeverityMin { at_least, unknown: None };
        let first = self.below(CATEGORIES.len());
        let categories = Filter::Category((0..2).map(|step| CATEGORIES[(first + step) % CATEGORIES.len()]).collect());
        let region = Filter::Region(vec![region(town)]);
        match kind {
            Kind::Near => {
                let radius_km = self.random.random_range(5.0..50.0);
                Filter::All(vec![categories, severe, Filter::Near { center: place, radius_km }])
            }
            Kind::AreaCode => Filter::All(vec![Filter::AreaCode(vec![code(town)]), severe]),
            Kind::Region => Filter::All(vec![region, categories, severe]),
            Kind::Box => {
                let reach = self.random.random_range(0.1..0.8);
                let bounds = [place.lon - reach, place.lat - reach, place.lon + reach, place.lat + reach];
                Filter::All(vec![Filter::Bbox(BoundingBox(bounds)), categories])
            }
            Kind::Within => {
                let reach = self.random.random_range(0.1..0.8);
                Filter::All(vec![categories, Filter::Within(Geometry::Polygon(self.ring(place, 24, reach)))])
            }
            Kind::Text => {
                let any = (0..2).map(|_| word((1 + self.below(WORDS / ASKED_EVERY)) * ASKED_EVERY)).collect();
                Filter::All(vec![Filter::Text(TextQuery { any, ..TextQuery::default() }), region])
            }
            Kind::Measure => Filter::All(vec![
                Filter::Category(vec![Category::Earthquake]),
                Filter::Near { center: place, radius_km: self.random.random_range(50.0..400.0) },
                Filter::Measure {
                    name: "magnitude".into(),
                    op: Comparison::AtLeast,
                    value: f64::from(self.random.random_range(30..70)) / 10.0,
                },
            ]),
        }
    }

    /// Something that happens at a town: at a point, or over an area with its code.
    pub fn event(&mut self, over_area: bool) -> Event {
        let mut event: Event = serde_json::from_str(BLANK).expect("the text has every required field");
        let town = self.town();
        let place = self.beside(town, 0.1);
        event.category = CATEGORIES[self.below(CATEGORIES.len())];
        event.kind = format!("{}.kind{}", event.category, self.below(9));
        event.severity = SEVERITIES[self.below(SEVERITIES.len())];
        event.place_precision = PlacePrecision::Exact;
        if event.category == Category::Earthquake {
            event.measures.insert("magnitude".into(), f64::from(self.random.random_range(20..70)) / 10.0);
        }
        event.geometry = Some(if over_area && event.category != Category::Earthquake {
            Geometry::Polygon(self.ring(place, 12, 0.2))
        } else {
            Geometry::Point(place)
        });
        event.areas = vec![Area { codes: vec![code(town), Code::new("UGC", format!("Z{town}"))], ..Area::default() }];
        event.place =
            Some(Place { countries: vec!["US".into()], regions: vec![region(town)], nearest: None, timezone: None });
        let said = (0..25).map(|_| word(self.rank())).collect::<Vec<_>>().join(" ");
        event.texts = vec![Text { lang: "en".into(), headline: Some(said), ..Text::default() }];
        event
    }
}

fn code(town: usize) -> Code {
    Code::new("SAME", format!("{town:06}"))
}

/// A subdivision of up to 46,656: a country's letters and three letters or digits.
fn region(town: usize) -> String {
    let digit = |place: u32| char::from_digit((town / TOWNS_PER_REGION / 36_usize.pow(place) % 36) as u32, 36);
    let digits: String = [2, 1, 0].into_iter().filter_map(digit).collect();
    format!("US-{}", digits.to_uppercase())
}

/// A word of four syllables that no other number has.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va"];
    [number >> 12 & 15, number >> 8 & 15, number >> 4 & 15, number & 15].map(|syllable| SYLLABLES[syllable]).concat()
}

const BLANK: &str = r#"{"id": "evt_00000000000000000000000000", "tenant": "public", "source": "nws",
    "sender": "w-nws.webmaster@noaa.gov", "issuer": "nws", "official": true, "action": "new", "status": "actual",
    "category": "other", "type": "other", "severity": "Unknown", "severity_origin": "given", "urgency": "Expected",
    "certainty": "Likely", "confidence": 1.0, "title": "", "geometry_origin": "exact", "place_precision": "exact",
    "forms": [], "received": "2026-01-01T00:00:00Z", "hazard_end": "2026-01-01T00:00:00Z", "schema_version": 1,
    "correlation_id": ""}"#;
