//! A world that goes on for ever, one message after another.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tidings_core::time::Timestamp;
use tidings_core::vocabulary::Action;

use crate::bad;
use crate::city;
use crate::dice::{Dice, mixed};
use crate::hazard::TSUNAMI;
use crate::message::{Intent, Kind, Message};
use crate::seismic::{self, Shock};
use crate::story::{Story, Told};
use crate::write;

/// Share of messages that must be refused.
pub const BAD_SHARE: f64 = 0.005;
/// Share of messages that come again in the same or another spelling.
pub const DUPLICATE_SHARE: f64 = 0.02;
/// Share of updates that are overtaken by the next one.
pub const LATE_SHARE: f64 = 0.02;

/// How many things may be going on or waiting at once; beyond it only short ones begin. Bounds
/// memory to some 100 MB at any rate.
const AGENDA_MAX: usize = 200_000;

/// A seeded world of hazards, news and devices; an endless iterator.
///
/// The seed, the start and the rate decide every byte. Times go on by the world's own clock, evenly
/// random at the given rate; follow-ups that are due come before anything new begins, so a rate
/// holds whatever goes on.
#[derive(Debug, Clone)]
pub struct World {
    dice: Dice,
    /// Makes the names of two worlds differ.
    salt: u64,
    /// Milliseconds since 1970, with fractions: at high rates several messages share one.
    now_ms: f64,
    mean_gap_ms: f64,
    names: u64,
    agenda: BinaryHeap<Reverse<Planned>>,
    planned: u64,
}

/// Something that will be done at an instant; those of one instant in the order of planning.
#[derive(Debug, Clone)]
struct Planned {
    due: Timestamp,
    order: u64,
    plan: Plan,
}

#[derive(Debug, Clone)]
enum Plan {
    /// Tell the next message of a story.
    Tell(Box<Story>),
    /// Let the Earth shake again.
    Shake(Shock),
    /// Send what was held back or comes again.
    Send(Box<Message>),
}

impl World {
    /// A world that begins at an instant and sends about so many messages a day (at least one).
    pub fn new(seed: u64, start: Timestamp, events_per_day: u32) -> Self {
        let rate = f64::from(events_per_day.max(1));
        Self {
            dice: Dice::new(seed),
            salt: mixed(seed ^ mixed(start.as_millis() as u64)),
            now_ms: start.as_millis() as f64,
            mean_gap_ms: 86_400_000.0 / rate,
            names: 0,
            agenda: BinaryHeap::new(),
            planned: 0,
        }
    }

    /// The next message. There always is one.
    pub fn next_message(&mut self) -> Message {
        self.now_ms += self.dice.exponential(self.mean_gap_ms);
        let now = Timestamp::from_millis(self.now_ms as i64).min(Timestamp::MAX);
        if self.dice.chance(BAD_SHARE) {
            let number = self.number();
            return bad::message(&mut self.dice, number, now);
        }
        loop {
            let plan = match self.due(now) {
                Some(plan) => plan,
                None => Plan::Tell(Box::new(self.begin(now))),
            };
            let story = match plan {
                Plan::Send(mut message) => {
                    message.at = now;
                    return *message;
                }
                Plan::Shake(shock) => {
                    let number = self.number();
                    Box::new(Story::quake(&mut self.dice, number, shock, now))
                }
                Plan::Tell(story) => story,
            };
            if let Some(message) = self.tell(story, now) {
                return message;
            }
        }
    }

    /// Takes the next thing that is due from the agenda.
    fn due(&mut self, now: Timestamp) -> Option<Plan> {
        let is_due = self.agenda.peek().is_some_and(|Reverse(planned)| planned.due <= now);
        is_due.then(|| self.agenda.pop()).flatten().map(|Reverse(planned)| planned.plan)
    }

    /// Begins something new.
    fn begin(&mut self, now: Timestamp) -> Story {
        let number = self.number();
        let dice = &mut self.dice;
        if self.agenda.len() >= AGENDA_MAX {
            return Story::news(dice, number);
        }
        match dice.unit() {
            drawn if drawn < 0.72 => Story::hazard(dice, number, now),
            drawn if drawn < 0.82 => {
                let shock = seismic::main_shock(dice);
                Story::quake(dice, number, shock, now)
            }
            drawn if drawn < 0.97 => Story::news(dice, number),
            _ => Story::device(dice, number),
        }
    }

    /// Tells the next message of a story and plans what follows; `None` when the message is held
    /// back to come late.
    fn tell(&mut self, mut story: Box<Story>, now: Timestamp) -> Option<Message> {
        let told = story.tell(&mut self.dice, now);
        let (body, media_type) = write::document(&told.bulletin, told.form);
        let kind = kind_of(&told);
        let intent = Intent { identity: told.identity.clone(), thread: told.bulletin.thread.clone(), kind };
        let message = Message { at: now, body, media_type, intent };
        if let Some(shock) = told.shock {
            self.follow_up(&told, shock, now);
        }
        // Only one that is not told after another held back: then the next is surely the newer.
        let may_wait = kind == Kind::Update && !story.was_held_back;
        story.was_held_back = told.next.is_some() && may_wait && self.dice.chance(LATE_SHARE);
        let is_held_back = story.was_held_back;
        if let Some(due) = told.next {
            self.plan(due, Plan::Tell(story));
        }
        if let Some(due) = told.next.filter(|_| is_held_back) {
            let intent = Intent { kind: Kind::Late, ..message.intent };
            let after = due.plus_millis(self.dice.exponential(20_000.0) as i64 + 1);
            self.plan(after, Plan::Send(Box::new(Message { intent, ..message })));
            return None;
        }
        if self.dice.chance(DUPLICATE_SHARE) {
            let copy = self.copy(&told, &message);
            let after = now.plus_millis(self.dice.exponential(90_000.0) as i64 + 1);
            self.plan(after, Plan::Send(Box::new(copy)));
        }
        Some(message)
    }

    /// The same message again: half of the copies byte for byte.
    fn copy(&mut self, told: &Told, message: &Message) -> Message {
        let mut copy = message.clone();
        copy.intent.kind = Kind::Duplicate;
        if self.dice.chance(0.5) {
            let variant = self.dice.below(3);
            (copy.body, copy.media_type) = write::respelled(&told.bulletin, told.form, variant);
        }
        copy
    }

    /// What a shock brings after it: more shocks, another agency's view, a tsunami.
    fn follow_up(&mut self, told: &Told, shock: Shock, now: Timestamp) {
        if self.agenda.len() < AGENDA_MAX {
            for (after_ms, next) in seismic::aftershocks(&mut self.dice, &shock) {
                self.plan(now.plus_millis(after_ms), Plan::Shake(next));
            }
        }
        if shock.magnitude >= 4.5 && self.dice.chance(0.6) {
            let number = self.number();
            let occurred = told.bulletin.occurred.unwrap_or(now);
            let story = Story::quake_by_another(&mut self.dice, number, shock, occurred);
            let after = now.plus_millis(self.dice.exponential(240_000.0) as i64);
            self.plan(after, Plan::Tell(Box::new(story)));
        }
        if shock.magnitude >= 7.0 && shock.under_sea && !shock.is_aftershock {
            let number = self.number();
            let place = (city::nearest(shock.at), shock.at, 0.0);
            let story = Story::hazard_at(&mut self.dice, &TSUNAMI, number, now, place);
            self.plan(now.plus_millis(180_000), Plan::Tell(Box::new(story)));
        }
    }

    fn plan(&mut self, due: Timestamp, plan: Plan) {
        self.planned += 1;
        self.agenda.push(Reverse(Planned { due, order: self.planned, plan }));
    }

    /// 48 bits that name something in this world; a clash among a million names is a rare thing.
    fn number(&mut self) -> u64 {
        self.names += 1;
        mixed(self.salt.wrapping_add(self.names)) >> 16
    }
}

fn kind_of(told: &Told) -> Kind {
    match told.bulletin.action {
        Action::Cancel => Kind::Cancel,
        Action::End => Kind::End,
        Action::Update => Kind::Update,
        _ => Kind::New,
    }
}

impl Iterator for World {
    type Item = Message;

    /// Always some message.
    fn next(&mut self) -> Option<Message> {
        Some(self.next_message())
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.order) == (other.due, other.order)
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod decoded;
