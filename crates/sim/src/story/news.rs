//! A news item, now and then corrected.

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Category, Certainty, Severity, Status, Urgency};

use super::{Plot, Story};
use crate::bulletin::{Bulletin, Shape};
use crate::city::{self, City};
use crate::dice::Dice;
use crate::language::Language;
use crate::write::Form;

/// What it is about.
#[derive(Debug, Clone)]
pub(super) struct Item {
    headline: &'static str,
    source: &'static str,
    is_placed: bool,
}

const HEADLINES: &[&str] = &[
    "council votes on new flood defenses",
    "hospital opens emergency ward",
    "airport reopens after storm",
    "thousands without power after high winds",
    "schools closed for a second day",
    "strike stops trains and ferries",
    "firefighters contain blaze at chemical plant",
    "water levels fall as rain moves on",
    "volunteers search for missing hikers",
    "government sends aid after earthquake",
    "heat record broken for third summer",
    "port resumes work after cyclone",
    "scientists warn of dry winter",
    "new early warning sirens tested",
    "bridge closed after inspection",
    "market reopens after fire",
];

const SOURCES: &[&str] = &["news-agency.example", "daily.example", "broadcaster.example", "city-desk.example"];

impl Story {
    /// A news item about a city.
    pub(crate) fn news(dice: &mut Dice, number: u64) -> Self {
        let city = city::by_people(dice);
        let item = Item { headline: dice.pick(HEADLINES), source: dice.pick(SOURCES), is_placed: dice.chance(0.6) };
        let steps = 1 + u16::from(dice.chance(0.12));
        let form = if dice.chance(0.2) { Form::CloudEvent } else { Form::Native };
        Self::new(format!("news-{number:012x}"), steps, form, city, city.at, Plot::News(item))
    }
}

impl Item {
    /// What is said now.
    pub(super) fn bulletin(&self, at: Point, city: &'static City, step: u16, now: Timestamp) -> Bulletin {
        let correction = if step > 0 { " (updated)" } else { "" };
        Bulletin {
            id: String::new(),
            thread: String::new(),
            source: self.source,
            action: Action::New,
            status: Status::Actual,
            category: Category::News,
            kind: "news",
            severity: Severity::Unknown,
            urgency: Urgency::Unknown,
            certainty: Certainty::Unknown,
            names: ["News"; 2],
            language: Language::English,
            title: format!("{}: {}{correction}", city.name, self.headline),
            description: "",
            instruction: "",
            city,
            shape: if self.is_placed { Shape::Point(at) } else { Shape::None },
            measures: Vec::new(),
            occurred: None,
            sent: now,
            expires: None,
            ends: None,
            previous: None,
        }
    }
}
