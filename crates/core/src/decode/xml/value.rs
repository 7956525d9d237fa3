//! Elements that nobody knows, kept as JSON.

use serde_json::{Map, Value};

use super::{Token, Xml};
use crate::rejection::Rejection;

/// The content of the element that was just opened: its text, or an object of its elements with
/// lists where a name repeats. Attributes are not kept, nor more than ten thousand elements of a
/// document (then it is null); the raw bytes have them.
///
/// # Errors
/// As [`Xml::next`].
pub(crate) fn element_value(xml: &mut Xml<'_>) -> Result<Value, Rejection> {
    if xml.keepable == 0 {
        xml.skip()?;
        return Ok(Value::Null);
    }
    xml.keepable -= 1;
    let mut text = String::new();
    let mut members = Map::new();
    loop {
        match xml.next()? {
            Token::Text(part) => text.push_str(&part),
            Token::Open(tag) => {
                // The depth limit of the cursor bounds this recursion.
                let value = element_value(xml)?;
                add_member(&mut members, tag.name, value);
            }
            Token::Close => break,
            Token::End => return Err(xml.unexpected_end()),
        }
    }
    if members.is_empty() {
        return Ok(Value::String(text.trim_ascii().to_owned()));
    }
    if !text.trim_ascii().is_empty() {
        add_member(&mut members, "text", Value::String(text.trim_ascii().to_owned()));
    }
    Ok(Value::Object(members))
}

/// Adds a member; a second one of the same name makes a list.
pub(crate) fn add_member(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        None => {
            members.insert(name.to_owned(), value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => {
            let list = vec![first.take(), value];
            *first = Value::Array(list);
        }
    }
}
