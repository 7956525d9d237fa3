//! A device that reports where it is.

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Category, Certainty, Severity, Status, Urgency};

use super::{Plot, Story};
use crate::bulletin::{Bulletin, Shape};
use crate::city::{self, City};
use crate::dice::Dice;
use crate::geography::destination;
use crate::language::Language;
use crate::write::Form;

/// How it moves.
#[derive(Debug, Clone)]
pub(super) struct Ride {
    heading_deg: f64,
    speed_kmh: f64,
    battery_percent: f64,
}

impl Story {
    /// A device on its way through a town.
    pub(crate) fn device(dice: &mut Dice, number: u64) -> Self {
        let city = city::by_people(dice);
        let at = dice.around(city.at, 8.0);
        let ride = Ride {
            heading_deg: dice.between(0.0, 360.0),
            speed_kmh: dice.exponential(25.0).min(130.0),
            battery_percent: dice.between(15.0, 100.0),
        };
        let steps = 4 + (40.0 * dice.unit().powi(2)) as u16;
        Self::new(format!("device-{number:012x}"), steps, Form::Native, city, at, Plot::Device(ride))
    }
}

impl Ride {
    /// Where it is about a minute later.
    pub(super) fn advance(&mut self, dice: &mut Dice, at: Point) -> Point {
        self.heading_deg += dice.normal(0.0, 25.0);
        self.battery_percent = (self.battery_percent - dice.between(0.0, 0.3)).max(1.0);
        destination(at, self.heading_deg, self.speed_kmh / 60.0)
    }

    /// What it reports.
    pub(super) fn bulletin(&self, at: Point, city: &'static City, thread: &str, now: Timestamp) -> Bulletin {
        Bulletin {
            id: String::new(),
            thread: String::new(),
            source: "fleet.example",
            action: Action::New,
            status: Status::Actual,
            category: Category::Device,
            kind: "device.position",
            severity: Severity::Unknown,
            urgency: Urgency::Unknown,
            certainty: Certainty::Observed,
            names: ["Position"; 2],
            language: Language::English,
            title: format!("Position of {thread}"),
            description: "",
            instruction: "",
            city,
            shape: Shape::Point(at),
            measures: vec![("speed_kmh", self.speed_kmh), ("battery_percent", self.battery_percent)],
            occurred: Some(now),
            sent: now,
            expires: None,
            ends: None,
            previous: None,
        }
    }
}
