//! Cutting the text form into tokens.

use std::borrow::Cow;

/// One token and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Its first letter, counted from 1.
    pub(super) column: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// A run of letters, digits and signs without a meaning of their own.
    Word(&'a str),
    /// What stood in quotes, without escapes.
    Quoted(Cow<'a, str>),
    /// `(`, `)`, `,` or a comparison.
    Sign(&'static str),
    /// A quote without an end or with a wrong escape.
    Broken(&'static str),
    /// After everything.
    End,
}

/// Longer signs first.
const SIGNS: &[&str] = &["<=", ">=", "!=", "==", "(", ")", ",", "=", "<", ">"];

/// True for a text that is one plain word.
pub(super) fn is_plain_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word_letter)
}

fn is_word_letter(letter: char) -> bool {
    !letter.is_whitespace() && !matches!(letter, '(' | ')' | ',' | '"' | '=' | '!' | '<' | '>')
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut column) = (text, 1);
    loop {
        let trimmed = rest.trim_start();
        column += rest[..rest.len() - trimmed.len()].chars().count();
        rest = trimmed;
        if rest.is_empty() {
            tokens.push(Token { kind: Kind::End, column });
            return tokens;
        }
        let (kind, bytes) = next(rest);
        tokens.push(Token { kind, column });
        column += rest[..bytes].chars().count();
        rest = &rest[bytes..];
    }
}

/// The token that `rest` begins with, and its length in bytes.
fn next(rest: &str) -> (Kind<'_>, usize) {
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return (Kind::Sign(sign), sign.len());
    }
    if rest.starts_with('"') {
        return quoted(rest);
    }
    let bytes = rest.find(|letter| !is_word_letter(letter)).unwrap_or(rest.len());
    match bytes {
        // A lone `!`.
        0 => (Kind::Broken("`!` stands before `=` only; use `not`"), 1),
        _ => (Kind::Word(&rest[..bytes]), bytes),
    }
}

fn quoted(rest: &str) -> (Kind<'_>, usize) {
    let mut escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let inner = &rest[1..index];
                let kind = if inner.contains('\\') || inner.chars().any(char::is_control) {
                    unescaped(inner)
                } else {
                    Kind::Quoted(Cow::Borrowed(inner))
                };
                return (kind, index + 1);
            }
            _ => {}
        }
    }
    (Kind::Broken("a quote is not closed"), rest.len())
}

/// JSON's escapes; line breaks and the like may also stand as they are.
fn unescaped(inner: &str) -> Kind<'static> {
    let mut json = String::with_capacity(inner.len() + 2);
    json.push('"');
    for letter in inner.chars() {
        if letter.is_control() {
            json.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            json.push(letter);
        }
    }
    json.push('"');
    match serde_json::from_str::<String>(&json) {
        Ok(text) => Kind::Quoted(Cow::Owned(text)),
        Err(_) => Kind::Broken("a quote has a wrong escape; write a backslash as \\\\"),
    }
}
