//! Severity by native scales: colors and levels that stand in parameters beside CAP's own word.
//!
//! They win over it where both exist: one service sends its *green* notices as Moderate.

use super::read::{Info, Pair};
use crate::event::Code;
use crate::vocabulary::Severity;

/// The severity that an info block's parameters give, with the sender's own word for it.
pub(super) fn native_level(parameters: &[Pair<'_>]) -> Option<(Severity, Code)> {
    let mut colored = None;
    for (name, value) in parameters {
        let (scheme, severity) = match &**name {
            "awareness_level" => ("meteoalarm:awareness_level", awareness(value)),
            "alertlevel" => ("gdacs:alertlevel", gdacs(value)),
            "AEMET-Meteoalerta nivel" => ("aemet:nivel", color(value)),
            other if is_color_name(other) => ("color", color(value)),
            _ => continue,
        };
        let found = severity.map(|severity| (severity, Code::new(scheme, &**value)));
        if scheme == "meteoalarm:awareness_level" && found.is_some() {
            return found;
        }
        colored = colored.or(found);
    }
    colored
}

/// `1; Green; Minor` and its like: the number, else the color.
fn awareness(value: &str) -> Option<Severity> {
    let mut parts = value.split(';').map(str::trim);
    match parts.next()? {
        "1" => Some(Severity::Minor),
        "2" => Some(Severity::Moderate),
        "3" => Some(Severity::Severe),
        "4" => Some(Severity::Extreme),
        first => color(first).or_else(|| parts.find_map(color)),
    }
}

fn gdacs(value: &str) -> Option<Severity> {
    match value.trim().to_ascii_lowercase().as_str() {
        "white" | "green" => Some(Severity::Minor),
        "orange" => Some(Severity::Severe),
        "red" => Some(Severity::Extreme),
        _ => None,
    }
}

fn is_color_name(name: &str) -> bool {
    ["color", "colour", "colorcode", "colourcode", "warning_color", "warning_colour"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn color(value: &str) -> Option<Severity> {
    match value.trim().to_ascii_lowercase().as_str() {
        "green" | "verde" | "blue" => Some(Severity::Minor),
        "yellow" | "amarillo" => Some(Severity::Moderate),
        "orange" | "amber" | "naranja" => Some(Severity::Severe),
        "red" | "rojo" => Some(Severity::Extreme),
        _ => None,
    }
}

/// What lifts a US warning to Extreme: a catastrophic damage threat, or the words of a tornado
/// emergency.
pub(super) fn emergency(info: &Info<'_>) -> Option<Code> {
    for (name, value) in &info.parameters {
        if name.ends_with("DamageThreat") && value.eq_ignore_ascii_case("CATASTROPHIC") {
            return Some(Code::new(format!("nws:{name}"), &**value));
        }
    }
    let headlines = info.parameters.iter().filter(|(name, _)| name == "NWSheadline").map(|(_, value)| value);
    let says_so = |text: &str| text.to_ascii_uppercase().contains("TORNADO EMERGENCY");
    let is_tornado = info.event.as_deref().is_some_and(|event| event.eq_ignore_ascii_case("Tornado Warning"));
    let mut texts = headlines.chain(&info.headline).chain(&info.description);
    (is_tornado && texts.any(|text| says_so(text))).then(|| Code::new("nws:emergency", "TORNADO EMERGENCY"))
}
