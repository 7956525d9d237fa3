//! Events to measure with: earthquakes in our own JSON, each on its own.

use tidings_core::time::Timestamp;

/// The category of what everyone is told in a row.
pub(super) const CATEGORY: &str = "earthquake";

/// An earthquake at a place; its name is its identity and ends its title.
pub(super) fn quake(name: &str, lat: f64, lon: f64, now: Timestamp) -> Vec<u8> {
    let body = serde_json::json!({
        "id": name, "category": CATEGORY, "severity": "Moderate", "title": format!("M 5.2 - {name}"),
        "texts": [{"lang": "en", "description": "Shaking was felt by many. Expect smaller quakes to follow."}],
        "lat": lat, "lon": lon, "magnitude": 5.2, "measures": {"depth_km": 10.0}, "occurred": now.to_string(),
        "links": [{"rel": "web", "href": format!("https://example.org/quakes/{name}")}],
    });
    body.to_string().into_bytes()
}

/// A place for each number, far from those of the next 999.
pub(super) fn place(number: usize) -> (f64, f64) {
    let (row, column) = (number / 40 % 25, number % 40);
    (row as f64 * 4.8 - 57.6, column as f64 * 9.0 - 175.5)
}
