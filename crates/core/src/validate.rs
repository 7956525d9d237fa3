//! Rules that hold for the drafts of every format.

use crate::draft::Draft;
use crate::envelope::Limits;
use crate::geometry::Geometry;
use crate::rejection::{Reason, Rejection};
use crate::shape;
use crate::vocabulary::Action;

/// Most bytes of an id, a sender or a thread's name: they stand in storage keys and indexes.
const NAME_BYTES: usize = 1_024;
/// Most earlier messages that one may be about; the longest recorded list has 44.
const REFERENCES: usize = 1_000;
/// Most segments: the longest recorded message has 212 polygons.
const SEGMENTS: usize = 1_000;

/// Refuses a draft that no later stage could use.
///
/// # Errors
/// The first rule that it breaks: names, references and shapes within limits, coordinates on the
/// globe, numbers that are numbers, something said in a message that begins a thread.
pub fn validate(draft: &Draft, limits: &Limits) -> Result<(), Rejection> {
    names(draft)?;
    let too_many = [("references", draft.references.len(), REFERENCES), ("segments", draft.segments.len(), SEGMENTS)];
    for (name, count, most) in too_many {
        if count > most {
            let detail = format!("{count} {name}; at most {most} are taken in one message");
            return Err(Rejection::validate(Reason::TooLarge, format!("/{name}"), detail));
        }
    }
    shapes(draft, limits)?;
    if let Some((name, _)) = draft.measures.iter().find(|(_, value)| !value.is_finite()) {
        return Err(Rejection::validate(
            Reason::InvalidField,
            format!("/measures/{name}"),
            "a measure is a finite number",
        ));
    }
    if draft.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
        return Err(Rejection::validate(Reason::InvalidField, "/confidence", "confidence is a number from 0 to 1"));
    }
    let begins = matches!(draft.action, None | Some(Action::New));
    if draft.segments.is_empty() && begins && draft.references.is_empty() && !draft.retracted {
        return Err(Rejection::validate(Reason::MissingField, "", "a message that begins something says what it is"));
    }
    Ok(())
}

fn names(draft: &Draft) -> Result<(), Rejection> {
    let own = [("/id", draft.native_id.as_deref()), ("/source", Some(draft.sender.as_str()))];
    let keys = draft.thread_keys.iter().map(|key| ("/thread", Some(key.value.as_str())));
    let references = draft.references.iter().map(|id| ("/references", Some(id.as_str())));
    for (pointer, name) in own.into_iter().chain(keys).chain(references) {
        let Some(name) = name else { continue };
        if name.len() > NAME_BYTES {
            let detail = format!("a name of {} bytes; at most {NAME_BYTES} are taken", name.len());
            return Err(Rejection::validate(Reason::TooLarge, pointer, detail));
        }
        if name.contains(char::is_control) {
            let detail = "a name holds no control characters";
            return Err(Rejection::validate(Reason::InvalidField, pointer, detail));
        }
    }
    Ok(())
}

fn shapes(draft: &Draft, limits: &Limits) -> Result<(), Rejection> {
    let mut vertices = 0;
    for geometry in draft.segments.iter().filter_map(|segment| segment.geometry.as_ref()) {
        if let Geometry::Point(point) = geometry
            && point.is_on_earth()
        {
            vertices += 1;
            continue;
        }
        for point in geometry.points() {
            if !point.is_on_earth() {
                let detail = format!("{}, {} is not on the globe (longitude, latitude)", point.lon, point.lat);
                return Err(Rejection::validate(Reason::InvalidCoordinates, "/geometry", detail));
            }
            vertices += 1;
        }
    }
    shape::within_limit(vertices, limits, "/geometry")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Format;
    use crate::event::Segment;
    use crate::geometry::Point;

    fn check(change: impl Fn(&mut Draft), expected: Option<(Reason, &str)>) {
        let mut draft = Draft::new(Format::Native, "application/json", bytes::Bytes::new());
        draft.segments.push(Segment::default());
        change(&mut draft);
        let limits = Limits { vertices: 3, ..Limits::default() };
        let found = validate(&draft, &limits).map_err(|rejection| (rejection.reason, rejection.pointer));
        assert_eq!(found.as_ref().err().map(|(reason, pointer)| (*reason, pointer.as_str())), expected);
    }

    #[test]
    fn rules_of_every_format() {
        check(|_| {}, None);
        check(|draft| draft.segments.clear(), Some((Reason::MissingField, "")));
        check(|draft| draft.native_id = Some("x".repeat(1_025)), Some((Reason::TooLarge, "/id")));
        check(|draft| draft.sender = "a\0b".into(), Some((Reason::InvalidField, "/source")));
        check(|draft| draft.references = vec!["x".into(); 1_001], Some((Reason::TooLarge, "/references")));
        check(|draft| draft.measures.extend([("m".to_owned(), f64::NAN)]), Some((Reason::InvalidField, "/measures/m")));
        let at = |lon| Some(Geometry::Line(vec![Point::new(lon, 0.0); 2]));
        check(|draft| draft.segments[0].geometry = at(181.0), Some((Reason::InvalidCoordinates, "/geometry")));
        check(|draft| draft.segments[0].geometry = at(f64::NAN), Some((Reason::InvalidCoordinates, "/geometry")));
        let long = Some(Geometry::Line(vec![Point::default(); 4]));
        check(|draft| draft.segments[0].geometry.clone_from(&long), Some((Reason::TooLarge, "/geometry")));
        let ends = |draft: &mut Draft| {
            draft.segments.clear();
            draft.action = Some(Action::Cancel);
        };
        check(ends, None);
    }
}
