//! Severities inferred from native scales (data/MAPPING.md section 5; the thresholds are ours).

use std::collections::BTreeMap;

use super::json::Object;
use super::lenient;
use crate::draft::Draft;
use crate::event::{Code, Segment};
use crate::vocabulary::{Category, Severity, SeverityOrigin};

/// By magnitude: below 4.5 minor, below 5.5 moderate, below 7 severe.
pub(crate) fn of_magnitude(magnitude: f64) -> Severity {
    match magnitude {
        magnitude if magnitude >= 7.0 => Severity::Extreme,
        magnitude if magnitude >= 5.5 => Severity::Severe,
        magnitude if magnitude >= 4.5 => Severity::Moderate,
        _ => Severity::Minor,
    }
}

/// Gives an earthquake in our own form the severity of its magnitude, where it has none.
pub(super) fn infer_native(draft: &mut Draft, segment: &mut Segment) {
    let magnitude = draft.measures.get("magnitude").copied();
    if let (Some(magnitude), Category::Earthquake) = (magnitude, segment.category) {
        segment.severity = of_magnitude(magnitude);
        draft.severity_origin = SeverityOrigin::Inferred;
        draft.severity_native.get_or_insert_with(|| Code::new("magnitude", magnitude.to_string()));
    }
}

/// An earthquake's: by PAGER alert, which weighs people, else the worse of shaking and magnitude.
pub(super) fn of_quake(pager: Option<&str>, measures: &BTreeMap<String, f64>) -> (Severity, Option<Code>) {
    let by_pager = match pager {
        Some("green") => Some(Severity::Minor),
        Some("yellow" | "orange") => Some(Severity::Severe),
        Some("red") => Some(Severity::Extreme),
        _ => None,
    };
    if let (Some(severity), Some(pager)) = (by_pager, pager) {
        return (severity, Some(Code::new("usgs:pager", pager)));
    }
    let judge = |name: &str, scheme: &str, judge: fn(f64) -> Severity| {
        measures.get(name).map(|value| (judge(*value), Some(Code::new(scheme, value.to_string()))))
    };
    let by_magnitude = judge("magnitude", "magnitude", of_magnitude);
    let by_shaking = judge("mmi", "usgs:mmi", of_shaking);
    let worse = by_magnitude.into_iter().chain(by_shaking).reduce(
        |first, second| {
            if second.0 > first.0 { second } else { first }
        },
    );
    worse.unwrap_or((Severity::Unknown, None))
}

/// By Modified Mercalli intensity: from V on things fall, from VI walls crack, from VIII some
/// buildings fail.
fn of_shaking(mmi: f64) -> Severity {
    match mmi {
        mmi if mmi >= 8.0 => Severity::Extreme,
        mmi if mmi >= 6.0 => Severity::Severe,
        mmi if mmi >= 5.0 => Severity::Moderate,
        _ => Severity::Minor,
    }
}

/// A catastrophic threat and a tornado emergency are extreme, whatever the alert's own word.
pub(super) fn lift_nws(parameters: &Object<'_>, segment: &mut Segment, draft: &mut Draft) {
    if segment.severity == Severity::Extreme {
        return;
    }
    for name in ["tornadoDamageThreat", "thunderstormDamageThreat", "flashFloodDamageThreat"] {
        let catastrophic = |text: &&str| text.eq_ignore_ascii_case("CATASTROPHIC");
        if let Some(word) = lenient::texts(parameters.get(name)).into_iter().find(catastrophic) {
            segment.severity = Severity::Extreme;
            draft.severity_origin = SeverityOrigin::Inferred;
            draft.severity_native = Some(Code::new(format!("nws:{name}"), word));
            return;
        }
    }
    let declared = lenient::texts(parameters.get("NWSheadline")).iter().any(|text| text.contains("TORNADO EMERGENCY"));
    let described = || {
        let texts = segment.texts.iter().filter_map(|text| text.description.as_deref());
        texts.into_iter().any(|text| text.contains("TORNADO EMERGENCY"))
    };
    if segment.kind == "weather.tornado" && (declared || described()) {
        segment.severity = Severity::Extreme;
        draft.severity_origin = SeverityOrigin::Inferred;
        draft.severity_native = Some(Code::new("nws:emergency", "TORNADO EMERGENCY"));
    }
}
