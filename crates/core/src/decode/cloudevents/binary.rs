//! Binary mode: attributes stand in `ce-*` headers, the body is the data.

use bytes::Bytes;

use super::super::json::{Node, Object};
use super::{Attributes, Data, Occurrence, Reason, Rejection};

/// Reads attributes from headers; `None` without `ce-specversion`.
///
/// # Errors
/// Header values that are not UTF-8 after their one percent-decoding, a `ce-datacontenttype`
/// (`Content-Type` says that), and what structured mode would refuse.
pub(in crate::decode) fn from_headers<'a>(
    headers: &[(String, String)],
    content_type: Option<&str>,
    body: &Bytes,
) -> Option<Result<Occurrence<'a>, Rejection>> {
    headers.iter().any(|(name, _)| name == "ce-specversion").then(|| read(headers, content_type, body))
}

fn read<'a>(
    headers: &[(String, String)],
    content_type: Option<&str>,
    body: &Bytes,
) -> Result<Occurrence<'a>, Rejection> {
    let mut object = Object::default();
    for (name, value) in headers {
        let Some(name) = name.strip_prefix("ce-") else { continue };
        let pointer = format!("/ce-{name}");
        if name == "datacontenttype" {
            let detail = "in binary mode the Content-Type header names the type of the data";
            return Err(Rejection::validate(Reason::InvalidField, pointer, detail));
        }
        if object.has(name) {
            return Err(Rejection::validate(Reason::DuplicateKey, pointer, "the header stands twice"));
        }
        let text = percent_decoded(unquoted(value).as_bytes()).ok_or_else(|| {
            let detail = "the header is not UTF-8 after percent-decoding";
            Rejection::validate(Reason::InvalidEncoding, pointer, detail)
        })?;
        object.members.push((name.to_owned().into(), Node::Text(text.into())));
    }
    if let Some(content_type) = content_type {
        object.members.push(("datacontenttype".into(), Node::Text(content_type.to_owned().into())));
    }
    let attributes = Attributes::read(object)?;
    let data = if body.is_empty() { Data::None } else { Data::Bytes(body.clone()) };
    Ok(Occurrence { attributes, data })
}

/// A value without the quotes around it and the backslashes within (RFC 9110 section 5.6.4).
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|_| value.len() >= 2)
    else {
        return value.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

/// One percent-decoding; `%` without two digits stands for itself.
fn percent_decoded(bytes: &[u8]) -> Option<String> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (*byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).ok()
}
