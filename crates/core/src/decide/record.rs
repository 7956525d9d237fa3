//! What is stored of a decision: verdicts, notices, and what the recipient was told by then.

use super::judgment::Judgment;
use super::rule::{News, told_of_incident};
use super::{Entry, Recipient, Ruling, ToldOfClosed, cover};
use crate::id::ThreadId;
use crate::notice::{Decision, Notice, NoticeKind, StoredDecision, UpdateReason, Verdict};
use crate::port::Told;
use crate::vocabulary::{Action, Severity};

/// The decision to keep, where there is anything to say later about why.
pub(super) fn record(
    entry: &Entry<'_>,
    recipient: &Recipient,
    judgments: &[Judgment<'_>],
    news: Option<News>,
) -> Option<StoredDecision> {
    let matters = news.is_some() || judgments.iter().any(|judgment| judgment.cover.matches());
    if !matters {
        return None;
    }
    let mut decision = stored(entry, recipient);
    decision.verdicts.extend(judgments.iter().map(|judgment| Verdict {
        subscription: judgment.wish.subscription.id,
        revision: judgment.wish.subscription.revision,
        decision: verdict(entry, judgment, recipient, news),
    }));
    let severity = severity(judgments, recipient);
    decision.notices.extend(news.map(|news| notice(recipient, entry.thread, entry.revision, news, severity)));
    Some(decision)
}

fn verdict(entry: &Entry<'_>, judgment: &Judgment<'_>, recipient: &Recipient, news: Option<News>) -> Decision {
    let was_told = recipient.told.iter().any(|told| judgment.told(told).is_some());
    match news {
        Some(news) => {
            let moved = news.reason == Some(UpdateReason::MovedAway);
            let is_told = judgment.speaks || (news.is_end() || moved) && was_told;
            if is_told { Decision::Notified } else { judgment.verdict }
        }
        None if !judgment.speaks => judgment.verdict,
        None if !entry.outlook.is_current => Decision::Late,
        None if was_told || matches!(entry.subject.event().action, Action::Ack | Action::Error) => Decision::NothingNew,
        None if entry.outlook.state.is_over() => Decision::Expired,
        None if told_of_incident(recipient).next().is_some() => Decision::DuplicateOf,
        None if recipient.told.is_empty() => Decision::TooOld,
        None => Decision::NothingNew,
    }
}

/// Tells whoever was told of a closed thread that it is over, unless this entry's own thread takes
/// its place for them. One that goes on in other zones is not over for anyone.
pub(super) fn close(
    entry: &Entry<'_>,
    recipient: &Recipient,
    closed: &ToldOfClosed,
    takes_over: bool,
    ruling: &mut Ruling,
) {
    let Some(told) = Told::combine(&closed.told).filter(|told| !told.is_over) else { return };
    if closed.lives_elsewhere {
        return;
    }
    let followers = || recipient.wishes.iter().filter(|wish| told.was_for(wish.subscription.id));
    if followers().next().is_some() && !(closed.upgraded && takes_over) {
        let decision = ruling.decision.get_or_insert_with(|| stored(entry, recipient));
        for wish in followers() {
            decision.note_notified(wish.subscription.id, wish.subscription.revision);
        }
        decision.notices.push(Notice {
            id: Notice::id_for_closing(&recipient.tenant, recipient.user, closed.thread, entry.event_id()),
            revision: 0,
            ..notice(recipient, closed.thread, 0, News::of(NoticeKind::End), told.severity)
        });
    }
    ruling.told.push(Told { is_over: true, event: entry.event_id(), position: entry.position, ..told });
}

/// Worst severity of what matched; of a message that says none, the one told.
pub(super) fn severity(judgments: &[Judgment<'_>], recipient: &Recipient) -> Severity {
    let matched = judgments.iter().map(|judgment| judgment.cover.severity).max().unwrap_or(Severity::Unknown);
    if matched != Severity::Unknown {
        return matched;
    }
    recipient.told.iter().map(|told| told.severity).max().unwrap_or(Severity::Unknown)
}

/// A decision that says nothing yet.
pub(super) fn stored(entry: &Entry<'_>, recipient: &Recipient) -> StoredDecision {
    StoredDecision {
        tenant: recipient.tenant.clone(),
        user: recipient.user,
        event: entry.event_id(),
        position: entry.position,
        // What it is judged by; the notifier puts the time in its place at which it was decided.
        decided: entry.subject.event().received,
        verdicts: Vec::new(),
        notices: Vec::new(),
    }
}

/// A notice that still lacks its inbox number.
pub(super) fn notice(recipient: &Recipient, thread: ThreadId, revision: u32, news: News, severity: Severity) -> Notice {
    Notice {
        id: Notice::id_for(&recipient.tenant, recipient.user, thread, revision),
        thread,
        revision,
        kind: news.kind,
        update_reason: news.reason,
        severity,
        number: 0,
    }
}

/// What the recipient has been told once this notice is theirs.
pub(super) fn retell(
    entry: &Entry<'_>,
    recipient: &Recipient,
    judgments: &[Judgment<'_>],
    before: Option<&Told>,
    news: News,
) -> Told {
    let event = entry.subject.event();
    let is_away = news.reason == Some(UpdateReason::MovedAway);
    let mut places = before.map(|told| told.places.clone()).unwrap_or_default();
    if !news.is_end() && !is_away {
        for judgment in judgments.iter().filter(|judgment| judgment.speaks) {
            cover::tell_of(&mut places, judgment.as_told());
        }
    }
    Told {
        tenant: recipient.tenant.clone(),
        user: recipient.user,
        thread_tenant: event.tenant.clone(),
        thread: entry.thread,
        event: event.id,
        position: entry.position,
        severity: places.iter().map(|place| place.severity).max().unwrap_or(Severity::Unknown),
        is_over: news.is_end(),
        is_away,
        places,
    }
}
