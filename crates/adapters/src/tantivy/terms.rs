//! How the conditions of a filter are spelled as terms: the same on the way in and in queries.

use ::tantivy::Term;
use ::tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tidings_core::event::Code;
use tidings_core::geometry::{BoundingBox, Geometry};
use tidings_core::id::{TenantId, ThreadId};
use tidings_core::spatial::circle_bounds;
use tidings_core::vocabulary::State;

/// The fields of a document. Nothing is stored: events are read from the store by position.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub schema: Schema,
    /// Everything that is asked for as a whole: categories, codes, tenants, cells, ….
    pub facts: Field,
    /// Words and stems of title and texts.
    pub words: Field,
    /// Milliseconds since 1970.
    pub received: Field,
    /// Milliseconds since 1970; the earliest instant where an event does not say.
    pub occurred: Field,
    /// When the document came into the index, in milliseconds since 1970.
    pub applied: Field,
    /// When the hazard of a current revision is over, in milliseconds since 1970.
    pub hazard_end: Field,
    /// Epoch and partition of the position.
    pub log: Field,
    /// Offset of the position.
    pub offset: Field,
    /// West, south, east, north of the shape, in degrees.
    pub bounds: [Field; 4],
}

impl Fields {
    /// The fields of every index of this format.
    pub(super) fn new() -> Self {
        let mut schema = Schema::builder();
        let whole = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let whole = TextOptions::default().set_indexing_options(whole);
        let facts = schema.add_text_field("facts", whole.clone());
        let words = schema.add_text_field("words", whole);
        let received = schema.add_i64_field("received", FAST);
        let occurred = schema.add_i64_field("occurred", FAST);
        let applied = schema.add_i64_field("applied", FAST);
        let hazard_end = schema.add_i64_field("hazard_end", FAST);
        let log = schema.add_u64_field("log", FAST);
        let offset = schema.add_u64_field("offset", FAST);
        let bounds = ["west", "south", "east", "north"].map(|side| schema.add_f64_field(side, FAST));
        Self { schema: schema.build(), facts, words, received, occurred, applied, hazard_end, log, offset, bounds }
    }

    /// The term of a fact.
    pub(super) fn fact(&self, fact: &Fact<'_>) -> Term {
        Term::from_field_text(self.facts, &fact.spelled())
    }

    /// The term of a word as it stands in a text.
    pub(super) fn word(&self, word: &str) -> Term {
        Term::from_field_text(self.words, cut(word))
    }

    /// The term of a stem. Its language is left out: the filter tells languages apart afterwards.
    pub(super) fn stem(&self, stem: &str) -> Term {
        Term::from_field_text(self.words, &spelled_stem(stem))
    }
}

/// Words hold no tilde, so a stem is never taken for a word.
pub(super) fn spelled_stem(stem: &str) -> String {
    format!("~{}", cut(stem))
}

/// Something that is true of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fact<'a> {
    /// It is one of all revisions.
    Revision,
    /// It is the current revision of some thread.
    Latest,
    /// It is the current revision of this thread.
    LatestOf(ThreadId),
    /// How the thread of a current revision stands, expiry aside.
    Standing(State),
    Tenant(&'a TenantId),
    /// A word of a closed list, under the list's name.
    Word(&'static str, &'a str),
    /// A name in any case.
    Name(&'static str, &'a str),
    AreaCode(&'a Code),
    /// A measure is there.
    Measure(&'a str),
    /// A measure is there and its number is in a bucket.
    Number(&'a str, super::numbers::Bucket),
    /// Placed too coarsely to answer for shapes.
    Coarse,
    /// Some of it lies in this cell.
    Cell(Cell),
    /// It spans more cells than are listed.
    Wide,
}

impl Fact<'_> {
    /// Its term. Long names are cut, which finds too much at worst.
    pub(super) fn spelled(&self) -> String {
        match self {
            Self::Revision => "revision".to_owned(),
            Self::Latest => "latest".to_owned(),
            Self::LatestOf(thread) => format!("of {thread}"),
            Self::Standing(state) => format!("standing {state}"),
            Self::Tenant(tenant) => format!("tenant {}", cut(tenant.as_str())),
            Self::Word(list, word) => format!("{list} {word}"),
            Self::Name(list, name) => format!("{list} {}", cut(&name.to_lowercase())),
            Self::AreaCode(code) => {
                let [scheme, value] = [&code.scheme, &code.value].map(|part| part.to_ascii_lowercase());
                format!("code {}={}", cut(&scheme), cut(&value))
            }
            Self::Measure(name) => format!("measure {}", cut(name)),
            Self::Number(name, bucket) => format!("number {} {}", bucket.name(), cut(name)),
            Self::Coarse => "coarse".to_owned(),
            Self::Cell(Cell(row, column)) => format!("cell {row} {column}"),
            Self::Wide => "wide".to_owned(),
        }
    }
}

/// At most 200 bytes of a text.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// A square of 5 degrees: row from the south, column from the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell(u8, u8);

/// A box that does not cross the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Bounds {
    const EDGE_DEGREES: f64 = 5.0;

    /// The bounds of a shape; `None` without any point.
    pub(super) fn of(geometry: &Geometry) -> Option<Self> {
        let part_bounds = |part: &Geometry| match part {
            Geometry::Circle { center, radius_km } => Some(Self::of_box(&circle_bounds(*center, *radius_km))),
            part => part
                .points()
                .map(|point| Self::of_box(&BoundingBox([point.lon, point.lat, point.lon, point.lat])))
                .reduce(Self::union),
        };
        geometry.parts().iter().filter_map(part_bounds).reduce(Self::union)
    }

    /// The bounds of a box, all longitudes where it meets the antimeridian or a pole: there one
    /// place has several longitudes. A hair wider than asked.
    pub(super) fn of_box(bounds: &BoundingBox) -> Self {
        const HAIR: f64 = 1e-6;
        let [west, south, east, north] = bounds.0;
        let (west, south, east, north) = (west - HAIR, south - HAIR, east + HAIR, north + HAIR);
        if west > east || west <= -180.0 || east >= 180.0 || south <= -90.0 || north >= 90.0 {
            return Self { west: -180.0, south, east: 180.0, north };
        }
        Self { west, south, east, north }
    }

    /// The bounds of both.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    /// The cells it meets; `None` where they are more than `most`.
    pub(super) fn cells(&self, most: usize) -> Option<Vec<Cell>> {
        let number = |degrees: f64, last: u8| ((degrees / Self::EDGE_DEGREES) as i64).clamp(0, i64::from(last)) as u8;
        let rows = number(self.south + 90.0, 35)..=number(self.north + 90.0, 35);
        let columns = number(self.west + 180.0, 71)..=number(self.east + 180.0, 71);
        if rows.len() * columns.len() > most {
            return None;
        }
        Some(rows.flat_map(|row| columns.clone().map(move |column| Cell(row, column))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_core::geometry::Point;

    #[test]
    fn shapes_that_meet_share_a_cell() {
        let cells = |bounds: [f64; 4]| Bounds::of_box(&BoundingBox(bounds)).cells(100);
        assert_eq!(cells([12.1, 43.1, 12.5, 43.5]), Some(vec![Cell(26, 38)]));
        assert_eq!(cells([-180.0, -90.0, 180.0, 90.0]), None);
        assert_eq!(cells([179.0, 1.0, -179.0, 2.0]).map(|cells| cells.len()), Some(72));
        let near_pole = Geometry::Circle { center: Point::new(10.0, 89.9), radius_km: 50.0 };
        assert_eq!(Bounds::of(&near_pole).expect("it has points").east, 180.0);
        assert_eq!(Bounds::of(&Geometry::Line(vec![])), None);
    }

    #[test]
    fn long_names_are_cut_at_letters() {
        assert_eq!(Fact::Name("source", &"É".repeat(500)).spelled().len(), "source ".len() + 200);
    }
}
