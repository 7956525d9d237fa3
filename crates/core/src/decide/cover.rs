//! What of an event a subscription sees: the segments that match, and the places that hold.

use super::{Wish, kind_mark};
use crate::filter::Subject;
use crate::id::SubscriptionId;
use crate::port::{Told, ToldPlace};
use crate::vocabulary::{Category, Severity};

/// Stands for "everywhere" in a filter without place conditions.
const EVERYWHERE: u64 = 1 << 63;

/// What one subscription sees of an event.
pub(super) struct Cover {
    segments: usize,
    /// Worst severity of the matching segments.
    pub severity: Severity,
    /// Type of the worst matching segment.
    pub kind: [u8; 8],
    /// Place conditions that hold in a matching segment.
    pub held: u64,
    /// Place conditions that hold in any segment.
    pub held_anywhere: u64,
    /// True where only the place's coarseness keeps it from matching.
    pub is_too_coarse: bool,
}

impl Cover {
    pub fn of(wish: &Wish, subject: &Subject<'_>) -> Self {
        let compiled = &wish.compiled;
        let has_places = compiled.place_leaves() > 0;
        let mut cover = Self {
            segments: 0,
            severity: Severity::Unknown,
            kind: [0; 8],
            held: 0,
            held_anywhere: 0,
            is_too_coarse: false,
        };
        let is_device = subject.event().category == Category::Device;
        if is_device && !wish.subscription.filter.names(Category::Device) {
            return cover;
        }
        for index in 0..subject.segment_count() {
            let places = if has_places { compiled.places_held(subject, index) } else { EVERYWHERE };
            cover.held_anywhere |= places;
            if !compiled.matches_segment(subject, index) {
                cover.is_too_coarse |= has_places && compiled.coarse(subject, index);
                continue;
            }
            let segment = subject.segment(index);
            if cover.segments == 0 || segment.severity > cover.severity {
                cover.severity = segment.severity;
                cover.kind = kind_mark(segment.kind);
            }
            cover.segments += 1;
            cover.held |= places;
        }
        cover
    }

    pub const fn matches(&self) -> bool {
        self.segments > 0
    }
}

/// Notes that a recipient was told for these places of a subscription.
pub(super) fn tell_of(places: &mut Vec<ToldPlace>, subscription: SubscriptionId, leaves: u64) {
    match places.iter_mut().find(|place| place.subscription == subscription) {
        Some(place) => place.leaves |= leaves,
        None => places.push(ToldPlace { subscription, leaves }),
    }
}

impl Told {
    /// What was told of several threads that are one now: the last word of them, the worst
    /// severity, every place.
    pub fn combine(rows: &[Told]) -> Option<Told> {
        let mut all = rows.iter().max_by_key(|told| told.position)?.clone();
        for told in rows {
            all.severity = all.severity.max(told.severity);
            for place in &told.places {
                tell_of(&mut all.places, place.subscription, place.leaves);
            }
        }
        Some(all)
    }

    /// True where the recipient was told for this subscription.
    pub fn was_for(&self, subscription: SubscriptionId) -> bool {
        self.places.iter().any(|place| place.subscription == subscription)
    }

    /// The place conditions of a subscription that the recipient was told for.
    pub fn leaves_for(&self, subscription: SubscriptionId) -> u64 {
        self.places.iter().find(|place| place.subscription == subscription).map_or(0, |place| place.leaves)
    }
}
