//! What people wish to be told of, for load.

use serde_json::{Value, json};
use tidings_core::geometry::Point;

use crate::city::{self, cities, population_point};
use crate::dice::Dice;
use crate::geography::ragged_ring;

/// `n` bodies for `POST /v1/subscriptions`, the same for the same seed.
///
/// Most ask for some categories near where people live; others for a country or region, for strong
/// earthquakes, words, polygons, boxes or several places. One in a hundred is broad.
pub fn subscriptions(seed: u64, n: usize) -> impl Iterator<Item = Value> {
    let mut dice = Dice::new(seed ^ 0x5b5c_5d5e);
    (0..n).map(move |number| {
        let (name, filter) = wish(&mut dice);
        json!({
            "name": format!("{name} {number}"),
            "filter": filter,
            "channels": ["inbox"],
            "updates": dice.pick(&["until_cancelled", "until_cancelled", "escalations", "first", "all"]),
        })
    })
}

/// What people pick together.
const INTERESTS: &[&[&str]] = &[
    &["weather"],
    &["weather", "flood"],
    &["weather", "flood", "wildfire", "fire_weather"],
    &["earthquake"],
    &["earthquake", "tsunami", "volcano"],
    &["wildfire", "air_quality"],
    &["transport"],
    &["infrastructure"],
    &["transport", "infrastructure", "public_safety"],
    &["public_safety", "cbrne", "health", "fire"],
    &["news"],
    &["landslide", "flood"],
];

const WORDS: &[&str] =
    &["flood", "storm", "bridge", "strike", "evacuation", "power cut", "tsunami", "wildfire", "school", "cyclone"];

const TYPES: &[&str] =
    &["weather.thunderstorm", "weather.tornado", "flood.flash", "transport.rail", "infrastructure.power_cut"];

fn wish(dice: &mut Dice) -> (&'static str, Value) {
    match dice.below(100) {
        0..=44 => ("Near home", near_home(dice)),
        45..=54 => ("Quakes", quakes(dice)),
        55..=69 => ("My country", country(dice)),
        70..=76 => ("Words", words(dice)),
        77..=82 => ("My area", area(dice)),
        83..=87 => ("My box", in_box(dice)),
        88..=92 => ("Home and work", two_places(dice)),
        93..=95 => ("All but", exception(dice)),
        96..=98 => ("A type", json!({"type": dice.pick(TYPES), "country": city::by_people(dice).country})),
        _ => ("Everything bad", broad(dice)),
    }
}

fn near_home(dice: &mut Dice) -> Value {
    let mut filter = json!({"category": dice.pick(INTERESTS), "near": circle(dice)});
    if dice.chance(0.6) {
        filter["severity_min"] = json!(dice.pick(&["Minor", "Moderate", "Moderate", "Severe", "Severe", "Extreme"]));
    }
    filter
}

fn quakes(dice: &mut Dice) -> Value {
    let home = population_point(dice);
    let value = (dice.between(2.5, 6.5) * 2.0).round() / 2.0;
    // Who asks for small quakes asks for them close by.
    let radius_km = (40.0 * 10_f64.powf((value - 2.5) / 3.0)).round();
    json!({
        "category": "earthquake",
        "near": {"lat": rounded(home.lat), "lon": rounded(home.lon), "radius_km": radius_km},
        "measure": {"name": "magnitude", "op": ">=", "value": value},
    })
}

fn country(dice: &mut Dice) -> Value {
    let city = city::by_people(dice);
    let severity = dice.pick(&["Moderate", "Severe", "Severe", "Extreme"]);
    if dice.chance(0.5) && !city.region.is_empty() {
        json!({"region": city.region, "category": dice.pick(INTERESTS), "severity_min": severity})
    } else {
        json!({"country": city.country, "category": dice.pick(INTERESTS), "severity_min": severity})
    }
}

fn words(dice: &mut Dice) -> Value {
    let city = dice.pick(cities());
    match dice.below(3) {
        0 => json!({"text": format!("\"{}\"", city.name)}),
        1 => json!({"text": {"all": [dice.pick(WORDS)], "none": [dice.pick(WORDS)]}, "country": city.country}),
        _ => json!({"text": {"any": [dice.pick(WORDS), dice.pick(WORDS)]}, "near": circle(dice)}),
    }
}

fn area(dice: &mut Dice) -> Value {
    let home = population_point(dice);
    let radius_km = dice.between(8.0, 120.0);
    let corners = 5 + dice.below(20);
    match ragged_ring(dice, home, radius_km, corners) {
        Some(ring) => {
            let ring: Vec<[f64; 2]> = ring.iter().map(|point| [rounded(point.lon), rounded(point.lat)]).collect();
            json!({"category": dice.pick(INTERESTS), "within": {"type": "Polygon", "coordinates": [ring]}})
        }
        None => near_home(dice),
    }
}

fn in_box(dice: &mut Dice) -> Value {
    let home = population_point(dice);
    let (width, height) = (dice.between(0.3, 6.0), dice.between(0.3, 4.0));
    // Near the antimeridian the box crosses it: west above east.
    let turned = |lon: f64| rounded((lon + 180.0).rem_euclid(360.0) - 180.0);
    let bounds = [
        turned(home.lon - width),
        rounded((home.lat - height).max(-90.0)),
        turned(home.lon + width),
        rounded((home.lat + height).min(90.0)),
    ];
    json!({"bbox": bounds, "severity_min": dice.pick(&["Moderate", "Severe", "Extreme"])})
}

fn two_places(dice: &mut Dice) -> Value {
    json!({
        "any": [{"near": circle(dice)}, {"near": circle(dice)}],
        "category": dice.pick(INTERESTS),
        "severity_min": dice.pick(&["Moderate", "Severe"]),
    })
}

fn exception(dice: &mut Dice) -> Value {
    let city = city::by_people(dice);
    json!({
        "country": city.country,
        "not": {"category": ["device", "news", "transport"]},
        "severity_min": {"at_least": "Severe", "unknown": false},
    })
}

fn broad(dice: &mut Dice) -> Value {
    match dice.below(3) {
        0 => json!({"severity_min": {"at_least": "Extreme", "unknown": false}}),
        1 => json!({"category": ["tsunami", "volcano"]}),
        _ => json!({"category": "earthquake", "measure": {"name": "magnitude", "op": ">=", "value": 6}}),
    }
}

fn circle(dice: &mut Dice) -> Value {
    let Point { lon, lat } = population_point(dice);
    let radius_km = dice.pick(&[5, 10, 20, 25, 50, 50, 100, 200]);
    json!({"lat": rounded(lat), "lon": rounded(lon), "radius_km": radius_km})
}

/// Four decimals, about 10 m.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_repeat_and_differ() {
        let some: Vec<Value> = subscriptions(1, 2_000).collect();
        assert_eq!(some, subscriptions(1, 2_000).collect::<Vec<_>>());
        assert_ne!(some[..50], subscriptions(2, 50).collect::<Vec<_>>()[..]);
        let with = |key: &str| some.iter().filter(|body| body["filter"].get(key).is_some()).count();
        for key in ["near", "within", "bbox", "text", "country", "region", "any", "not", "measure", "type"] {
            assert!(with(key) > 10, "{key}: {}", with(key));
        }
    }
}
