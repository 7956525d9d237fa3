//! Which info blocks say the same in several languages.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;

use super::read::{Area, Info};

/// Groups info blocks that differ only in language, in order of their first one. A language that
/// a group has already begins another: the same words again are another hazard or period.
pub(super) fn group<'a, 'b>(infos: &'b [Info<'a>]) -> Vec<Vec<&'b Info<'a>>> {
    if let [single] = infos {
        return vec![vec![single]];
    }
    let mut groups: Vec<(u64, Vec<&Info<'_>>)> = Vec::new();
    for info in infos {
        let key = fingerprint(info);
        let language = info.language.as_deref().unwrap_or_default();
        let speaks = |other: &&Info<'_>| other.language.as_deref().unwrap_or_default().eq_ignore_ascii_case(language);
        let home = groups
            .iter_mut()
            .find(|(other, members)| *other == key && !members.iter().any(speaks) && says_the_same(members[0], info));
        match home {
            Some((_, members)) => members.push(info),
            None => groups.push((key, vec![info])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// What must be equal, hashed, so that a thousand different blocks are told apart quickly.
fn fingerprint(info: &Info<'_>) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    info.categories.hash(&mut hasher);
    info.event_codes.hash(&mut hasher);
    (&info.urgency, &info.severity, &info.certainty).hash(&mut hasher);
    (&info.effective, &info.onset, &info.expires).hash(&mut hasher);
    for area in &info.areas {
        place_of(area).hash(&mut hasher);
    }
    hasher.finish()
}

fn says_the_same(one: &Info<'_>, other: &Info<'_>) -> bool {
    one.categories == other.categories
        && one.event_codes == other.event_codes
        && (&one.urgency, &one.severity, &one.certainty) == (&other.urgency, &other.severity, &other.certainty)
        && (&one.effective, &one.onset, &one.expires) == (&other.effective, &other.onset, &other.expires)
        && one.areas.len() == other.areas.len()
        && one.areas.iter().zip(&other.areas).all(|(a, b)| place_of(a) == place_of(b))
}

/// An area without its name, which is translated.
fn place_of<'b, 'a>(area: &'b Area<'a>) -> impl Hash + PartialEq + use<'a, 'b> {
    (&area.polygons[..], &area.circles[..], &area.geocodes[..], area.altitude.as_deref(), area.ceiling.as_deref())
}
