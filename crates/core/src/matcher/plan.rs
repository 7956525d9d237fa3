//! How a filter is indexed: its conjunctions, the key of each, and what is left to judge.

use std::sync::Arc;

use super::cell::{Cell, Rect, cells_over};
use super::cover::{Covering, cover};
use super::keys::{Field, Keys};
use super::mask::Mask;
use super::posting::Spot;
use super::rule::Access;
use super::sphere::{is_beyond, rects_around};
use crate::filter::{Compiled, Entry, Filter, Leaf, Literal, Measure, TextMatch};
use crate::geometry::{BoundingBox, Geometry, Point};
use crate::spatial::Prepared;

/// Degrees by which a box counts as larger when cells are found for it.
const MARGIN_DEG: f64 = 1e-6;
/// How much denser events lie where people are than over the whole Earth.
const CROWDING: f64 = 20.0;

/// One conjunction as it will be indexed.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) mask: Mask,
    /// What is left to judge: at the end that of the spot, then that of the access, if they are two.
    pub(super) tests: Vec<Wanted<'a>>,
    pub(super) access: Access,
    pub(super) spot: Spot,
}

/// A test to be made.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    Keys { field: Field, texts: Vec<String>, negated: bool },
    Near(Point, f64),
    Bbox(&'a BoundingBox),
    Within(&'a Arc<Prepared>, &'a Geometry),
    Literal(&'a Literal),
    Measure(&'a Measure, bool),
}

/// The conjunctions of a filter, without those that never hold.
pub(super) fn plans<'a>(compiled: &'a Compiled, keys: &Keys) -> Vec<Plan<'a>> {
    let mut areas = Vec::new();
    find_areas(compiled.filter(), &mut areas);
    let literals = compiled.program().literals();
    let mut area = areas.into_iter();
    let areas: Vec<Option<&Geometry>> = literals
        .iter()
        .map(|literal| if matches!(literal.leaf, Leaf::Within(_)) { area.next() } else { None })
        .collect();
    let mut found = Vec::new();
    for conjunction in compiled.program().conjunctions() {
        let mut mask = Mask::ALL;
        let mut tests = Vec::new();
        for index in conjunction {
            let Some(literal) = literals.get(usize::from(index)) else { continue };
            match Mask::of_literal(literal) {
                Some(allowed) => mask = mask.and(allowed),
                None => add_tests(literal, areas[usize::from(index)], &mut tests),
            }
        }
        if !mask.is_contradiction() {
            found.push(arrange(mask, tests, keys));
        }
    }
    found
}

/// The areas of all `within` conditions, in the order in which they stand.
fn find_areas<'a>(filter: &'a Filter, found: &mut Vec<&'a Geometry>) {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| find_areas(part, found)),
        Filter::Not(inner) => find_areas(inner, found),
        Filter::Within(area) => found.push(area),
        _ => {}
    }
}

fn add_tests<'a>(literal: &'a Literal, area: Option<&'a Geometry>, tests: &mut Vec<Wanted<'a>>) {
    let negated = literal.negated;
    let keys = |field, texts: &[Box<str>]| {
        let texts = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        Wanted::Keys { field, texts, negated }
    };
    let is_plain_place = !negated && !literal.coarse_negated;
    tests.push(match &literal.leaf {
        Leaf::Type(kinds) => keys(Field::Type, kinds),
        Leaf::Source(names) => keys(Field::Source, names),
        Leaf::Sender(names) => keys(Field::Sender, names),
        Leaf::Country(codes) => keys(Field::Country, codes),
        Leaf::Region(codes) => keys(Field::Region, codes),
        Leaf::AreaCode(codes) if codes.iter().all(|code| !code.scheme.contains('\n')) => {
            let text = |scheme: &str, value: &str| format!("{scheme}\n{value}").to_ascii_lowercase();
            let texts = codes.iter().map(|code| text(&code.scheme, &code.value)).collect();
            Wanted::Keys { field: Field::AreaCode, texts, negated }
        }
        Leaf::Measure(measure) => Wanted::Measure(measure, negated),
        Leaf::Near(center, radius_km) if is_plain_place => Wanted::Near(*center, *radius_km),
        Leaf::Bbox(bounds) if is_plain_place => Wanted::Bbox(bounds),
        Leaf::Within(prepared) => match area.filter(|area| is_plain_place && is_of_polygons(area)) {
            Some(area) => Wanted::Within(prepared, area),
            None => Wanted::Literal(literal),
        },
        Leaf::Text(query) if !negated => return add_text(query, literal, tests),
        _ => Wanted::Literal(literal),
    });
}

fn is_of_polygons(area: &Geometry) -> bool {
    area.parts().iter().all(|part| matches!(part, Geometry::Polygon(polygon) if polygon.exterior.len() > 2))
}

/// What a text query needs as words to be found, and the whole where that is not all.
fn add_text<'a>(query: &TextMatch, literal: &'a Literal, tests: &mut Vec<Wanted<'a>>) {
    let mut is_whole = true;
    let mut words = |words: Vec<&str>, negated| {
        let texts = words.into_iter().map(str::to_owned).collect();
        tests.push(Wanted::Keys { field: Field::Word, texts, negated });
    };
    for entry in &query.all {
        is_whole &= !entry.is_empty() && entry.iter().all(|phrase| phrase.len() == 1);
        for word in entry.iter().flatten() {
            words(vec![word], false);
        }
    }
    if !query.any.is_empty() {
        is_whole &= query.any.iter().all(|entry| single_word(entry).is_some());
        // An entry without words is never found, so it may be left out.
        let first_words = query.any.iter().filter_map(|entry| entry.iter().flatten().next());
        words(first_words.map(|word| &**word).collect(), false);
    }
    for entry in &query.none {
        match single_word(entry) {
            Some(word) => words(vec![word], true),
            None => is_whole &= entry.is_empty(),
        }
    }
    if !is_whole {
        tests.push(Wanted::Literal(literal));
    }
}

fn single_word(entry: &Entry) -> Option<&str> {
    match &**entry {
        [phrase] => match &**phrase {
            [word] => Some(word),
            _ => None,
        },
        _ => None,
    }
}

/// Chooses the key and the spot, and puts their tests last.
fn arrange<'a>(mask: Mask, mut tests: Vec<Wanted<'a>>, keys: &Keys) -> Plan<'a> {
    let mut spot = Spot::Anywhere;
    let mut access = Access::Words;
    let mut least = mask.share();
    // Cheap tests come first.
    tests.sort_by_key(|test| {
        matches!(test, Wanted::Literal(_) | Wanted::Near(..) | Wanted::Bbox(_) | Wanted::Within(..))
    });
    if let Some((index, share)) = rarest(&tests, keys, |test| test.is_place()) {
        spot = tests[index].spot();
        let last = tests.remove(index);
        tests.push(last);
        if share <= least {
            (access, least) = (Access::Cells, share);
        }
    }
    if let Some((index, share)) = rarest(&tests, keys, |test| test.is_key())
        && share < least
    {
        access = Access::Keys;
        let last = tests.remove(index);
        tests.push(last);
    }
    Plan { mask, tests, access, spot }
}

/// Of some tests, the one that holds for the fewest events, and its share of them.
fn rarest(tests: &[Wanted<'_>], keys: &Keys, of: impl Fn(&Wanted<'_>) -> bool) -> Option<(usize, f64)> {
    let shares = tests.iter().enumerate().filter(|(_, test)| of(test)).map(|(index, test)| (index, test.share(keys)));
    shares.min_by(|one, other| one.1.total_cmp(&other.1))
}

impl Wanted<'_> {
    const fn is_place(&self) -> bool {
        matches!(self, Self::Near(..) | Self::Bbox(_) | Self::Within(..))
    }

    const fn is_key(&self) -> bool {
        matches!(self, Self::Keys { negated: false, .. })
    }

    /// A guess at the share of events it holds for; it only ranks access keys.
    fn share(&self, keys: &Keys) -> f64 {
        match self {
            Self::Keys { field, texts, .. } => texts.iter().map(|text| key_share(*field, text, keys)).sum(),
            Self::Near(_, radius_km) => (radius_km / 6_371.0).powi(2) / 4.0 * CROWDING,
            Self::Bbox(bounds) => box_rects(bounds).iter().map(rect_share).sum(),
            Self::Within(_, area) => Rect::around(area.points()).map_or(1.0, |bounds| rect_share(&bounds)),
            Self::Literal(_) | Self::Measure(..) => 1.0,
        }
    }

    fn spot(&self) -> Spot {
        match self {
            Self::Near(center, radius_km) => Spot::Disc(*center, *radius_km),
            Self::Bbox(BoundingBox([west, south, east, north])) => {
                Spot::Box { west: *west, south: *south, east: *east, north: *north, whole: true }
            }
            Self::Within(_, area) => Rect::around(area.points()).map_or(Spot::Anywhere, |rect| Spot::bounds(&rect)),
            _ => Spot::Anywhere,
        }
    }
}

fn key_share(field: Field, text: &str, keys: &Keys) -> f64 {
    match field {
        Field::Source => 0.1,
        Field::Sender => 3e-3,
        Field::Type => [0.2, 0.02, 5e-3][text.matches('.').count().min(2)],
        Field::Country => 0.03,
        Field::Region => 3e-3,
        Field::AreaCode => 3e-4,
        Field::Measure => 1.0,
        // Words that many ask for are those that events use.
        Field::Word => 2e-3 * (1.0 + keys.listed(field, text) as f64 / 1_000.0),
    }
}

fn rect_share(rect: &Rect) -> f64 {
    (rect.east - rect.west) * (rect.north - rect.south) / (360.0 * 180.0) * CROWDING
}

fn box_rects(bounds: &BoundingBox) -> Vec<Rect> {
    let BoundingBox([west, south, east, north]) = *bounds;
    if west <= east {
        return vec![Rect { west, south, east, north }];
    }
    vec![Rect { west, south, east: 180.0, north }, Rect { west: -180.0, south, east, north }]
}

/// The cells that hold everything within the radius of a point.
pub(super) fn cells_near(center: Point, radius_km: f64) -> Vec<Cell> {
    let rects = rects_around(center, radius_km);
    let mut cells: Vec<Cell> = rects.iter().flat_map(|rect| cells_over(rect, 4)).collect();
    cells.retain(|cell| !is_beyond(center, radius_km, &cell.rect()));
    sorted(cells)
}

/// The cells that hold a box.
pub(super) fn cells_in_box(bounds: &BoundingBox) -> Vec<Cell> {
    sorted(box_rects(bounds).iter().flat_map(|rect| cells_over(&rect.grown(MARGIN_DEG), 4)).collect())
}

fn sorted(mut cells: Vec<Cell>) -> Vec<Cell> {
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// The cells of an area.
pub(super) fn cells_of_area(area: &Geometry) -> Box<[Covering]> {
    cover(area).into()
}
