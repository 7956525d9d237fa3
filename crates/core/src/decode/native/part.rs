//! What may stand both in an item and in one of its segments.

use super::shape::Shape;
use super::{At, Code, Draft, Faults, Node, Reason, keep};
use crate::event::{Area, Link, Segment, Text, Warning};
use crate::time::Timestamp;
use crate::vocabulary::Category;

/// What decides about a segment only when all of it is read.
#[derive(Debug, Default)]
pub(super) struct Part {
    category: Option<Category>,
    kind: Option<String>,
    shape: Shape,
}

impl Part {
    /// Reads one member below `pointer`; gives it back when it is none of ours.
    pub(super) fn member<'a>(
        &mut self,
        segment: &mut Segment,
        name: &str,
        node: Node<'a>,
        pointer: &str,
        faults: &mut Faults,
        draft: &mut Draft,
    ) -> Option<Node<'a>> {
        let here = At(pointer, name);
        match name {
            "category" => self.category = faults.word(node, here),
            "type" => self.kind = faults.text(node, here),
            "severity" => segment.severity = faults.word(node, here).unwrap_or(segment.severity),
            "urgency" => segment.urgency = faults.word(node, here).unwrap_or(segment.urgency),
            "certainty" => segment.certainty = faults.word(node, here).unwrap_or(segment.certainty),
            "response" => segment.response = faults.texts(node, here),
            "texts" => segment.texts = texts(node, &here.to_string(), faults, draft),
            "areas" => segment.areas = areas(node, &here.to_string(), faults, draft),
            "effective" => segment.effective = time(node, name, here, faults, draft),
            "onset" => segment.onset = time(node, name, here, faults, draft),
            "expires" => segment.expires = time(node, name, here, faults, draft),
            "ends" => segment.ends = time(node, name, here, faults, draft),
            "event" => segment.event = faults.text(node, here),
            "lat" => self.shape.lat = degrees(node, here, faults),
            "lon" => self.shape.lon = degrees(node, here, faults),
            "radius_km" => self.shape.radius_km = faults.number(node, here),
            "geometry" => self.shape.geojson(node, &here.to_string(), faults, &mut draft.warnings),
            "bbox" => self.shape.bbox(node, &here.to_string(), faults),
            "ended" => match node {
                Node::Bool(ended) => segment.ended = ended,
                Node::Null => {}
                other => faults.wrong(here, "true or false", &other),
            },
            _ => return Some(node),
        }
        None
    }

    pub(super) fn finish(self, segment: &mut Segment, pointer: &str, faults: &mut Faults, warnings: &mut Vec<Warning>) {
        let Self { category, kind, shape } = self;
        (segment.geometry, segment.geometry_origin) = shape.finish(pointer, faults, warnings);
        // A type alone names its category by its first word, where that is one.
        let named = || kind.as_deref().and_then(|kind| kind.split('.').next()?.parse().ok());
        segment.category = category.or_else(named).unwrap_or(segment.category);
        segment.kind = match kind {
            Some(kind) if !kind.trim().is_empty() => kind,
            _ => segment.category.as_str().to_owned(),
        };
    }
}

/// Coordinates of another type are refused as coordinates.
fn degrees(node: Node<'_>, at: At<'_>, faults: &mut Faults) -> Option<f64> {
    match node {
        Node::Null => None,
        Node::Number(number) => number.as_f64(),
        other => {
            let detail = format!("degrees as a number are expected here, not {}", other.kind());
            faults.add(Reason::InvalidCoordinates, at, detail);
            None
        }
    }
}

fn time(node: Node<'_>, name: &str, at: At<'_>, faults: &mut Faults, draft: &mut Draft) -> Option<Timestamp> {
    let (time, text) = faults.time(node, at)?;
    if let Some(text) = text {
        draft.time_texts.insert(name.to_owned(), text);
    }
    Some(time)
}

/// Reads one of `segments`.
pub(super) fn segment(node: Node<'_>, pointer: &str, faults: &mut Faults, draft: &mut Draft) -> Option<Segment> {
    let Node::Object(object) = node else {
        faults.wrong(pointer, "an object", &node);
        return None;
    };
    let (mut part, mut segment) = (Part::default(), Segment::default());
    let mut left = Vec::new();
    for (name, node) in object.members {
        if let Some(node) = part.member(&mut segment, &name, node, pointer, faults, draft) {
            left.push((name.into_owned(), node.into_value()));
        }
    }
    keep(&mut draft.extra, &pointer[1..], left);
    part.finish(&mut segment, pointer, faults, &mut draft.warnings);
    Some(segment)
}

fn objects<'a, T>(
    node: Node<'a>,
    pointer: &str,
    faults: &mut Faults,
    mut read: impl FnMut(super::super::json::Object<'a>, &str, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let mut read_one = |(index, node): (usize, Node<'a>)| {
        let pointer = format!("{pointer}/{index}");
        match node {
            Node::Object(object) => read(object, &pointer, faults),
            other => {
                faults.wrong(&pointer, "an object", &other);
                None
            }
        }
    };
    match node.into_list() {
        Ok(items) => items.into_iter().enumerate().filter_map(&mut read_one).collect(),
        Err(Node::Null) => Vec::new(),
        // One object is taken for a list of one.
        Err(single @ Node::Object(_)) => read_one((0, single)).into_iter().collect(),
        Err(other) => {
            faults.wrong(pointer, "an array of objects", &other);
            Vec::new()
        }
    }
}

fn texts(node: Node<'_>, pointer: &str, faults: &mut Faults, draft: &mut Draft) -> Vec<Text> {
    objects(node, pointer, faults, |object, pointer, faults| {
        let mut text = Text::default();
        let mut left = Vec::new();
        for (name, node) in object.members {
            let mut read = |node| faults.text(node, At(pointer, &name));
            match &*name {
                "lang" => text.lang = read(node).unwrap_or_default(),
                "event" => text.event = read(node),
                "headline" => text.headline = read(node),
                "description" => text.description = read(node),
                "instruction" => text.instruction = read(node),
                "sender_name" => text.sender_name = read(node),
                "web" => text.web = read(node),
                "contact" => text.contact = read(node),
                _ => left.push((name.into_owned(), node.into_value())),
            }
        }
        keep(&mut draft.extra, &pointer[1..], left);
        Some(text)
    })
}

fn areas(node: Node<'_>, pointer: &str, faults: &mut Faults, draft: &mut Draft) -> Vec<Area> {
    objects(node, pointer, faults, |object, pointer, faults| {
        let mut area = Area::default();
        let mut left = Vec::new();
        for (name, node) in object.members {
            let here = At(pointer, &name);
            match &*name {
                "description" => area.description = faults.text(node, here).unwrap_or_default(),
                "codes" => area.codes = codes(node, &here.to_string(), faults),
                "altitude_m" => area.altitude_m = faults.number(node, here),
                "ceiling_m" => area.ceiling_m = faults.number(node, here),
                _ => left.push((name.into_owned(), node.into_value())),
            }
        }
        keep(&mut draft.extra, &pointer[1..], left);
        Some(area)
    })
}

/// Reads a list of codes.
pub(super) fn codes(node: Node<'_>, pointer: &str, faults: &mut Faults) -> Vec<Code> {
    objects(node, pointer, faults, |object, pointer, faults| code(Node::Object(object), pointer, faults))
}

/// Reads a code.
pub(super) fn code(node: Node<'_>, pointer: &str, faults: &mut Faults) -> Option<Code> {
    let mut object = match node {
        Node::Object(object) => object,
        Node::Null => return None,
        other => {
            faults.wrong(pointer, "an object with `scheme` and `value`", &other);
            return None;
        }
    };
    let mut read = |name: &str| match object.take(name) {
        Some(node) => faults.name(node, At(pointer, name)),
        None => {
            faults.add(Reason::MissingField, At(pointer, name), "a code has a `scheme` and a `value`");
            None
        }
    };
    let (scheme, value) = (read("scheme"), read("value"));
    Some(Code { scheme: scheme?, value: value? })
}

/// Reads a list of links.
pub(super) fn links(node: Node<'_>, pointer: &str, faults: &mut Faults) -> Vec<Link> {
    objects(node, pointer, faults, |mut object, pointer, faults| {
        let mut read = |name: &str| object.take(name).and_then(|node| faults.text(node, At(pointer, name)));
        let (rel, href) = (read("rel"), read("href"));
        if href.is_none() {
            faults.add(Reason::MissingField, At(pointer, "href"), "a link has an `href`");
        }
        Some(Link { rel: rel.unwrap_or_else(|| "web".to_owned()), href: href? })
    })
}
