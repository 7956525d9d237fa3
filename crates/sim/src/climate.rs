//! When and where things are likely: by the sun's hour and the half of the year.

use std::f64::consts::TAU;

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;

/// What the likelihood of a hazard follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Climate {
    /// Nothing.
    Always,
    /// Waking hours.
    Day,
    /// The warm half of the year.
    Summer,
    /// Late afternoons of the warm half.
    SummerAfternoon,
    /// The cold half of the year.
    Winter,
    /// Mornings of the cold half.
    WinterMorning,
    /// The warm half in low latitudes, the cold half in high ones.
    Wet,
}

impl Climate {
    /// How likely at a place and an instant, 0 to 1 relative to the best.
    pub(crate) fn weight(self, place: Point, now: Timestamp) -> f64 {
        let warmth = warmth(place.lat, now);
        let near_hour = |peak: f64| 0.5 + 0.5 * (TAU * (solar_hour(place.lon, now) - peak) / 24.0).cos();
        match self {
            Self::Always => 1.0,
            Self::Day => 0.15 + 0.85 * near_hour(14.5),
            Self::Summer => 0.05 + 0.95 * warmth,
            Self::SummerAfternoon => (0.05 + 0.95 * warmth) * (0.1 + 0.9 * near_hour(17.0).powi(2)),
            // Snow and frost do not reach the tropics, where "cold half" means little.
            Self::Winter => (1.0 - warmth) * (place.lat.abs() / 35.0).min(1.0).powi(3),
            Self::WinterMorning => (1.0 - warmth) * near_hour(6.5).powi(2),
            Self::Wet if place.lat.abs() < 25.0 => 0.1 + 0.9 * warmth,
            Self::Wet => 0.3 + 0.7 * (1.0 - warmth),
        }
    }
}

/// Hours since solar midnight.
fn solar_hour(lon: f64, now: Timestamp) -> f64 {
    let utc = now.as_millis().rem_euclid(86_400_000) as f64 / 3_600_000.0;
    (utc + lon / 15.0).rem_euclid(24.0)
}

/// 0 in midwinter to 1 in midsummer, between them near the equator.
fn warmth(lat: f64, now: Timestamp) -> f64 {
    const YEAR_MS: f64 = 365.2425 * 86_400_000.0;
    // The northern year is warmest around 20 July, 200 days after it began.
    let phase = (now.as_millis() as f64 / YEAR_MS).rem_euclid(1.0) - 200.0 / 365.0;
    0.5 + 0.5 * (TAU * phase).cos() * (lat / 30.0).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seasons_and_hours_are_where_they_should_be() {
        let july = Timestamp::parse("2026-07-20T17:00:00Z").unwrap();
        let january = Timestamp::parse("2026-01-18T06:00:00Z").unwrap();
        let (london, sydney) = (Point::new(0.0, 51.5), Point::new(151.0, -34.0));
        assert!(Climate::Summer.weight(london, july) > 0.95 && Climate::Summer.weight(sydney, july) < 0.1);
        assert!(Climate::Winter.weight(london, january) > 0.9 && Climate::Winter.weight(sydney, january) < 0.1);
        assert!(Climate::SummerAfternoon.weight(london, july) > 0.9);
        assert!(Climate::SummerAfternoon.weight(london, july.plus_hours(12)) < 0.15);
    }
}
