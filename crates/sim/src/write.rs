//! Putting a bulletin into a format.

mod native;
mod cap;
mod usgs;
mod number;

use crate::bulletin::Bulletin;

/// The media type of our own JSON.
pub(crate) const JSON: &str = "application/json";
/// The media type of CAP.
pub(crate) const CAP: &str = "application/cap+xml";
/// The media type of GeoJSON.
pub(crate) const GEOJSON: &str = "application/geo+json";
/// The media type of one CloudEvent.
pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";

/// A format that a sender writes all messages of a thread in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Our own JSON.
    Native,
    /// CAP 1.2 XML.
    Cap,
    /// A CloudEvent around our own JSON.
    CloudEvent,
    /// GeoJSON as the US Geological Survey writes it.
    Usgs,
}

/// A document and its media type.
pub(crate) type Document = (Vec<u8>, &'static str);

/// The document of a bulletin.
pub(crate) fn document(bulletin: &Bulletin, form: Form) -> Document {
    match form {
        Form::Native => (native::object(bulletin).into_bytes(), JSON),
        Form::Cap => (cap::alert(bulletin, cap::PLAIN).into_bytes(), CAP),
        Form::CloudEvent => (native::cloud_event(bulletin).into_bytes(), CLOUD_EVENT),
        Form::Usgs => (usgs::feature(bulletin).into_bytes(), GEOJSON),
    }
}

/// The same message in another spelling or container.
pub(crate) fn respelled(bulletin: &Bulletin, form: Form, variant: usize) -> Document {
    match (form, variant % 3) {
        (Form::Native, 0) => (format!("[{}]", native::object(bulletin)).into_bytes(), JSON),
        (Form::Native, _) => (reordered(&native::object(bulletin)), JSON),
        // Our own JSON names versions by their times and CAP does not, so it would be another message.
        (Form::Cap, 0) => (cap::in_atom(bulletin).into_bytes(), "application/atom+xml"),
        (Form::Cap, _) => (cap::alert(bulletin, cap::PREFIXED).into_bytes(), CAP),
        (Form::CloudEvent, 0) => {
            (format!("[{}]", native::cloud_event(bulletin)).into_bytes(), "application/cloudevents-batch+json")
        }
        (Form::CloudEvent, _) => (reordered(&native::cloud_event(bulletin)), CLOUD_EVENT),
        (Form::Usgs, 0) => (usgs::collection(bulletin).into_bytes(), GEOJSON),
        (Form::Usgs, _) => (reordered(&usgs::feature(bulletin)), GEOJSON),
    }
}

/// The same JSON with its members in another order and white space between them.
fn reordered(json: &str) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_str(json).expect("we have just written this JSON");
    serde_json::to_vec_pretty(&value).expect("a JSON value is always written")
}
