//! What of an event a subscription sees: the segments that match, and the places that hold.

use super::Wish;
use super::judgment::Judgment;
use crate::filter::Subject;
use crate::id::{SubscriptionId, fingerprint};
use crate::port::{Told, ToldPlace};
use crate::vocabulary::{Category, PlacePrecision, Severity};

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
    /// True where the event is placed closely enough to say that it is not somewhere.
    pub is_placed: bool,
}

impl Cover {
    pub fn of(wish: &Wish, subject: &Subject<'_>) -> Self {
        let compiled = &wish.compiled;
        let has_places = compiled.has_places();
        let mut cover = Self {
            segments: 0,
            severity: Severity::Unknown,
            kind: [0; 8],
            held: 0,
            held_anywhere: 0,
            is_too_coarse: false,
            is_placed: is_placed(wish, subject),
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

/// True where every segment is placed closely enough for the places that a filter asks for.
fn is_placed(wish: &Wish, subject: &Subject<'_>) -> bool {
    let needs_shapes = wish.compiled.needs_shapes();
    (0..subject.segment_count()).all(|index| match subject.segment(index).place_precision {
        PlacePrecision::None => false,
        PlacePrecision::Exact | PlacePrecision::Code => true,
        PlacePrecision::Region | PlacePrecision::Country => !needs_shapes,
    })
}

impl Judgment<'_> {
    /// What is told for its subscription.
    pub fn as_told(&self) -> ToldPlace {
        ToldPlace {
            subscription: self.wish.subscription.id,
            mark: self.wish.places_mark,
            leaves: self.cover.held,
            severity: self.cover.severity,
            kind: self.cover.kind,
        }
    }
}

/// Adds what was told for a subscription to what was told before: every place, the worst severity,
/// the last type.
pub(super) fn tell_of(places: &mut Vec<ToldPlace>, newer: ToldPlace) {
    match places.iter_mut().find(|place| place.subscription == newer.subscription) {
        Some(place) => {
            let leaves = if place.mark == newer.mark { place.leaves } else { 0 };
            let severity = place.severity.max(newer.severity);
            *place = ToldPlace { leaves: leaves | newer.leaves, severity, ..newer };
        }
        None => places.push(newer),
    }
}

/// A type as told rows hold it.
fn kind_mark(kind: &str) -> [u8; 8] {
    let bits = fingerprint(&[kind.as_bytes()]);
    let mut mark = [0; 8];
    mark.copy_from_slice(&bits[..8]);
    mark
}

impl Told {
    /// What was told of several threads that are one now: the last word of them, the worst
    /// severity, every place.
    pub fn combine(rows: &[Told]) -> Option<Told> {
        let mut rows: Vec<&Told> = rows.iter().collect();
        rows.sort_by_key(|told| told.position);
        let mut all = (*rows.last()?).clone();
        all.places.clear();
        for told in rows {
            all.severity = all.severity.max(told.severity);
            for place in &told.places {
                tell_of(&mut all.places, *place);
            }
        }
        Some(all)
    }

    /// True where the recipient was told for this subscription.
    pub fn was_for(&self, subscription: SubscriptionId) -> bool {
        self.places.iter().any(|place| place.subscription == subscription)
    }
}
