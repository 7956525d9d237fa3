//! The places that a filter asks for, one by one: what a recipient can be newly covered by, or lose.

use super::evaluate::{has_code, is_same_code};
use super::{Compiled, Filter, Leaf, Literal, Subject};
use crate::id::fingerprint;

/// Places told apart; those beyond share the last bit.
const PLACES_MAX: usize = 63;

impl Compiled {
    /// True where some condition is about a place: `near`, `bbox`, `within`, `region`, `country`,
    /// `area_code`.
    pub fn has_places(&self) -> bool {
        self.places().next().is_some()
    }

    /// True where some condition needs a shape: `near`, `bbox`, `within`.
    pub fn needs_shapes(&self) -> bool {
        self.places().any(|literal| literal.leaf.needs_shape())
    }

    /// Which places hold in a segment, a bit each in the order of the filter; each code of a list is
    /// a place of its own. A condition under `not` counts as held where its contrary holds.
    pub fn places_held(&self, subject: &Subject<'_>, segment: usize) -> u64 {
        let (mut held, mut next) = (0, 0_usize);
        let mut put = |holds: bool| {
            held |= u64::from(holds) << next.min(PLACES_MAX - 1);
            next += 1;
        };
        for literal in self.places() {
            match (&literal.leaf, literal.negated) {
                (Leaf::Country(codes), false) => {
                    let place = subject.place(segment);
                    let has = |code| place.is_some_and(|place| has_code(&place.countries, std::slice::from_ref(code)));
                    codes.iter().for_each(|code| put(has(code)));
                }
                (Leaf::Region(codes), false) => {
                    let place = subject.place(segment);
                    let has = |code| place.is_some_and(|place| has_code(&place.regions, std::slice::from_ref(code)));
                    codes.iter().for_each(|code| put(has(code)));
                }
                (Leaf::AreaCode(codes), false) => {
                    let has = |wanted| subject.codes(segment).any(|code| is_same_code(code, wanted));
                    codes.iter().for_each(|code| put(has(code)));
                }
                _ => put(literal.holds(subject, segment)),
            }
        }
        held
    }

    fn places(&self) -> impl Iterator<Item = &Literal> {
        self.program().literals().iter().filter(|literal| literal.leaf.is_place())
    }
}

impl Filter {
    /// Tells the places of two filters apart: what a recipient was told for under one revision of a
    /// subscription means nothing under another that asks for other places.
    pub fn places_mark(&self) -> u32 {
        let mut places = String::new();
        self.write_places(&mut places);
        let bits = fingerprint(&[places.as_bytes()]);
        u32::from_be_bytes([bits[0], bits[1], bits[2], bits[3]])
    }

    fn write_places(&self, out: &mut String) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.write_places(out)),
            Self::Not(part) => {
                out.push('!');
                part.write_places(out);
            }
            Self::Country(_)
            | Self::Region(_)
            | Self::AreaCode(_)
            | Self::Near { .. }
            | Self::Bbox(_)
            | Self::Within(_) => out.push_str(&self.to_json().to_string()),
            _ => {}
        }
    }
}
