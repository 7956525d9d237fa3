//! When an event is old news.

use crate::event::Event;
use crate::vocabulary::Category;

/// How long after it happened an earthquake is still told to someone who was not told of it.
const QUAKE_HOURS: i64 = 24;
/// The same for news.
const NEWS_HOURS: i64 = 48;

/// True for an event that came in too late to be told to anyone who was told nothing of its
/// thread: a quake after 24 hours, news after 48, anything else once its hazard is over.
pub fn is_old_news(event: &Event) -> bool {
    let happened = event.occurred.or(event.updated).or(event.sent);
    let until = match event.category {
        Category::Earthquake => happened.map(|time| time.plus_hours(QUAKE_HOURS)),
        Category::News => happened.map(|time| time.plus_hours(NEWS_HOURS)),
        _ => None,
    };
    event.received > until.unwrap_or(event.hazard_end)
}
