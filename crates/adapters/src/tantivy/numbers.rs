//! Numbers as terms, so that a span of them is a few lists of documents.
//!
//! Each number is written at five precisions, the bits of a float in an order that is its own; a
//! span is covered by at most some 150 of these terms, a little too wide at both ends.

/// How many low bits each precision leaves out; the finest tells numbers 0.4 % apart.
const LEFT_OUT: [u32; 5] = [60, 56, 52, 48, 44];

/// A number at one precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket {
    level: usize,
    prefix: i64,
}

impl Bucket {
    /// Its name within a term.
    pub(super) fn name(self) -> String {
        format!("{}{:x}", self.level, self.prefix)
    }
}

/// The buckets that hold a number, one of each precision.
pub(super) fn buckets(value: f64) -> impl Iterator<Item = Bucket> {
    let bits = ordered(value);
    (0..LEFT_OUT.len()).map(move |level| Bucket { level, prefix: prefix(bits, level) })
}

/// Buckets that hold every number from `low` to `high`, and some beside.
pub(super) fn covering(low: f64, high: f64) -> Vec<Bucket> {
    let finest = LEFT_OUT.len() - 1;
    let (mut low, mut high) = (prefix(ordered(low), finest), prefix(ordered(high), finest));
    let mut cover = Vec::new();
    for level in (0..=finest).rev() {
        let is_coarsest = level == 0;
        while low <= high && (is_coarsest || low % 16 != 0) {
            cover.push(Bucket { level, prefix: low });
            low += 1;
        }
        while low <= high && high % 16 != 15 {
            cover.push(Bucket { level, prefix: high });
            high -= 1;
        }
        if low > high {
            break;
        }
        (low, high) = (low / 16, high / 16);
    }
    cover
}

fn prefix(bits: u64, level: usize) -> i64 {
    (bits >> LEFT_OUT[level]) as i64
}

/// The bits of a float in the order of its value; both zeros are one.
fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(low: f64, high: f64, value: f64) -> bool {
        let cover = covering(low, high);
        assert!(cover.len() <= 150, "{low} to {high}: {}", cover.len());
        buckets(value).any(|bucket| cover.contains(&bucket))
    }

    #[test]
    fn spans_hold_what_lies_in_them() {
        let values = [-1e300, -500.0, -2.5, -1e-9, -0.0, 0.0, 1e-300, 0.1, 2.5, 5.0, 6.0, 6.1, 9.9, 1e6, f64::MAX];
        for low in values {
            for high in values {
                for value in values {
                    let is_inside = low <= value && value <= high;
                    assert!(!is_inside || check(low, high, value), "{value} in {low} to {high}");
                }
            }
            assert!(check(low, f64::INFINITY, low) && check(f64::NEG_INFINITY, low, low));
        }
        assert!(!check(6.0, f64::INFINITY, 5.9) && !check(6.0, 6.0, 6.2) && !check(5.0, 4.0, 4.5));
    }
}
