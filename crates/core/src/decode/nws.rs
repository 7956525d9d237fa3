//! Alerts of the US National Weather Service as GeoJSON (api.weather.gov).

use bytes::Bytes;

use super::cap::plain_id;
use super::json::{Node, Object};
use super::vtec::{self, Vtec};
use super::{kinds, lenient, severity};
use crate::draft::{Draft, Format};
use crate::event::{Area, Code, Link, Segment, Text, Warning};
use crate::rejection::{Reason, Rejection};
use crate::time::Timestamp;
use crate::vocabulary::{Action, Certainty, GeometryOrigin, Severity, Status, Urgency};

const PROPERTIES: &str = "/properties";

/// True for a feature of this feed.
pub(super) fn claims(properties: &Object<'_>) -> bool {
    let is_alert = properties.get("@type").and_then(Node::as_text) == Some("wx:Alert");
    is_alert || (properties.has("messageType") && properties.has("event") && properties.has("areaDesc"))
}

/// Reads one alert.
///
/// # Errors
/// Without an id, a sender, a time of sending, or with an unknown status or message type.
pub(super) fn read(mut feature: Object<'_>, raw: Bytes, media_type: &str) -> Result<Draft, Rejection> {
    let mut draft = Draft::new(Format::Nws, media_type, raw);
    let mut segment = Segment { geometry: lenient::geometry(&mut feature, &mut draft.warnings), ..Segment::default() };
    if segment.geometry.is_some() {
        segment.geometry_origin = GeometryOrigin::Exact;
    }
    let outer_id = lenient::text(&mut feature, "id");
    let Some(Node::Object(mut alert)) = feature.take("properties") else {
        return Err(Rejection::validate(Reason::MissingField, PROPERTIES, "an alert has `properties`"));
    };
    let id = match (lenient::text(&mut alert, "id"), outer_id) {
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => {
            return Err(Rejection::validate(Reason::MissingField, "/properties/id", "an alert has an `id`"));
        }
    };
    draft.native_id = Some(plain_id(&id).to_owned());
    draft.sender = lenient::required(&mut alert, "sender", PROPERTIES)?;
    if !alert.get("sent").is_some_and(|sent| *sent != Node::Null) {
        return Err(Rejection::validate(Reason::MissingField, "/properties/sent", "an alert says when it was `sent`"));
    }
    draft.sent = lenient::time(&mut alert, "sent", PROPERTIES, &mut draft);
    draft.status = listed(&mut alert, "status", |word| word.parse::<Status>().ok())?;
    let action = listed(&mut alert, "messageType", action_of)?;
    draft.restricted = matches!(alert.get("scope").and_then(Node::as_text), Some("Private" | "Restricted"));

    segment.severity = lenient::word(&mut alert, "severity", PROPERTIES, Severity::Unknown, &mut draft.warnings);
    segment.urgency = lenient::word(&mut alert, "urgency", PROPERTIES, Urgency::Unknown, &mut draft.warnings);
    segment.certainty = lenient::word(&mut alert, "certainty", PROPERTIES, Certainty::Unknown, &mut draft.warnings);
    segment.effective = lenient::time(&mut alert, "effective", PROPERTIES, &mut draft);
    segment.onset = lenient::time(&mut alert, "onset", PROPERTIES, &mut draft);
    segment.expires = lenient::time(&mut alert, "expires", PROPERTIES, &mut draft);
    segment.ends = lenient::time(&mut alert, "ends", PROPERTIES, &mut draft);

    let first_sent = references(&mut alert, &mut draft);
    describe(&mut alert, &mut segment, &mut draft);
    let parameters = alert.take("parameters");
    if let Some(Node::Object(parameters)) = &parameters {
        let codes = lenient::texts(parameters.get("VTEC"));
        follow(&codes, action, first_sent, &mut draft);
        draft.codes.extend(codes.iter().map(|code| Code::new("VTEC", *code)));
        measure(parameters, &mut draft);
        severity::lift_nws(parameters, &mut segment, &mut draft);
        if segment.ends.is_none() {
            let ending = lenient::texts(parameters.get("eventEndingTime"));
            segment.ends = ending.first().and_then(|text| Timestamp::parse(text).ok());
        }
    } else {
        draft.action = Some(action);
    }
    let is_clear = segment.urgency == Urgency::Past || segment.response.iter().any(|word| word == "AllClear");
    segment.ended = is_clear || draft.action == Some(Action::End);
    draft.segments.push(segment);
    draft.extra = alert.into_map();
    if let Some(parameters) = parameters {
        draft.extra.insert("parameters".to_owned(), parameters.into_value());
    }
    draft.extra.retain(|name, value| !value.is_null() && name != "@type");
    Ok(draft)
}

/// Threads and action by the VTEC of a message, which overrule its type.
fn follow(codes: &[&str], action: Action, first_sent: Option<Timestamp>, draft: &mut Draft) {
    let mut read = Vec::with_capacity(codes.len());
    for (index, text) in codes.iter().enumerate() {
        match Vtec::parse(text) {
            Some(code) => read.push(code),
            None => {
                let detail = "not a code of the form /O.NEW.KMLB.MA.W.0213.260803T1935Z-260803T2030Z/; it was left out";
                let pointer = format!("/properties/parameters/VTEC/{index}");
                draft.warnings.push(Warning::new("vtec_unreadable", pointer, detail));
            }
        }
    }
    let course = vtec::course(&read, first_sent.or(draft.sent));
    // Test and exercise messages, and those that say "error", mean what their type says.
    let speaks_of_itself = matches!(action, Action::New | Action::Update | Action::Cancel);
    draft.action = Some(course.action.filter(|_| speaks_of_itself).unwrap_or(action));
    draft.thread_keys = course.keys;
    draft.closings = course.closings;
}

/// Takes the ids of earlier messages; gives the time of the first of them.
fn references(alert: &mut Object<'_>, draft: &mut Draft) -> Option<Timestamp> {
    let Some(Node::List(items)) = alert.take("references") else { return None };
    let mut first: Option<Timestamp> = None;
    for item in &items {
        let Some(object) = item.as_object() else { continue };
        if let Some(id) = object.get("identifier").or_else(|| object.get("@id")).and_then(Node::as_text) {
            draft.references.push(plain_id(id).to_owned());
        }
        let sent = object.get("sent").and_then(Node::as_text).and_then(|text| Timestamp::parse(text).ok());
        first = [first, sent].into_iter().flatten().min();
    }
    first
}

/// What it is, in words and codes.
fn describe(alert: &mut Object<'_>, segment: &mut Segment, draft: &mut Draft) {
    let event = lenient::text(alert, "event");
    let cap_category = lenient::text(alert, "category");
    let event_codes = alert.take("eventCode");
    let mut same = None;
    if let Some(Node::Object(schemes)) = &event_codes {
        for (scheme, values) in &schemes.members {
            draft.codes.extend(lenient::texts(Some(values)).iter().map(|value| Code::new(&**scheme, *value)));
        }
        same = lenient::texts(schemes.get("SAME")).first().copied();
    }
    let (category, kind) = kinds::kind_of(event.as_deref().unwrap_or_default(), same, cap_category.as_deref());
    (segment.category, segment.kind) = (category, kind);
    draft.codes.extend(cap_category.map(|word| Code::new("cap:category", word)));

    let headline = lenient::text(alert, "headline");
    let shouted = alert.get("parameters").and_then(Node::as_object).map(|all| lenient::texts(all.get("NWSheadline")));
    let shouted = shouted.and_then(|texts| texts.first().map(|text| (*text).to_owned()));
    draft.title.clone_from(&headline);
    segment.texts.push(Text {
        lang: lenient::text(alert, "language").unwrap_or_else(|| "en-US".to_owned()),
        event: event.clone(),
        headline: shouted.or(headline),
        description: lenient::text(alert, "description"),
        instruction: lenient::text(alert, "instruction"),
        sender_name: lenient::text(alert, "senderName"),
        web: lenient::text(alert, "web"),
        contact: lenient::text(alert, "contact"),
    });
    segment.event = event;
    let response = alert.take("response");
    segment.response = lenient::texts(response.as_ref()).into_iter().map(str::to_owned).collect();

    let mut area = Area { description: lenient::text(alert, "areaDesc").unwrap_or_default(), ..Area::default() };
    if let Some(Node::Object(schemes)) = alert.take("geocode") {
        for (scheme, values) in &schemes.members {
            area.codes.extend(lenient::texts(Some(values)).iter().map(|value| Code::new(&**scheme, *value)));
        }
    }
    if !area.description.is_empty() || !area.codes.is_empty() {
        segment.areas.push(area);
    }
    if let Some(href) = lenient::text(alert, "@id").filter(|id| id.starts_with("http")) {
        draft.links.push(Link { rel: "detail".to_owned(), href });
    }
}

/// Hail and gusts in SI units; "Up to .75" counts as what it may reach.
fn measure(parameters: &Object<'_>, draft: &mut Draft) {
    let first_number = |name: &str| {
        let text = lenient::texts(parameters.get(name)).first().copied()?;
        let number = text.split_whitespace().find_map(|word| word.parse::<f64>().ok())?;
        number.is_finite().then(|| (number, text.to_ascii_lowercase()))
    };
    let tenth = |number: f64| (number * 10.0).round() / 10.0;
    if let Some((inches, _)) = first_number("maxHailSize") {
        draft.measures.insert("hail_mm".to_owned(), tenth(inches * 25.4));
    }
    if let Some((speed, text)) = first_number("maxWindGust") {
        // One international knot is 1852 m an hour, one statute mile 1609.344 m.
        let meters_an_hour = if text.contains("knot") || text.contains("kt") { 1_852.0 } else { 1_609.344 };
        draft.measures.insert("wind_gust_ms".to_owned(), tenth(speed * meters_an_hour / 3_600.0));
    }
}

fn listed<W>(alert: &mut Object<'_>, name: &str, read: impl Fn(&str) -> Option<W>) -> Result<W, Rejection> {
    let said = lenient::required(alert, name, PROPERTIES)?;
    read(said.trim()).ok_or_else(|| {
        let said: String = said.chars().take(64).collect();
        let detail = format!("`{said}` is not a {name} of CAP 1.2");
        Rejection::validate(Reason::InvalidEnum, format!("{PROPERTIES}/{name}"), detail)
    })
}

fn action_of(word: &str) -> Option<Action> {
    Some(match word.to_ascii_lowercase().as_str() {
        "alert" => Action::New,
        "update" => Action::Update,
        "cancel" => Action::Cancel,
        "ack" => Action::Ack,
        "error" => Action::Error,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
