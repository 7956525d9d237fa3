//! Atom feeds (RFC 4287) that carry messages.
//!
//! An entry whose content is a CAP alert is that alert. An entry that links to a document is a
//! line of an index: the message is what it links to, so the feed is refused with the advice to
//! fetch that. An entry that links nowhere is all there is, and becomes a message of its own.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

use crate::batch::Refused;
use crate::draft::{Draft, Format, ThreadKey};
use crate::envelope::Limits;
use crate::event::{Link, Segment, Text, Warning};
use crate::geometry::{Geometry, Point};
use crate::rejection::{Reason, Rejection};
use crate::shape;
use crate::time::Timestamp;
use crate::vocabulary::{GeometryOrigin, PlacePrecision};

use super::xml::{self, Decoded, Namespace, Tag, Token, Xml};
use super::{cap, kinds};

/// The media type of what is read here.
pub(crate) const MEDIA_TYPE: &str = "application/atom+xml";

type Fate = Result<Draft, Refused>;

/// Reads a decoded document whose root is of Atom.
///
/// # Errors
/// What the XML cursor refuses; `UnknownFormat` for a feed that holds no message, only links to
/// some; `TooManyItems` over the limit of entries.
pub(super) fn decode_feed(bytes: &Bytes, decoded: &Decoded<'_>, limits: &Limits) -> Result<Vec<Fate>, Rejection> {
    let mut xml = Xml::new(&decoded.text, limits);
    let document = Document { bytes, decoded, limits };
    let root = xml.root()?;
    let (mut fates, mut linked) = (Vec::new(), Vec::new());
    let mut feed = Feed::default();
    match root.name {
        "entry" => document.entry(root, &mut xml, &feed, &mut fates, &mut linked)?,
        "feed" => {
            while let Some(tag) = next_child(&mut xml)? {
                match (tag.namespace, tag.name) {
                    (Namespace::Atom, "entry") if fates.len() + linked.len() >= limits.items => {
                        let detail = format!("more than {} entries in one feed", limits.items);
                        return Err(xml.fault(Reason::TooManyItems, tag.at, detail));
                    }
                    (Namespace::Atom, "entry") => document.entry(tag, &mut xml, &feed, &mut fates, &mut linked)?,
                    (Namespace::Atom, "author") => feed.author = author(&mut xml)?,
                    (Namespace::Atom, "id") => feed.id = Some(xml.text()?.into_owned()),
                    _ => xml.skip()?,
                }
            }
        }
        other => {
            let detail = format!("<{}> is neither an Atom feed nor an entry", xml::shorten(other));
            return Err(xml.fault(Reason::UnknownFormat, root.at, detail));
        }
    }
    xml.finish()?;
    if fates.is_empty() {
        let detail = match linked.len() {
            0 => "a feed without entries".to_owned(),
            count => format!("an index of {count} entries that hold no message: fetch the documents they link to"),
        };
        return Err(xml.fault(Reason::UnknownFormat, root.at, detail));
    }
    for raw in linked {
        let detail = "an index entry that holds no message: fetch the document it links to";
        fates.push(Err(refused(Rejection::decode(Reason::UnknownFormat, "", detail), raw)));
    }
    Ok(fates)
}

/// What a feed says for all its entries.
#[derive(Debug, Default)]
struct Feed {
    id: Option<String>,
    author: Option<String>,
}

/// The document that entries are cut from.
struct Document<'d> {
    bytes: &'d Bytes,
    decoded: &'d Decoded<'d>,
    limits: &'d Limits,
}

/// An entry as written, as far as it holds no alert.
#[derive(Debug, Default)]
struct Entry<'a> {
    id: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    updated: Option<Cow<'a, str>>,
    published: Option<Cow<'a, str>>,
    summary: Option<Cow<'a, str>>,
    content: Option<Cow<'a, str>>,
    author: Option<String>,
    point: Option<Cow<'a, str>>,
    links: Vec<Link>,
    /// True when it speaks of a CAP message that stands elsewhere.
    has_cap_members: bool,
    rest: serde_json::Map<String, Value>,
}

impl Document<'_> {
    /// Reads the entry that was just opened to a fate, or to the bytes of an index line.
    fn entry<'a>(
        &self,
        tag: Tag<'a>,
        xml: &mut Xml<'a>,
        feed: &Feed,
        fates: &mut Vec<Fate>,
        linked: &mut Vec<Bytes>,
    ) -> Result<(), Rejection> {
        let before = fates.len();
        let mut entry = Entry::default();
        while let Some(child) = next_child(xml)? {
            match (child.namespace, child.name) {
                (Namespace::Cap | Namespace::Unbound, "alert") => self.alert(child, xml, fates)?,
                (Namespace::Cap, _) => {
                    entry.has_cap_members = true;
                    xml.skip()?;
                }
                (Namespace::Atom, "content") => self.content(child, xml, &mut entry, fates)?,
                (Namespace::Atom, _) => entry.member(child, xml)?,
                (Namespace::Other, "point") => entry.point = Some(xml.text()?),
                _ => {
                    let value = xml::element_value(xml)?;
                    xml::add_member(&mut entry.rest, child.name, value);
                }
            }
        }
        if fates.len() > before {
            return Ok(());
        }
        let raw = self.slice(tag.at, xml.position());
        if entry.has_cap_members || !entry.links.is_empty() {
            linked.push(raw);
        } else {
            let place = xml.fault(Reason::MissingField, tag.at, "an entry without title, summary and content");
            fates.push(entry.draft(raw.clone(), feed, place).map_err(|rejection| refused(rejection, raw)));
        }
        Ok(())
    }

    /// Content: an alert as elements, an alert as escaped text, or text.
    fn content<'a>(
        &self,
        tag: Tag<'a>,
        xml: &mut Xml<'a>,
        entry: &mut Entry<'a>,
        fates: &mut Vec<Fate>,
    ) -> Result<(), Rejection> {
        if let Some(href) = tag.attribute("src") {
            entry.links.push(Link { rel: "content".to_owned(), href: href.to_owned() });
        }
        let mut text = String::new();
        let inside = xml.depth();
        loop {
            match xml.next()? {
                Token::Open(child) if cap::is_alert(&child) => self.alert(child, xml, fates)?,
                Token::Open(_) => {}
                Token::Text(part) => text.push_str(&part),
                Token::Close if xml.depth() < inside => break,
                Token::Close => {}
                Token::End => return Err(xml.unexpected_end()),
            }
        }
        let text = text.trim_ascii();
        if text.starts_with('<') && text.contains("alert") {
            let inner = Bytes::copy_from_slice(text.as_bytes());
            let depth = Limits { depth: self.limits.depth.saturating_sub(inside), ..*self.limits };
            if names_alert(text, &depth) {
                fates.extend(cap::decode(&inner, &depth));
                return Ok(());
            }
        }
        if !text.is_empty() {
            entry.content = Some(Cow::Owned(text.to_owned()));
        }
        Ok(())
    }

    fn alert<'a>(&self, tag: Tag<'a>, xml: &mut Xml<'a>, fates: &mut Vec<Fate>) -> Result<(), Rejection> {
        let draft = cap::decode_inside(xml, tag, self.limits)?;
        let raw = self.slice(tag.at, xml.position());
        fates.push(match draft {
            Ok(draft) => Ok(Draft { raw, ..draft }),
            Err(rejection) => Err(cap::refused(rejection, raw)),
        });
        Ok(())
    }

    /// The bytes of a part of the document; written anew where they were not UTF-8.
    fn slice(&self, start: usize, end: usize) -> Bytes {
        match &self.decoded.text {
            Cow::Borrowed(_) => self.bytes.slice(start + self.decoded.mark_bytes..end + self.decoded.mark_bytes),
            Cow::Owned(text) => Bytes::copy_from_slice(&text.as_bytes()[start..end]),
        }
    }
}

/// True when a text is a document whose root is an alert.
fn names_alert(text: &str, limits: &Limits) -> bool {
    Xml::new(text, limits).root().is_ok_and(|root| cap::is_alert(&root))
}

impl<'a> Entry<'a> {
    fn member(&mut self, tag: Tag<'a>, xml: &mut Xml<'a>) -> Result<(), Rejection> {
        let field = match tag.name {
            "id" => &mut self.id,
            "title" => &mut self.title,
            "updated" => &mut self.updated,
            "published" => &mut self.published,
            "summary" => &mut self.summary,
            "author" => {
                self.author = author(xml)?;
                return Ok(());
            }
            "link" => {
                let rel = tag.attribute("rel").unwrap_or("alternate");
                if let Some(href) = tag.attribute("href").filter(|_| rel != "self") {
                    self.links.push(Link { rel: rel.to_owned(), href: href.to_owned() });
                }
                return xml.skip();
            }
            _ => {
                let term = tag.attribute("term").map(|term| Value::String(term.to_owned()));
                let value = xml::element_value(xml)?;
                xml::add_member(&mut self.rest, tag.name, term.unwrap_or(value));
                return Ok(());
            }
        };
        let text = xml.text()?;
        if field.is_none() && !text.is_empty() {
            *field = Some(text);
        }
        Ok(())
    }

    /// The entry as a message of its own.
    fn draft(self, raw: Bytes, feed: &Feed, empty: Rejection) -> Result<Draft, Rejection> {
        let description = self.summary.or(self.content);
        if self.title.is_none() && description.is_none() {
            return Err(empty);
        }
        let mut draft = Draft::new(Format::Atom, MEDIA_TYPE, raw);
        draft.sender = self.author.or_else(|| feed.author.clone()).or_else(|| feed.id.clone()).unwrap_or_default();
        match &self.id {
            Some(id) => {
                let id = cap::plain_id(id).to_owned();
                draft.thread_keys.push(ThreadKey { scheme: "atom", value: id.clone() });
                draft.native_id = Some(id);
            }
            None => {
                let detail = "the entry has no id; it is known by its content";
                draft.warnings.push(Warning::new("id_missing", "/native_id", detail));
            }
        }
        for (name, text) in
            [("updated", &self.updated), ("sent", self.published.as_ref().map_or(&self.updated, |_| &self.published))]
        {
            let Some(text) = text else { continue };
            let time = Timestamp::parse(text).ok();
            if time.is_none() {
                let detail = format!("`{}` is no time; it was left out", xml::shorten(text));
                draft.warnings.push(Warning::new("invalid_time", format!("/{name}"), detail));
            }
            if time.is_none() || !text.ends_with('Z') {
                draft.time_texts.insert(name.to_owned(), text.to_string());
            }
            if name == "sent" { draft.sent = time } else { draft.updated = time }
        }
        if draft.native_id.is_some() {
            draft.native_version = draft.updated.map(|time| time.to_string());
        }
        let title = self.title.map(Cow::into_owned);
        let (category, kind) = kinds::kind_of(title.as_deref().unwrap_or_default(), None, None);
        let geometry = self.point.and_then(|text| point(&text, &mut draft.warnings));
        let placed = geometry.is_some();
        draft.segments.push(Segment {
            category,
            kind,
            texts: vec![Text {
                lang: "und".to_owned(),
                headline: title.clone(),
                description: description.map(Cow::into_owned),
                ..Text::default()
            }],
            geometry,
            geometry_origin: if placed { GeometryOrigin::Point } else { GeometryOrigin::None },
            place_precision: if placed { PlacePrecision::Exact } else { PlacePrecision::None },
            ..Segment::default()
        });
        draft.title = title;
        draft.extra = self.rest;
        Ok(draft)
    }
}

/// The point of `lat lon`, as GeoRSS writes it.
fn point(text: &str, warnings: &mut Vec<Warning>) -> Option<Geometry> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    let (lat, lon) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    shape::circle(Point::new(lon, lat), 0.0, "/geometry", warnings, false).ok().flatten()
}

fn author(xml: &mut Xml<'_>) -> Result<Option<String>, Rejection> {
    let mut name = None;
    while let Some(tag) = next_child(xml)? {
        if tag.name == "name" {
            name = Some(xml.text()?.into_owned()).filter(|name| !name.is_empty());
        } else {
            xml.skip()?;
        }
    }
    Ok(name)
}

/// The next child element; text between elements means nothing in Atom.
fn next_child<'a>(xml: &mut Xml<'a>) -> Result<Option<Tag<'a>>, Rejection> {
    loop {
        match xml.next()? {
            Token::Open(tag) => return Ok(Some(tag)),
            Token::Text(_) => {}
            Token::Close => return Ok(None),
            Token::End => return Err(xml.unexpected_end()),
        }
    }
}

fn refused(rejection: Rejection, raw: Bytes) -> Refused {
    Refused { rejection, raw, media_type: Some(MEDIA_TYPE.to_owned()) }
}
