//! Numbers in the text of polygons and circles.

use crate::geometry::{Point, Ring};

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// As many digits fit into 64 bits.
const DIGITS_MAX: usize = 19;

/// The points of `lat,lon lat,lon …`, and whether they were written just so; other separators and
/// stray brackets are passed over. `None` when it is no list of pairs.
pub(super) fn ring(text: &str) -> Option<(Ring, bool)> {
    if let Some(points) = strict_ring(text.as_bytes()) {
        return Some((points, true));
    }
    let numbers = numbers(text.as_bytes())?;
    let (pairs, odd) = numbers.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return None;
    }
    Some((pairs.iter().map(|[lat, lon]| Point::new(*lon, *lat)).collect(), false))
}

/// Center and radius in kilometers of `lat,lon radius`.
pub(super) fn circle(text: &str) -> Option<(Point, f64)> {
    match numbers(text.as_bytes())?[..] {
        [lat, lon, radius_km] => Some((Point::new(lon, lat), radius_km)),
        _ => None,
    }
}

fn strict_ring(text: &[u8]) -> Option<Ring> {
    let mut points = Vec::with_capacity(text.len() / 16 + 1);
    let mut at = 0;
    loop {
        while text.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        if at == text.len() {
            return (!points.is_empty()).then_some(points);
        }
        let (lat, after) = number(text, at)?;
        if text.get(after) != Some(&b',') {
            return None;
        }
        let (lon, after) = number(text, after + 1)?;
        if text.get(after).is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return None;
        }
        points.push(Point::new(lon, lat));
        at = after;
    }
}

/// Every number of a text in which nothing else stands but separators.
fn numbers(text: &[u8]) -> Option<Vec<f64>> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'(' | b')' | b'[' | b']') {
            at += 1;
        } else {
            let (value, after) = number(text, at)?;
            numbers.push(value);
            at = after;
        }
    }
    Some(numbers)
}

/// A decimal number at `start`, and where it ends.
///
/// With at most 19 digits it is one division of whole numbers: exact up to 2^53 (Clinger 1990),
/// else within 2^-52 of the number, which on Earth is a millionth of a millimeter. Others go the
/// standard library's slower way.
#[inline(always)]
fn number(text: &[u8], start: usize) -> Option<(f64, usize)> {
    let negative = text.get(start) == Some(&b'-');
    let first = start + usize::from(negative || text.get(start) == Some(&b'+'));
    let (mut at, mut mantissa) = (first, 0_u64);
    read_digits(text, &mut at, &mut mantissa);
    let mut digits = at - first;
    let mut decimals = 0;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let point = at;
        read_digits(text, &mut at, &mut mantissa);
        decimals = at - point;
        digits += decimals;
    }
    if digits == 0 {
        return None;
    }
    let has_exponent = matches!(text.get(at), Some(b'e' | b'E'));
    if digits <= DIGITS_MAX && !has_exponent {
        let value = mantissa as f64 / TENS[decimals];
        return Some((if negative { -value } else { value }, at));
    }
    long_number(text, start, at)
}

/// A number with many digits or an exponent; its digits were read up to `at`.
#[cold]
fn long_number(text: &[u8], start: usize, mut at: usize) -> Option<(f64, usize)> {
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at += text[at.min(text.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    let value = std::str::from_utf8(text.get(start..at)?).ok()?.parse().ok()?;
    Some((value, at))
}

/// Reads digits and appends them to a number. One by one: their count is well predicted, while
/// eight at once make the next number wait for the length of this one (measured: 9 against 6 ns).
#[inline(always)]
fn read_digits(text: &[u8], at: &mut usize, number: &mut u64) {
    while let Some(digit) = text.get(*at).filter(|byte| byte.is_ascii_digit()) {
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(f64, f64)], as_written: bool) {
        let points: Ring = expected.iter().map(|(lat, lon)| Point::new(*lon, *lat)).collect();
        assert_eq!(ring(text), Some((points, as_written)), "{text}");
    }

    #[test]
    fn reads_points() {
        check("1,2 3,4", &[(1., 2.), (3., 4.)], true);
        check(" +41.12,-117.61\n\t40.85,-118.09 ", &[(41.12, -117.61), (40.85, -118.09)], true);
        check("40.85,-118.09, +40.86,-118.1", &[(40.85, -118.09), (40.86, -118.1)], false);
        check("1.5 2.5 3 4)", &[(1.5, 2.5), (3., 4.)], false);
        check("1e1,-2.5E-1", &[(10., -0.25)], true);
        check("-28.224200905033705,179.99999999", &[(-28.224200905033705, 179.99999999)], true);
        for text in ["", "here", "1,2 3", "1,,-", "1,2e", "NaN,1", "1.2.3,4", "-,-"] {
            assert_eq!(ring(text), None, "{text}");
        }
        assert_eq!(circle("38.820,-122.812 0.0"), Some((Point::new(-122.812, 38.82), 0.0)));
        assert_eq!(circle("1,2"), None);
    }

    proptest! {
        #[test]
        fn numbers_are_the_nearest(text in "[+-]?[0-9]{1,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?") {
            let expected: f64 = text.parse().expect("a number");
            let (found, end) = number(text.as_bytes(), 0).expect("a number");
            let exact = text.len() <= 15;
            prop_assert!(found == expected || (!exact && (found - expected).abs() <= expected.abs() * f64::EPSILON));
            prop_assert_eq!(end, text.len());
        }

        #[test]
        fn any_text_is_answered(text in "[-+0-9.,eE ();a]{0,40}") {
            let _ = (ring(&text), circle(&text));
        }
    }
}
