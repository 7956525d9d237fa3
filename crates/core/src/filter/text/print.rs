//! Printing the text form, so that reading it gives the same filter.

use std::fmt::{Display, Formatter, Result};

use super::lex::is_plain_word;
use crate::event::Code;
use crate::filter::keys::KEYS;
use crate::filter::{Filter, TextQuery, TimeField};
use crate::geometry::{Geometry, Point};
use crate::time::Timestamp;

pub(super) fn filter(f: &mut Formatter<'_>, filter: &Filter) -> Result {
    match filter {
        Filter::All(parts) if parts.len() > 1 => joined(f, parts, " and "),
        Filter::Any(parts) if parts.len() > 1 => joined(f, parts, " or "),
        Filter::All(parts) => write!(f, "all({})", List(parts)),
        Filter::Any(parts) => write!(f, "any({})", List(parts)),
        Filter::Not(inner) => {
            f.write_str("not ")?;
            part(f, inner, is_joined(inner))
        }
        condition => self::condition(f, condition),
    }
}

/// True for what is printed with `and` or `or`.
fn is_joined(filter: &Filter) -> bool {
    matches!(filter, Filter::All(parts) | Filter::Any(parts) if parts.len() > 1)
}

fn joined(f: &mut Formatter<'_>, parts: &[Filter], joint: &str) -> Result {
    for (index, one) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        let binds_tighter = joint == " or " && matches!(one, Filter::All(_));
        part(f, one, is_joined(one) && !binds_tighter)?;
    }
    Ok(())
}

fn part(f: &mut Formatter<'_>, filter: &Filter, in_parentheses: bool) -> Result {
    if in_parentheses { write!(f, "({filter})") } else { write!(f, "{filter}") }
}

/// Items with commas between them.
struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// A value: a plain word as it is, anything else in quotes.
struct Value<'a>(&'a str);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let is_joint = ["and", "or", "not", "in"].iter().any(|word| self.0.eq_ignore_ascii_case(word));
        if is_plain_word(self.0) && !is_joint { f.write_str(self.0) } else { write!(f, "{}", Quoted(self.0)) }
    }
}

/// A number with every digit, with an exponent where it would be long without.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let size = self.0.abs();
        if size != 0.0 && !(1e-7..1e16).contains(&size) { write!(f, "{:e}", self.0) } else { write!(f, "{}", self.0) }
    }
}

/// A text in quotes with the escapes of JSON.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // Writing a string as JSON cannot fail.
        f.write_str(&serde_json::to_string(self.0).unwrap_or_default())
    }
}

struct PrintedCode<'a>(&'a Code);

impl Display for PrintedCode<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Code { scheme, value } = self.0;
        if is_plain_word(scheme) && is_plain_word(value) && !scheme.contains(':') {
            write!(f, "{scheme}:{value}")
        } else {
            write!(f, "code({}, {})", Quoted(scheme), Quoted(value))
        }
    }
}

fn listed(f: &mut Formatter<'_>, key: &str, items: &[impl Display]) -> Result {
    match items {
        [one] => write!(f, "{key} = {one}"),
        many => write!(f, "{key} in ({})", List(many)),
    }
}

fn values(f: &mut Formatter<'_>, key: &str, items: &[String]) -> Result {
    let values: Vec<Value<'_>> = items.iter().map(|item| Value(item)).collect();
    listed(f, key, &values)
}

fn condition(f: &mut Formatter<'_>, condition: &Filter) -> Result {
    match condition {
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) => Ok(()),
        Filter::Category(words) => listed(f, "category", words),
        Filter::Type(words) => values(f, "type", words),
        Filter::Source(words) => values(f, "source", words),
        Filter::Sender(words) => values(f, "sender", words),
        Filter::Urgency(words) => listed(f, "urgency", words),
        Filter::Certainty(words) => listed(f, "certainty", words),
        Filter::Status(words) => listed(f, "status", words),
        Filter::State(words) => listed(f, "state", words),
        Filter::SeverityMin { at_least, unknown } => {
            let rest = match unknown {
                None => "",
                Some(true) => " with unknown",
                Some(false) => " without unknown",
            };
            write!(f, "severity >= {at_least}{rest}")
        }
        Filter::Measure { name, op, value } => {
            let value = Number(*value);
            if is_measure_word(name) {
                write!(f, "{name} {} {value}", op.as_str())
            } else {
                write!(f, "measure({}) {} {value}", Quoted(name), op.as_str())
            }
        }
        Filter::Text(query) => text(f, query),
        Filter::Country(codes) => values(f, "country", codes),
        Filter::Region(codes) => values(f, "region", codes),
        Filter::AreaCode(codes) => {
            let codes: Vec<PrintedCode<'_>> = codes.iter().map(PrintedCode).collect();
            listed(f, "area_code", &codes)
        }
        Filter::Near { center, radius_km } => {
            write!(f, "near({}, {}, {} km)", Number(center.lat), Number(center.lon), Number(*radius_km))
        }
        Filter::Bbox(bounds) => write!(f, "bbox({})", List(&bounds.0.map(Number))),
        Filter::Within(area) => {
            let polygons: Vec<PrintedPolygon<'_>> = area.parts().iter().map(PrintedPolygon).collect();
            write!(f, "within({})", List(&polygons))
        }
        Filter::Time { field, from, to } => time(f, *field, *from, *to),
    }
}

/// True for a name that begins a condition as a measure and nothing else.
fn is_measure_word(name: &str) -> bool {
    const OTHERS: &[&str] = &["severity", "measure", "and", "or", "in"];
    let is_taken = |word: &&str| word.eq_ignore_ascii_case(name);
    is_plain_word(name)
        && !KEYS.iter().any(is_taken)
        && !OTHERS.iter().any(is_taken)
        && TimeField::from_name(name).is_none()
}

fn text(f: &mut Formatter<'_>, query: &TextQuery) -> Result {
    if let Some(line) = query.as_line() {
        return write!(f, "text = {}", Quoted(&line));
    }
    f.write_str("text(")?;
    let lists = query.lists().into_iter().filter(|(_, entries)| !entries.is_empty());
    for (index, (name, entries)) in lists.enumerate() {
        let entries: Vec<Quoted<'_>> = entries.iter().map(|entry| Quoted(entry)).collect();
        write!(f, "{}{name}({})", if index == 0 { "" } else { ", " }, List(&entries))?;
    }
    f.write_str(")")
}

struct PrintedPolygon<'a>(&'a Geometry);
struct PrintedRing<'a>(&'a [Point]);
struct Corner<'a>(&'a Point);

impl Display for PrintedPolygon<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Geometry::Polygon(polygon) = self.0 else { return Ok(()) };
        let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
        let rings: Vec<PrintedRing<'_>> = rings.map(|ring| PrintedRing(ring)).collect();
        write!(f, "polygon({})", List(&rings))
    }
}

impl Display for PrintedRing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let corners: Vec<Corner<'_>> = self.0.iter().map(Corner).collect();
        write!(f, "({})", List(&corners))
    }
}

impl Display for Corner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {}", Number(self.0.lon), Number(self.0.lat))
    }
}

fn time(f: &mut Formatter<'_>, field: TimeField, from: Option<Timestamp>, to: Option<Timestamp>) -> Result {
    f.write_str(field.as_str())?;
    if let Some(from) = from {
        write!(f, " from {from}")?;
    }
    if let Some(to) = to {
        write!(f, " to {to}")?;
    }
    Ok(())
}
