//! Category and type of a segment.

use super::read::Info;
use crate::decode::kinds::kind_of;
use crate::vocabulary::Category;

/// Event codes that name the hazard; others name products, licenses and colors.
const TELLING_CODES: [&str; 4] = ["SAME", "NationalWeatherService", "profile:CAP-CP:Event:0.4", "GROUP"];

/// Category and type of info blocks that differ only in language: by the European awareness type,
/// which every language shares, by name (the English one where there is one), by event code, or
/// else by CAP category.
pub(super) fn kind_of_group(group: &[&Info<'_>]) -> (Category, String) {
    let info = group[0];
    let speaks_english = |info: &&&Info<'_>| {
        info.language.as_deref().and_then(|tag| tag.get(..2)).is_some_and(|tag| tag.eq_ignore_ascii_case("en"))
    };
    let named = group.iter().find(speaks_english).unwrap_or(&group[0]);
    let telling = |scheme: &&str| info.event_codes.iter().find(|(found, _)| found == *scheme);
    let code = TELLING_CODES.iter().find_map(telling).or(info.event_codes.first()).map(|(_, value)| &**value);
    let cap_category = info.categories.first().map(|word| &**word);
    let (category, kind) = kind_of(named.event.as_deref().unwrap_or_default(), code, cap_category);
    let awareness = info.parameters.iter().find(|(name, _)| name == "awareness_type");
    match awareness.and_then(|(_, value)| awareness_kind(value)) {
        // A name says more where it says the same: a severe thunderstorm is a thunderstorm.
        Some((known, _)) if known == category && kind.contains('.') => (category, kind),
        Some((known, kind)) => (known, kind.to_owned()),
        None => (category, kind),
    }
}

/// The European awareness types, `10; Rain` (Meteoalarm; number 11 is not in use).
fn awareness_kind(value: &str) -> Option<(Category, &'static str)> {
    Some(match value.split(';').next()?.trim() {
        "1" => (Category::Weather, "weather.wind"),
        "2" => (Category::Weather, "weather.winter"),
        "3" => (Category::Weather, "weather.thunderstorm"),
        "4" => (Category::Weather, "weather.fog"),
        "5" => (Category::Weather, "weather.heat"),
        "6" => (Category::Weather, "weather.cold"),
        "7" => (Category::Flood, "flood.coastal"),
        "8" => (Category::FireWeather, "fire_weather"),
        "9" => (Category::Landslide, "landslide.avalanche"),
        "10" => (Category::Weather, "weather.rain"),
        "12" | "13" => (Category::Flood, "flood"),
        _ => return None,
    })
}
