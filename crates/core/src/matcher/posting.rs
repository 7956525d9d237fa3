//! What stands in the lists of the index: enough of a conjunction to judge most of it in place.

use super::cell::Rect;
use super::keys::KeyId;
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
    /// A disc (center and squared chords) or a box (west, south, east, north), as the marks say,
    /// single precision; else keys, of which the event must have one.
    spot: [u32; 5],
}

/// A key that no event has.
const NO_KEY: KeyId = KeyId::MAX;

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
/// No other posting that a point or a key leads to finds the same subscription.
const ALONE: u64 = 1 << (BITS + 6);

/// The spot holds keys.
const KEYS: u64 = 1 << (BITS + 7);

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
    /// No conjunction's: it allows nothing.
    pub(super) const NOTHING: Self = Self { bits: 0, rule: 0, spot: [0; 5] };

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
        let spot = numbers.map(f32::to_bits);
        Self { bits: bits | if is_plain { PLAIN } else { 0 }, rule, spot }
    }

    /// The same in the list of a cell that lies wholly inside its shape.
    #[must_use]
    pub(super) const fn interior(self) -> Self {
        Self { bits: self.bits | INTERIOR, ..self }
    }

    /// The same with keys, of which the event must have one; for one that names no place, and with
    /// one to five keys.
    #[must_use]
    pub(super) fn with_keys(self, keys: &[KeyId]) -> Self {
        let spot = std::array::from_fn(|index| keys.get(index).copied().unwrap_or(NO_KEY));
        Self { bits: self.bits | KEYS, spot, ..self }
    }

    /// True when an event with these keys has one of its own, or it has none.
    #[inline]
    pub(super) fn shares_key(&self, keys: &KeysOfEvent<'_>) -> bool {
        self.bits & KEYS == 0 || self.spot.iter().any(|key| keys.contains(*key))
    }

    /// True when the spot holds keys.
    #[inline]
    pub(super) const fn has_keys(&self) -> bool {
        self.bits & KEYS != 0
    }

    #[inline]
    fn floats(&self) -> [f32; 5] {
        self.spot.map(f32::from_bits)
    }

    /// The same as the only way to its subscription, if it is that.
    #[must_use]
    pub(super) const fn alone(self, is_alone: bool) -> Self {
        Self { bits: self.bits | if is_alone { ALONE } else { 0 }, ..self }
    }

    /// True when no other posting that a point or a key leads to finds the same subscription.
    #[inline]
    pub(super) const fn is_alone(&self) -> bool {
        self.bits & ALONE != 0
    }

    /// True when a segment with these words passes its mask.
    #[inline]
    pub(super) const fn allows(&self, words: Mask) -> bool {
        words.0 & !self.bits == 0
    }

    /// True when mask and place are all there is to judge.
    #[inline]
    pub(super) const fn is_plain(&self) -> bool {
        self.bits & PLAIN != 0
    }

    /// True when it names no place to be judged here.
    #[inline]
    pub(super) const fn is_anywhere(&self) -> bool {
        self.bits & (DISC | BOX) == 0
    }

    /// Judges a point. One found through a cell counts as in it.
    #[inline]
    pub(super) fn judge(&self, point: &Spotted) -> Verdict {
        if self.bits & DISC != 0 {
            let [x, y, z, inner, outer] = self.floats();
            let chord = chord_squared([x, y, z], point.vector);
            return between(chord <= inner, chord > outer);
        }
        if self.bits & BOX == 0 || self.bits & INTERIOR != 0 {
            return Verdict::Yes;
        }
        let at = [point.lon, point.lat, point.lon, point.lat];
        between(self.bits & WHOLE != 0 && self.is_in_box(point), !self.box_overlaps(at))
    }

    /// True when a point is in the box, away from its edges.
    #[inline]
    fn is_in_box(&self, point: &Spotted) -> bool {
        let [west, south, east, north, _] = self.floats();
        let (after, before) = (point.lon >= west + EDGE_DEG, point.lon <= east - EDGE_DEG);
        let in_lon = if self.bits & CROSSES != 0 { after || before } else { after && before };
        in_lon && point.lat >= south + EDGE_DEG && point.lat <= north - EDGE_DEG
    }

    /// True unless a rectangle surely lies outside of the box.
    #[inline]
    fn box_overlaps(&self, rect: [f32; 4]) -> bool {
        let [west, south, east, north, _] = self.floats();
        let (after, before) = (rect[2] >= west - EDGE_DEG, rect[0] <= east + EDGE_DEG);
        let in_lon = if self.bits & CROSSES != 0 { after || before } else { after && before };
        in_lon && rect[3] >= south - EDGE_DEG && rect[1] <= north + EDGE_DEG
    }

    /// Something of it, to have it read from memory.
    #[inline]
    pub(super) const fn touch(&self) -> u64 {
        self.bits
    }

    /// Judges a shape by what surrounds it and one point of it.
    #[inline]
    pub(super) fn judge_extent(&self, extent: &Extent) -> Verdict {
        if self.bits & DISC != 0 {
            let [x, y, z, inner, outer] = self.floats();
            let center = [x, y, z];
            // Chords of unit vectors keep the triangle inequality.
            let least = chord_squared(center, extent.center).sqrt() - extent.reach;
            let within = chord_squared(center, extent.corner.vector) <= inner;
            return between(within, least > outer.sqrt());
        }
        if self.bits & BOX == 0 {
            return Verdict::Yes;
        }
        between(self.bits & WHOLE != 0 && self.is_in_box(&extent.corner), !self.box_overlaps(extent.rect))
    }
}

#[inline]
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

/// The keys of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeysOfEvent<'a> {
    sorted: &'a [KeyId],
    /// A bit for the low six bits of each.
    bits: u64,
}

impl<'a> KeysOfEvent<'a> {
    /// Of keys in order.
    pub(super) fn new(sorted: &'a [KeyId]) -> Self {
        Self { sorted, bits: sorted.iter().fold(0, |bits, key| bits | 1 << (key & 63)) }
    }

    #[inline]
    pub(super) fn contains(&self, key: KeyId) -> bool {
        self.bits >> (key & 63) & 1 == 1 && self.sorted.binary_search(&key).is_ok()
    }

    #[inline]
    pub(super) const fn sorted(&self) -> &'a [KeyId] {
        self.sorted
    }
}

/// What surrounds a shape, and one point of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    center: [f32; 3],
    /// The longest chord from the center to anything of the shape.
    reach: f32,
    rect: [f32; 4],
    corner: Spotted,
}

impl Extent {
    /// Of a shape within some rectangles; `None` where it is too wide, or near a seam of the map.
    ///
    /// In a rectangle of longitude and latitude the farthest point from another one is a corner:
    /// along a parallel the distance grows with the difference in longitude, and along a meridian
    /// it has no maximum within a quarter of the globe.
    pub(super) fn new(rects: &[Rect], corner: Point) -> Option<Self> {
        let corners = |rect: &Rect| {
            let Rect { west, south, east, north } = *rect;
            [Point::new(west, south), Point::new(west, north), Point::new(east, south), Point::new(east, north)]
        };
        let around = Rect::around(rects.iter().flat_map(corners))?;
        let is_narrow = around.east - around.west < 60.0 && around.south > -85.0 && around.north < 85.0;
        if !is_narrow || around.west < -179.0 || around.east > 179.0 {
            return None;
        }
        let center = unit_vector(around.middle());
        let chords = corners(&around).map(|corner| chord_squared(center, unit_vector(corner)).sqrt());
        Some(Self {
            center,
            reach: chords.into_iter().fold(0.0, f32::max) + 1e-6,
            rect: [around.west as f32, around.south as f32, around.east as f32, around.north as f32],
            corner: Spotted::new(corner),
        })
    }
}

/// The postings under one key.
#[derive(Debug, Default)]
pub(super) struct List {
    /// The postings, and room for more.
    room: Box<[Posting]>,
    len: u32,
    /// How many of them are of removed conjunctions; no more than it can count.
    dead: u16,
    /// For the one who keeps the list: four bits to its own use.
    pub(super) parts: u8,
}

impl List {
    #[inline]
    pub(super) fn postings(&self) -> &[Posting] {
        &self.room[..self.len as usize]
    }

    /// Adds a posting.
    pub(super) fn push(&mut self, posting: Posting) {
        if self.len as usize == self.room.len() {
            let mut room = std::mem::take(&mut self.room).into_vec();
            let more = 1 + room.len() / 8;
            room.reserve_exact(more);
            room.extend(std::iter::repeat_n(posting, more));
            self.room = room.into_boxed_slice();
        }
        self.room[self.len as usize] = posting;
        self.len += 1;
    }

    /// Bytes of the postings and the room for more.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.room)
    }

    /// Notes that one of its postings is of a removed conjunction. True when it is time to sweep.
    pub(super) fn bury(&mut self) -> bool {
        self.dead = self.dead.saturating_add(1);
        u32::from(self.dead) * 2 >= self.len || self.dead == u16::MAX
    }

    /// Drops the postings of removed conjunctions, handing each to `dropped`.
    pub(super) fn sweep(&mut self, is_dead: impl Fn(u32) -> bool, mut dropped: impl FnMut(u32)) {
        let mut room = std::mem::take(&mut self.room).into_vec();
        room.truncate(self.len as usize);
        room.retain(|posting| {
            let dead = is_dead(posting.rule);
            if dead {
                dropped(posting.rule);
            }
            !dead
        });
        self.dead = 0;
        self.len = room.len() as u32;
        self.room = room.into_boxed_slice();
    }
}
