//! Where people are.

mod table;

use std::sync::LazyLock;

use tidings_core::geometry::Point;

use crate::dice::Dice;

/// A town with its country and its weight among towns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct City {
    /// Its name in English.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// ISO 3166-2, empty where a country has none.
    pub region: &'static str,
    /// Its middle.
    pub at: Point,
    /// People in thousands, roughly.
    pub thousands: u32,
}

/// Running sums of people, in thousands, to draw a city by weight with one search.
static SUMS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut sum = 0;
    table::CITIES
        .iter()
        .map(|city| {
            // People outside of these cities are spread more evenly than those in them.
            sum += u64::from(city.thousands) + 800;
            sum
        })
        .collect()
});

/// Every city there is here.
pub fn cities() -> &'static [City] {
    table::CITIES
}

/// A city, the larger the likelier.
pub(crate) fn by_people(dice: &mut Dice) -> &'static City {
    let sums = &*SUMS;
    let drawn = dice.below(sums.last().map_or(0, |sum| *sum as usize)) as u64;
    let index = sums.partition_point(|sum| *sum <= drawn);
    &table::CITIES[index.min(table::CITIES.len() - 1)]
}

/// The city that is nearest on a flat map; good for naming, not for measuring.
pub(crate) fn nearest(point: Point) -> &'static City {
    let shrink = point.lat.to_radians().cos();
    let distance = |city: &City| {
        let apart = (city.at.lon - point.lon).abs();
        let lon = apart.min(360.0 - apart) * shrink;
        let lat = city.at.lat - point.lat;
        lon * lon + lat * lat
    };
    table::CITIES.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(&table::CITIES[0])
}

/// A place where somebody may live: around a city drawn by its people.
pub fn population_point(dice: &mut Dice) -> Point {
    let city = by_people(dice);
    dice.around(city.at, 6.0 + f64::from(city.thousands).sqrt() * 0.2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn people_are_where_they_are() {
        let mut dice = Dice::new(11);
        let mut countries = BTreeSet::new();
        let (mut tokyo, mut apia) = (0, 0);
        for _ in 0..20_000 {
            assert!(population_point(&mut dice).is_on_earth());
            let city = by_people(&mut dice);
            countries.insert(city.country);
            tokyo += usize::from(city.name == "Tokyo");
            apia += usize::from(city.name == "Apia");
        }
        assert!(countries.len() > 80, "{}", countries.len());
        assert!(tokyo > 10 * apia.max(1), "{tokyo} {apia}");
        assert_eq!(nearest(Point::new(13.4, 52.4)).name, "Berlin");
        assert_eq!(nearest(Point::new(179.9, -15.0)).name, "Suva");
    }
}
