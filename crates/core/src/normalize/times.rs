//! Which of a sender's times are used, and when a hazard is over.

use crate::draft::Draft;
use crate::event::{Segment, Warning};
use crate::time::Timestamp;
use crate::vocabulary::Category;

/// A sender's clock may be so far ahead of ours.
const AHEAD_HOURS: i64 = 24;
/// A forecast or a closure may reach so far ahead; beyond it is an "open end" such as 9999-12-31.
const FORECAST_HOURS: i64 = 10 * 366 * 24;

/// Sets aside times that cannot be meant: kept as text, not used, with a warning.
pub(super) fn set_aside_suspects(draft: &mut Draft, received: Timestamp) {
    let clock_limit = received.plus_hours(AHEAD_HOURS);
    let forecast_limit = received.plus_hours(FORECAST_HOURS);
    let mut suspects: Vec<(&str, String, Timestamp)> = Vec::new();
    let mut judge = |name: &'static str, place: Option<usize>, time: &mut Option<Timestamp>, limit: Timestamp| {
        let Some(given) = *time else { return };
        if given < Timestamp::EARLIEST_USED || given > limit {
            let pointer = place.map_or_else(|| format!("/{name}"), |index| format!("/segments/{index}/{name}"));
            suspects.push((name, pointer, given));
            *time = None;
        }
    };
    judge("occurred", None, &mut draft.occurred, clock_limit);
    judge("sent", None, &mut draft.sent, clock_limit);
    judge("updated", None, &mut draft.updated, clock_limit);
    let is_only = draft.segments.len() == 1;
    for (index, segment) in draft.segments.iter_mut().enumerate() {
        let place = (!is_only).then_some(index);
        judge("effective", place, &mut segment.effective, forecast_limit);
        judge("onset", place, &mut segment.onset, forecast_limit);
        judge("expires", place, &mut segment.expires, forecast_limit);
        judge("ends", place, &mut segment.ends, forecast_limit);
    }
    for (name, pointer, given) in suspects {
        let detail = format!("{given} is before 1990 or too far ahead of {received}; it was kept as text and not used");
        draft.warnings.push(Warning::new("time_suspect", pointer, detail));
        draft.time_texts.entry(name.to_owned()).or_insert_with(|| given.to_string());
    }
}

/// When the last part is over: its `ends`, else max(expires, onset + the type's default). Without
/// an onset the default runs from `begun`.
pub(super) fn hazard_end(segments: &[Segment], begun: Timestamp) -> Timestamp {
    let end_of = |segment: &Segment| {
        segment.ends.unwrap_or_else(|| {
            let onset = segment.onset.or(segment.effective).unwrap_or(begun);
            let by_default = onset.plus_hours(default_hours(segment.category, &segment.kind));
            segment.expires.map_or(by_default, |expires| expires.max(by_default))
        })
    };
    segments.iter().map(end_of).max().unwrap_or_else(|| begun.plus_hours(24))
}

/// How long a happening lasts in hours when its sender does not say. Ours, not measured: an
/// earthquake is news for a day, news for two (DESIGN section 5).
pub(crate) fn default_hours(category: Category, kind: &str) -> i64 {
    if kind.contains("thunderstorm") || kind.contains("tornado") || kind.contains("flash") {
        return 3;
    }
    match category {
        Category::Transport | Category::Device => 6,
        Category::Tsunami | Category::Fire | Category::PublicSafety | Category::Cbrne => 12,
        Category::Weather | Category::FireWeather | Category::AirQuality | Category::Earthquake => 24,
        Category::Infrastructure | Category::System | Category::Other => 24,
        Category::Flood | Category::News | Category::Landslide | Category::SpaceWeather => 48,
        Category::Wildfire | Category::Volcano | Category::Health | Category::Environment => 7 * 24,
        Category::Drought => 30 * 24,
    }
}
