//! What can happen: one line of numbers for each kind of hazard.

mod table;

use tidings_core::vocabulary::{Category, Certainty, Severity, Urgency};

use crate::climate::Climate;
use crate::dice::Dice;

pub(crate) use table::{HAZARDS, TSUNAMI};

/// How a hazard's place is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outline {
    /// No place at all.
    Nowhere,
    /// A point.
    Point,
    /// A point with a radius.
    Circle,
    /// A ragged ring.
    Blob,
    /// A ring that opens ahead of its way.
    Cone,
}

/// Where a hazard begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Around a city, drawn by its people.
    People,
    /// Over a warm sea.
    Tropics,
    /// At a volcano.
    Volcano,
}

/// A number that a hazard is reported with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauge {
    /// Its name in `measures`, with its unit.
    pub name: &'static str,
    /// Its least value at the beginning.
    pub low: f64,
    /// Its greatest value at the beginning.
    pub high: f64,
}

/// A kind of hazard: how often, how long, how large, how bad, and how it is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hazard {
    /// Its category.
    pub category: Category,
    /// Its type below the category.
    pub kind: &'static str,
    /// Who tells of it.
    pub source: &'static str,
    /// Its name in the languages of [`crate::language::Language`].
    pub names: [&'static str; 6],
    /// Its share of all beginnings, relative to the others.
    pub share: f64,
    /// Least and most messages until it is over.
    pub steps: (u16, u16),
    /// Mean minutes between them.
    pub every_min: f64,
    /// How it is drawn.
    pub outline: Outline,
    /// Where it begins.
    pub origin: Origin,
    /// Its radius at the beginning, from and to.
    pub radius_km: (f64, f64),
    /// How fast it moves.
    pub speed_kmh: f64,
    /// By how much its radius and its gauge grow with each message.
    pub growth: f64,
    /// How often it begins Minor, Moderate, Severe, Extreme, in percent; all 0 for `Unknown`.
    pub severities: [u8; 4],
    /// How often an update is a step worse; half as often it is a step better.
    pub escalates: f64,
    /// The share of them that is taken back, and the share whose end is told; the rest expire.
    pub over: (f64, f64),
    /// How long a message holds.
    pub lasts_h: f64,
    /// How soon to act and how sure it is.
    pub outlook: (Urgency, Certainty),
    /// Shares told as CAP and as CloudEvents; the rest is our own JSON.
    pub formats: (f64, f64),
    /// When and where it is likely.
    pub climate: Climate,
    /// The number it is reported with.
    pub gauge: Option<Gauge>,
    /// What is going on.
    pub description: &'static str,
    /// What to do.
    pub instruction: &'static str,
}

impl Hazard {
    /// A severity to begin with.
    pub(crate) fn first_severity(&self, dice: &mut Dice) -> Severity {
        let words = [Severity::Minor, Severity::Moderate, Severity::Severe, Severity::Extreme];
        let mut drawn = dice.below(100) as u8;
        for (percent, word) in self.severities.into_iter().zip(words) {
            if drawn < percent {
                return word;
            }
            drawn -= percent;
        }
        Severity::Unknown
    }
}

/// The severity a step up or down from another; `Unknown` stays.
pub(crate) fn stepped(severity: Severity, worse: bool) -> Severity {
    match (severity, worse) {
        (Severity::Unknown, _) => Severity::Unknown,
        (Severity::Minor, true) | (Severity::Severe, false) => Severity::Moderate,
        (Severity::Minor, false) | (Severity::Moderate, false) => Severity::Minor,
        (Severity::Moderate, true) | (Severity::Extreme, false) => Severity::Severe,
        (Severity::Severe | Severity::Extreme, true) => Severity::Extreme,
    }
}

/// A hazard to begin, by share.
pub(crate) fn by_share(dice: &mut Dice) -> &'static Hazard {
    let total: f64 = HAZARDS.iter().map(|hazard| hazard.share).sum();
    let mut drawn = dice.between(0.0, total);
    for hazard in HAZARDS {
        drawn -= hazard.share;
        if drawn < 0.0 {
            return hazard;
        }
    }
    &HAZARDS[0]
}
