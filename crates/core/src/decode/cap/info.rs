//! What one group of info blocks means: a segment.

use serde_json::Value;

use super::area::read_areas;
use super::kind::kind_of_group;
use super::levels;
use super::message::{add_link, keep_first};
use super::notes::Notes;
use super::read::{Info, Said, resource_value};
use super::times;
use crate::decode::xml::shorten;
use crate::draft::Draft;
use crate::envelope::Limits;
use crate::event::{Code, Segment, Text};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::vocabulary::{Certainty, PlacePrecision, Severity, SeverityOrigin, Urgency};

/// Reads the segments of one message into its draft.
pub(super) struct Reader<'r> {
    pub(super) draft: &'r mut Draft,
    pub(super) notes: &'r mut Notes,
    pub(super) limits: &'r Limits,
    /// Points of all shapes so far.
    pub(super) vertices: usize,
    /// The native level of the worst segment that has one.
    pub(super) worst_level: Option<(Severity, Code)>,
}

impl Reader<'_> {
    /// The segment of info blocks that differ only in language.
    ///
    /// # Errors
    /// `TooLarge` for too many points.
    pub(super) fn segment(&mut self, group: &[&Info<'_>], pointer: &str) -> Result<Segment, Rejection> {
        let info = group[0];
        let places = read_areas(&info.areas, pointer, &mut self.vertices, self.limits, self.notes)?;
        let (category, kind) = kind_of_group(group);
        self.codes(info);
        let has_shape = places.geometry.is_some();
        let segment = Segment {
            event: info.event.as_deref().map(str::to_owned),
            category,
            kind,
            severity: self.severity(info, pointer),
            urgency: self.word(&info.urgency, "urgency", pointer, Urgency::Unknown),
            certainty: self.certainty(info, pointer),
            response: info.responses.iter().map(|word| word.to_string()).collect(),
            texts: group.iter().map(|info| text(info)).collect(),
            effective: self.time(&info.effective, "effective", pointer),
            onset: self.time(&info.onset, "onset", pointer),
            expires: self.time(&info.expires, "expires", pointer),
            ends: self.ends(info, pointer),
            areas: places.areas,
            geometry: places.geometry,
            geometry_origin: places.origin,
            place_precision: if has_shape { PlacePrecision::Exact } else { PlacePrecision::None },
            place: None,
            ended: false,
        };
        for info in group {
            self.links(info);
        }
        Ok(segment)
    }

    /// What belongs to the message when all its segments are read.
    pub(super) fn finish(self) {
        keep_first(&mut self.draft.codes);
        self.draft.severity_native = self.worst_level.map(|(_, code)| code);
    }

    /// The codes of what happened.
    fn codes(&mut self, info: &Info<'_>) {
        self.draft.codes.extend(info.event_codes.iter().map(|(scheme, value)| Code::new(&**scheme, &**value)));
        // The first category has become ours.
        let others = info.categories.iter().skip(1);
        self.draft.codes.extend(others.map(|category| Code::new("cap:category", &**category)));
    }

    fn severity(&mut self, info: &Info<'_>, pointer: &str) -> Severity {
        let said = self.word(&info.severity, "severity", pointer, Severity::Unknown);
        let level = match levels::emergency(info) {
            Some(code) => Some((Severity::Extreme, code)),
            None => levels::native_level(&info.parameters),
        };
        let Some((severity, code)) = level else { return said };
        if severity != said {
            self.draft.severity_origin = SeverityOrigin::Inferred;
        }
        if self.worst_level.as_ref().is_none_or(|(worst, _)| severity > *worst) {
            self.worst_level = Some((severity, code));
        }
        severity
    }

    fn certainty(&mut self, info: &Info<'_>, pointer: &str) -> Certainty {
        // CAP 1.0 had this word; 1.1 says to read it so.
        if info.certainty.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("Very Likely")) {
            return Certainty::Likely;
        }
        self.word(&info.certainty, "certainty", pointer, Certainty::Unknown)
    }

    fn word<W: std::str::FromStr>(&mut self, said: &Said<'_>, name: &str, pointer: &str, unknown: W) -> W
    where
        W::Err: std::fmt::Display,
    {
        let Some(text) = said.as_deref() else {
            self.notes.warn(
                "value_missing",
                &format!("{pointer}/{name}"),
                format!("no {name}; it was taken as Unknown"),
            );
            return unknown;
        };
        text.parse().unwrap_or_else(|fault| {
            let detail = format!("{name} {fault}; it was taken as Unknown");
            self.notes.warn("invalid_enum", &format!("{pointer}/{name}"), detail);
            unknown
        })
    }

    /// A time that may be missing; one that cannot be read is left out with a warning.
    fn time(&mut self, said: &Said<'_>, name: &str, pointer: &str) -> Option<Timestamp> {
        let text = said.as_deref()?;
        let reading = times::read(text);
        if reading.is_none() || times::is_worth_keeping(text) {
            // `onset` of a message of one part, else `segments/1/onset`.
            let field = format!("{pointer}/{name}");
            self.draft.time_texts.insert(field[1..].to_owned(), text.to_owned());
        }
        let Some(reading) = reading else {
            let detail = format!("`{}` is no time; it was left out", shorten(text));
            self.notes.warn("invalid_time", &format!("{pointer}/{name}"), detail);
            return None;
        };
        if let Some((code, detail)) = reading.repair {
            self.notes.warn(code, &format!("{pointer}/{name}"), detail);
        }
        reading.time
    }

    fn ends(&mut self, info: &Info<'_>, pointer: &str) -> Option<Timestamp> {
        let (_, text) = info.parameters.iter().find(|(name, _)| name == "eventEndingTime")?;
        self.time(&Some(std::borrow::Cow::Borrowed(text)), "ends", pointer)
    }

    fn links(&mut self, info: &Info<'_>) {
        if let Some(web) = info.web.as_deref() {
            add_link(&mut self.draft.links, "web", web);
        }
        for resource in &info.resources {
            if let Some(uri) = resource.uri.as_deref() {
                add_link(&mut self.draft.links, "resource", uri);
            }
            self.keep_once("resources", resource_value(resource));
        }
        if let Some(audience) = info.audience.as_deref() {
            self.keep_once("audience", Value::String(audience.to_owned()));
        }
    }

    /// Adds a value to a list in `extra` unless it stands there: languages repeat them.
    fn keep_once(&mut self, name: &str, value: Value) {
        let list = self.draft.extra.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list
            && list.len() < 1_000
            && !list.contains(&value)
        {
            list.push(value);
        }
    }
}

fn text(info: &Info<'_>) -> Text {
    let owned = |said: &Said<'_>| said.as_deref().map(str::to_owned);
    Text {
        lang: info.language.as_deref().map_or_else(|| "und".to_owned(), language_tag),
        event: owned(&info.event),
        headline: owned(&info.headline),
        description: owned(&info.description),
        instruction: owned(&info.instruction),
        sender_name: owned(&info.sender_name),
        web: owned(&info.web),
        contact: owned(&info.contact),
    }
}

/// A language tag in the letter case of RFC 5646 section 2.1.1: `zh-MO`, `sr-Latn-RS`.
fn language_tag(text: &str) -> String {
    let mut tag = String::with_capacity(text.len());
    for (index, part) in text.split(['-', '_']).filter(|part| !part.is_empty()).take(8).enumerate() {
        if index > 0 {
            tag.push('-');
        }
        let start = tag.len();
        tag.push_str(part);
        if let Some(part) = tag.get_mut(start..) {
            part.make_ascii_lowercase();
            match (index, part.len()) {
                (1.., 2) => part.make_ascii_uppercase(),
                (1.., 4) => {
                    if let Some(first) = part.get_mut(..1) {
                        first.make_ascii_uppercase();
                    }
                }
                _ => {}
            }
        }
    }
    if tag.is_empty() { "und".to_owned() } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_have_one_spelling() {
        let cases = [
            ("zh-mo", "zh-MO"),
            ("DE", "de"),
            ("en_US", "en-US"),
            ("sr-latn-rs", "sr-Latn-RS"),
            ("-", "und"),
            ("é-éé", "é-éé"),
        ];
        for (text, tag) in cases {
            assert_eq!(language_tag(text), tag);
        }
    }
}
