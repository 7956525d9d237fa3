//! From bytes to text: UTF-8, UTF-16, ISO-8859-1 and windows-1252.

use std::borrow::Cow;

use crate::rejection::{Reason, Rejection};

/// A document as text.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The text without a byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// How many bytes of mark were taken off, when `text` borrows from the bytes.
    pub(crate) mark_bytes: usize,
    /// What the document wrongly says of its encoding.
    pub(crate) wrong_claim: Option<String>,
}

/// Letters of windows-1252 from 0x80 to 0x9F (WHATWG Encoding Standard); the others are those of
/// ISO-8859-1, which as a name means the same table on the web.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads a document by its byte order mark, else by the encoding it declares, else as UTF-8.
///
/// # Errors
/// `InvalidEncoding` for bytes that are not in that encoding or for one we do not read;
/// `InvalidXml` for control characters, which XML has no place for.
pub(crate) fn decode_text(bytes: &[u8]) -> Result<Decoded<'_>, Rejection> {
    let decoded = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf_8(rest, 3)?,
        [0xFE, 0xFF, rest @ ..] => utf_16(rest, u16::from_be_bytes)?,
        [0xFF, 0xFE, rest @ ..] => utf_16(rest, u16::from_le_bytes)?,
        [0, b'<', ..] => utf_16(bytes, u16::from_be_bytes)?,
        [b'<', 0, ..] => utf_16(bytes, u16::from_le_bytes)?,
        _ => by_declaration(bytes)?,
    };
    // Folded in chunks, so that the compiler may look at many bytes at once.
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let has_control = |chunk: &[u8]| chunk.iter().fold(false, |found, byte| found | is_control(byte));
    let text = decoded.text.as_bytes();
    if text.chunks(4_096).any(has_control) {
        let at = text.iter().position(is_control).unwrap_or_default();
        let detail = format!("the control character U+{:04X} has no place in XML", text[at]);
        return Err(Rejection::decode(Reason::InvalidXml, super::place(&decoded.text, at), detail));
    }
    Ok(decoded)
}

fn by_declaration(bytes: &[u8]) -> Result<Decoded<'_>, Rejection> {
    let Some(name) = declared(bytes) else { return utf_8(bytes, 0) };
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => utf_8(bytes, 0),
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "windows-1252" | "cp1252" => Ok(single_byte(bytes)),
        // Readable one byte a letter, so it is not what it says.
        "utf-16" | "utf-16le" | "utf-16be" | "unicode" => {
            let claim = format!("declared as {name} but written one byte a letter; it was read as UTF-8");
            utf_8(bytes, 0).map(|decoded| Decoded { wrong_claim: Some(claim), ..decoded })
        }
        _ => {
            let detail = format!("the encoding `{name}` is not read; send UTF-8");
            Err(Rejection::decode(Reason::InvalidEncoding, "1:1", detail))
        }
    }
}

/// The encoding that the XML declaration names.
fn declared(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.trim_ascii_start();
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', &declaration[..declaration.len().min(256)])?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let value = declaration.split_once("encoding")?.1.trim_ascii_start().strip_prefix('=')?.trim_ascii_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split_once(quote).map(|(name, _)| name)
}

fn utf_8(bytes: &[u8], mark_bytes: usize) -> Result<Decoded<'_>, Rejection> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded { text: Cow::Borrowed(text), mark_bytes, wrong_claim: None }),
        Err(fault) => {
            let valid = std::str::from_utf8(&bytes[..fault.valid_up_to()]).unwrap_or_default();
            let place = super::place(valid, valid.len());
            Err(Rejection::decode(Reason::InvalidEncoding, place, "a byte sequence that is not UTF-8"))
        }
    }
}

fn single_byte(bytes: &[u8]) -> Decoded<'_> {
    let letter = |byte: &u8| match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(letter).collect()),
    };
    Decoded { text, mark_bytes: 0, wrong_claim: None }
}

fn utf_16(bytes: &[u8], join: fn([u8; 2]) -> u16) -> Result<Decoded<'static>, Rejection> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| join(*pair))).collect();
    match text {
        Ok(text) if odd.is_empty() => Ok(Decoded { text: Cow::Owned(text), mark_bytes: 0, wrong_claim: None }),
        _ => Err(Rejection::decode(Reason::InvalidEncoding, "1:1", "bytes that are not UTF-16")),
    }
}
