//! Earthquakes as GeoJSON, member by member as the US Geological Survey writes them.

use std::fmt::Write;

use tidings_core::vocabulary::Action;

use crate::bulletin::{Bulletin, Shape};

/// One earthquake.
///
/// The number of the feed's schema is the only thing left out that real ones have. A cancel is an
/// event whose `status` is `deleted`.
pub(super) fn feature(bulletin: &Bulletin) -> String {
    let mut out = String::with_capacity(900);
    let (Shape::Point(place) | Shape::Circle(place, _)) = bulletin.shape else { return out };
    let magnitude = bulletin.measure("magnitude").unwrap_or_default();
    let depth_km = bulletin.measure("depth_km").unwrap_or_default();
    let code = bulletin.id.strip_prefix("us").unwrap_or(&bulletin.id);
    let status = match bulletin.action {
        Action::Cancel => "deleted",
        Action::New => "automatic",
        _ => "reviewed",
    };
    // The survey's own measure of significance: 100 for each magnitude squared by 0.65.
    let significance = (magnitude * magnitude * 100.0 / 6.5).round().max(0.0);
    let _ = write!(
        out,
        concat!(
            r#"{{"type":"Feature","properties":{{"mag":{magnitude:.1},"place":"{place_name}","time":{time},"#,
            r#""updated":{updated},"tz":null,"url":"https://earthquake.example/{id}","#,
            r#""detail":"https://earthquake.example/{id}.geojson","felt":null,"cdi":null,"mmi":null,"alert":null,"#,
            r#""status":"{status}","tsunami":{tsunami},"sig":{significance},"net":"us","code":"{code}","#,
            r#""ids":",{id},","sources":",us,","types":",origin,phase-data,","nst":{stations},"dmin":null,"#,
            r#""rms":0.62,"gap":54,"magType":"mww","type":"earthquake","title":"M {magnitude:.1} - {place_name}"}},"#,
            r#""geometry":{{"type":"Point","coordinates":[{lon:.4},{lat:.4},{depth_km:.1}]}},"id":"{id}"}}"#
        ),
        // A format text made by a macro cannot capture variables.
        magnitude = magnitude,
        depth_km = depth_km,
        status = status,
        significance = significance,
        code = code,
        place_name = place_name(bulletin),
        time = bulletin.occurred.unwrap_or(bulletin.sent).as_millis(),
        updated = bulletin.sent.as_millis(),
        id = bulletin.id,
        tsunami = u8::from(magnitude >= 7.0),
        stations = 12 + (magnitude * 10.0) as u32,
        lon = place.lon,
        lat = place.lat,
    );
    out
}

/// A feed of that one.
pub(super) fn collection(bulletin: &Bulletin) -> String {
    format!(
        concat!(
            r#"{{"type":"FeatureCollection","metadata":{{"generated":{},"url":"https://earthquake.example/feed","#,
            r#""title":"Earthquakes","status":200,"api":"1.10.3","count":1}},"features":[{}]}}"#
        ),
        bulletin.sent.as_millis(),
        feature(bulletin)
    )
}

/// What stands behind the magnitude in the title.
fn place_name(bulletin: &Bulletin) -> &str {
    bulletin.title.split_once(" - ").map_or(bulletin.city.name, |(_, place)| place)
}
