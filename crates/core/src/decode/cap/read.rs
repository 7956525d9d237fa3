//! Takes an alert apart: elements to borrowed text, nothing judged yet.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::notes::Notes;
use super::{MEDIA_TYPE, is_alert};
use crate::decode::xml::{self, Namespace, Step, Tag, Token, Xml};
use crate::rejection::{Reason, Rejection};

/// Info blocks in one alert; the fullest recorded one has 16.
const INFOS_MAX: usize = 1_000;
/// Areas in one alert; the fullest recorded one has 1,352.
const AREAS_MAX: usize = 20_000;

/// The text of an element that is there and says something.
pub(super) type Said<'a> = Option<Cow<'a, str>>;
/// A name and its value.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// An alert as written.
#[derive(Debug, Default)]
pub(super) struct Alert<'a> {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) identifier: Said<'a>,
    pub(super) sender: Said<'a>,
    pub(super) sent: Said<'a>,
    /// Where `sent`, `status` and `msgType` begin.
    pub(super) sent_at: usize,
    pub(super) status: Said<'a>,
    pub(super) status_at: usize,
    pub(super) kind: Said<'a>,
    pub(super) kind_at: usize,
    pub(super) source: Said<'a>,
    pub(super) scope: Said<'a>,
    pub(super) restriction: Said<'a>,
    pub(super) addresses: Said<'a>,
    pub(super) codes: Vec<Cow<'a, str>>,
    pub(super) note: Said<'a>,
    pub(super) references: Said<'a>,
    pub(super) incidents: Said<'a>,
    pub(super) infos: Vec<Info<'a>>,
    pub(super) is_signed: bool,
}

/// An info block as written.
#[derive(Debug, Default)]
pub(super) struct Info<'a> {
    pub(super) language: Said<'a>,
    pub(super) categories: Vec<Cow<'a, str>>,
    pub(super) event: Said<'a>,
    pub(super) responses: Vec<Cow<'a, str>>,
    pub(super) urgency: Said<'a>,
    pub(super) severity: Said<'a>,
    pub(super) certainty: Said<'a>,
    pub(super) audience: Said<'a>,
    pub(super) event_codes: Vec<Pair<'a>>,
    pub(super) effective: Said<'a>,
    pub(super) onset: Said<'a>,
    pub(super) expires: Said<'a>,
    pub(super) sender_name: Said<'a>,
    pub(super) headline: Said<'a>,
    pub(super) description: Said<'a>,
    pub(super) instruction: Said<'a>,
    pub(super) web: Said<'a>,
    pub(super) contact: Said<'a>,
    pub(super) parameters: Vec<Pair<'a>>,
    pub(super) resources: Vec<Resource<'a>>,
    pub(super) areas: Vec<Area<'a>>,
}

/// A resource as written, without the content it may carry.
#[derive(Debug, Default)]
pub(super) struct Resource<'a> {
    pub(super) description: Said<'a>,
    pub(super) media_type: Said<'a>,
    pub(super) size: Said<'a>,
    pub(super) uri: Said<'a>,
    pub(super) digest: Said<'a>,
}

/// An area as written.
#[derive(Debug, Default)]
pub(super) struct Area<'a> {
    pub(super) description: Said<'a>,
    pub(super) polygons: Vec<Cow<'a, str>>,
    pub(super) circles: Vec<Cow<'a, str>>,
    pub(super) geocodes: Vec<Pair<'a>>,
    pub(super) altitude: Said<'a>,
    pub(super) ceiling: Said<'a>,
}

/// Reads a whole document of which the root was just opened.
///
/// # Errors
/// `UnknownFormat` for another root; else as [`alert`].
pub(super) fn document<'a>(xml: &mut Xml<'a>, root: Tag<'a>, notes: &mut Notes) -> Result<Alert<'a>, Rejection> {
    if !is_alert(&root) {
        let name = xml::shorten(root.name);
        let detail = match root.namespace {
            Namespace::None if root.name == "alert" => {
                "an <alert> without the namespace urn:oasis:names:tc:emergency:cap:1.2".to_owned()
            }
            Namespace::Unbound => format!("the prefix `{}` of <{name}> is not declared", xml::shorten(root.prefix)),
            _ => {
                format!("XML with the root <{name}>, which is no CAP 1.1 or 1.2 alert ({MEDIA_TYPE}) and no Atom feed")
            }
        };
        return Err(xml.fault(Reason::UnknownFormat, root.at, detail));
    }
    let alert = alert(xml, root, notes)?;
    xml.finish()?;
    Ok(alert)
}

/// Reads the alert that was just opened, up to its end.
///
/// # Errors
/// What the XML cursor refuses, and `TooManyItems` for over a thousand info blocks or 20,000 areas.
pub(super) fn alert<'a>(xml: &mut Xml<'a>, root: Tag<'a>, notes: &mut Notes) -> Result<Alert<'a>, Rejection> {
    let mut alert = Alert { at: root.at, ..Alert::default() };
    if root.namespace == Namespace::Unbound {
        notes.warn("prefix_unbound", "", "the prefix `cap` is not declared; it was taken as CAP");
    }
    while let Some(tag) = child(xml, notes)? {
        match tag.name {
            "identifier" => set(&mut alert.identifier, tag, xml, notes)?,
            "sender" => set(&mut alert.sender, tag, xml, notes)?,
            "sent" => {
                alert.sent_at = tag.at;
                set(&mut alert.sent, tag, xml, notes)?;
            }
            "status" => {
                alert.status_at = tag.at;
                set(&mut alert.status, tag, xml, notes)?;
            }
            "msgType" => {
                alert.kind_at = tag.at;
                set(&mut alert.kind, tag, xml, notes)?;
            }
            "source" => set(&mut alert.source, tag, xml, notes)?,
            "scope" => set(&mut alert.scope, tag, xml, notes)?,
            "restriction" => set(&mut alert.restriction, tag, xml, notes)?,
            "addresses" => set(&mut alert.addresses, tag, xml, notes)?,
            "code" => push(&mut alert.codes, tag, xml, notes)?,
            "note" => set(&mut alert.note, tag, xml, notes)?,
            "references" => set(&mut alert.references, tag, xml, notes)?,
            "incidents" => set(&mut alert.incidents, tag, xml, notes)?,
            "info" if alert.infos.len() == INFOS_MAX => {
                let detail = format!("more than {INFOS_MAX} info blocks");
                return Err(xml.fault(Reason::TooManyItems, tag.at, detail));
            }
            "info" => alert.infos.push(info(xml, notes)?),
            "Signature" => {
                alert.is_signed = true;
                xml.skip()?;
            }
            _ => keep(tag, xml, notes)?,
        }
    }
    Ok(alert)
}

fn info<'a>(xml: &mut Xml<'a>, notes: &mut Notes) -> Result<Info<'a>, Rejection> {
    let mut info = Info::default();
    while let Some(tag) = child(xml, notes)? {
        match tag.name {
            "language" => set(&mut info.language, tag, xml, notes)?,
            "category" => push(&mut info.categories, tag, xml, notes)?,
            "event" => set(&mut info.event, tag, xml, notes)?,
            "responseType" => push(&mut info.responses, tag, xml, notes)?,
            "urgency" => set(&mut info.urgency, tag, xml, notes)?,
            "severity" => set(&mut info.severity, tag, xml, notes)?,
            "certainty" => set(&mut info.certainty, tag, xml, notes)?,
            "audience" => set(&mut info.audience, tag, xml, notes)?,
            "eventCode" => push_pair(&mut info.event_codes, tag, xml, notes)?,
            "effective" => set(&mut info.effective, tag, xml, notes)?,
            "onset" => set(&mut info.onset, tag, xml, notes)?,
            "expires" => set(&mut info.expires, tag, xml, notes)?,
            "senderName" => set(&mut info.sender_name, tag, xml, notes)?,
            "headline" => set(&mut info.headline, tag, xml, notes)?,
            "description" => set(&mut info.description, tag, xml, notes)?,
            "instruction" => set(&mut info.instruction, tag, xml, notes)?,
            "web" => set(&mut info.web, tag, xml, notes)?,
            "contact" => set(&mut info.contact, tag, xml, notes)?,
            "parameter" => push_pair(&mut info.parameters, tag, xml, notes)?,
            "resource" => info.resources.push(resource(xml, notes)?),
            "area" if notes.areas == AREAS_MAX => {
                return Err(xml.fault(Reason::TooManyItems, tag.at, format!("more than {AREAS_MAX} areas")));
            }
            "area" => {
                notes.areas += 1;
                info.areas.push(area(xml, notes)?);
            }
            _ => keep(tag, xml, notes)?,
        }
    }
    Ok(info)
}

fn resource<'a>(xml: &mut Xml<'a>, notes: &mut Notes) -> Result<Resource<'a>, Rejection> {
    let mut resource = Resource::default();
    while let Some(tag) = child(xml, notes)? {
        match tag.name {
            "resourceDesc" => set(&mut resource.description, tag, xml, notes)?,
            "mimeType" => set(&mut resource.media_type, tag, xml, notes)?,
            "size" => set(&mut resource.size, tag, xml, notes)?,
            "uri" => set(&mut resource.uri, tag, xml, notes)?,
            // Whole pictures in base64; the raw bytes have them.
            "derefUri" => xml.skip()?,
            "digest" => set(&mut resource.digest, tag, xml, notes)?,
            _ => keep(tag, xml, notes)?,
        }
    }
    Ok(resource)
}

fn area<'a>(xml: &mut Xml<'a>, notes: &mut Notes) -> Result<Area<'a>, Rejection> {
    let mut area = Area::default();
    while let Some(tag) = child(xml, notes)? {
        match tag.name {
            "areaDesc" => set(&mut area.description, tag, xml, notes)?,
            "polygon" => push(&mut area.polygons, tag, xml, notes)?,
            "circle" => push(&mut area.circles, tag, xml, notes)?,
            "geocode" => push_pair(&mut area.geocodes, tag, xml, notes)?,
            "altitude" => set(&mut area.altitude, tag, xml, notes)?,
            "ceiling" => set(&mut area.ceiling, tag, xml, notes)?,
            _ => keep(tag, xml, notes)?,
        }
    }
    Ok(area)
}

/// The next child element of CAP (or a signature); `None` at the end of the parent. Text between
/// elements is noted and left to the raw bytes; elements of other namespaces are kept as extra.
fn child<'a>(xml: &mut Xml<'a>, notes: &mut Notes) -> Result<Option<Tag<'a>>, Rejection> {
    loop {
        let token = match xml.next_element()? {
            Step::Open(tag) if tag.namespace == Namespace::Cap => return Ok(Some(tag)),
            Step::Close => return Ok(None),
            Step::Open(tag) => Token::Open(tag),
            Step::Other => xml.next()?,
        };
        match token {
            Token::Open(tag) => match tag.namespace {
                Namespace::Cap | Namespace::Unbound | Namespace::None => return Ok(Some(tag)),
                Namespace::Signature if tag.name == "Signature" => return Ok(Some(tag)),
                _ => keep(tag, xml, notes)?,
            },
            Token::Text(text) => {
                let detail = format!("text that stands in no element: `{}`", xml::shorten(text.trim_ascii()));
                notes.warn("stray_text", "", detail);
            }
            Token::Close => return Ok(None),
            Token::End => return Err(xml.unexpected_end()),
        }
    }
}

/// Reads an element that may stand once; a second one is kept as extra.
fn set<'a>(field: &mut Said<'a>, tag: Tag<'a>, xml: &mut Xml<'a>, notes: &mut Notes) -> Result<(), Rejection> {
    let text = xml.text()?;
    if text.is_empty() {
        notes.empty(tag.name);
    } else if field.is_none() {
        *field = Some(text);
    } else if field.as_deref() != Some(&*text) {
        notes.warn("element_repeated", "", format!("<{}> stands more than once; the first was taken", tag.name));
        notes.keep(tag.name, Value::String(text.into_owned()));
    }
    Ok(())
}

/// Reads an element that may stand often.
fn push<'a>(list: &mut Vec<Cow<'a, str>>, tag: Tag<'a>, xml: &mut Xml<'a>, notes: &mut Notes) -> Result<(), Rejection> {
    let text = xml.text()?;
    if text.is_empty() {
        notes.empty(tag.name);
    } else {
        list.push(text);
    }
    Ok(())
}

/// Reads `<valueName>` and `<value>`; CAP 1.0 wrote `name=value` as text.
fn push_pair<'a>(
    list: &mut Vec<Pair<'a>>,
    parent: Tag<'a>,
    xml: &mut Xml<'a>,
    notes: &mut Notes,
) -> Result<(), Rejection> {
    let (mut name, mut value) = (None, None);
    while let Some(tag) = child(xml, notes)? {
        match tag.name {
            "valueName" => name = Some(xml.text()?),
            "value" => value = Some(xml.text()?),
            _ => keep(tag, xml, notes)?,
        }
    }
    match (name, value) {
        (Some(name), Some(value)) if !name.is_empty() && !value.is_empty() => list.push((name, value)),
        (name, _) => notes.empty(name.as_deref().filter(|name| !name.is_empty()).unwrap_or(parent.name)),
    }
    Ok(())
}

/// Keeps an element that CAP does not know, whole.
fn keep<'a>(tag: Tag<'a>, xml: &mut Xml<'a>, notes: &mut Notes) -> Result<(), Rejection> {
    match xml::element_value(xml)? {
        Value::Null => {
            notes.warn("extra_dropped", "/extra", "so many unknown elements that some were left to the raw bytes")
        }
        value => notes.keep(tag.name, value),
    }
    Ok(())
}

/// What of a resource is worth keeping as JSON.
pub(super) fn resource_value(resource: &Resource<'_>) -> Value {
    let mut value = json!({});
    let members = [
        ("description", &resource.description),
        ("media_type", &resource.media_type),
        ("size", &resource.size),
        ("uri", &resource.uri),
        ("digest", &resource.digest),
    ];
    for (name, said) in members {
        if let Some(said) = said {
            value[name] = Value::String(said.to_string());
        }
    }
    value
}
