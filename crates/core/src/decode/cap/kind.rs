//! Category and type of a hazard.

use crate::vocabulary::Category;

/// Category and dotted type by the hazard's name, its code, or else its CAP category.
pub(in crate::decode) fn kind_of(event: &str, _code: Option<&str>, cap_category: Option<&str>) -> (Category, String) {
    let event = event.to_lowercase();
    let known = [
        ("earthquake", Category::Earthquake, "earthquake"),
        ("tsunami", Category::Tsunami, "tsunami"),
        ("flood", Category::Flood, "flood"),
        ("thunderstorm", Category::Weather, "weather.thunderstorm"),
        ("air quality", Category::AirQuality, "air_quality"),
        ("cyclone", Category::Weather, "weather.cyclone"),
        ("wind", Category::Weather, "weather.wind"),
    ];
    if let Some((_, category, kind)) = known.iter().find(|(word, ..)| event.contains(word)) {
        return (*category, (*kind).to_owned());
    }
    let category = match cap_category.unwrap_or_default() {
        "Met" => Category::Weather,
        "Fire" => Category::Fire,
        "Safety" | "Security" | "Rescue" => Category::PublicSafety,
        "Health" => Category::Health,
        "Env" => Category::Environment,
        "Transport" => Category::Transport,
        "Infra" => Category::Infrastructure,
        "CBRNE" => Category::Cbrne,
        _ => Category::Other,
    };
    (category, category.as_str().to_owned())
}
