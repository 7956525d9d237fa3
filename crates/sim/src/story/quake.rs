//! An earthquake: a first automatic solution, then better ones, now and then none at all.

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Category, Certainty, Status, Urgency};

use super::{Plot, Story};
use crate::bulletin::{Bulletin, Shape};
use crate::city::{self, City};
use crate::dice::Dice;
use crate::language::Language;
use crate::seismic::{LEAST_MAGNITUDE, Shock, severity};
use crate::write::Form;

/// What one agency holds of a shock.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    pub shock: Shock,
    /// True for the agency that is the first to tell.
    pub is_first: bool,
    magnitude: f64,
    occurred: Timestamp,
    source: &'static str,
    /// True when the agency finds in the end that there was nothing.
    was_nothing: bool,
    revisions: u16,
}

impl Story {
    /// A shock as its first agency tells of it.
    pub(crate) fn quake(dice: &mut Dice, number: u64, shock: Shock, now: Timestamp) -> Self {
        let (form, source) = match dice.unit() {
            drawn if drawn < 0.5 => (Form::Usgs, "us"),
            drawn if drawn < 0.9 => (Form::Native, "seismic-network.example"),
            _ => (Form::CloudEvent, "seismic-network.example"),
        };
        // Nothing is known before some stations have felt it.
        let occurred = now.plus_millis(-(dice.between(60_000.0, 600_000.0) as i64));
        let thread = if form == Form::Usgs { format!("us{number:010x}") } else { format!("quake-{number:012x}") };
        Self::solution(dice, thread, form, source, shock, occurred, true)
    }

    /// The same shock as another agency tells of it, a little elsewhere and a little different.
    pub(crate) fn quake_by_another(dice: &mut Dice, number: u64, shock: Shock, occurred: Timestamp) -> Self {
        let elsewhere = Shock {
            at: dice.around(shock.at, 4.0),
            magnitude: (shock.magnitude + dice.normal(0.0, 0.1)).max(LEAST_MAGNITUDE),
            ..shock
        };
        let occurred = occurred.plus_millis(dice.normal(0.0, 1_200.0) as i64);
        let thread = format!("quake-{number:012x}");
        Self::solution(dice, thread, Form::Native, "seismic-center.example", elsewhere, occurred, false)
    }

    fn solution(
        dice: &mut Dice,
        thread: String,
        form: Form,
        source: &'static str,
        shock: Shock,
        occurred: Timestamp,
        is_first: bool,
    ) -> Self {
        // A third of all quakes get better solutions, most of them one.
        let revisions = if dice.chance(0.35) { 1 + (4.0 * dice.unit().powi(3)) as u16 } else { 0 };
        let was_nothing = revisions > 0 && shock.magnitude < 4.0 && dice.chance(0.03);
        let magnitude = (shock.magnitude + dice.normal(0.0, 0.12)).max(LEAST_MAGNITUDE);
        let plot = Plot::Quake(Solution { shock, is_first, magnitude, occurred, source, was_nothing, revisions });
        Self::new(thread, 1 + revisions, form, city::nearest(shock.at), shock.at, plot)
    }
}

impl Solution {
    /// Milliseconds until the next solution.
    pub(super) fn pause_ms(&self, dice: &mut Dice) -> f64 {
        dice.exponential(1_500_000.0) + 120_000.0
    }

    /// What is known now.
    pub(super) fn bulletin(
        &mut self,
        dice: &mut Dice,
        at: Point,
        city: &'static City,
        step: u16,
        now: Timestamp,
    ) -> Bulletin {
        if step > 0 {
            // Each solution halves what was wrong with the one before, and half of them do nothing more.
            let change = (self.shock.magnitude - self.magnitude) / 2.0;
            self.magnitude += if dice.chance(0.5) { change } else { 0.0 };
        }
        let magnitude = (self.magnitude * 10.0).round() / 10.0;
        let is_withdrawn = self.was_nothing && step == self.revisions;
        let language = Language::English;
        Bulletin {
            id: String::new(),
            thread: String::new(),
            source: self.source,
            action: if is_withdrawn { Action::Cancel } else { Action::New },
            status: Status::Actual,
            category: Category::Earthquake,
            kind: "earthquake",
            severity: severity(magnitude),
            urgency: Urgency::Past,
            certainty: if step == 0 { Certainty::Likely } else { Certainty::Observed },
            names: ["Earthquake"; 2],
            language,
            title: format!("M {magnitude:.1} - near {}", city.name),
            description: "",
            instruction: "",
            city,
            shape: Shape::Point(at),
            measures: vec![("magnitude", magnitude), ("depth_km", self.shock.depth_km)],
            occurred: Some(self.occurred),
            sent: now,
            expires: None,
            ends: None,
            previous: None,
        }
    }
}
