//! Reading the text form: combinations, and how to go on after a fault.

use super::condition::condition;
use super::lex::{Kind, Token, tokens};
use crate::filter::keys::shown;
use crate::filter::{DEPTH_MAX, Fault, Filter};

/// Parentheses and `not`s in each other that are followed; the exact limit is judged on what was
/// read.
const LEVELS_MAX: usize = 64;

/// Reads a text that stands at `pointer` in a JSON form; `None` adds at least one fault.
pub(in crate::filter) fn read(text: &str, pointer: &str, faults: &mut Vec<Fault>) -> Option<Filter> {
    let mut parser = Parser { tokens: tokens(text), at: 0, level: 0, pointer, faults, is_whole: true, gave_up: false };
    if parser.peek() == &Kind::End {
        return Some(Filter::All(Vec::new()));
    }
    let filter = parser.filter();
    while parser.is_whole && parser.peek() != &Kind::End {
        let found = parser.found();
        parser.fault("syntax", format!("`and`, `or` or the end is expected, not {found}"));
        parser.recover();
    }
    parser.is_whole.then_some(filter)
}

/// A fault was noted; nothing more can be made of this condition.
#[derive(Debug)]
pub(super) struct Noted;

pub(super) struct Parser<'a, 'f> {
    tokens: Vec<Token<'a>>,
    at: usize,
    level: usize,
    pointer: &'f str,
    faults: &'f mut Vec<Fault>,
    is_whole: bool,
    /// True after a fault that makes everything after it one.
    gave_up: bool,
}

impl<'a> Parser<'a, '_> {
    pub(super) fn peek(&self) -> &Kind<'a> {
        &self.tokens[self.at].kind
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> &Kind<'a> {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    /// Takes the next token; the end stays.
    pub(super) fn take(&mut self) -> Kind<'a> {
        let kind = self.tokens[self.at].kind.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        kind
    }

    pub(super) fn column(&self) -> usize {
        self.tokens[self.at].column
    }

    /// True, and past it, when the next token is this word in any case.
    pub(super) fn accept_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Kind::Word(word) if word.eq_ignore_ascii_case(wanted));
        if found {
            self.take();
        }
        found
    }

    pub(super) fn accept_sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Kind::Sign(sign) if *sign == wanted);
        if found {
            self.take();
        }
        found
    }

    pub(super) fn expect_sign(&mut self, wanted: &str) -> Result<(), Noted> {
        if self.accept_sign(wanted) {
            return Ok(());
        }
        let found = self.found();
        Err(self.fault("syntax", format!("`{wanted}` is expected, not {found}")))
    }

    /// What stands next, for a message.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            Kind::Word(word) => format!("`{}`", shown(word)),
            Kind::Quoted(text) => format!("\"{}\"", shown(text)),
            Kind::Sign(sign) => format!("`{sign}`"),
            Kind::Broken(why) => (*why).to_owned(),
            Kind::End => "the end".to_owned(),
        }
    }

    /// Notes a fault where the next token stands.
    pub(super) fn fault(&mut self, code: &'static str, detail: impl Into<String>) -> Noted {
        self.fault_at(self.column(), code, detail)
    }

    pub(super) fn fault_at(&mut self, column: usize, code: &'static str, detail: impl Into<String>) -> Noted {
        self.is_whole = false;
        if !self.gave_up {
            self.faults.push(Fault::new(self.pointer, code, format!("column {column}: {}", detail.into())));
        }
        Noted
    }

    /// Reads something that notes faults of its own, and puts them here with a column.
    pub(super) fn with_faults<T>(&mut self, column: usize, read: impl FnOnce(&mut Vec<Fault>) -> T) -> T {
        let mut faults = Vec::new();
        let result = read(&mut faults);
        for fault in faults {
            self.fault_at(column, fault.code, fault.detail);
        }
        result
    }

    /// Goes on to where the next condition may begin: an `and` or `or`, a comma or the end of a
    /// parenthesis around this one.
    fn recover(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Kind::End => return,
                Kind::Word(word) if open == 0 && ["and", "or"].iter().any(|joint| word.eq_ignore_ascii_case(joint)) => {
                    if self.level == 0 {
                        // What follows is read for its faults only.
                        self.take();
                        self.filter();
                    }
                    return;
                }
                Kind::Sign("(") => open += 1,
                Kind::Sign(")") if open == 0 && self.level > 0 => return,
                Kind::Sign(")") => open = open.saturating_sub(1),
                Kind::Sign(",") if open == 0 && self.level > 0 => return,
                _ => {}
            }
            self.take();
        }
    }

    /// Goes on to the comma after an item of a list, or to the list's end.
    pub(super) fn skip_item(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Kind::End => return,
                Kind::Sign("," | ")") if open == 0 => return,
                Kind::Sign("(") => open += 1,
                Kind::Sign(")") => open -= 1,
                _ => {}
            }
            self.take();
        }
    }

    pub(super) fn filter(&mut self) -> Filter {
        self.joined("or", Self::conjunction, Filter::Any)
    }

    fn conjunction(&mut self) -> Filter {
        self.joined("and", Self::negation, Filter::All)
    }

    fn joined(&mut self, joint: &str, part: fn(&mut Self) -> Filter, join: fn(Vec<Filter>) -> Filter) -> Filter {
        let first = part(self);
        if !matches!(self.peek(), Kind::Word(word) if word.eq_ignore_ascii_case(joint)) {
            return first;
        }
        let mut parts = vec![first];
        while self.accept_word(joint) {
            parts.push(part(self));
        }
        join(parts)
    }

    fn negation(&mut self) -> Filter {
        if !self.accept_word("not") {
            return self.item();
        }
        self.below(|parser| Filter::Not(Box::new(parser.negation())))
    }

    /// Reads one level further down, if there may be one.
    fn below(&mut self, read: impl FnOnce(&mut Self) -> Filter) -> Filter {
        if self.level >= LEVELS_MAX {
            self.fault("too_deep", format!("filters stand more than {DEPTH_MAX} deep in each other"));
            self.at = self.tokens.len() - 1;
            self.gave_up = true;
            return Filter::All(Vec::new());
        }
        self.level += 1;
        let filter = read(self);
        self.level -= 1;
        filter
    }

    fn item(&mut self) -> Filter {
        if self.accept_sign("(") {
            return self.below(|parser| {
                let inner = parser.filter();
                parser.close();
                inner
            });
        }
        let is_call = self.peek_second() == &Kind::Sign("(");
        if is_call && self.accept_word("all") {
            return Filter::All(self.arguments());
        }
        if is_call && self.accept_word("any") {
            return Filter::Any(self.arguments());
        }
        let result = condition(self);
        if result.is_err() {
            self.recover();
        }
        result.unwrap_or_else(|Noted| Filter::All(Vec::new()))
    }

    /// The filters in the parentheses of `all(...)` and `any(...)`.
    fn arguments(&mut self) -> Vec<Filter> {
        self.take();
        let mut parts = Vec::new();
        if self.accept_sign(")") {
            return parts;
        }
        self.below(|parser| {
            parts.push(parser.filter());
            while parser.accept_sign(",") {
                parts.push(parser.filter());
            }
            parser.close();
            Filter::All(Vec::new())
        });
        parts
    }

    fn close(&mut self) {
        if self.expect_sign(")").is_err() {
            self.recover();
            self.accept_sign(")");
        }
    }
}
