//! Reading the conditions on a place in the text form.

use super::condition::{Read, judged, number, number_that, parenthesized};
use super::lex::Kind;
use super::parse::{Noted, Parser};
use crate::filter::Filter;
use crate::filter::json::{bounding_box, of_rings, wrapped};
use crate::filter::keys::shown;
use crate::filter::value;
use crate::geometry::Point;

pub(super) fn near(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    parser.expect_sign("(")?;
    let lat = item(parser, latitude);
    parser.expect_sign(",")?;
    let lon = item(parser, longitude);
    parser.expect_sign(",")?;
    let radius_km = item(parser, kilometers);
    parser.expect_sign(")")?;
    Ok(Filter::Near { center: Point::new(wrapped(lon?), lat?), radius_km: radius_km? })
}

/// `200 km`, `200km` or `200`.
fn kilometers(parser: &mut Parser<'_, '_>) -> Read<f64> {
    let column = parser.column();
    let joined = match parser.peek() {
        Kind::Word(word) => word.strip_suffix("km").and_then(|digits| digits.parse().ok()),
        _ => None,
    };
    let radius_km = match joined {
        Some(radius_km) => {
            parser.take();
            radius_km
        }
        None => {
            if let Kind::Word(word) = *parser.peek()
                && word.parse::<f64>().is_err()
            {
                let detail = format!("a number of kilometers is expected, like 200 km, not `{}`", shown(word));
                return Err(parser.fault("invalid_type", detail));
            }
            let radius_km = number(parser)?;
            parser.accept_word("km");
            radius_km
        }
    };
    let radius_km = judged(parser, column, radius_km, value::radius(radius_km));
    if let Kind::Word(unit) = *parser.peek() {
        return Err(parser.fault("invalid_value", format!("a radius is in km, not in `{}`", shown(unit))));
    }
    radius_km
}

pub(super) fn bbox(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    let column = parser.column();
    parser.expect_sign("(")?;
    let mut edges = [Ok(0.0), Ok(0.0), Ok(0.0), Ok(0.0)];
    for (index, edge) in edges.iter_mut().enumerate() {
        *edge = item(parser, if index % 2 == 0 { longitude } else { latitude });
        let is_missing = !parser.accept_sign(if index < 3 { "," } else { ")" });
        if is_missing {
            let detail = "a box is four numbers: west, south, east, north";
            return Err(parser.fault_at(column, "invalid_type", detail));
        }
    }
    let [west, south, east, north] = edges;
    Ok(Filter::Bbox(bounding_box([west?, south?, east?, north?])))
}

pub(super) fn within(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    let column = parser.column();
    let polygons = parenthesized(parser, |parser| {
        if !parser.accept_word("polygon") {
            let found = parser.found();
            return Err(parser.fault("syntax", format!("`polygon` is expected, not {found}")));
        }
        parenthesized(parser, |parser| parenthesized(parser, corner))
    })?;
    let area = parser.with_faults(column, |faults| of_rings(polygons, "", faults));
    area.map(Filter::Within).ok_or(Noted)
}

/// Longitude and latitude, as in well-known text.
fn corner(parser: &mut Parser<'_, '_>) -> Read<Point> {
    Ok(Point::new(number(parser)?, number(parser)?))
}

fn latitude(parser: &mut Parser<'_, '_>) -> Read<f64> {
    number_that(parser, value::latitude)
}

/// A longitude as it stands, once it can be moved into ±180.
fn longitude(parser: &mut Parser<'_, '_>) -> Read<f64> {
    number_that(parser, |lon| value::longitude(wrapped(lon)))
}

/// What `read` makes of one item; past it also where that is nothing.
fn item<T>(parser: &mut Parser<'_, '_>, read: fn(&mut Parser<'_, '_>) -> Read<T>) -> Read<T> {
    let found = read(parser);
    if found.is_err() {
        parser.skip_item();
    }
    found
}
