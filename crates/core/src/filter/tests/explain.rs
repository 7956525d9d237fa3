use super::*;
use crate::vocabulary::State;

fn check(event: &Event, filter: Value, expected: &[(&str, bool, &str, &str)], reason: &str) {
    let compiled = Compiled::new(&from_json(filter)).expect("compiles");
    let subject = Subject::new(event, State::Active);
    let conditions = compiled.conditions(&subject, 0);
    let found: Vec<_> = conditions
        .iter()
        .map(|found| (found.pointer.as_str(), found.held, found.expected.as_str(), found.actual.as_str()))
        .collect();
    assert_eq!(found, expected);
    let literals = compiled.program().literals();
    assert_eq!(literals.len(), conditions.len());
    for (literal, condition) in literals.iter().zip(&conditions) {
        assert_eq!(literal.holds(&subject, 0), condition.held);
    }
    assert_eq!(compiled.reason(&subject, 0), reason);
}

#[test]
fn says_what_held_and_how() {
    let quake = event(json!({"geometry": {"type": "Point", "coordinates": [12.0, 43.0]}}));
    check(
        &quake,
        json!({"category": "earthquake", "near": {"lat": 43.1, "lon": 12.5, "radius_km": 200}, "measure": {"name": "magnitude", "op": ">=", "value": 4}}),
        &[
            ("/category", true, "earthquake", "earthquake"),
            ("/measure", true, "magnitude >= 4", "6.1"),
            ("/near", true, "within 200 km of 43.1, 12.5", "42.2 km"),
        ],
        "earthquake M 6.1, 42 km from your circle's center, at least M 4",
    );
    check(
        &quake,
        json!({"all": [{"not": {"country": ["IT", "FR"]}}, {"any": [{"bbox": [0, 0, 1, 1]}, {"severity_min": "Minor"}]}, {"source": "usgs"}]}),
        &[
            ("/all/0/not/country", true, "not in IT or FR", "none"),
            ("/all/1/any/0/bbox", false, "in the box west 0, south 0, east 1, north 1", "outside"),
            ("/all/1/any/1/severity_min", true, "at least Minor", "Severe"),
            ("/all/2/source", true, "usgs", "usgs"),
        ],
        "earthquake M 6.1, at least Minor, from usgs",
    );
    check(&quake, json!({}), &[], "earthquake M 6.1");
    let storm = event(json!({
        "category": "weather", "type": "weather.thunderstorm", "measures": {}, "geometry": null, "place_precision": "region",
        "title": "Severe Thunderstorm Warning",
    }));
    check(
        &storm,
        json!({"near": {"lat": 43.1, "lon": 12.5, "radius_km": 20.5}, "text": "warnings hail", "type": "weather", "measure": {"name": "gust", "op": ">", "value": 20}}),
        &[
            ("/measure", false, "gust > 20", "absent"),
            (
                "/near",
                true,
                "within 20.5 km of 43.1, 12.5",
                "placed by region only; that counts for Severe and Extreme, and this is Severe",
            ),
            ("/text", false, "all of warnings, hail", "not found warnings, hail"),
            ("/type", true, "weather or below", "weather.thunderstorm"),
        ],
        "Severe thunderstorm, place known by region only",
    );
}
