//! Reading single conditions of the text form.

use super::lex::Kind;
use super::parse::{Noted, Parser};
use super::place::{bbox, near, within};
use crate::event::Code;
use crate::filter::json::Word;
use crate::filter::keys::{KEYS, TIME_FIELDS, shown, suggestion};
use crate::filter::value::{self, Verdict};
use crate::filter::{Comparison, Filter, TextQuery, TimeField, check};
use crate::time::Timestamp;

pub(super) type Read<T> = Result<T, Noted>;

/// Reads one condition and checks its values.
pub(super) fn condition(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    let column = parser.column();
    let filter = unchecked(parser)?;
    let inner = if let Filter::Not(inner) = &filter { inner } else { &filter };
    parser.with_faults(column, |faults| check::values(inner, "", faults));
    Ok(filter)
}

fn unchecked(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    let Kind::Word(name) = *parser.peek() else {
        let found = parser.found();
        return Err(parser.fault("syntax", format!("a condition is expected, not {found}")));
    };
    let column = parser.column();
    parser.take();
    match name.to_ascii_lowercase().as_str() {
        "category" => listed(parser, Filter::Category, word),
        "type" => listed(parser, Filter::Type, filled),
        "source" => listed(parser, Filter::Source, filled),
        "sender" => listed(parser, Filter::Sender, filled),
        "urgency" => listed(parser, Filter::Urgency, word),
        "certainty" => listed(parser, Filter::Certainty, word),
        "status" => listed(parser, Filter::Status, word),
        "state" => listed(parser, Filter::State, word),
        "country" => listed(parser, Filter::Country, country),
        "region" => listed(parser, Filter::Region, region),
        "area_code" => listed(parser, Filter::AreaCode, code),
        "severity" | "severity_min" => severity(parser),
        "text" => text_query(parser),
        "near" => near(parser),
        "bbox" => bbox(parser),
        "within" => within(parser),
        "measure" if parser.peek() == &Kind::Sign("(") => {
            parser.take();
            let column = parser.column();
            let name = text(parser)?;
            let verdict = value::measure_name(&name);
            let name = judged(parser, column, name, verdict);
            parser.expect_sign(")")?;
            measure(parser, name)
        }
        lower => match TimeField::from_name(lower) {
            Some(field) => time(parser, field),
            None => named(parser, name, column),
        },
    }
}

/// A condition that begins with none of the known words: a measure, or a mistake.
fn named(parser: &mut Parser<'_, '_>, name: &str, column: usize) -> Read<Filter> {
    let is_compared = matches!(parser.peek(), Kind::Sign(sign) if Comparison::from_sign(sign).is_some());
    let is_with_number = matches!(parser.peek_second(), Kind::Word(word) if word.parse::<f64>().is_ok());
    if is_compared && is_with_number {
        return measure(parser, Ok(name.to_owned()));
    }
    let known = KEYS.iter().copied().chain(TIME_FIELDS.iter().map(|(name, _)| *name)).chain(["severity"]);
    let hint = suggestion(name, known);
    let is_ordered = matches!(parser.peek(), Kind::Sign("<" | "<=" | ">" | ">="));
    if is_ordered && hint.is_empty() {
        return measure(parser, Ok(name.to_owned()));
    }
    let detail = format!("`{}` does not begin a condition, and is not compared with a number{hint}", shown(name));
    Err(parser.fault_at(column, "unknown_key", detail))
}

/// `= value`, `!= value`, `in (values)` or `not in (values)`.
fn listed<T>(
    parser: &mut Parser<'_, '_>,
    make: fn(Vec<T>) -> Filter,
    read: fn(&mut Parser<'_, '_>) -> Read<T>,
) -> Read<Filter> {
    let not = |filter| Filter::Not(Box::new(filter));
    if parser.accept_sign("=") || parser.accept_sign("==") {
        return Ok(make(vec![read(parser)?]));
    }
    if parser.accept_sign("!=") {
        return Ok(not(make(vec![read(parser)?])));
    }
    let is_negated = parser.accept_word("not");
    if !parser.accept_word("in") {
        let found = parser.found();
        return Err(parser.fault("syntax", format!("`=`, `!=`, `in` or `not in` is expected, not {found}")));
    }
    let list = parenthesized(parser, read)?;
    Ok(if is_negated { not(make(list)) } else { make(list) })
}

pub(super) fn parenthesized<T>(parser: &mut Parser<'_, '_>, read: fn(&mut Parser<'_, '_>) -> Read<T>) -> Read<Vec<T>> {
    parser.expect_sign("(")?;
    let mut list = Vec::new();
    let mut is_whole = true;
    loop {
        match read(parser) {
            Ok(item) => list.push(item),
            Err(Noted) => {
                is_whole = false;
                parser.skip_item();
            }
        }
        if !parser.accept_sign(",") {
            break;
        }
    }
    parser.expect_sign(")")?;
    if is_whole { Ok(list) } else { Err(Noted) }
}

/// A plain word or what stands in quotes.
fn text(parser: &mut Parser<'_, '_>) -> Read<String> {
    let value = match parser.peek() {
        Kind::Word(word) => (*word).to_owned(),
        Kind::Quoted(text) => text.clone().into_owned(),
        _ => {
            let found = parser.found();
            return Err(parser.fault("syntax", format!("a value is expected, not {found}")));
        }
    };
    parser.take();
    Ok(value)
}

/// What was read, where it is a value that may stand there; else its fault is noted, and reading goes on.
pub(super) fn judged<T>(parser: &mut Parser<'_, '_>, column: usize, found: T, verdict: Verdict) -> Read<T> {
    match verdict {
        None => Ok(found),
        Some((code, detail)) => Err(parser.fault_at(column, code, detail)),
    }
}

fn filled(parser: &mut Parser<'_, '_>) -> Read<String> {
    let column = parser.column();
    let word = text(parser)?;
    let verdict = value::filled(&word);
    judged(parser, column, word, verdict)
}

fn country(parser: &mut Parser<'_, '_>) -> Read<String> {
    upper(parser, value::country)
}

fn region(parser: &mut Parser<'_, '_>) -> Read<String> {
    upper(parser, value::region)
}

fn upper(parser: &mut Parser<'_, '_>, judge: fn(&str) -> Verdict) -> Read<String> {
    let column = parser.column();
    let code = text(parser)?;
    judged(parser, column, code.to_uppercase(), judge(&code))
}

fn entry(parser: &mut Parser<'_, '_>) -> Read<String> {
    let column = parser.column();
    let entry = text(parser)?;
    let verdict = value::entry(&entry);
    judged(parser, column, entry, verdict)
}

/// A word of a closed list. A wrong one is noted, and reading goes on.
fn word<T: Word + Copy + 'static>(parser: &mut Parser<'_, '_>) -> Read<T> {
    let column = parser.column();
    let text = text(parser)?;
    T::read(&text).map_err(|detail| parser.fault_at(column, "invalid_enum", detail))
}

/// `scheme:value`, or `code("scheme", "value")` where those are not plain words.
fn code(parser: &mut Parser<'_, '_>) -> Read<Code> {
    let column = parser.column();
    let code = if parser.peek_second() == &Kind::Sign("(") && parser.accept_word("code") {
        parser.expect_sign("(")?;
        let scheme = text(parser)?;
        parser.expect_sign(",")?;
        let value = text(parser)?;
        parser.expect_sign(")")?;
        Code { scheme, value }
    } else {
        let text = text(parser)?;
        let Some((scheme, value)) = text.split_once(':') else {
            let detail = format!("`{}` is not a code like SAME:048113", shown(&text));
            return Err(parser.fault_at(column, "invalid_value", detail));
        };
        Code::new(scheme, value)
    };
    let verdict = value::area_code(&code);
    judged(parser, column, code, verdict)
}

fn severity(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    if !parser.accept_sign(">=") {
        let found = parser.found();
        let detail = format!("severity is compared with `>=` only, not {found}");
        return Err(parser.fault("syntax", detail));
    }
    let at_least = word(parser)?;
    let is_decided = if parser.accept_word("with") {
        Some(true)
    } else if parser.accept_word("without") {
        Some(false)
    } else {
        None
    };
    if is_decided.is_some() && !parser.accept_word("unknown") {
        let found = parser.found();
        return Err(parser.fault("syntax", format!("`unknown` is expected, not {found}")));
    }
    Ok(Filter::SeverityMin { at_least, unknown: is_decided })
}

pub(super) fn number(parser: &mut Parser<'_, '_>) -> Read<f64> {
    if let Kind::Word(word) = parser.peek()
        && let Ok(number) = word.parse::<f64>()
    {
        parser.take();
        return Ok(number);
    }
    let found = parser.found();
    Err(parser.fault("invalid_type", format!("a number is expected, not {found}")))
}

pub(super) fn number_that(parser: &mut Parser<'_, '_>, judge: fn(f64) -> Verdict) -> Read<f64> {
    let column = parser.column();
    let number = number(parser)?;
    judged(parser, column, number, judge(number))
}

fn measure(parser: &mut Parser<'_, '_>, name: Read<String>) -> Read<Filter> {
    let op = match parser.peek() {
        Kind::Sign(sign) => Comparison::from_sign(sign),
        _ => None,
    };
    let Some(op) = op else {
        let found = parser.found();
        return Err(parser.fault("syntax", format!("one of = != < <= > >= is expected, not {found}")));
    };
    parser.take();
    let value = number_that(parser, value::operand);
    Ok(Filter::Measure { name: name?, op, value: value? })
}

fn text_query(parser: &mut Parser<'_, '_>) -> Read<Filter> {
    if parser.accept_sign("=") || parser.accept_sign("==") {
        return Ok(Filter::Text(TextQuery::all_of(&text(parser)?)));
    }
    parser.expect_sign("(")?;
    let mut query = TextQuery::default();
    loop {
        let list = if parser.accept_word("any") {
            &mut query.any
        } else if parser.accept_word("all") {
            &mut query.all
        } else if parser.accept_word("none") {
            &mut query.none
        } else {
            let found = parser.found();
            return Err(parser.fault("syntax", format!("`any`, `all` or `none` is expected, not {found}")));
        };
        list.extend(parenthesized(parser, entry)?);
        if !parser.accept_sign(",") {
            break;
        }
    }
    parser.expect_sign(")")?;
    Ok(Filter::Text(query))
}

fn time(parser: &mut Parser<'_, '_>, field: TimeField) -> Read<Filter> {
    let (mut from, mut to) = (None, None);
    if parser.accept_sign(">=") {
        from = Some(instant(parser)?);
    } else if parser.accept_sign("<=") {
        to = Some(instant(parser)?);
    } else {
        if parser.accept_word("from") {
            from = Some(instant(parser)?);
        }
        if parser.accept_word("to") {
            to = Some(instant(parser)?);
        }
    }
    if from.is_none() && to.is_none() {
        let found = parser.found();
        return Err(parser.fault("syntax", format!("`from`, `to`, `>=` or `<=` and a time are expected, not {found}")));
    }
    Ok(Filter::Time { field, from, to })
}

fn instant(parser: &mut Parser<'_, '_>) -> Read<Timestamp> {
    let column = parser.column();
    let text = text(parser)?;
    Timestamp::parse(&text).map_err(|error| parser.fault_at(column, "invalid_time", error.to_string()))
}
