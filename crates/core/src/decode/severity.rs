//! Severities inferred from native scales (data/MAPPING.md section 5; the thresholds are ours).

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
