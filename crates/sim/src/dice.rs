//! Chance that repeats: the same seed gives the same world in every release.

use tidings_core::geometry::Point;

use crate::geography::destination;

/// A stream of random numbers.
///
/// xoshiro256++ (Blackman and Vigna, 2019), seeded by SplitMix64. Kept here, because a library's
/// generator may change its stream from one release to the next, and a seeded world may not.
#[derive(Debug, Clone)]
pub struct Dice([u64; 4]);

impl Dice {
    /// The stream of one seed.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed(state)
        }))
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        let state = &mut self.0;
        let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// Evenly from 0 to just below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly within a span.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly from 0 to below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// True this often, of 1.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of several; they must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Waiting time of a happening without memory.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// About normal, as a sum of four even ones (Irwin-Hall): never further than 3.5 deviations.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..4).map(|_| self.unit()).sum();
        mean + (sum - 2.0) * deviation * 3.0_f64.sqrt()
    }

    /// A place around another, its mean distance given in kilometers.
    pub fn around(&mut self, center: Point, mean_km: f64) -> Point {
        let distance_km = self.exponential(mean_km).min(mean_km * 6.0);
        let bearing_deg = self.between(0.0, 360.0);
        destination(center, bearing_deg, distance_km)
    }
}

/// The finalizer of SplitMix64: every input bit changes half of the output bits.
pub(crate) fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_fixed() {
        let mut dice = Dice::new(1);
        let first: Vec<u64> = (0..3).map(|_| dice.bits()).collect();
        assert_eq!(first, [14_971_601_782_005_023_387, 13_781_649_495_232_077_965, 1_847_458_086_238_483_744]);
    }

    #[test]
    fn draws_have_their_means() {
        let mut dice = Dice::new(7);
        let mut mean = |draw: fn(&mut Dice) -> f64| (0..100_000).map(|_| draw(&mut dice)).sum::<f64>() / 100_000.0;
        assert!((mean(Dice::unit) - 0.5).abs() < 0.01);
        assert!((mean(|dice| dice.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!((mean(|dice| dice.normal(5.0, 2.0)) - 5.0).abs() < 0.1);
        assert!((mean(|dice| dice.below(10) as f64) - 4.5).abs() < 0.1);
    }
}
