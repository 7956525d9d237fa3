//! Numbers in the text of polygons and circles.

use crate::geometry::{Point, Ring};

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Integers up to here are exact as doubles.
const EXACT_MAX: u64 = 1 << 53;

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
/// Up to 2^53 without its point and with at most 22 decimals, one division gives the nearest
/// double (Clinger 1990); others go the standard library's slower way.
fn number(text: &[u8], start: usize) -> Option<(f64, usize)> {
    let negative = text.get(start) == Some(&b'-');
    let mut at = start + usize::from(negative || text.get(start) == Some(&b'+'));
    let (mut digits, mut decimals, mut mantissa) = (0_usize, 0_usize, 0_u64);
    let mut after_point = false;
    loop {
        match text.get(at) {
            Some(digit) if digit.is_ascii_digit() => {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                digits += 1;
                decimals += usize::from(after_point);
            }
            Some(b'.') if !after_point => after_point = true,
            _ => break,
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    let has_exponent = matches!(text.get(at), Some(b'e' | b'E'));
    if digits <= 19 && mantissa <= EXACT_MAX && decimals < TENS.len() && !has_exponent {
        let value = mantissa as f64 / TENS[decimals];
        return Some((if negative { -value } else { value }, at));
    }
    if has_exponent {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at += text[at.min(text.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    let value = std::str::from_utf8(text.get(start..at)?).ok()?.parse().ok()?;
    Some((value, at))
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
            prop_assert_eq!(found.to_bits(), expected.to_bits());
            prop_assert_eq!(end, text.len());
        }

        #[test]
        fn any_text_is_answered(text in "[-+0-9.,eE ();a]{0,40}") {
            let _ = (ring(&text), circle(&text));
        }
    }
}
