//! Our own JSON, also inside a CloudEvent.

use std::fmt::Write;

use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Certainty, Severity, Status, Urgency};

use crate::bulletin::{Bulletin, Shape};
use crate::language::Language;
use crate::write::number::push_fixed;

/// One native message on one line.
pub(super) fn object(bulletin: &Bulletin) -> String {
    let mut out = String::with_capacity(900);
    out.push('{');
    member(&mut out, "id", &bulletin.id);
    message(&mut out, bulletin);
    member(&mut out, "source", bulletin.source);
    close(&mut out, '}');
    out
}

/// The same as the data of a structured CloudEvent, whose id and source stand outside.
pub(super) fn cloud_event(bulletin: &Bulletin) -> String {
    let mut out = String::with_capacity(1_100);
    out.push_str(r#"{"specversion":"1.0","#);
    member(&mut out, "id", &bulletin.id);
    member(&mut out, "source", bulletin.source);
    let _ = write!(out, r#""type":"example.{}.{}","#, bulletin.kind, bulletin.action);
    time(&mut out, "time", Some(bulletin.sent));
    out.push_str(r#""datacontenttype":"application/json","data":{"#);
    message(&mut out, bulletin);
    close(&mut out, '}');
    out.push('}');
    out
}

fn message(out: &mut String, bulletin: &Bulletin) {
    member(out, "thread", &bulletin.thread);
    member(out, "action", bulletin.action.as_str());
    if bulletin.status != Status::Actual {
        member(out, "status", bulletin.status.as_str());
    }
    member(out, "category", bulletin.category.as_str());
    member(out, "type", bulletin.kind);
    if bulletin.severity != Severity::Unknown {
        member(out, "severity", bulletin.severity.as_str());
    }
    if bulletin.urgency != Urgency::Unknown {
        member(out, "urgency", bulletin.urgency.as_str());
    }
    if bulletin.certainty != Certainty::Unknown {
        member(out, "certainty", bulletin.certainty.as_str());
    }
    member(out, "title", &bulletin.title);
    texts(out, bulletin);
    shape(out, &bulletin.shape);
    time(out, "occurred", bulletin.occurred);
    time(out, "sent", Some(bulletin.sent));
    time(out, "expires", bulletin.expires);
    time(out, "ends", bulletin.ends);
    measures(out, bulletin);
}

fn texts(out: &mut String, bulletin: &Bulletin) {
    if bulletin.description.is_empty() {
        return;
    }
    out.push_str(r#""texts":[{"#);
    member(out, "lang", Language::English.tag());
    member(out, "event", bulletin.names[0]);
    member(out, "description", bulletin.description);
    if !bulletin.instruction.is_empty() {
        member(out, "instruction", bulletin.instruction);
    }
    close(out, '}');
    if bulletin.language != Language::English {
        out.push_str(",{");
        member(out, "lang", bulletin.language.tag());
        member(out, "event", bulletin.names[1]);
        close(out, '}');
    }
    out.push_str("],");
}

fn shape(out: &mut String, shape: &Shape) {
    match shape {
        Shape::None => {}
        Shape::Point(point) => {
            number(out, "lat", point.lat, 5);
            number(out, "lon", point.lon, 5);
        }
        Shape::Circle(point, radius_km) => {
            number(out, "lat", point.lat, 4);
            number(out, "lon", point.lon, 4);
            number(out, "radius_km", *radius_km, 2);
        }
        Shape::Ring(ring) => {
            out.push_str(r#""geometry":{"type":"Polygon","coordinates":[["#);
            for point in ring {
                out.push('[');
                push_fixed(out, point.lon, 4);
                out.push(',');
                push_fixed(out, point.lat, 4);
                out.push_str("],");
            }
            close(out, ']');
            out.push_str("]},");
        }
    }
}

fn measures(out: &mut String, bulletin: &Bulletin) {
    if bulletin.measures.is_empty() {
        return;
    }
    out.push_str(r#""measures":{"#);
    for (name, value) in &bulletin.measures {
        number(out, name, *value, 2);
    }
    close(out, '}');
    out.push(',');
}

fn number(out: &mut String, name: &str, value: f64, decimals: u32) {
    for part in ["\"", name, "\":"] {
        out.push_str(part);
    }
    push_fixed(out, value, decimals);
    out.push(',');
}

/// Writes a member and a comma; none of our words needs escaping.
fn member(out: &mut String, name: &str, value: &str) {
    for part in ["\"", name, "\":\"", value, "\","] {
        out.push_str(part);
    }
}

fn time(out: &mut String, name: &str, value: Option<Timestamp>) {
    if let Some(value) = value {
        let _ = write!(out, r#""{name}":"{value}","#);
    }
}

/// Puts the closing bracket in place of the last comma.
fn close(out: &mut String, bracket: char) {
    if out.ends_with(',') {
        out.pop();
    }
    out.push(bracket);
}
