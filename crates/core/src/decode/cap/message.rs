//! What an alert means: the draft of one message.

use std::collections::HashSet;
use std::hash::Hash;

use bytes::Bytes;
use serde_json::{Value, json};

use super::group::group;
use super::ids::{plain_id, references};
use super::notes::Notes;
use super::read::Alert;
use super::{MEDIA_TYPE, info, parameters, times};
use crate::decode::vtec::{self, Vtec};
use crate::decode::xml::{Xml, shorten};
use crate::draft::{Draft, Format};
use crate::envelope::Limits;
use crate::event::{Code, Link};
use crate::id::UserId;
use crate::rejection::{Reason, Rejection};
use crate::time::Timestamp;
use crate::vocabulary::{Action, Category, Status, Urgency};

/// Lists up to here are searched, longer ones hashed.
pub(super) const SHORT_LIST: usize = 16;
/// References kept of one message; the longest recorded list has 44. Each is looked up later.
const REFERENCES_MAX: usize = 1_000;
/// Event codes of the US weather service kept of one message.
const VTEC_MAX: usize = 100;

/// Makes the draft of an alert.
///
/// # Errors
/// `MissingField` without identifier, sender or sent, and for an Alert without info;
/// `InvalidEnum` for an unknown status or message type; `InvalidTime` for an unreadable `sent`;
/// `TooLarge` for too many points.
pub(super) fn draft(
    alert: &Alert<'_>,
    raw: Bytes,
    mut notes: Notes,
    xml: &Xml<'_>,
    limits: &Limits,
) -> Result<Draft, Rejection> {
    let missing = |name: &str| xml.fault(Reason::MissingField, alert.at, format!("the alert has no <{name}>"));
    let mut draft = Draft::new(Format::Cap, MEDIA_TYPE, raw);
    let identifier = alert.identifier.as_deref().ok_or_else(|| missing("identifier"))?;
    draft.native_id = Some(plain_id(identifier).to_owned());
    draft.sender = alert.sender.as_deref().ok_or_else(|| missing("sender"))?.to_owned();
    let sent = alert.sent.as_deref().ok_or_else(|| missing("sent"))?;
    read_sent(sent, alert, &mut draft, &mut notes, xml)?;
    let status = alert.status.as_deref().ok_or_else(|| missing("status"))?;
    draft.status = status
        .parse::<Status>()
        .map_err(|fault| xml.fault(Reason::InvalidEnum, alert.status_at, format!("status {fault}")))?;
    let kind = alert.kind.as_deref().ok_or_else(|| missing("msgType"))?;
    let action = action(kind).ok_or_else(|| {
        let detail = format!("msgType `{}` is not one of Alert, Update, Cancel, Ack, Error", shorten(kind));
        xml.fault(Reason::InvalidEnum, alert.kind_at, detail)
    })?;
    let first_sent = read_references(alert, &mut draft, &mut notes);
    if alert.infos.is_empty() {
        let may_be_bare = match action {
            Action::New => false,
            Action::Update => !draft.references.is_empty(),
            _ => true,
        };
        if !may_be_bare {
            let detail = format!("a message of type {} without <info>, and so without what it is about", shorten(kind));
            return Err(xml.fault(Reason::MissingField, alert.at, detail));
        }
    }
    read_segments(alert, action, &mut draft, &mut notes, limits)?;
    let is_over =
        action == Action::Update && !draft.segments.is_empty() && draft.segments.iter().all(|part| part.ended);
    draft.action = Some(if is_over { Action::End } else { action });
    follow_vtec(alert, first_sent, &mut draft, &mut notes);
    read_scope(alert, &mut draft, &mut notes);
    read_rest(alert, &mut draft);
    let (warnings, extra) = notes.into_parts();
    draft.warnings.extend(warnings);
    for (name, value) in extra {
        // A name of ours stays ours.
        draft.extra.entry(name).or_insert(value);
    }
    Ok(draft)
}

fn action(kind: &str) -> Option<Action> {
    let known = [
        ("Alert", Action::New),
        ("Update", Action::Update),
        ("Cancel", Action::Cancel),
        ("Ack", Action::Ack),
        ("Error", Action::Error),
    ];
    known.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind)).map(|(_, action)| *action)
}

fn read_sent(
    sent: &str,
    alert: &Alert<'_>,
    draft: &mut Draft,
    notes: &mut Notes,
    xml: &Xml<'_>,
) -> Result<(), Rejection> {
    let reading = times::read(sent).filter(|reading| reading.time.is_some()).ok_or_else(|| {
        let detail = format!("<sent> `{}` is no time; write 2026-01-02T03:04:05-00:00", shorten(sent));
        xml.fault(Reason::InvalidTime, alert.sent_at, detail)
    })?;
    draft.sent = reading.time;
    if let Some((code, detail)) = reading.repair {
        notes.warn(code, "/sent", detail);
    }
    if times::is_worth_keeping(sent) {
        draft.time_texts.insert("sent".to_owned(), sent.to_owned());
    }
    Ok(())
}

/// Takes the ids of earlier messages; gives the time of the first of them.
fn read_references(alert: &Alert<'_>, draft: &mut Draft, notes: &mut Notes) -> Option<Timestamp> {
    let found = references(alert.references.as_deref()?);
    if found.unreadable > 0 {
        let detail = format!("{} references name no message", found.unreadable);
        notes.warn("reference_unreadable", "/references", detail);
    }
    let own = draft.native_id.as_deref().unwrap_or_default();
    let others = found.ids.iter().filter(|id| **id != own);
    draft.references = others.map(|id| (*id).to_owned()).collect();
    if draft.references.len() < found.ids.len() {
        notes.warn("reference_to_itself", "/references", "the message refers to itself; that reference was dropped");
    }
    keep_first(&mut draft.references);
    if draft.references.len() > REFERENCES_MAX {
        draft.references.truncate(REFERENCES_MAX);
        notes.warn("references_cut", "/references", format!("only the first {REFERENCES_MAX} references were kept"));
    }
    found.first_sent
}

/// Threads, and what the message does to them, by the event codes of the US weather service.
fn follow_vtec(alert: &Alert<'_>, first_sent: Option<Timestamp>, draft: &mut Draft, notes: &mut Notes) {
    let parameters = alert.infos.iter().flat_map(|info| &info.parameters);
    let texts = parameters.filter(|(name, _)| matches!(&**name, "VTEC" | "NWSVTEC"));
    let mut texts: Vec<&str> = texts.flat_map(|(_, value)| value.split_ascii_whitespace()).collect();
    keep_first(&mut texts);
    texts.truncate(VTEC_MAX);
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts {
        match Vtec::parse(text) {
            Some(code) => {
                draft.codes.push(Code::new("VTEC", text));
                codes.push(code);
            }
            // The codes of rivers stand beside them: `/00000.0.SM.….OO/`.
            None if text.split('.').next().is_some_and(|site| site.len() == 6) => {}
            None => notes.warn("vtec_unreadable", "/extra/parameters/VTEC", "a VTEC that cannot be read was left out"),
        }
    }
    let course = vtec::course(&codes, first_sent.or(draft.sent));
    draft.thread_keys.extend(course.keys);
    draft.closings.extend(course.closings);
    let speaks_of_itself = matches!(draft.action, Some(Action::New | Action::Update | Action::Cancel));
    if let (true, Some(action)) = (speaks_of_itself, course.action) {
        draft.action = Some(action);
        draft.segments.iter_mut().for_each(|part| part.ended |= action == Action::End);
    }
}

fn read_segments(
    alert: &Alert<'_>,
    action: Action,
    draft: &mut Draft,
    notes: &mut Notes,
    limits: &Limits,
) -> Result<(), Rejection> {
    let groups = group(&alert.infos);
    let single = groups.len() == 1;
    let mut reader = info::Reader { draft, notes, limits, vertices: 0, worst_level: None };
    for (index, group) in groups.iter().enumerate() {
        let pointer = if single { String::new() } else { format!("/segments/{index}") };
        let mut segment = reader.segment(group, &pointer)?;
        // A quake is always past; saying so does not end it.
        let is_past = segment.urgency == Urgency::Past && segment.category != Category::Earthquake;
        let all_clear = segment.response.iter().any(|word| word == "AllClear");
        segment.ended = action == Action::Update && (is_past || all_clear);
        reader.draft.segments.push(segment);
    }
    reader.finish();
    Ok(())
}

/// Who may see it.
fn read_scope(alert: &Alert<'_>, draft: &mut Draft, notes: &mut Notes) {
    match alert.scope.as_deref() {
        None => notes.warn("scope_missing", "", "no <scope>; it was taken as Public"),
        Some(scope) => {
            let is_public = scope.eq_ignore_ascii_case("Public");
            if !is_public && !scope.eq_ignore_ascii_case("Private") && !scope.eq_ignore_ascii_case("Restricted") {
                let detail = format!("scope `{}` is not known; the message was taken as Restricted", shorten(scope));
                notes.warn("invalid_enum", "/extra/scope", detail);
            }
            draft.restricted = !is_public;
            draft.extra.insert("scope".to_owned(), scope.into());
        }
    }
    if let Some(addresses) = alert.addresses.as_deref() {
        let list = split_list(addresses);
        // Most addresses are mail addresses and the like, which no user here is known by.
        let users: Vec<UserId> = list.iter().filter_map(|address| address.parse().ok()).collect();
        if draft.restricted && !users.is_empty() {
            draft.audience = Some(users);
        }
        draft.extra.insert("addresses".to_owned(), list.into());
    }
}

/// The items of a list separated by white space, where `"several words"` are one.
fn split_list(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 1 {
            items.push(part.trim().to_owned());
        } else {
            items.extend(part.split_ascii_whitespace().map(str::to_owned));
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

fn read_rest(alert: &Alert<'_>, draft: &mut Draft) {
    let said = [("source", &alert.source), ("restriction", &alert.restriction), ("note", &alert.note)];
    for (name, text) in said {
        if let Some(text) = text {
            draft.extra.insert(name.to_owned(), Value::String(text.to_string()));
        }
    }
    if !alert.codes.is_empty() {
        let codes: Vec<&str> = alert.codes.iter().map(|code| &**code).collect();
        draft.extra.insert("code".to_owned(), codes.into());
    }
    if let Some(incidents) = alert.incidents.as_deref() {
        draft.related.extend(split_list(incidents).into_iter().map(|name| Code::new("cap:incident", name)));
    }
    if alert.is_signed {
        draft.extra.insert("signature".to_owned(), json!({"present": true}));
    }
    parameters::read(&alert.infos, draft);
    keep_first(&mut draft.related);
    draft.related.truncate(REFERENCES_MAX);
}

/// Drops later copies of equal items.
pub(super) fn keep_first<T: Eq + Hash + Clone>(list: &mut Vec<T>) {
    if list.len() <= SHORT_LIST {
        let mut index = 1;
        while index < list.len() {
            if list[..index].contains(&list[index]) {
                list.remove(index);
            } else {
                index += 1;
            }
        }
    } else {
        let mut seen = HashSet::with_capacity(list.len());
        list.retain(|item| seen.insert(item.clone()));
    }
}

/// Adds a link that is not there yet.
pub(super) fn add_link(links: &mut Vec<Link>, rel: &str, href: &str) {
    let is_there = |link: &Link| link.rel == rel && link.href == href;
    // A stranger could list so many that looking each up would take too long.
    if links.len() < 1_000 && !links.iter().any(is_there) {
        links.push(Link { rel: rel.to_owned(), href: href.to_owned() });
    }
}
