//! Documents that must be refused.

use tidings_core::time::Timestamp;

use crate::dice::Dice;
use crate::message::{Intent, Kind, Message};
use crate::write::{CAP, JSON};

/// A fault and how to make it; `ID` and `NOW` are put in.
#[derive(Clone, Copy)]
struct Fault {
    name: &'static str,
    media_type: &'static str,
    body: &'static [u8],
}

const fn fault(name: &'static str, media_type: &'static str, body: &'static [u8]) -> Fault {
    Fault { name, media_type, body }
}

const FAULTS: &[Fault] = &[
    fault("broken_json", JSON, br#"{"id":"ID","title":"Flood near the river","severity":"Moderate","lat":48.2,"#),
    fault("latitude_off_globe", JSON, br#"{"id":"ID","title":"Flood","sent":"NOW","lat":95.3,"lon":12.5}"#),
    fault("longitude_off_globe", JSON, br#"{"id":"ID","title":"Flood","sent":"NOW","lat":45.3,"lon":-412.5}"#),
    fault("not_a_number", JSON, br#"{"id":"ID","title":"Flood","sent":"NOW","lat":NaN,"lon":12.5}"#),
    fault("time_in_words", JSON, br#"{"id":"ID","title":"Flood","occurred":"yesterday at noon","lat":45.3,"lon":12.5}"#),
    fault("impossible_date", JSON, br#"{"id":"ID","title":"Flood","occurred":"2026-02-31T12:00:00Z"}"#),
    fault("unknown_severity", JSON, br#"{"id":"ID","title":"Flood","sent":"NOW","severity":"Catastrophic"}"#),
    fault("nothing_said", JSON, br#"{"id":"ID","sent":"NOW","lat":45.3,"lon":12.5}"#),
    fault(
        "ring_of_two_points",
        JSON,
        br#"{"id":"ID","title":"Flood","sent":"NOW","geometry":{"type":"Polygon","coordinates":[[[12.5,45.3],[12.6,45.4]]]}}"#,
    ),
    fault("same_member_twice", JSON, br#"{"id":"ID","title":"Flood","title":"No flood","sent":"NOW"}"#),
    fault("not_utf8", JSON, b"{\"id\":\"ID\",\"title\":\"Flood in M\xfcnchen\",\"sent\":\"NOW\"}"),
    fault("empty_batch", JSON, b"[]"),
    fault(
        "broken_xml",
        CAP,
        br#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>ID</identifier><sender>weather"#,
    ),
    fault(
        "dtd",
        CAP,
        br#"<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/hostname">]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&x;</identifier></alert>"#,
    ),
    fault(
        "no_sender",
        CAP,
        br#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>ID</identifier><status>Actual</status><msgType>Alert</msgType><scope>Public</scope></alert>"#,
    ),
    fault("unknown_media_type", "application/x-mystery", b"\x00\x01\x02ID\xff\xfe"),
];

/// One of the faults.
pub(crate) fn message(dice: &mut Dice, number: u64, at: Timestamp) -> Message {
    let fault = dice.pick(FAULTS);
    let id = format!("bad-{number:012x}");
    let body = replaced(fault.body, b"ID", id.as_bytes());
    let body = replaced(&body, b"NOW", at.to_string().as_bytes());
    let intent = Intent { identity: format!("{}-{id}", fault.name), thread: String::new(), kind: Kind::Bad };
    Message { at, body, media_type: fault.media_type, intent }
}

/// The bytes with the first occurrence of a mark replaced; the bytes themselves when it is not there.
fn replaced(body: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    match body.windows(mark.len()).position(|window| window == mark) {
        Some(start) => [&body[..start], by, &body[start + mark.len()..]].concat(),
        None => body.to_vec(),
    }
}
