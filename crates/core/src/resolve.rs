//! The owner's judgment: is this new, to which thread does it belong, which revision is it.
//!
//! [`resolve`] is a pure function of the batch and of the thread rows before it: no clock, no
//! chance, so the same messages at the same positions give the same bytes on every node.

mod names;
mod parts;
mod rows;
mod versions;

use bytes::Bytes;

use crate::audit::AuditEntry;
use crate::draft::{Closing, Format};
use crate::event::{Form, Warning};
use crate::id::{DeadLetterId, EventId, IncidentId, TenantId, ThreadId, fingerprint};
use crate::identity;
use crate::incident::{Report, Reporter};
use crate::normalize::Believed;
use crate::port::{
    Commit, ControlChange, DeadLetter, DeadLetterState, IdentityRow, LogEntry, LogRecord, PortError, Says, ThreadHead,
    ThreadRow,
};
use crate::position::Position;
use crate::rejection::{Copy, Outcome, Reason, Rejection, Stage};
use crate::stored::{ClosedThread, Outlook};
use crate::time::Timestamp;
use crate::vocabulary::{Action, Severity, State};

use names::{Names, Namespace};
pub use rows::Threads;

/// Something that is to become durable.
#[derive(Debug, Clone)]
pub enum Submission {
    /// A message, judged and authorized, with its JSON form.
    Event(Box<Believed>, Bytes),
    /// A message that was refused, with its bytes.
    DeadLetter(Box<DeadLetter>, Bytes),
    /// A change of subscriptions, keys or roles.
    Control(Box<ControlChange>, TenantId),
    /// What is said of a change, or of a refusal, in its tenant's audit log; it has no place there yet.
    Audit(Box<AuditEntry>),
}

/// What a batch came to: one atomic commit, and one outcome for each submission in order.
#[derive(Debug, Default)]
pub struct Resolved {
    /// What to store; entries of audit logs have no place in their chains yet.
    pub commit: Commit,
    /// How each submission ends once that is durable. Control changes and audit entries end `None`.
    pub outcomes: Vec<Option<Outcome>>,
}

/// Judges a batch in order over the thread rows, and leaves in `threads` what the next batch sees.
///
/// # Errors
/// When the rows cannot be read; nothing is decided then.
pub fn resolve(batch: Vec<Submission>, threads: &mut Threads<'_>) -> Result<Resolved, PortError> {
    let mut entries = Vec::with_capacity(batch.len());
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut audit = Vec::new();
    for submission in batch {
        let outcome = match submission {
            Submission::Control(change, tenant) => {
                entries.push(entry(threads, tenant, LogRecord::Control(*change)));
                None
            }
            Submission::Audit(entry) => {
                audit.push(*entry);
                None
            }
            Submission::DeadLetter(letter, raw) => Some(park(*letter, raw, threads, &mut entries)),
            Submission::Event(believed, body) => Some(place(*believed, body, threads, &mut entries)?),
        };
        outcomes.push(outcome);
    }
    Ok(Resolved { commit: Commit { audit, ..threads.take_changes(entries) }, outcomes })
}

fn entry(threads: &mut Threads<'_>, tenant: TenantId, record: LogRecord) -> LogEntry {
    LogEntry { position: threads.next_position(), tenant, record }
}

fn park(letter: DeadLetter, raw: Bytes, threads: &mut Threads<'_>, entries: &mut Vec<LogEntry>) -> Outcome {
    let rejection = Rejection {
        stage: letter.stage,
        reason: letter.code,
        pointer: letter.pointer.clone(),
        detail: letter.detail.clone(),
    };
    let outcome = Outcome::Rejected { dead_letter: letter.id, rejection };
    entries.push(entry(threads, letter.tenant.clone(), LogRecord::DeadLetter { letter, raw }));
    outcome
}

/// Finds out whether a message is known, and stores it as what it is.
fn place(
    mut believed: Believed,
    mut body: Bytes,
    threads: &mut Threads<'_>,
    entries: &mut Vec<LogEntry>,
) -> Result<Outcome, PortError> {
    let tenant = believed.event.tenant.clone();
    if let Some(known) = threads.identity(&tenant, believed.event.id)? {
        match versions::compare(&believed, &known) {
            versions::Known::Collision => return Ok(collide(believed, threads, entries)),
            versions::Known::Same => return Ok(duplicate(believed.event.id, Copy::Same)),
            versions::Known::Form => return keep_form(believed, Copy::Form, &known, threads, entries),
            versions::Known::Conflict => return keep_form(believed, Copy::Conflict, &known, threads, entries),
            versions::Known::Revision { completes } => {
                versions::rename(&mut believed, completes);
                if threads.identity(&tenant, believed.event.id)?.is_some() {
                    return Ok(duplicate(believed.event.id, Copy::Same));
                }
                body = encode(&believed);
            }
        }
    }
    revise(believed, body, threads, entries)
}

fn duplicate(id: EventId, kind: Copy) -> Outcome {
    Outcome::Duplicate { id, kind }
}

fn encode(believed: &Believed) -> Bytes {
    serde_json::to_vec(&believed.event).expect("an event is plain data and memory takes it").into()
}

/// Two different messages with one derived id: set aside for a human, never believed.
fn collide(believed: Believed, threads: &mut Threads<'_>, entries: &mut Vec<LogEntry>) -> Outcome {
    let event = &believed.event;
    let letter = DeadLetter {
        id: DeadLetterId::derived(&[event.id.as_bytes(), &believed.tuple_hash, &believed.content_hash]),
        tenant: event.tenant.clone(),
        source: event.source.clone(),
        received: event.received,
        stage: Stage::Resolve,
        code: Reason::IdCollision,
        pointer: String::new(),
        detail: format!("another message with another native id already has the id {}", event.id),
        media_type: Some(believed.media_type.clone()),
        bytes: believed.raw.len() as u64,
        state: DeadLetterState::Parked,
        envelope: None,
        attempts: Vec::new(),
        correlation_id: event.correlation_id.clone(),
    };
    park(letter, believed.raw, threads, entries)
}

/// Keeps a further form of a known message beside it, once: the same bytes again are a copy.
fn keep_form(
    believed: Believed,
    kind: Copy,
    known: &IdentityRow,
    threads: &mut Threads<'_>,
    entries: &mut Vec<LogEntry>,
) -> Result<Outcome, PortError> {
    let event = believed.event;
    let name = fingerprint(&[b"form", event.id.as_bytes(), &believed.content_hash, believed.media_type.as_bytes()]);
    if threads.has_name(&event.tenant, &name)? {
        return Ok(duplicate(event.id, kind));
    }
    threads.set_alias(&event.tenant, name, known.thread)?;
    let form = Form {
        media_type: believed.media_type,
        received: event.received,
        correlation_id: event.correlation_id.clone(),
    };
    let conflict = kind == Copy::Conflict;
    let record = LogRecord::Form { event: event.id, form, conflict, raw: believed.raw };
    entries.push(entry(threads, event.tenant, record));
    Ok(duplicate(event.id, kind))
}

/// Stores a new message as the next revision of its thread.
fn revise(
    mut believed: Believed,
    mut body: Bytes,
    threads: &mut Threads<'_>,
    entries: &mut Vec<LogEntry>,
) -> Result<Outcome, PortError> {
    let tenant = believed.event.tenant.clone();
    let names = Names::of(&believed);
    let position = threads.next_position();
    let (mut row, merged) = join(&believed, &names, position, threads)?;
    let is_first = row.revisions == 0;
    if adapt(&mut believed, &row, is_first) {
        body = encode(&believed);
    }
    row.revisions += 1;
    let event = &believed.event;
    let head = ThreadHead {
        event: event.id,
        position,
        revision: row.revisions,
        version_time: believed.version_time,
        order_time: believed.version_time.unwrap_or(row.current.order_time),
        action: event.action,
        hazard_end: event.hazard_end,
    };
    let is_current = take_place(&believed, &head, &mut row, is_first);
    let closed = close(&believed, &head, &row, threads)?;
    let incident_threads = relate(&believed, &mut row, threads)?;
    let outlook = Outlook {
        state: row.state,
        is_current,
        current: row.current.event,
        merged,
        merged_from: row.merged_from.clone(),
        standing: parts::standing_beside(&row, &head),
        closed,
        incident: row.incident,
        incident_threads,
    };
    let identity = IdentityRow {
        position,
        thread: row.id,
        tuple_hash: believed.tuple_hash,
        content_hash: believed.content_hash,
        version_time: believed.version_time,
        state: row.state,
        format: believed.format,
        says: versions::says(event),
    };
    for name in names.all() {
        threads.set_alias(&tenant, name, row.id)?;
    }
    threads.set_identity(&tenant, event.id, identity);
    let outcome = Outcome::Accepted(event.id);
    let (thread, revision) = (row.id, row.revisions);
    threads.set_thread(row);
    let event = std::sync::Arc::new(believed.event);
    let record = LogRecord::Event { thread, revision, outlook, event, body, raw: believed.raw };
    entries.push(LogEntry { position, tenant, record });
    Ok(outcome)
}

/// Makes a message what counts in its thread, or in those of its zones where it is the latest. True
/// where it counts.
fn take_place(believed: &Believed, head: &ThreadHead, row: &mut ThreadRow, is_first: bool) -> bool {
    let zones = parts::zones_of(believed);
    let counts = if zones.is_empty() || row.parts.is_empty() && !is_first {
        let counts = is_first || versions::supersedes(head, &row.current);
        if counts {
            // It speaks for the whole thread.
            row.parts.clear();
            row.state = state_after(believed, row);
            row.current = head.clone();
        }
        counts
    } else {
        let is_over = believed.retracted || matches!(believed.event.action, Action::Cancel | Action::End);
        let holds = parts::hold(row, head, is_over, zones);
        parts::settle(row);
        holds
    };
    // What not everyone may read must not name the thread: other messages inherit its title.
    let is_public = believed.event.audience.is_none() && !believed.event.restricted;
    if row.current.event == head.event && is_public && !believed.event.title.is_empty() {
        row.title.clone_from(&believed.event.title);
    }
    counts
}

/// The thread that a message belongs to: the one its names lead to, those joined when there are
/// several, a new one when there is none.
fn join(
    believed: &Believed,
    names: &Names,
    position: Position,
    threads: &mut Threads<'_>,
) -> Result<(ThreadRow, Vec<ThreadId>), PortError> {
    let tenant = &believed.event.tenant;
    let mut found: Vec<ThreadRow> = Vec::new();
    for name in names.all() {
        if let Some(row) = threads.find(tenant, &name)?
            && found.iter().all(|other| other.id != row.id)
        {
            found.push(row);
        }
    }
    found.sort_by_key(|row| row.first);
    let mut others = found.into_iter();
    let Some(mut row) = others.next() else {
        return Ok((begin(believed, position, threads)?, Vec::new()));
    };
    let mut merged = Vec::new();
    for mut other in others {
        merged.push(other.id);
        versions::absorb(&mut row, &other);
        other.merged_into = Some(row.id);
        threads.set_thread(other);
    }
    Ok((row, merged))
}

/// A thread without any message yet, perhaps closed already by one of another thread.
fn begin(believed: &Believed, position: Position, threads: &mut Threads<'_>) -> Result<ThreadRow, PortError> {
    let event = &believed.event;
    let id = ThreadId::derived(&[event.id.as_bytes()]);
    let mut row = ThreadRow {
        id,
        tenant: event.tenant.clone(),
        order_key: believed.order_key.clone(),
        first: position,
        revisions: 0,
        current: ThreadHead {
            event: event.id,
            position,
            revision: 0,
            version_time: None,
            order_time: Timestamp::MIN,
            action: event.action,
            hazard_end: event.hazard_end,
        },
        state: State::Active,
        parts: Vec::new(),
        title: String::new(),
        merged_into: None,
        merged_from: Vec::new(),
        upgraded_to: None,
        closed_at: None,
        incident: own_incident(id),
    };
    let space = Namespace::of(event);
    for key in &believed.thread.keys {
        for upgraded in [true, false] {
            let closing = Closing { key: key.clone(), upgraded };
            if let Some(closer) = threads.find(&event.tenant, &space.closing_name(&closing))? {
                row.upgraded_to = upgraded.then_some(closer.id).or(row.upgraded_to);
                if parts::zones_of(believed).is_empty() || closer.parts.is_empty() {
                    row.closed_at = closer.current.version_time.or(Some(Timestamp::MAX));
                }
                for part in &closer.parts {
                    let head = ThreadHead { revision: 0, ..part.head.clone() };
                    parts::hold(&mut row, &head, true, part.zones.clone());
                }
            }
        }
    }
    Ok(row)
}

/// The incident that a thread is the first of.
fn own_incident(thread: ThreadId) -> IncidentId {
    IncidentId::derived(&[thread.as_bytes()])
}

/// Joins the thread to the incident that it reports, if another agency's thread tells of the same;
/// the other threads of its incident. What was joined stays joined, whatever is reported later.
fn relate(believed: &Believed, row: &mut ThreadRow, threads: &mut Threads<'_>) -> Result<Vec<ThreadId>, PortError> {
    let Some(mut report) = Report::of(&believed.event, row) else { return Ok(Vec::new()) };
    let mut others = threads.reports(&report, Reporter::OtherThan(&report.issuer))?;
    let is_alone = row.incident == own_incident(row.id) && others.iter().all(|other| other.incident != row.incident);
    if let Some(same) = report.same_among(&others).filter(|_| is_alone && row.state == State::Active) {
        // An incident takes one thread of each agency: another one of it is another happening.
        let own = threads.reports(&report, Reporter::Only(&report.issuer))?;
        if own.iter().all(|own| own.incident != same.incident || own.thread == row.id) {
            row.incident = same.incident;
            report.incident = row.incident;
        }
    }
    threads.set_report(report);
    others.retain(|other| other.incident == row.incident);
    let mut others: Vec<ThreadId> = others.into_iter().map(|other| other.thread).collect();
    others.sort_unstable();
    others.dedup();
    Ok(others)
}

/// Fits a message to its thread: what a sender leaves open is filled from it. True when the event
/// changed and must be encoded again.
fn adapt(believed: &mut Believed, row: &ThreadRow, is_first: bool) -> bool {
    let event = &mut believed.event;
    let says_nothing_of_its_action = !matches!(believed.format, Format::Cap | Format::Nws);
    let mut changed = false;
    if !is_first && says_nothing_of_its_action && event.action == Action::New {
        event.action = Action::Update;
        changed = true;
    }
    if event.title.is_empty() && !row.title.is_empty() {
        event.title.clone_from(&row.title);
        changed = true;
    }
    changed
}

/// How a thread stands once this message is its current one.
fn state_after(believed: &Believed, row: &ThreadRow) -> State {
    let closed_later = row.closed_at.is_some_and(|closed| believed.version_time.is_none_or(|time| time <= closed));
    match believed.event.action {
        _ if believed.retracted => State::Retracted,
        Action::Cancel => State::Cancelled,
        Action::End => State::Ended,
        _ if closed_later => State::Ended,
        _ => State::Active,
    }
}

/// Closes the other threads that a message says are over or replaced.
fn close(
    believed: &Believed,
    head: &ThreadHead,
    row: &ThreadRow,
    threads: &mut Threads<'_>,
) -> Result<Vec<ClosedThread>, PortError> {
    let event = &believed.event;
    let space = Namespace::of(event);
    let mut closed = Vec::new();
    for closing in &believed.thread.closings {
        // Remembered by name too, for a thread whose first message is still to come.
        threads.set_alias(&event.tenant, space.closing_name(closing), row.id)?;
        let key = space.name(closing.key.scheme, &closing.key.value);
        let Some(mut other) = threads.find(&event.tenant, &key)?.filter(|other| other.id != row.id) else { continue };
        let reopened_since = match (other.current.version_time, believed.version_time) {
            (Some(theirs), Some(ours)) => theirs > ours,
            _ => false,
        };
        if reopened_since || other.state.is_over() {
            continue;
        }
        let mut zones = parts::zones_listed(believed);
        zones.retain(|zone| other.parts.iter().any(|part| part.zones.contains(zone)));
        if zones.is_empty() {
            other.state = State::Ended;
            other.closed_at = believed.version_time.or(Some(Timestamp::MAX));
        } else {
            parts::hold(&mut other, &ThreadHead { revision: 0, ..head.clone() }, true, zones);
            parts::settle(&mut other);
        }
        other.upgraded_to = closing.upgraded.then_some(row.id).or(other.upgraded_to);
        closed.push(ClosedThread {
            thread: other.id,
            merged_from: other.merged_from.clone(),
            upgraded: closing.upgraded,
            lives_elsewhere: !other.state.is_over(),
        });
        threads.set_thread(other);
    }
    Ok(closed)
}

#[cfg(test)]
mod tests;
