//! Category and type by what senders call a hazard: event names, SAME codes, CAP categories.

use std::sync::LazyLock;

use foldhash::HashMap;

use crate::vocabulary::Category;

/// Words of event names, more telling ones first: the first that occurs decides. One with a space
/// before it stands only at the start of a word: rain is no part of a train.
const WORDS: &[(&str, Category, &str)] = &[
    ("tsunami", Category::Tsunami, "tsunami"),
    ("earthquake", Category::Earthquake, "earthquake"),
    ("seism", Category::Earthquake, "earthquake"),
    ("terremoto", Category::Earthquake, "earthquake"),
    ("erdbeben", Category::Earthquake, "earthquake"),
    ("ashfall", Category::Volcano, "volcano.ash"),
    ("volcan", Category::Volcano, "volcano"),
    ("avalanche", Category::Landslide, "landslide.avalanche"),
    ("lawine", Category::Landslide, "landslide.avalanche"),
    ("landslide", Category::Landslide, "landslide"),
    ("mudslide", Category::Landslide, "landslide"),
    ("debris flow", Category::Landslide, "landslide.debris_flow"),
    ("flash flood", Category::Flood, "flood.flash"),
    ("coastal flood", Category::Flood, "flood.coastal"),
    ("lakeshore flood", Category::Flood, "flood.coastal"),
    ("storm surge", Category::Flood, "flood.surge"),
    ("flood", Category::Flood, "flood"),
    ("hochwasser", Category::Flood, "flood"),
    ("inundaci", Category::Flood, "flood"),
    ("inondation", Category::Flood, "flood"),
    (" crue", Category::Flood, "flood"),
    ("alluvion", Category::Flood, "flood"),
    ("hydrologic", Category::Flood, "flood.outlook"),
    ("red flag", Category::FireWeather, "fire_weather"),
    ("fire weather", Category::FireWeather, "fire_weather"),
    ("fire danger", Category::FireWeather, "fire_weather"),
    ("total fire ban", Category::FireWeather, "fire_weather.ban"),
    ("waldbrand", Category::FireWeather, "fire_weather"),
    ("forest fire", Category::Wildfire, "wildfire"),
    ("bush fire", Category::Wildfire, "wildfire"),
    ("bushfire", Category::Wildfire, "wildfire"),
    ("grass fire", Category::Wildfire, "wildfire"),
    ("wildfire", Category::Wildfire, "wildfire"),
    ("fire warning", Category::Wildfire, "wildfire"),
    ("air quality", Category::AirQuality, "air_quality"),
    ("air stagnation", Category::AirQuality, "air_quality.stagnation"),
    ("drought", Category::Drought, "drought"),
    ("nuclear", Category::Cbrne, "cbrne.nuclear"),
    ("radiolog", Category::Cbrne, "cbrne.radiological"),
    ("hazardous material", Category::Cbrne, "cbrne.chemical"),
    ("evacuation", Category::PublicSafety, "public_safety.evacuation"),
    ("shelter in place", Category::PublicSafety, "public_safety.shelter"),
    ("civil ", Category::PublicSafety, "public_safety.civil_emergency"),
    ("local area emergency", Category::PublicSafety, "public_safety.civil_emergency"),
    ("law enforcement", Category::PublicSafety, "public_safety.police"),
    ("child abduction", Category::PublicSafety, "public_safety.missing_person"),
    ("amber alert", Category::PublicSafety, "public_safety.missing_person"),
    (" missing", Category::PublicSafety, "public_safety.missing_person"),
    ("911 telephone", Category::Infrastructure, "infrastructure.telecom"),
    ("power outage", Category::Infrastructure, "infrastructure.power_cut"),
    ("geomagnetic", Category::SpaceWeather, "space_weather"),
    ("tornado", Category::Weather, "weather.tornado"),
    ("waterspout", Category::Weather, "weather.waterspout"),
    ("severe thunderstorm", Category::Weather, "weather.thunderstorm.severe"),
    ("thunderstorm", Category::Weather, "weather.thunderstorm"),
    ("gewitter", Category::Weather, "weather.thunderstorm"),
    (" orage", Category::Weather, "weather.thunderstorm"),
    ("tormenta", Category::Weather, "weather.thunderstorm"),
    ("雷", Category::Weather, "weather.thunderstorm"),
    ("hurricane force", Category::Weather, "weather.marine.wind"),
    ("hurricane", Category::Weather, "weather.cyclone"),
    ("typhoon", Category::Weather, "weather.cyclone"),
    ("cyclone", Category::Weather, "weather.cyclone"),
    ("tropical", Category::Weather, "weather.cyclone"),
    ("台风", Category::Weather, "weather.cyclone"),
    ("special marine", Category::Weather, "weather.marine"),
    ("small craft", Category::Weather, "weather.marine.small_craft"),
    (" gale", Category::Weather, "weather.marine.wind"),
    ("hazardous seas", Category::Weather, "weather.marine.seas"),
    ("rip current", Category::Weather, "weather.marine.rip_current"),
    ("high surf", Category::Weather, "weather.marine.surf"),
    (" beach", Category::Weather, "weather.marine.beach"),
    ("low water", Category::Weather, "weather.marine.low_water"),
    ("freezing spray", Category::Weather, "weather.marine.ice"),
    ("snow squall", Category::Weather, "weather.winter.squall"),
    ("blizzard", Category::Weather, "weather.winter.blizzard"),
    ("ice storm", Category::Weather, "weather.winter.ice"),
    ("freezing rain", Category::Weather, "weather.winter.ice"),
    ("glatteis", Category::Weather, "weather.winter.ice"),
    ("glätte", Category::Weather, "weather.winter.ice"),
    ("freezing fog", Category::Weather, "weather.fog"),
    (" snow", Category::Weather, "weather.winter.snow"),
    ("schnee", Category::Weather, "weather.winter.snow"),
    ("neige", Category::Weather, "weather.winter.snow"),
    ("nieve", Category::Weather, "weather.winter.snow"),
    (" winter", Category::Weather, "weather.winter"),
    ("wind chill", Category::Weather, "weather.cold"),
    (" cold", Category::Weather, "weather.cold"),
    ("frost", Category::Weather, "weather.cold.frost"),
    (" freeze", Category::Weather, "weather.cold.frost"),
    (" heat", Category::Weather, "weather.heat"),
    ("hitze", Category::Weather, "weather.heat"),
    ("canicule", Category::Weather, "weather.heat"),
    ("chaleur", Category::Weather, "weather.heat"),
    ("高温", Category::Weather, "weather.heat"),
    ("high temperature", Category::Weather, "weather.heat"),
    ("low temperature", Category::Weather, "weather.cold"),
    (" dust", Category::Weather, "weather.dust"),
    ("sandstorm", Category::Weather, "weather.dust"),
    ("smoke", Category::Weather, "weather.smoke"),
    (" fog", Category::Weather, "weather.fog"),
    ("nebel", Category::Weather, "weather.fog"),
    (" hail", Category::Weather, "weather.hail"),
    (" wind", Category::Weather, "weather.wind"),
    ("böen", Category::Weather, "weather.wind"),
    ("ветер", Category::Weather, "weather.wind"),
    ("viento", Category::Weather, "weather.wind"),
    (" rain", Category::Weather, "weather.rain"),
    ("regen", Category::Weather, "weather.rain"),
    ("pluie", Category::Weather, "weather.rain"),
    ("lluvia", Category::Weather, "weather.rain"),
    ("暴雨", Category::Weather, "weather.rain"),
    ("storm warning", Category::Weather, "weather.marine.wind"),
    ("monsoon", Category::Weather, "weather.rain.monsoon"),
    ("weather", Category::Weather, "weather"),
];

/// Specific Area Message Encoding event codes (47 CFR 11.31) whose names senders often leave out.
const SAME: &[(&str, Category, &str)] = &[
    ("TOR", Category::Weather, "weather.tornado"),
    ("TOA", Category::Weather, "weather.tornado"),
    ("SVR", Category::Weather, "weather.thunderstorm.severe"),
    ("SVA", Category::Weather, "weather.thunderstorm.severe"),
    ("FFW", Category::Flood, "flood.flash"),
    ("FFA", Category::Flood, "flood.flash"),
    ("FLW", Category::Flood, "flood"),
    ("FLA", Category::Flood, "flood"),
    ("CFW", Category::Flood, "flood.coastal"),
    ("CFA", Category::Flood, "flood.coastal"),
    ("TSW", Category::Tsunami, "tsunami"),
    ("TSA", Category::Tsunami, "tsunami"),
    ("EQW", Category::Earthquake, "earthquake"),
    ("VOW", Category::Volcano, "volcano"),
    ("AVW", Category::Landslide, "landslide.avalanche"),
    ("AVA", Category::Landslide, "landslide.avalanche"),
    ("FRW", Category::Wildfire, "wildfire"),
    ("HMW", Category::Cbrne, "cbrne.chemical"),
    ("NUW", Category::Cbrne, "cbrne.nuclear"),
    ("RHW", Category::Cbrne, "cbrne.radiological"),
    ("EVI", Category::PublicSafety, "public_safety.evacuation"),
    ("SPW", Category::PublicSafety, "public_safety.shelter"),
    ("CAE", Category::PublicSafety, "public_safety.missing_person"),
    ("LEW", Category::PublicSafety, "public_safety.police"),
    ("BLU", Category::PublicSafety, "public_safety.police"),
    ("CEM", Category::PublicSafety, "public_safety.civil_emergency"),
    ("CDW", Category::PublicSafety, "public_safety.civil_emergency"),
    ("LAE", Category::PublicSafety, "public_safety.civil_emergency"),
    ("TOE", Category::Infrastructure, "infrastructure.telecom"),
];

/// Category and type of a hazard by its name, else its event code, else its CAP category.
pub(in crate::decode) fn kind_of(event: &str, code: Option<&str>, cap_category: Option<&str>) -> (Category, String) {
    let by_word = first_word(event);
    let by_code = || code.and_then(|code| SAME.iter().find(|(same, ..)| code.eq_ignore_ascii_case(same)));
    if let Some((_, category, kind)) = by_word.or_else(by_code) {
        return (*category, (*kind).to_owned());
    }
    let (category, kind) = match cap_category.map(str::trim).unwrap_or_default() {
        "Met" => (Category::Weather, "weather"),
        "Geo" => (Category::Other, "other.geo"),
        "Fire" => (Category::Fire, "fire"),
        "Safety" => (Category::PublicSafety, "public_safety"),
        "Security" => (Category::PublicSafety, "public_safety.police"),
        "Rescue" => (Category::PublicSafety, "public_safety.rescue"),
        "Health" => (Category::Health, "health"),
        "Env" => (Category::Environment, "environment"),
        "Transport" => (Category::Transport, "transport"),
        "Infra" => (Category::Infrastructure, "infrastructure"),
        "CBRNE" => (Category::Cbrne, "cbrne"),
        _ => (Category::Other, "other"),
    };
    (category, kind.to_owned())
}

/// Where in [`WORDS`] the words that begin with two bytes stand, so that one pass over a name finds
/// them all.
static BY_START: LazyLock<HashMap<[u8; 2], Vec<usize>>> = LazyLock::new(|| {
    let mut by_start: HashMap<[u8; 2], Vec<usize>> = HashMap::default();
    for (index, (word, ..)) in WORDS.iter().enumerate() {
        if let Some(start) = word.as_bytes().first_chunk() {
            by_start.entry(*start).or_default().push(index);
        }
    }
    by_start
});

/// The first of [`WORDS`] that occurs in a name.
fn first_word(event: &str) -> Option<&'static (&'static str, Category, &'static str)> {
    let mut name = String::with_capacity(event.len() + 1);
    name.push(' ');
    let spaced = |letter: char| if matches!(letter, '-' | '/' | '_') { ' ' } else { letter };
    if event.is_ascii() {
        name.extend(event.chars().map(|letter| spaced(letter.to_ascii_lowercase())));
    } else {
        name.extend(event.chars().flat_map(char::to_lowercase).map(spaced));
    }
    let name = name.as_bytes();
    let starts = name.windows(2).enumerate().filter_map(|(at, start)| Some((at, BY_START.get(start)?)));
    let found =
        starts.filter_map(|(at, words)| words.iter().find(|word| name[at..].starts_with(WORDS[**word].0.as_bytes())));
    found.min().map(|word| &WORDS[*word])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: &str, code: Option<&str>, cap: Option<&str>, category: Category, kind: &str) {
        assert_eq!(kind_of(event, code, cap), (category, kind.to_owned()), "{event}");
    }

    #[test]
    fn names_then_codes_then_categories() {
        check("Flash Flood Warning", None, Some("Met"), Category::Flood, "flood.flash");
        check("Red Flag Warning", None, Some("Met"), Category::FireWeather, "fire_weather");
        check("Severe Thunderstorm Warning", None, None, Category::Weather, "weather.thunderstorm.severe");
        check("Fire Warning", None, Some("Safety"), Category::Wildfire, "wildfire");
        check("Winter Storm Warning", None, Some("Met"), Category::Weather, "weather.winter");
        check("Lake Effect Snow Warning", None, Some("Met"), Category::Weather, "weather.winter.snow");
        check("Civil Emergency Message", None, Some("Safety"), Category::PublicSafety, "public_safety.civil_emergency");
        check("Storm Warning", None, Some("Met"), Category::Weather, "weather.marine.wind");
        check("Train derailment", None, Some("Transport"), Category::Transport, "transport");
        check("STARKES GEWITTER", None, Some("Met"), Category::Weather, "weather.thunderstorm");
        check("", Some("HMW"), Some("Safety"), Category::Cbrne, "cbrne.chemical");
        check("Alarm", None, Some("Infra"), Category::Infrastructure, "infrastructure");
        check("", None, None, Category::Other, "other");
    }
}
