//! What stands in the lists of the index: enough of a conjunction to judge most of it in place.

use super::cell::Rect;
use super::mask::{BITS, Mask};
use super::sphere::{chord_bounds, chord_squared, unit_vector};
use crate::geometry::Point;

/// Degrees from an edge within which a box is left to the exact test.
const EDGE_DEG: f32 = 1e-4;

/// One conjunction in one list, half a cache line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    /// Its [`Mask`], and above it the marks.
    bits: u64,
    /// Which conjunction.
    pub(super) rule: u32,
    /// A disc (center and squared chords) or a box (west, south, east, north), as the marks say.
    spot: [f32; 5],
}

/// What the quick test of a place says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does not hold.
    No,
    /// The exact test must say.
    Perhaps,
    /// It holds.
    Yes,
}

const DISC: u64 = 1 << BITS;
const BOX: u64 = 1 << (BITS + 1);
/// The box is the whole condition, not just bounds of it.
const WHOLE: u64 = 1 << (BITS + 2);
/// The box crosses the antimeridian; kept apart because single precision may hide it.
const CROSSES: u64 = 1 << (BITS + 5);
/// The list's cell lies wholly inside the shape.
const INTERIOR: u64 = 1 << (BITS + 3);
/// Mask and place are all there is to judge.
const PLAIN: u64 = 1 << (BITS + 4);

/// The quick test of a conjunction's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spot {
    /// It names none.
    Anywhere,
    /// Within a radius.
    Disc(Point, f64),
    /// In one of at most two boxes beside each other; the whole condition or bounds of it.
    Box { west: f64, south: f64, east: f64, north: f64, whole: bool },
}

impl Spot {
    /// Bounds of a shape that does not cross the antimeridian.
    pub(super) fn bounds(rect: &Rect) -> Self {
        Self::Box { west: rect.west, south: rect.south, east: rect.east, north: rect.north, whole: false }
    }
}

impl Posting {
    /// A conjunction's posting. `is_plain` when nothing but mask and place is to be judged.
    pub(super) fn new(rule: u32, mask: Mask, spot: Spot, is_plain: bool) -> Self {
        let mut bits = mask.0;
        let mut numbers = [0.0; 5];
        match spot {
            Spot::Anywhere => {}
            Spot::Disc(center, radius_km) => {
                bits |= DISC;
                numbers[..3].copy_from_slice(&unit_vector(center));
                numbers[3..].copy_from_slice(&chord_bounds(radius_km));
            }
            Spot::Box { west, south, east, north, whole } => {
                bits |= BOX | if whole { WHOLE } else { 0 } | if west > east { CROSSES } else { 0 };
                numbers[..4].copy_from_slice(&[west as f32, south as f32, east as f32, north as f32]);
            }
        }
        Self { bits: bits | if is_plain { PLAIN } else { 0 }, rule, spot: numbers }
    }

    /// The same in the list of a cell that lies wholly inside its shape.
    #[must_use]
    pub(super) const fn interior(self) -> Self {
        Self { bits: self.bits | INTERIOR, ..self }
    }

    /// True when a segment with these words passes its mask.
    pub(super) const fn allows(&self, words: Mask) -> bool {
        words.0 & !self.bits == 0
    }

    /// True when mask and place are all there is to judge.
    pub(super) const fn is_plain(&self) -> bool {
        self.bits & PLAIN != 0
    }

    /// True when it names no place to be judged here.
    pub(super) const fn is_anywhere(&self) -> bool {
        self.bits & (DISC | BOX) == 0
    }

    /// Judges a point. One found through a cell counts as in it.
    pub(super) fn judge(&self, point: &Spotted) -> Verdict {
        if self.bits & DISC != 0 {
            let chord = chord_squared([self.spot[0], self.spot[1], self.spot[2]], point.vector);
            return between(chord <= self.spot[3], chord > self.spot[4]);
        }
        if self.bits & BOX == 0 || self.bits & INTERIOR != 0 {
            return Verdict::Yes;
        }
        let [west, south, east, north, _] = self.spot;
        let crosses = self.bits & CROSSES != 0;
        let inside = |margin: f32| {
            let (after, before) = (point.lon >= west + margin, point.lon <= east - margin);
            let in_lon = if crosses { after || before } else { after && before };
            in_lon && point.lat >= south + margin && point.lat <= north - margin
        };
        between(self.bits & WHOLE != 0 && inside(EDGE_DEG), !inside(-EDGE_DEG))
    }
}

const fn between(surely: bool, never: bool) -> Verdict {
    match (surely, never) {
        (true, _) => Verdict::Yes,
        (_, true) => Verdict::No,
        _ => Verdict::Perhaps,
    }
}

/// A point, ready to be judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spotted {
    vector: [f32; 3],
    lon: f32,
    lat: f32,
}

impl Spotted {
    /// Prepares a point.
    pub(super) fn new(point: Point) -> Self {
        Self { vector: unit_vector(point), lon: point.lon as f32, lat: point.lat as f32 }
    }
}

/// The postings under one key, with how many of them are of removed conjunctions.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) postings: Vec<Posting>,
    dead: u32,
}

impl List {
    /// Adds a posting, growing by a quarter: memory counts more than the few copies.
    pub(super) fn push(&mut self, posting: Posting) {
        if self.postings.len() == self.postings.capacity() {
            self.postings.reserve_exact(1 + self.postings.len() / 4);
        }
        self.postings.push(posting);
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.postings.capacity() * size_of::<Posting>()
    }

    /// Notes that one of its postings is of a removed conjunction. True when it is time to sweep.
    pub(super) fn bury(&mut self) -> bool {
        self.dead += 1;
        self.dead as usize * 2 >= self.postings.len()
    }

    /// Drops the postings of removed conjunctions, handing each to `dropped`.
    pub(super) fn sweep(&mut self, is_dead: impl Fn(u32) -> bool, mut dropped: impl FnMut(u32)) {
        self.postings.retain(|posting| {
            let dead = is_dead(posting.rule);
            if dead {
                dropped(posting.rule);
            }
            !dead
        });
        self.dead = 0;
        self.postings.shrink_to(self.postings.len() + self.postings.len() / 4);
    }
}
