//! Something that happens and is told in one or several messages.

mod hazard;
mod quake;
mod news;
mod device;

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Status};

use crate::bulletin::Bulletin;
use crate::city::City;
use crate::dice::Dice;
use crate::seismic::Shock;
use crate::write::Form;

/// One thread of messages, with what the next of them needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    /// The sender's name of it.
    thread: String,
    /// The number of the next message.
    step: u16,
    /// How many there will be.
    steps: u16,
    /// What its sender writes.
    form: Form,
    status: Status,
    city: &'static City,
    /// Where it is now.
    at: Point,
    /// The message told before.
    previous: Option<(String, Timestamp)>,
    /// True when the message told before has not been sent yet.
    pub was_held_back: bool,
    plot: Plot,
}

/// What kind of story it is.
#[derive(Debug, Clone)]
enum Plot {
    Hazard(hazard::Course),
    Quake(quake::Solution),
    News(news::Item),
    Device(device::Ride),
}

/// A message of a story.
pub(crate) struct Told {
    pub bulletin: Bulletin,
    /// The sender's id of the message; with its version where ids stay equal.
    pub identity: String,
    pub form: Form,
    /// When the next message is due, if there is one.
    pub next: Option<Timestamp>,
    /// The main or aftershock that this message is the first to tell of.
    pub shock: Option<Shock>,
}

impl Story {
    /// Tells the next message at an instant.
    pub(crate) fn tell(&mut self, dice: &mut Dice, now: Timestamp) -> Told {
        let (mut bulletin, next_ms) = match &mut self.plot {
            Plot::Hazard(course) => {
                let is_last = self.step + 1 >= self.steps;
                self.at = course.advance(dice, self.at, self.step, now);
                (
                    course.bulletin(dice, self.at, self.city, self.form, is_last && self.step > 0, now),
                    course.pause_ms(dice),
                )
            }
            Plot::Quake(solution) => {
                (solution.bulletin(dice, self.at, self.city, self.step, now), solution.pause_ms(dice))
            }
            Plot::News(item) => (item.bulletin(self.at, self.city, self.step, now), dice.exponential(3_600_000.0)),
            Plot::Device(ride) => {
                self.at = ride.advance(dice, self.at);
                (ride.bulletin(self.at, self.city, &self.thread, now), dice.between(30_000.0, 90_000.0))
            }
        };
        if self.step > 0 && bulletin.action == Action::New {
            bulletin.action = Action::Update;
        }
        let keeps_id = self.form == Form::Usgs;
        bulletin.id = if keeps_id { self.thread.clone() } else { format!("{}-{}", self.thread, self.step) };
        bulletin.thread.clone_from(&self.thread);
        bulletin.status = self.status;
        bulletin.previous = self.previous.replace((bulletin.id.clone(), now));
        let shock = match &self.plot {
            Plot::Quake(solution) if self.step == 0 && solution.is_first => Some(solution.shock),
            _ => None,
        };
        self.step += 1;
        let identity = if keeps_id { format!("{}@{}", bulletin.id, now.as_millis()) } else { bulletin.id.clone() };
        let next = (self.step < self.steps).then(|| now.plus_millis((next_ms as i64).max(1_000)));
        Told { bulletin, identity, form: self.form, next, shock }
    }

    /// A story of one thread of messages, all of them untold.
    fn new(thread: String, steps: u16, form: Form, city: &'static City, at: Point, plot: Plot) -> Self {
        Self {
            thread,
            step: 0,
            steps: steps.max(1),
            form,
            status: Status::Actual,
            city,
            at,
            previous: None,
            was_held_back: false,
            plot,
        }
    }
}
