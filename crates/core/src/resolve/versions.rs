//! Which of two messages counts: known ids with other content, and the current one of a thread.

use super::{Believed, IdentityRow, Says, Severity, State, ThreadHead, ThreadRow, Warning, identity, parts};
use crate::event::Event;
use crate::vocabulary::Action;

/// What a message with a known id is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Another message altogether.
    Collision,
    /// The same.
    Same,
    /// The same in another form.
    Form,
    /// Other content that cannot both be true.
    Conflict,
    /// A later version; or one that adds what the first form lacked.
    Revision { completes: bool },
}

/// Judges a message by what is known under its id.
pub(super) fn compare(believed: &Believed, known: &IdentityRow) -> Known {
    if known.tuple_hash != believed.tuple_hash {
        return Known::Collision;
    }
    if known.content_hash == believed.content_hash {
        return Known::Same;
    }
    let is_later = match (believed.version_time, known.version_time) {
        (Some(ours), Some(theirs)) => ours > theirs,
        _ => false,
    };
    if believed.bound && is_later {
        return Known::Revision { completes: false };
    }
    if believed.format == known.format {
        return Known::Conflict;
    }
    if believed.bound && says(&believed.event).adds_to(known.says) {
        return Known::Revision { completes: true };
    }
    Known::Form
}

/// Gives a message that shares a known id an id of its own, derived from its content.
pub(super) fn rename(believed: &mut Believed, completes: bool) {
    let version = identity::version_of(&believed.content_hash);
    let event = &mut believed.event;
    let native_id = event.native_id.clone().unwrap_or_else(|| event.id.to_string());
    let (id, tuple_hash) = identity::of_native(&event.tenant, &event.issuer, &native_id, Some(&version));
    event.id = id;
    event.native_version = Some(version);
    believed.tuple_hash = tuple_hash;
    if completes {
        let detail = "this form adds severity, area or time that the form before it lacked";
        event.warnings.push(Warning::new("completed_by", "", detail));
    }
}

/// What a message says of the things that another form may add.
pub(super) fn says(event: &Event) -> Says {
    let mut bits = 0;
    if event.severity != Severity::Unknown {
        bits |= Says::SEVERITY;
    }
    if event.geometry.is_some() || event.areas.iter().any(|area| !area.codes.is_empty()) {
        bits |= Says::AREA;
    }
    if [event.occurred, event.effective, event.onset, event.expires, event.ends].iter().any(Option::is_some) {
        bits |= Says::TIME;
    }
    Says(bits)
}

/// True where `new` counts rather than `current`: the later version by the sender's time. Of equal
/// times the one that does more, then the higher id, so that every order of arrival ends at the same.
/// A message without a time counts right after what counted when it came in.
pub(super) fn supersedes(new: &ThreadHead, current: &ThreadHead) -> bool {
    if speaks(new) != speaks(current) {
        return speaks(new);
    }
    rank(new) > rank(current)
}

/// A total order, so that no three messages can each count before the next.
fn rank(head: &ThreadHead) -> impl Ord {
    let among_equals = match head.version_time {
        Some(_) => (0, u64::from(weight(head.action)), head.event.as_bytes().to_vec()),
        None => (1, head.position.offset, Vec::new()),
    };
    (head.order_time, among_equals)
}

/// False for messages about messages, which say nothing of the happening.
fn speaks(head: &ThreadHead) -> bool {
    !matches!(head.action, Action::Ack | Action::Error)
}

fn weight(action: Action) -> u8 {
    match action {
        Action::Ack | Action::Error => 0,
        Action::New => 1,
        Action::Update => 2,
        Action::End => 3,
        Action::Cancel => 4,
    }
}

/// Joins `other` into the thread whose first message came earlier.
pub(super) fn absorb(row: &mut ThreadRow, other: &ThreadRow) {
    row.revisions = row.revisions.max(other.revisions);
    for thread in std::iter::once(other.id).chain(other.merged_from.iter().copied()) {
        if thread != row.id && !row.merged_from.contains(&thread) {
            row.merged_from.push(thread);
        }
    }
    row.closed_at = row.closed_at.max(other.closed_at);
    parts::absorb(row, other);
    row.upgraded_to = row.upgraded_to.or(other.upgraded_to).filter(|thread| *thread != row.id);
    if supersedes(&other.current, &row.current) {
        row.current = other.current.clone();
        row.state = other.state;
        row.title.clone_from(&other.title);
    }
    parts::settle(row);
    let closed_later = row.closed_at.is_some_and(|closed| row.current.version_time.is_none_or(|time| time <= closed));
    if closed_later && row.state == State::Active && row.parts.is_empty() {
        row.state = State::Ended;
    }
}
