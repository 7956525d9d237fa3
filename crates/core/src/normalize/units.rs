//! Measures in SI-derived units, beside those that a sender gave in others.

use std::collections::BTreeMap;

/// Endings of names: theirs, ours, factor and offset. Exact by definition: the international knot
/// (1,852 m an hour), mile (1,609.344 m), foot (0.3048 m) and inch (25.4 mm).
const UNITS: &[(&str, &str, f64, f64)] = &[
    ("_mph", "_ms", 0.447_04, 0.0),
    ("_kmh", "_ms", 1.0 / 3.6, 0.0),
    ("_kt", "_ms", 1_852.0 / 3_600.0, 0.0),
    ("_knots", "_ms", 1_852.0 / 3_600.0, 0.0),
    ("_in", "_mm", 25.4, 0.0),
    ("_inches", "_mm", 25.4, 0.0),
    ("_ft", "_m", 0.304_8, 0.0),
    ("_feet", "_m", 0.304_8, 0.0),
    ("_mi", "_km", 1.609_344, 0.0),
    ("_miles", "_km", 1.609_344, 0.0),
    ("_f", "_c", 5.0 / 9.0, -160.0 / 9.0),
    ("_fahrenheit", "_c", 5.0 / 9.0, -160.0 / 9.0),
];

/// Adds `wind_ms` beside `wind_mph`, and its like; what the sender named so himself stays.
pub(super) fn add_si(measures: &mut BTreeMap<String, f64>) {
    let convert = |(name, value): (&String, &f64)| {
        let (theirs, ours, factor, offset) = UNITS.iter().find(|(theirs, ..)| name.ends_with(theirs))?;
        let stem = name.strip_suffix(theirs).filter(|stem| !stem.is_empty())?;
        // Six digits are more than any of these units is measured to.
        Some((format!("{stem}{ours}"), ((value * factor + offset) * 1e6).round() / 1e6))
    };
    let added: Vec<(String, f64)> = measures.iter().filter_map(convert).collect();
    for (name, value) in added {
        measures.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn si_stands_beside_other_units() {
        let given = [
            ("wind_mph", 60.0),
            ("temp_f", 212.0),
            ("hail_in", 1.0),
            ("hail_mm", 20.0),
            ("magnitude", 5.0),
            ("_ft", 1.0),
        ];
        let mut measures = given.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        add_si(&mut measures);
        assert_eq!(measures["wind_ms"], 26.8224);
        assert_eq!(measures["temp_c"], 100.0);
        assert_eq!(measures["hail_mm"], 20.0);
        assert_eq!(measures.len(), 8);
    }
}
