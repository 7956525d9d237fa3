//! What a client may say on a socket.

use serde_json::{Map, Value};
use tidings_core::filter::Filter;
use tidings_engine::Fault;

/// Letters of a subscription's name on a socket.
const NAME_MAX: usize = 64;

/// One frame of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// Who it is.
    Auth { token: String },
    /// It wants an inbox.
    Inbox { sub: String, cursor: Option<String> },
    /// It wants a tail.
    Tail { sub: String, filter: Filter, cursor: Option<String> },
    /// It wants no more of one.
    Unsubscribe { sub: String },
    /// It has read up to here.
    Ack { sub: String, cursor: String },
    /// It wants to know that we are there.
    Ping,
}

/// Why a frame is not understood.
#[derive(Debug, PartialEq)]
pub(super) enum Mistake {
    /// Not a frame of this protocol at all: the socket is closed.
    Frame(String),
    /// A frame with something wrong in it: it is answered.
    Content { sub: String, faults: Vec<Fault> },
}

/// Reads a frame.
pub(super) fn read(text: &str) -> Result<Said, Mistake> {
    let mut members: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| Mistake::Frame(format!("a frame is a JSON object: {error}")))?;
    let op = members.remove("op").and_then(|op| op.as_str().map(str::to_owned)).unwrap_or_default();
    let mut member = |name: &str| match members.remove(name) {
        Some(Value::String(text)) if name != "sub" || (1..=NAME_MAX).contains(&text.len()) => Ok(text),
        _ if name == "sub" => Err(Mistake::Frame(format!("`{op}` needs `sub`, a text of 1 to {NAME_MAX} letters"))),
        _ => Err(Mistake::Frame(format!("`{op}` needs `{name}`, a text"))),
    };
    match op.as_str() {
        "auth" => Ok(Said::Auth { token: member("token")? }),
        "ping" => Ok(Said::Ping),
        "unsubscribe" => Ok(Said::Unsubscribe { sub: member("sub")? }),
        "ack" => Ok(Said::Ack { sub: member("sub")?, cursor: member("cursor")? }),
        "subscribe" => {
            let sub = member("sub")?;
            subscribe(sub, members)
        }
        _ => Err(Mistake::Frame("`op` must be auth, subscribe, unsubscribe, ack or ping".to_owned())),
    }
}

fn subscribe(sub: String, mut members: Map<String, Value>) -> Result<Said, Mistake> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, code: &'static str, detail: String| {
        faults.push(Fault { pointer: pointer.to_owned(), code, detail });
    };
    let cursor = match members.remove("cursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(cursor)) => Some(cursor),
        Some(_) => {
            fault("/cursor", "invalid_field", "`cursor` must be a text, \"0\" for the oldest kept".to_owned());
            None
        }
    };
    let is_inbox = members.get("inbox") == Some(&Value::Bool(true));
    let filter = members.get("filter").map(Filter::from_json);
    match (&filter, is_inbox) {
        (None, false) => fault("", "missing_field", "give `inbox: true` or a `filter`".to_owned()),
        (Some(_), true) => fault("/inbox", "invalid_field", "an inbox takes no filter".to_owned()),
        (Some(Err(found)), false) => {
            for found in found {
                fault(&format!("/filter{}", found.pointer), found.code, found.detail.clone());
            }
        }
        _ => {}
    }
    match (filter, is_inbox) {
        _ if !faults.is_empty() => Err(Mistake::Content { sub, faults }),
        (Some(Ok(filter)), false) => Ok(Said::Tail { sub, filter, cursor }),
        _ => Ok(Said::Inbox { sub, cursor }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_frames() {
        assert_eq!(read(r#"{"op":"ping"}"#), Ok(Said::Ping));
        let inbox = Said::Inbox { sub: "a".to_owned(), cursor: Some("0".to_owned()) };
        assert_eq!(read(r#"{"op":"subscribe","sub":"a","inbox":true,"cursor":"0"}"#), Ok(inbox));
    }

    #[test]
    fn tells_mistakes_from_other_protocols() {
        for text in ["hello", "[]", r#"{"op":"dance"}"#, r#"{"op":"subscribe"}"#, r#"{"op":"ack","sub":"a"}"#] {
            assert!(matches!(read(text), Err(Mistake::Frame(_))), "{text}");
        }
        for text in [r#"{"op":"subscribe","sub":"a"}"#, r#"{"op":"subscribe","sub":"a","inbox":true,"cursor":5}"#] {
            assert!(matches!(read(text), Err(Mistake::Content { .. })), "{text}");
        }
    }
}
