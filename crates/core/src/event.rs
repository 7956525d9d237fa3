//! What we believe happened: immutable, lossless, in the shape that clients read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::geometry::{BoundingBox, Geometry, Point};
use crate::id::{EventId, TenantId, UserId};
use crate::time::Timestamp;
use crate::vocabulary::{
    Action, Category, Certainty, GeometryOrigin, PlacePrecision, Severity, SeverityOrigin, Status, Urgency,
};

/// The schema that this build writes. Older stored events are upcast when read.
pub const SCHEMA_VERSION: u32 = 1;

/// A value with the list it is from: `SAME` `048113`, `usgs:pager` `orange`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Code {
    /// The list.
    pub scheme: String,
    /// The value in it.
    pub value: String,
}

impl Code {
    /// A code from its list and value.
    pub fn new(scheme: impl Into<String>, value: impl Into<String>) -> Self {
        Self { scheme: scheme.into(), value: value.into() }
    }
}

/// What is said in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Text {
    /// BCP 47 tag, `und` when unknown.
    pub lang: String,
    /// The name of the happening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// One line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// What is going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// Who says so, in this language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// More on the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A named area with its codes and heights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Area {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// Lowest affected height above mean sea level in meters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub altitude_m: Option<f64>,
    /// Highest affected height in meters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_m: Option<f64>,
}

/// Where a shape lies in words.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// ISO 3166-1 alpha-2 codes.
    pub countries: Vec<String>,
    /// ISO 3166-2 codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// The nearest larger town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearestTown>,
    /// IANA time zone of its middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// The nearest larger town, and the way from it to the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearestTown {
    /// Its name.
    pub name: String,
    /// Distance to the event's middle in kilometers.
    pub distance_km: f64,
    /// Direction from the town to the event in degrees clockwise from north.
    pub bearing_deg: f64,
}

/// Something repaired or doubtful in what was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A stable name.
    pub code: String,
    /// Where in the event, as a JSON pointer.
    pub pointer: String,
    /// What was found and what was done.
    pub detail: String,
}

impl Warning {
    /// A warning about one place of an event.
    pub fn new(code: &str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), pointer: pointer.into(), detail: detail.into() }
    }
}

/// A link with its relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// `web`, `detail`, `resource`, …
    pub rel: String,
    /// Where it leads.
    pub href: String,
}

/// One form in which a message was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Its media type.
    pub media_type: String,
    /// When it came in.
    pub received: Timestamp,
    /// Which envelope brought it.
    pub correlation_id: String,
}

/// One group of info blocks that differ only in language: what holds for one area and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Segment {
    /// The sender's name for the happening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Its category.
    pub category: Category,
    /// Its type: dotted, open, below the category.
    #[serde(rename = "type")]
    pub kind: String,
    /// How bad.
    pub severity: Severity,
    /// How soon to act.
    pub urgency: Urgency,
    /// How sure.
    pub certainty: Certainty,
    /// What to do, in CAP words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<String>,
    /// In words.
    pub texts: Vec<Text>,
    /// When the message takes effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Timestamp>,
    /// When the hazard begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onset: Option<Timestamp>,
    /// When the message expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When the hazard ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// Where, by name and code.
    pub areas: Vec<Area>,
    /// Where, by shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometry: Option<Geometry>,
    /// Where the shape came from.
    pub geometry_origin: GeometryOrigin,
    /// How closely it is placed.
    pub place_precision: PlacePrecision,
    /// Where it lies in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// True when this part says that it is over.
    pub ended: bool,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            event: None,
            category: Category::Other,
            kind: Category::Other.as_str().to_owned(),
            severity: Severity::Unknown,
            urgency: Urgency::Unknown,
            certainty: Certainty::Unknown,
            response: Vec::new(),
            texts: Vec::new(),
            effective: None,
            onset: None,
            expires: None,
            ends: None,
            areas: Vec::new(),
            geometry: None,
            geometry_origin: GeometryOrigin::None,
            place_precision: PlacePrecision::None,
            place: None,
            ended: false,
        }
    }
}

/// One message as we believe it.
///
/// `segments` is empty unless there are several; then the top-level fields are summaries: the
/// worst severity, the union of places. [`Event::segments`] hides the difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Derived from tenant, issuer, native id and native version.
    pub id: EventId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// Where it came in: `usgs`, `nws`, `api`, …
    pub source: String,
    /// Who claims it, as spelled in the message.
    pub sender: String,
    /// Whom we know the sender to be; scopes ids, references and threads.
    pub issuer: String,
    /// The sender's own id of this message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// The sender's own version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native_version: Option<String>,
    /// True only by binding or verified signature.
    pub official: bool,
    /// What the message does to its thread.
    pub action: Action,
    /// What it is for.
    pub status: Status,
    /// Category of the worst segment.
    pub category: Category,
    /// Type of the worst segment.
    #[serde(rename = "type")]
    pub kind: String,
    /// Codes of what happened, not of where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// Worst severity.
    pub severity: Severity,
    /// Whether it was given or inferred.
    pub severity_origin: SeverityOrigin,
    /// The sender's own word or number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_native: Option<Code>,
    /// Urgency of the worst segment.
    pub urgency: Urgency,
    /// Certainty of the worst segment.
    pub certainty: Certainty,
    /// 0 to 1.
    pub confidence: f64,
    /// One line in the first language.
    pub title: String,
    /// In words, one for each language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Text>,
    /// What to do, in CAP words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<String>,
    /// Union of the segments' shapes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geometry: Option<Geometry>,
    /// Where the shape came from.
    pub geometry_origin: GeometryOrigin,
    /// Bounds of the shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bbox: Option<BoundingBox>,
    /// All areas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<Area>,
    /// How closely it is placed.
    pub place_precision: PlacePrecision,
    /// The parts, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// The only users who may see it, when it names any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Vec<UserId>>,
    /// True where it is kept from those without the right (CAP `Private` and `Restricted`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
    /// Every form in which it was received; the first is the one it was read from.
    pub forms: Vec<Form>,
    /// Where it lies in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<Timestamp>,
    /// When its sender sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// Earliest time any part takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Timestamp>,
    /// Earliest onset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<Timestamp>,
    /// Latest expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Latest end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// When its sender last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// When we received it.
    pub received: Timestamp,
    /// Times as they were written, where that is not the form above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub time_texts: BTreeMap<String, String>,
    /// When the hazard is over: `ends`, else max(expires, onset + the type's default).
    pub hazard_end: Timestamp,
    /// Numbers in SI-derived units named by suffix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measures: BTreeMap<String, f64>,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Native ids of earlier messages that this one is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Other names of the same happening.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Code>,
    /// Every repair made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What the message held besides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
    /// The schema this was written in.
    pub schema_version: u32,
    /// Follows the envelope everywhere.
    pub correlation_id: String,
}

/// One part of an event, borrowed: a segment, or the event itself when it has just one.
#[derive(Debug, Clone, Copy)]
pub struct SegmentView<'a> {
    /// See [`Segment::category`].
    pub category: Category,
    /// See [`Segment::kind`].
    pub kind: &'a str,
    /// See [`Segment::severity`].
    pub severity: Severity,
    /// See [`Segment::urgency`].
    pub urgency: Urgency,
    /// See [`Segment::certainty`].
    pub certainty: Certainty,
    /// See [`Segment::texts`].
    pub texts: &'a [Text],
    /// See [`Segment::areas`].
    pub areas: &'a [Area],
    /// See [`Segment::geometry`].
    pub geometry: Option<&'a Geometry>,
    /// See [`Segment::place_precision`].
    pub place_precision: PlacePrecision,
    /// See [`Segment::place`].
    pub place: Option<&'a Place>,
    /// See [`Segment::effective`].
    pub effective: Option<Timestamp>,
    /// See [`Segment::onset`].
    pub onset: Option<Timestamp>,
    /// See [`Segment::expires`].
    pub expires: Option<Timestamp>,
    /// See [`Segment::ends`].
    pub ends: Option<Timestamp>,
    /// See [`Segment::ended`].
    pub ended: bool,
}

impl Event {
    /// How many parts it has, at least one.
    pub fn segment_count(&self) -> usize {
        self.segments.len().max(1)
    }

    /// Part `index`, below [`Event::segment_count`].
    pub fn segment(&self, index: usize) -> SegmentView<'_> {
        let Some(segment) = self.segments.get(index) else {
            return SegmentView {
                category: self.category,
                kind: &self.kind,
                severity: self.severity,
                urgency: self.urgency,
                certainty: self.certainty,
                texts: &self.texts,
                areas: &self.areas,
                geometry: self.geometry.as_ref(),
                place_precision: self.place_precision,
                place: self.place.as_ref(),
                effective: self.effective,
                onset: self.onset,
                expires: self.expires,
                ends: self.ends,
                ended: self.action == Action::End,
            };
        };
        SegmentView {
            category: segment.category,
            kind: &segment.kind,
            severity: segment.severity,
            urgency: segment.urgency,
            certainty: segment.certainty,
            texts: &segment.texts,
            areas: &segment.areas,
            geometry: segment.geometry.as_ref(),
            place_precision: segment.place_precision,
            place: segment.place.as_ref(),
            effective: segment.effective,
            onset: segment.onset,
            expires: segment.expires,
            ends: segment.ends,
            ended: segment.ended,
        }
    }

    /// Its parts.
    pub fn segments(&self) -> impl Iterator<Item = SegmentView<'_>> {
        (0..self.segment_count()).map(|index| self.segment(index))
    }

    /// True where someone may read it, as far as its audience goes: addressees always; the position of
    /// a device only with the right to those, restricted messages only with the right to them.
    pub fn is_visible_to(&self, user: UserId, sees_restricted: bool, sees_devices: bool) -> bool {
        if self.audience.as_ref().is_some_and(|audience| audience.contains(&user)) {
            return true;
        }
        match self.category {
            Category::Device => sees_devices,
            _ => self.audience.is_none() && (!self.restricted || sees_restricted),
        }
    }

    /// Any point of it, for a picture or a distance.
    pub fn anchor(&self) -> Option<Point> {
        self.geometry.as_ref().and_then(|geometry| geometry.points().next())
    }
}
