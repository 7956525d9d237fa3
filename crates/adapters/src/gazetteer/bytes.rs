//! Reads numbers from the tables in place.

/// A reader of bytes that live as long as the program; `None` past the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes {
    rest: &'static [u8],
}

impl Bytes {
    pub(super) const fn new(bytes: &'static [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many are left.
    pub(super) const fn len(self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'static [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// Big-endian, as crate country-boundaries has it.
    pub(super) fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Big-endian, as crate country-boundaries has it.
    pub(super) fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Little-endian, as our own tables have it.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Little-endian.
    pub(super) fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// LEB128, at most ten bytes.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// LEB128 with the sign in the lowest bit.
    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// As many little-endian numbers as `count`.
    pub(super) fn numbers(&mut self, count: usize) -> Option<Numbers> {
        self.take(count.checked_mul(4)?).map(Numbers)
    }
}

/// Little-endian `u32` numbers in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers(&'static [u8]);

impl Numbers {
    pub(super) fn get(self, index: usize) -> Option<u32> {
        let at = index.checked_mul(4)?;
        self.0.get(at..at + 4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// The first index in `range` whose number is at least `wanted`; they must be sorted.
    pub(super) fn lower_bound(self, range: std::ops::Range<usize>, wanted: u32) -> usize {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|number| number < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
