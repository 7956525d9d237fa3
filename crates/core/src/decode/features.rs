//! GeoJSON features: whose they are, and one message from each.

use bytes::Bytes;

use super::json::{Node, Object};
use super::{nws, usgs};
use crate::draft::Draft;
use crate::rejection::{Reason, Rejection};

/// The media type of what is read here.
pub(super) const MEDIA_TYPE: &str = "application/geo+json";

/// True for a feature or a collection of them.
pub(super) fn claims(object: &Object<'_>) -> bool {
    match object.get("type").and_then(Node::as_text) {
        Some("FeatureCollection") => object.has("features"),
        Some("Feature") => object.has("properties"),
        _ => false,
    }
}

/// True for a collection.
pub(super) fn is_collection(object: &Object<'_>) -> bool {
    object.get("type").and_then(Node::as_text) == Some("FeatureCollection")
}

/// True where a decoder knows this feature.
pub(super) fn is_known(feature: &Node<'_>) -> bool {
    let properties = feature.as_object().and_then(|feature| feature.get("properties")).and_then(Node::as_object);
    properties.is_some_and(|properties| nws::claims(properties) || usgs::claims(properties))
}

/// Reads one feature.
///
/// # Errors
/// `unknown_format` for one of another feed, or what its feed's decoder finds wrong.
pub(super) fn read(feature: Node<'_>, raw: Bytes) -> Result<Draft, Rejection> {
    let Node::Object(feature) = feature else { return Err(unknown()) };
    match feature.get("properties").and_then(Node::as_object) {
        Some(properties) if nws::claims(properties) => nws::read(feature, raw, MEDIA_TYPE),
        Some(properties) if usgs::claims(properties) => usgs::read(feature, raw, MEDIA_TYPE),
        _ => Err(unknown()),
    }
}

/// The refusal of features of other feeds.
pub(super) fn unknown() -> Rejection {
    let detail = "these GeoJSON features are neither NWS alerts nor USGS earthquakes; send the native JSON form";
    Rejection::decode(Reason::UnknownFormat, "", detail)
}
