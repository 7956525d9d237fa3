//! From drafts to events: one shape, one set of units, one identity for all formats.

mod times;
mod summary;
mod words;
mod units;

use bytes::Bytes;

use crate::authorize;
use crate::batch::Batch;
use crate::draft::{Closing, Draft, Format, ThreadKey};
use crate::envelope::Envelope;
use crate::event::{Area, Event, Form, SCHEMA_VERSION, Segment};
use crate::identity::{self, Identity};
use crate::issuer;
use crate::time::Timestamp;
use crate::vocabulary::{Action, Category, Certainty, GeometryOrigin, PlacePrecision, Severity, Urgency};

pub(crate) use times::default_hours;

/// What a message says about its thread, for the owner to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadHints {
    /// Names of its thread besides its own id, scoped by the event's issuer.
    pub keys: Vec<ThreadKey>,
    /// Other threads that it closes, scoped by the event's issuer.
    pub closings: Vec<Closing>,
    /// Native ids of earlier messages of the same issuer, its own left out.
    pub references: Vec<String>,
}

/// An event before its owner has placed it: what we believe, and what resolving needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Believed {
    /// What we believe.
    pub event: Event,
    /// What it says about its thread.
    pub thread: ThreadHints,
    /// Its bytes as received.
    pub raw: Bytes,
    /// Their media type.
    pub media_type: String,
    /// Hash of all that the sender said, whatever its formatting.
    pub content_hash: [u8; 16],
    /// Hash of what the id was derived from; another one under the same id is a collision.
    pub tuple_hash: [u8; 16],
    /// Which owner resolves it.
    pub order_key: String,
    /// What orders the versions of one thread: when it was last changed, else sent. `None` leaves
    /// it to arrival.
    pub version_time: Option<Timestamp>,
    /// What it was read from.
    pub format: Format,
    /// True when it is kept from those without the right.
    pub restricted: bool,
    /// True when its source withdraws it as never having been.
    pub retracted: bool,
    /// True when its bringer was bound to its issuer, so that it may change the issuer's threads.
    pub bound: bool,
}

/// Turns each draft into an event, with its identity; places are left to `enrich`.
///
/// Times are judged by when their envelope was received, so that a replay judges them alike.
pub fn normalize(drafts: Batch<Draft>, envelopes: &[Envelope]) -> Batch<Believed> {
    let mut place_in_envelope = (usize::MAX, 0);
    drafts.map_all(|envelope, draft| {
        let index =
            if place_in_envelope.0 == envelope { place_in_envelope.1 + 1 } else { envelopes[envelope].first_item };
        place_in_envelope = (envelope, index);
        draft.map(|draft| believe(draft, &envelopes[envelope], index))
    })
}

/// What we believe of one draft, item number `index` of its envelope.
fn believe(mut draft: Draft, envelope: &Envelope, index: usize) -> Believed {
    let issuer = issuer::speaker(draft.format, &draft.sender, &envelope.authority);
    let identity = identity::identify(&draft, envelope, &issuer, index);
    times::set_aside_suspects(&mut draft, envelope.received);
    units::add_si(&mut draft.measures);
    draft.segments.iter_mut().flat_map(|segment| &mut segment.texts).for_each(words::settle_language);
    let thread = ThreadHints {
        keys: std::mem::take(&mut draft.thread_keys),
        closings: std::mem::take(&mut draft.closings),
        references: references(&draft),
    };
    Believed {
        thread,
        raw: std::mem::take(&mut draft.raw),
        media_type: draft.media_type.clone(),
        content_hash: identity.content_hash,
        tuple_hash: identity.tuple_hash,
        order_key: order_key(&draft, &issuer),
        version_time: draft.updated.or(draft.sent),
        format: draft.format,
        restricted: draft.restricted,
        retracted: draft.retracted,
        bound: envelope.authority.speaks_for(&issuer),
        event: event(draft, envelope, issuer, identity),
    }
}

/// Earlier messages, without itself and each once.
fn references(draft: &Draft) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(draft.references.len());
    for id in &draft.references {
        if Some(id) != draft.native_id.as_ref() && !kept.contains(id) {
            kept.push(id.clone());
        }
    }
    kept
}

/// Earthquakes of all agencies meet at one owner; the rest goes by issuer, positions by device.
fn order_key(draft: &Draft, issuer: &str) -> String {
    let is = |category| draft.segments.first().is_some_and(|segment| segment.category == category);
    if is(Category::Earthquake) {
        "quake".to_owned()
    } else if let (true, Some(key)) = (is(Category::Device), draft.thread_keys.first()) {
        format!("device:{issuer}/{}", key.value)
    } else {
        issuer.to_owned()
    }
}

fn event(draft: Draft, envelope: &Envelope, issuer: String, identity: Identity) -> Event {
    let mut segments = draft.segments;
    let begun = draft.occurred.or(draft.sent).unwrap_or(envelope.received);
    let hazard_end = times::hazard_end(&segments, begun);
    let worst = summary::worst(&segments);
    let title = draft.title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| summary::title(worst));
    let is_over = !segments.is_empty() && segments.iter().all(|segment| segment.ended);
    let action = match draft.action {
        Some(action @ (Action::New | Action::Update)) => {
            if is_over {
                Action::End
            } else {
                action
            }
        }
        Some(action) => action,
        None if draft.retracted => Action::Cancel,
        None => {
            if is_over {
                Action::End
            } else {
                Action::New
            }
        }
    };
    let mut event = Event {
        id: identity.id,
        tenant: envelope.tenant.clone(),
        source: envelope.source.clone(),
        official: authorize::is_official(&issuer, &envelope.authority),
        sender: if draft.sender.is_empty() { issuer.clone() } else { draft.sender },
        issuer,
        native_id: draft.native_id,
        native_version: draft.native_version,
        action,
        status: draft.status,
        category: worst.map_or(Category::Other, |segment| segment.category),
        kind: worst.map_or_else(|| Category::Other.as_str().to_owned(), |segment| segment.kind.clone()),
        codes: draft.codes,
        severity: worst.map_or(Severity::Unknown, |segment| segment.severity),
        severity_origin: draft.severity_origin,
        severity_native: draft.severity_native,
        urgency: worst.map_or(Urgency::Unknown, |segment| segment.urgency),
        certainty: worst.map_or(Certainty::Unknown, |segment| segment.certainty),
        confidence: draft
            .confidence
            .unwrap_or_else(|| confidence_of(worst.map_or(Certainty::Unknown, |segment| segment.certainty))),
        title,
        texts: Vec::new(),
        response: Vec::new(),
        geometry: None,
        geometry_origin: GeometryOrigin::None,
        bbox: None,
        areas: Vec::new(),
        place_precision: PlacePrecision::None,
        segments: Vec::new(),
        audience: draft.audience,
        restricted: draft.restricted,
        forms: vec![Form {
            media_type: draft.media_type,
            received: envelope.received,
            correlation_id: envelope.correlation_id.clone(),
        }],
        place: None,
        occurred: draft.occurred,
        sent: draft.sent,
        effective: summary::earliest(&segments, |segment| segment.effective),
        onset: summary::earliest(&segments, |segment| segment.onset),
        expires: summary::latest(&segments, |segment| segment.expires),
        ends: summary::latest(&segments, |segment| segment.ends),
        updated: draft.updated,
        received: envelope.received,
        time_texts: draft.time_texts,
        hazard_end,
        measures: draft.measures,
        links: draft.links,
        references: draft.references,
        related: draft.related,
        warnings: draft.warnings,
        extra: draft.extra,
        schema_version: SCHEMA_VERSION,
        correlation_id: envelope.correlation_id.clone(),
    };
    match segments.len() {
        0 => {}
        1 => take_only(&mut event, segments.remove(0)),
        _ => sum_up(&mut event, segments),
    }
    event
}

/// One part is the event itself.
fn take_only(event: &mut Event, segment: Segment) {
    event.texts = segment.texts;
    event.response = segment.response;
    event.geometry = segment.geometry;
    event.geometry_origin = segment.geometry_origin;
    event.areas = segment.areas;
}

fn sum_up(event: &mut Event, segments: Vec<Segment>) {
    let worst = summary::worst(&segments);
    event.texts = worst.map(|segment| segment.texts.clone()).unwrap_or_default();
    for segment in &segments {
        for word in &segment.response {
            if !event.response.contains(word) {
                event.response.push(word.clone());
            }
        }
        for area in &segment.areas {
            if !event.areas.iter().any(|known: &Area| known == area) {
                event.areas.push(area.clone());
            }
        }
    }
    event.geometry = summary::union(&segments);
    event.geometry_origin = segments
        .iter()
        .map(|segment| segment.geometry_origin)
        .find(|origin| *origin != GeometryOrigin::None)
        .unwrap_or(GeometryOrigin::None);
    event.segments = segments;
}

/// How sure, as a number (data/MAPPING.md section 5).
pub(crate) fn confidence_of(certainty: Certainty) -> f64 {
    match certainty {
        Certainty::Observed => 1.0,
        Certainty::Likely => 0.8,
        Certainty::Possible | Certainty::Unknown => 0.5,
        Certainty::Unlikely => 0.2,
    }
}

#[cfg(test)]
mod tests;
