//! Where the Earth shakes, how hard, and for how long after.

use tidings_core::geometry::Point;
use tidings_core::vocabulary::Severity;

use crate::dice::Dice;

/// A stretch of plate boundary.
struct Zone {
    from: Point,
    to: Point,
    /// How much of the world's shaking is here, relative to the others.
    share: f64,
    /// Mean depth of its quakes.
    depth_km: f64,
    /// True where a great quake lifts the sea floor.
    under_sea: bool,
}

const fn zone(from: (f64, f64), to: (f64, f64), share: f64, depth_km: f64, under_sea: bool) -> Zone {
    Zone { from: Point::new(from.1, from.0), to: Point::new(to.1, to.0), share, depth_km, under_sea }
}

/// Plate boundaries as straight stretches, ends given as latitude and longitude, by common knowledge.
#[rustfmt::skip]
const ZONES: &[Zone] = &[
    zone((35.0, 141.0), (43.0, 146.0), 10.0, 40.0, true), // Japan Trench
    zone((31.0, 131.0), (34.5, 138.0), 5.0, 30.0, true), // Nankai
    zone((44.0, 148.0), (55.0, 162.0), 6.0, 50.0, true), // Kurils, Kamchatka
    zone((52.0, 172.0), (60.0, -150.0 + 360.0), 8.0, 40.0, true), // Aleutians, Alaska
    zone((40.0, -124.5), (50.0, -128.0), 3.0, 15.0, true), // Cascadia
    zone((33.0, -116.0), (39.0, -123.0), 6.0, 9.0, false), // San Andreas
    zone((14.0, -92.0), (19.0, -104.0), 6.0, 30.0, true), // Mexico
    zone((9.0, -84.0), (14.0, -91.0), 4.0, 40.0, true), // Central America
    zone((17.5, -61.0), (19.5, -72.0), 3.0, 30.0, true), // Antilles
    zone((-5.0, -81.0), (1.5, -79.0), 3.0, 30.0, true), // Ecuador
    zone((-18.0, -71.0), (-6.0, -80.5), 6.0, 50.0, true), // Peru
    zone((-38.0, -73.5), (-18.5, -70.8), 9.0, 40.0, true), // Chile
    zone((-60.0, -26.0), (-55.0, -28.0), 2.0, 60.0, true), // South Sandwich
    zone((-30.0, -177.5), (-15.0, -173.5), 8.0, 120.0, true), // Tonga, Kermadec
    zone((-22.0, 170.0), (-11.0, 165.5), 6.0, 60.0, true), // Vanuatu
    zone((-10.0, 161.0), (-5.0, 151.5), 6.0, 50.0, true), // Solomons, New Britain
    zone((-8.5, 130.0), (-10.5, 110.0), 6.0, 60.0, true), // Java, Banda
    zone((-6.0, 102.5), (4.5, 94.5), 7.0, 35.0, true), // Sumatra
    zone((0.5, 124.0), (9.0, 127.0), 6.0, 60.0, true), // Mindanao
    zone((12.0, 125.0), (18.0, 120.0), 4.0, 40.0, true), // Luzon
    zone((22.5, 121.5), (25.0, 123.0), 4.0, 25.0, true), // Taiwan
    zone((-46.0, 166.5), (-37.5, 179.0), 4.0, 40.0, true), // New Zealand
    zone((27.0, 86.0), (35.0, 74.0), 4.0, 20.0, false), // Himalaya
    zone((34.0, 70.0), (38.0, 73.0), 5.0, 120.0, false), // Hindu Kush
    zone((24.0, 94.0), (28.0, 97.0), 3.0, 60.0, false), // Burma
    zone((26.0, 100.0), (33.0, 103.5), 3.0, 12.0, false), // Yunnan, Sichuan
    zone((27.0, 57.0), (37.0, 46.0), 5.0, 14.0, false), // Zagros
    zone((37.0, 28.0), (39.5, 41.0), 4.0, 10.0, false), // Anatolia
    zone((34.5, 24.0), (38.5, 20.5), 4.0, 25.0, true), // Hellenic Arc
    zone((38.0, 16.0), (44.0, 11.0), 3.0, 10.0, false), // Apennines
    zone((63.5, -22.0), (66.0, -17.0), 2.0, 6.0, false), // Iceland
    zone((-12.0, 34.0), (10.0, 39.5), 2.0, 12.0, false), // East African Rift
    zone((-5.0, -15.0), (35.0, -36.0), 3.0, 10.0, true), // Mid-Atlantic Ridge
];

/// The smallest quake that is told.
pub(crate) const LEAST_MAGNITUDE: f64 = 2.5;

/// A shock: where and how strong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shock {
    pub at: Point,
    pub magnitude: f64,
    pub depth_km: f64,
    /// True where it may raise a tsunami.
    pub under_sea: bool,
    /// True for an aftershock, which has none of its own here.
    pub is_aftershock: bool,
}

/// A main shock somewhere along the plates.
pub(crate) fn main_shock(dice: &mut Dice) -> Shock {
    let total: f64 = ZONES.iter().map(|zone| zone.share).sum();
    let mut drawn = dice.between(0.0, total);
    let zone = ZONES
        .iter()
        .find(|zone| {
            drawn -= zone.share;
            drawn < 0.0
        })
        .unwrap_or(&ZONES[0]);
    let along = dice.unit();
    let middle = Point::new(
        ((zone.from.lon + along * (zone.to.lon - zone.from.lon)) + 180.0).rem_euclid(360.0) - 180.0,
        zone.from.lat + along * (zone.to.lat - zone.from.lat),
    );
    Shock {
        at: dice.around(middle, 60.0),
        magnitude: gutenberg_richter(dice, 9.2),
        depth_km: 2.0 + dice.exponential(zone.depth_km).min(650.0),
        under_sea: zone.under_sea,
        is_aftershock: false,
    }
}

/// A magnitude by the law of Gutenberg and Richter with b = 1: a tenth as many a magnitude higher.
fn gutenberg_richter(dice: &mut Dice, greatest: f64) -> f64 {
    (LEAST_MAGNITUDE - (1.0 - dice.unit()).log10()).min(greatest)
}

/// How many milliseconds after a main shock which aftershocks come.
///
/// Their rate falls by the law of Omori with p = 1 and c = 1 hour, over three days; the greatest is
/// about 1.2 below the main shock (Båth), and there are at most 300.
pub(crate) fn aftershocks(dice: &mut Dice, main: &Shock) -> Vec<(i64, Shock)> {
    const FIRST_HOUR_MS: f64 = 3_600_000.0;
    const SPAN: f64 = 72.0;
    if main.is_aftershock {
        return Vec::new();
    }
    let expected = 10_f64.powf(main.magnitude - 1.2 - LEAST_MAGNITUDE).min(300.0);
    let count = (expected + dice.unit()) as usize;
    (0..count)
        .map(|_| {
            let after = FIRST_HOUR_MS * ((1.0 + SPAN).powf(dice.unit()) - 1.0);
            // A rupture is some 10^(M/2 - 1.85) km long (Wells and Coppersmith, rounded).
            let reach_km = 10_f64.powf(main.magnitude / 2.0 - 1.85).max(2.0);
            let shock = Shock {
                at: dice.around(main.at, reach_km),
                magnitude: gutenberg_richter(dice, main.magnitude - 0.3).max(LEAST_MAGNITUDE),
                depth_km: (main.depth_km + dice.normal(0.0, 5.0)).clamp(1.0, 680.0),
                is_aftershock: true,
                ..*main
            };
            (after as i64, shock)
        })
        .collect()
}

/// The severity that a magnitude stands for when nothing else is known.
pub(crate) fn severity(magnitude: f64) -> Severity {
    match magnitude {
        small if small < 4.5 => Severity::Minor,
        light if light < 5.5 => Severity::Moderate,
        strong if strong < 7.0 => Severity::Severe,
        _ => Severity::Extreme,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_fall_off_tenfold() {
        let mut dice = Dice::new(5);
        let shocks: Vec<Shock> = (0..100_000).map(|_| main_shock(&mut dice)).collect();
        let above = |magnitude: f64| shocks.iter().filter(|shock| shock.magnitude >= magnitude).count() as f64;
        for magnitude in [2.5, 3.5] {
            let ratio = above(magnitude) / above(magnitude + 1.0);
            assert!((8.5..11.5).contains(&ratio), "{magnitude}: {ratio}");
        }
        assert!(shocks.iter().all(|shock| shock.at.is_on_earth() && shock.magnitude <= 9.2));
    }

    #[test]
    fn aftershocks_thin_out() {
        let mut dice = Dice::new(6);
        let main = Shock { magnitude: 7.5, ..main_shock(&mut dice) };
        let after = aftershocks(&mut dice, &main);
        assert_eq!(after.len(), 300);
        let within = |from_h: i64, to_h: i64| {
            after.iter().filter(|(ms, _)| (from_h * 3_600_000..to_h * 3_600_000).contains(ms)).count()
        };
        assert!(within(0, 6) > 2 * within(24, 30).max(1), "{} {}", within(0, 6), within(24, 30));
        assert!(after.iter().all(|(_, shock)| shock.magnitude < main.magnitude && shock.is_aftershock));
        assert!(aftershocks(&mut dice, &after[0].1).is_empty());
    }
}
