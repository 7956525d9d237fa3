//! The small parts of XML: names, attributes, references.

use std::borrow::Cow;

use super::{has_markup, shorten};

/// True for bytes that may stand in a name, all of non-ASCII included.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.') || byte >= 0x80
}

/// True for name bytes that begin well, perhaps with one prefix.
pub(super) fn is_name(text: &str) -> bool {
    let begins_well =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80);
    let bytes = text.as_bytes();
    if !begins_well(bytes.first()) {
        return false;
    }
    let Some(colon) = bytes.iter().position(|byte| *byte == b':') else { return true };
    begins_well(bytes.get(colon + 1)) && !bytes[colon + 1..].contains(&b':')
}

/// The attributes of one tag: name and value as written.
pub(super) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn read(&mut self) -> Result<(&'a str, &'a str), String> {
        let fault = |found: &str| format!("`{}` is not an attribute", shorten(found.trim_ascii()));
        if !self.rest.starts_with(|first: char| first.is_ascii_whitespace()) {
            return Err(fault(self.rest));
        }
        let text = self.rest.trim_ascii_start();
        let (name, after) = text.split_once('=').ok_or_else(|| fault(text))?;
        let name = name.trim_ascii_end();
        let value = after.trim_ascii_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let quote = quote.ok_or_else(|| fault(text))?;
        let (value, rest) = value[1..].split_once(quote).ok_or_else(|| fault(text))?;
        if !is_name(name) || !name.bytes().all(is_name_byte) || value.contains('<') {
            return Err(fault(text));
        }
        self.rest = rest;
        Ok((name, value))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(&'a str, &'a str), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.trim_ascii_start().is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = "";
        }
        Some(read)
    }
}

/// Text with its references resolved and its line ends made `\n`.
///
/// # Errors
/// The offset of a reference that XML does not know by itself, and what is wrong with it.
pub(super) fn unescape(text: &str) -> Result<Cow<'_, str>, (usize, String)> {
    if !has_markup(text) {
        return Ok(Cow::Borrowed(text));
    }
    let mut whole = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(offset) = memchr::memchr2(b'&', b'\r', &text.as_bytes()[at..]) {
        let found = at + offset;
        whole.push_str(&text[at..found]);
        if text.as_bytes()[found] == b'\r' {
            whole.push('\n');
            at = found + 1 + usize::from(text.as_bytes().get(found + 1) == Some(&b'\n'));
            continue;
        }
        // The longest reference to a character is `&#x10FFFF;`.
        let end = memchr::memchr(b';', &text.as_bytes()[found..text.len().min(found + 40)]);
        let name = end.map_or("", |length| &text[found + 1..found + length]);
        let character = character(name).ok_or_else(|| (found, entity_fault(name)))?;
        whole.push(character);
        at = found + name.len() + 2;
    }
    whole.push_str(&text[at..]);
    Ok(Cow::Owned(whole))
}

fn entity_fault(name: &str) -> String {
    if name.is_empty() {
        return "`&` that begins no reference; text writes it as `&amp;`".to_owned();
    }
    format!("`&{};` is not defined: only amp, lt, gt, quot, apos and numbers are taken", shorten(name))
}

/// The character that a reference names.
fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            let allowed = number >= 0x20 || matches!(number, 0x9 | 0xA | 0xD);
            char::from_u32(number).filter(|_| allowed && !name.contains('+'))
        }
    }
}
