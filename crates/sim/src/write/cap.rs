//! CAP 1.2 XML (OASIS, 2010), also inside an Atom entry.

use std::fmt::Write;

use tidings_core::geometry::Point;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::{Action, Status, Urgency};

use crate::bulletin::{Bulletin, Shape};
use crate::language::Language;
use crate::write::number::push_fixed;

const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// How the XML is spelled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelling {
    /// Stands before each element name, with its colon.
    prefix: &'static str,
    /// Stands between elements.
    gap: &'static str,
}

/// As most senders write it.
pub(super) const PLAIN: Spelling = Spelling { prefix: "", gap: "\n" };
/// With a namespace prefix and other white space.
pub(super) const PREFIXED: Spelling = Spelling { prefix: "cap:", gap: "\r\n  " };

/// A document of one alert.
pub(super) fn alert(bulletin: &Bulletin, spelling: Spelling) -> String {
    let mut out = String::with_capacity(2_400);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    Writer { out: &mut out, spelling }.alert(bulletin);
    out
}

/// A feed of one entry, with the alert as its content.
pub(super) fn in_atom(bulletin: &Bulletin) -> String {
    let mut out = String::with_capacity(3_000);
    let _ = write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\
         <id>https://{source}/feed</id><title>Alerts</title><updated>{sent}</updated>\
         <entry><id>https://{source}/alert/{id}</id><title>{title}</title><updated>{sent}</updated>\
         <content type=\"text/xml\">",
        source = bulletin.source,
        sent = bulletin.sent,
        id = bulletin.id,
        title = bulletin.title,
    );
    Writer { out: &mut out, spelling: PREFIXED }.alert(bulletin);
    out.push_str("</content></entry></feed>");
    out
}

struct Writer<'a> {
    out: &'a mut String,
    spelling: Spelling,
}

impl Writer<'_> {
    fn alert(&mut self, bulletin: &Bulletin) {
        let Spelling { prefix, gap } = self.spelling;
        let declaration = if prefix.is_empty() { "xmlns" } else { "xmlns:cap" };
        let _ = write!(self.out, "<{prefix}alert {declaration}=\"{NAMESPACE}\">{gap}");
        self.element("identifier", &bulletin.id);
        self.element("sender", bulletin.source);
        self.time("sent", Some(bulletin.sent));
        self.element("status", status(bulletin.status));
        self.element("msgType", message_type(bulletin.action));
        self.element("scope", "Public");
        if let Some((previous, sent)) = &bulletin.previous {
            self.element("references", &format!("{},{previous},{}", bulletin.source, offset_form(*sent)));
        }
        self.info(bulletin, Language::English, bulletin.names[0]);
        if bulletin.language != Language::English {
            self.info(bulletin, bulletin.language, bulletin.names[1]);
        }
        let _ = writeln!(self.out, "</{prefix}alert>");
    }

    fn info(&mut self, bulletin: &Bulletin, language: Language, name: &str) {
        let is_over = bulletin.action == Action::End;
        self.open("info");
        self.element("language", language.tag());
        self.element("category", bulletin.category.cap_code());
        self.element("event", name);
        if is_over {
            self.element("responseType", "AllClear");
        }
        let urgency = if is_over { Urgency::Past } else { bulletin.urgency };
        self.element("urgency", urgency.as_str());
        self.element("severity", bulletin.severity.as_str());
        self.element("certainty", bulletin.certainty.as_str());
        self.time("onset", bulletin.occurred);
        self.time("expires", bulletin.expires);
        let headline = if language == Language::English {
            bulletin.title.clone()
        } else {
            format!("{name}: {}", bulletin.city.name)
        };
        self.element("headline", &headline);
        if language == Language::English {
            self.element("description", bulletin.description);
            self.element("instruction", bulletin.instruction);
        }
        for (gauge, value) in &bulletin.measures {
            self.open("parameter");
            self.element("valueName", gauge);
            self.element("value", &format!("{value:.2}"));
            self.close("parameter");
        }
        self.area(bulletin);
        self.close("info");
    }

    fn area(&mut self, bulletin: &Bulletin) {
        self.open("area");
        self.element("areaDesc", bulletin.city.name);
        match &bulletin.shape {
            Shape::None => {}
            Shape::Point(point) => self.element("circle", &format!("{}0", pairs(&[*point]))),
            Shape::Circle(point, radius_km) => {
                self.element("circle", &format!("{}{radius_km:.2}", pairs(&[*point])));
            }
            Shape::Ring(ring) => self.element("polygon", pairs(ring).trim_end()),
        }
        if !bulletin.city.region.is_empty() {
            self.open("geocode");
            self.element("valueName", "ISO3166-2");
            self.element("value", bulletin.city.region);
            self.close("geocode");
        }
        self.close("area");
    }

    fn open(&mut self, name: &str) {
        let Spelling { prefix, gap } = self.spelling;
        for part in ["<", prefix, name, ">", gap] {
            self.out.push_str(part);
        }
    }

    fn close(&mut self, name: &str) {
        let Spelling { prefix, gap } = self.spelling;
        for part in ["</", prefix, name, ">", gap] {
            self.out.push_str(part);
        }
    }

    /// Writes an element; none of our words needs escaping.
    fn element(&mut self, name: &str, text: &str) {
        let Spelling { prefix, gap } = self.spelling;
        for part in ["<", prefix, name, ">", text, "</", prefix, name, ">", gap] {
            self.out.push_str(part);
        }
    }

    fn time(&mut self, name: &str, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.element(name, &offset_form(time));
        }
    }
}

/// CAP wants whole seconds and an offset in place of `Z`.
fn offset_form(time: Timestamp) -> String {
    let mut text = time.to_string();
    text.truncate("2026-01-02T03:04:05".len());
    text.push_str("-00:00");
    text
}

/// CAP writes latitude before longitude, and a space between points; here one stands at the end too.
fn pairs(points: &[Point]) -> String {
    let mut text = String::with_capacity(points.len() * 20);
    for point in points {
        push_fixed(&mut text, point.lat, 4);
        text.push(',');
        push_fixed(&mut text, point.lon, 4);
        text.push(' ');
    }
    text
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Actual => "Actual",
        Status::Exercise => "Exercise",
        Status::Test => "Test",
        Status::System => "System",
        Status::Draft => "Draft",
    }
}

const fn message_type(action: Action) -> &'static str {
    match action {
        Action::New => "Alert",
        Action::Update | Action::End => "Update",
        Action::Cancel => "Cancel",
        Action::Ack => "Ack",
        Action::Error => "Error",
    }
}
