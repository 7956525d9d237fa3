//! A hazard that moves, grows, gets worse or better, and is over.

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Severity, Status, Urgency};

use super::{Plot, Story};
use crate::bulletin::{Bulletin, Shape};
use crate::city::{self, City};
use crate::dice::Dice;
use crate::geography::{cone, destination, ragged_ring};
use crate::hazard::{Hazard, Origin, Outline, by_share, stepped};
use crate::language::Language;
use crate::write::Form;

/// How a hazard goes on.
#[derive(Debug, Clone)]
pub(super) struct Course {
    hazard: &'static Hazard,
    severity: Severity,
    radius_km: f64,
    heading_deg: f64,
    gauge: f64,
    /// What the last message says; `None` lets it expire.
    ending: Option<Action>,
    /// When it began and was last told.
    began: Timestamp,
    told: Timestamp,
}

/// Volcanoes that are often awake: latitude and longitude.
const VOLCANOES: &[(f64, f64)] = &[
    (37.75, 14.99),
    (38.79, 15.21),
    (63.63, -19.6),
    (63.9, -22.3),
    (19.02, -98.62),
    (14.47, -90.88),
    (14.38, -90.6),
    (-0.08, -78.44),
    (-1.47, -78.44),
    (-15.79, -71.86),
    (-39.42, -71.93),
    (19.41, -155.28),
    (31.59, 130.66),
    (34.73, 139.39),
    (-7.54, 110.45),
    (-8.11, 112.92),
    (-8.34, 115.51),
    (1.69, 127.88),
    (13.26, 123.69),
    (14.0, 120.99),
    (56.06, 160.64),
    (55.83, 160.32),
    (-37.52, 177.18),
    (-4.08, 145.04),
    (-1.52, 29.25),
    (-1.41, 29.2),
];

/// Seas where tropical cyclones are born, with the months of the half year in which they are:
/// latitude, longitude, first heading.
const BASINS: &[(f64, f64, f64)] = &[
    (14.0, -45.0, 290.0),
    (18.0, -75.0, 310.0),
    (13.0, -105.0, 295.0),
    (13.0, 140.0, 300.0),
    (16.0, 128.0, 310.0),
    (13.0, 88.0, 340.0),
    (14.0, 66.0, 330.0),
    (-14.0, 75.0, 230.0),
    (-16.0, 55.0, 220.0),
    (-15.0, 120.0, 220.0),
    (-16.0, 150.0, 200.0),
    (-16.0, 172.0, 160.0),
];

impl Story {
    /// A hazard of a kind that fits the place and the hour.
    pub(crate) fn hazard(dice: &mut Dice, number: u64, now: Timestamp) -> Self {
        let hazard = by_share(dice);
        let (mut city, mut at, mut heading_deg) = place(dice, hazard);
        // The likeliest of a few places: enough for storms to follow the sun.
        for _ in 0..6 {
            if dice.chance(hazard.climate.weight(at, now)) {
                break;
            }
            (city, at, heading_deg) = place(dice, hazard);
        }
        Self::hazard_at(dice, hazard, number, now, (city, at, heading_deg))
    }

    /// A given hazard at a given place.
    pub(crate) fn hazard_at(
        dice: &mut Dice,
        hazard: &'static Hazard,
        number: u64,
        now: Timestamp,
        (city, at, heading_deg): (&'static City, Point, f64),
    ) -> Self {
        let (low, high) = hazard.steps;
        let drawn = dice.unit();
        let (cancelled, ended) = hazard.over;
        let ending = match drawn {
            drawn if drawn < cancelled => Some(Action::Cancel),
            drawn if drawn < cancelled + ended => Some(Action::End),
            _ => None,
        };
        // Short chains are the more frequent ones.
        let steps = low + (f64::from(high - low + 1) * dice.unit().powi(2)) as u16 + u16::from(ending.is_some());
        let (cap, cloud) = hazard.formats;
        let form = match dice.unit() {
            drawn if drawn < cap => Form::Cap,
            drawn if drawn < cap + cloud => Form::CloudEvent,
            _ => Form::Native,
        };
        let course = Course {
            hazard,
            severity: hazard.first_severity(dice),
            radius_km: dice.between(hazard.radius_km.0, hazard.radius_km.1),
            heading_deg,
            gauge: hazard.gauge.map_or(0.0, |gauge| gauge.low + (gauge.high - gauge.low) * dice.unit().powi(2)),
            ending,
            began: now,
            told: now,
        };
        let thread = format!("{}-{number:012x}", hazard.category);
        let mut story = Self::new(thread, steps, form, city, at, Plot::Hazard(course));
        story.status = match dice.below(200) {
            0 => Status::Exercise,
            1 => Status::Test,
            _ => Status::Actual,
        };
        story
    }
}

/// Where a hazard may begin, and where it goes from there.
fn place(dice: &mut Dice, hazard: &Hazard) -> (&'static City, Point, f64) {
    match hazard.origin {
        Origin::People => {
            let city = city::by_people(dice);
            let spread_km = 10.0 + hazard.radius_km.0;
            // Weather of middle latitudes comes from the west.
            let heading_deg = dice.normal(75.0, 35.0);
            (city, dice.around(city.at, spread_km), heading_deg)
        }
        Origin::Tropics => {
            let (lat, lon, heading_deg) = dice.pick(BASINS);
            let at = dice.around(Point::new(lon, lat), 350.0);
            (city::nearest(at), at, heading_deg)
        }
        Origin::Volcano => {
            let (lat, lon) = dice.pick(VOLCANOES);
            let at = Point::new(lon, lat);
            (city::nearest(at), at, dice.between(0.0, 360.0))
        }
    }
}

impl Course {
    /// Moves, grows and changes severity; answers where it is now.
    pub(super) fn advance(&mut self, dice: &mut Dice, at: Point, step: u16, now: Timestamp) -> Point {
        if step == 0 {
            return at;
        }
        let hours = now.millis_since(self.told) as f64 / 3_600_000.0;
        self.told = now;
        self.radius_km = (self.radius_km * self.hazard.growth * dice.between(0.95, 1.05)).clamp(0.1, 900.0);
        self.gauge *= self.hazard.growth * dice.between(0.97, 1.05);
        let drawn = dice.unit();
        if drawn < self.hazard.escalates {
            self.severity = stepped(self.severity, true);
        } else if drawn < self.hazard.escalates * 1.5 {
            self.severity = stepped(self.severity, false);
        }
        if self.hazard.speed_kmh == 0.0 {
            return at;
        }
        self.heading_deg += dice.normal(0.0, 6.0);
        let distance_km = (self.hazard.speed_kmh * hours).min(600.0);
        destination(at, self.heading_deg, distance_km)
    }

    /// Milliseconds until the next message.
    pub(super) fn pause_ms(&self, dice: &mut Dice) -> f64 {
        self.hazard.every_min * 60_000.0 * dice.between(0.6, 1.4)
    }

    /// What is said now.
    pub(super) fn bulletin(
        &self,
        dice: &mut Dice,
        at: Point,
        city: &'static City,
        form: Form,
        is_last: bool,
        now: Timestamp,
    ) -> Bulletin {
        let hazard = self.hazard;
        let language = Language::of_country(city.country);
        let names = [hazard.names[0], hazard.names[language as usize]];
        let action = self.ending.filter(|_| is_last).unwrap_or(Action::New);
        let title = match action {
            Action::Cancel => format!("{} near {} cancelled", names[0], city.name),
            Action::End => format!("{} near {} is over", names[0], city.name),
            _ if form == Form::Native && language != Language::English => format!("{}: {}", names[1], city.name),
            _ => format!("{} near {}", names[0], city.name),
        };
        let hold_ms = (hazard.lasts_h * 3_600_000.0) as i64;
        let (urgency, certainty) = hazard.outlook;
        Bulletin {
            id: String::new(),
            thread: String::new(),
            source: hazard.source,
            action,
            status: Status::Actual,
            category: hazard.category,
            kind: hazard.kind,
            severity: self.severity,
            urgency: if action == Action::End { Urgency::Past } else { urgency },
            certainty,
            names,
            language,
            title,
            description: hazard.description,
            instruction: hazard.instruction,
            city,
            shape: self.shape(dice, at, form),
            measures: hazard.gauge.map(|gauge| (gauge.name, self.gauge)).into_iter().collect(),
            occurred: Some(self.began),
            sent: now,
            expires: Some(now.plus_millis(hold_ms)),
            ends: (action == Action::End).then_some(now),
            previous: None,
        }
    }

    fn shape(&self, dice: &mut Dice, at: Point, form: Form) -> Shape {
        let ring = match self.hazard.outline {
            Outline::Nowhere => return Shape::None,
            Outline::Point => return Shape::Point(at),
            Outline::Circle => None,
            Outline::Blob => {
                let corners = 6 + dice.below(9);
                ragged_ring(dice, at, self.radius_km, corners)
            }
            Outline::Cone => cone(at, self.heading_deg, self.radius_km, self.radius_km * 2.0),
        };
        let Some(mut ring) = ring else { return Shape::Circle(at, self.radius_km) };
        // Some senders of CAP forget to close their rings; this is repaired and not refused.
        if form == Form::Cap && dice.chance(0.01) {
            ring.pop();
        }
        Shape::Ring(ring)
    }
}
