//! How one subscription sees an entry, whatever was told before.

use super::cover::Cover;
use super::{Entry, Wish};
use crate::notice::Decision;
use crate::port::{Told, ToldPlace};
use crate::subscription::{Subscription, UpdatePolicy};
use crate::vocabulary::Status;

/// How one subscription sees an entry.
pub(super) struct Judgment<'a> {
    pub wish: &'a Wish,
    /// What it says if there is nothing new.
    pub verdict: Decision,
    /// True where its filter holds and nothing forbids telling.
    pub speaks: bool,
    pub cover: Cover,
    /// Its places that other messages of the thread still hold in.
    pub stands: u64,
}

impl<'a> Judgment<'a> {
    pub fn of(entry: &Entry<'_>, wish: &'a Wish) -> Self {
        let event = entry.subject.event();
        let subscription = &wish.subscription;
        let cover = Cover::of(wish, entry.subject);
        let paused = subscription.paused_until.is_some_and(|until| until > event.received);
        let verdict = if !wish.may_see(event) {
            Decision::NotPermitted
        } else if !cover.matches() {
            if cover.is_too_coarse { Decision::PlaceTooCoarse } else { Decision::NoMatch }
        } else if is_drill(event.status, subscription) {
            Decision::Drill
        } else if paused {
            Decision::Paused
        } else {
            Decision::NothingNew
        };
        let stands = entry.standing.iter().fold(0, |held, subject| held | Cover::of(wish, subject).held_anywhere);
        Self { wish, speaks: verdict == Decision::NothingNew, verdict, cover, stands }
    }

    /// True where the subscription asks for at least this much.
    pub fn asks(&self, least: UpdatePolicy) -> bool {
        self.wish.subscription.updates >= least
    }

    /// What the recipient was told for this subscription.
    pub fn told<'t>(&self, told: &'t Told) -> Option<&'t ToldPlace> {
        told.places.iter().find(|place| place.subscription == self.wish.subscription.id)
    }

    /// The places it was told for; none where its filter asks for other places since.
    pub fn told_leaves(&self, told: &Told) -> u64 {
        self.told(told).filter(|place| place.mark == self.wish.places_mark).map_or(0, |place| place.leaves)
    }
}

fn is_drill(status: Status, subscription: &Subscription) -> bool {
    match status {
        Status::Actual => false,
        Status::Draft => true,
        Status::Exercise | Status::Test | Status::System => !subscription.include_drills,
    }
}
