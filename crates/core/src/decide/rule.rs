//! The rule of notification: what of an entry is worth telling a recipient, given what they were
//! told before.

use super::judgment::Judgment;
use super::{Entry, Recipient, is_old_news};
use crate::notice::{Decision, NoticeKind, UpdateReason};
use crate::port::Told;
use crate::subscription::UpdatePolicy;
use crate::vocabulary::{Action, State, Urgency};

/// What is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct News {
    pub kind: NoticeKind,
    pub reason: Option<UpdateReason>,
}

impl News {
    pub const fn of(kind: NoticeKind) -> Self {
        Self { kind, reason: None }
    }

    const fn update(reason: UpdateReason) -> Self {
        Self { kind: NoticeKind::Update, reason: Some(reason) }
    }

    /// True for what takes an alert back or ends it.
    pub const fn is_end(self) -> bool {
        matches!(self.kind, NoticeKind::Cancel | NoticeKind::End)
    }
}

/// The rule for one recipient and one entry.
pub(super) fn news(
    entry: &Entry<'_>,
    recipient: &Recipient,
    judgments: &[Judgment<'_>],
    before: Option<&Told>,
) -> Option<News> {
    let action = entry.subject.event().action;
    if !entry.outlook.is_current || matches!(action, Action::Ack | Action::Error) {
        return None;
    }
    match before {
        Some(told) => news_for_follower(entry, judgments, told),
        None => first_news(entry, recipient, judgments),
    }
}

/// What someone hears who was told nothing of the thread.
fn first_news(entry: &Entry<'_>, recipient: &Recipient, judgments: &[Judgment<'_>]) -> Option<News> {
    let worst = judgments.iter().filter(|it| it.speaks).map(|it| it.cover.severity).max()?;
    if !is_worth_starting(entry) {
        return None;
    }
    if was_told_of_replaced(recipient) {
        return Some(News::update(UpdateReason::Upgraded));
    }
    let is_worse_than_its_incident = told_of_incident(recipient).all(|told| told.severity < worst);
    (is_worse_than_its_incident && !is_old_news(entry.subject.event())).then_some(News::of(NoticeKind::New))
}

/// What someone hears who was told of the thread.
pub(super) fn news_for_follower(entry: &Entry<'_>, judgments: &[Judgment<'_>], told: &Told) -> Option<News> {
    let state = entry.outlook.state;
    let is_end_here = match entry.subject.event().action {
        _ if state.is_over() => judgments.iter().any(|it| it.told(told).is_some()),
        Action::Cancel | Action::End => is_over_for(judgments, told),
        _ => return change(judgments, told),
    };
    let is_end = state == State::Ended || state == State::Active && entry.subject.event().action == Action::End;
    let kind = if is_end { NoticeKind::End } else { NoticeKind::Cancel };
    (is_end_here && !told.is_over).then_some(News::of(kind))
}

/// True where a message ends a thread in some zones, the recipient was told for a place there and for
/// none where it goes on.
fn is_over_for(judgments: &[Judgment<'_>], told: &Told) -> bool {
    let ends = |it: &Judgment<'_>| it.wish.compiled.has_places() && it.cover.held_anywhere & it.told_leaves(told) != 0;
    let stands = |it: &Judgment<'_>| it.told(told).is_some() && it.stands != 0;
    judgments.iter().any(ends) && !judgments.iter().any(stands)
}

/// What the recipient was told of the incident through other threads, and still stands.
pub(super) fn told_of_incident(recipient: &Recipient) -> impl Iterator<Item = &Told> {
    recipient.told_of_incident.iter().filter(|told| !told.is_over)
}

/// True where the recipient was told of a thread whose place this one takes.
fn was_told_of_replaced(recipient: &Recipient) -> bool {
    let stands = |told: &[Told]| Told::combine(told).is_some_and(|told| !told.is_over);
    recipient.told_of_closed.iter().any(|closed| closed.upgraded && stands(&closed.told))
}

/// True where a thread that nobody was told of is still worth telling: it is under way, or over
/// soon but in force until then (a warning left to expire), and does not itself say all clear.
fn is_worth_starting(entry: &Entry<'_>) -> bool {
    let event = entry.subject.event();
    match entry.outlook.state {
        State::Active => !matches!(event.action, Action::Cancel | Action::End),
        State::Ended => {
            let all_clear = event.response.iter().any(|word| word.eq_ignore_ascii_case("AllClear"));
            let past = event.urgency == Urgency::Past;
            !all_clear && !past && event.ends.is_some_and(|ends| ends > event.received)
        }
        State::Cancelled | State::Expired | State::Retracted => false,
    }
}

/// What changed for a recipient who was told of a thread that is under way: the first of these that
/// a subscription asks to hear. Each is compared with what was told for it alone.
fn change(judgments: &[Judgment<'_>], told: &Told) -> Option<News> {
    let speaking = || judgments.iter().filter(|it| it.speaks);
    if told.is_over && speaking().next().is_some() {
        return Some(News::of(NoticeKind::Update)); // under way again
    }
    let rises = |it: &Judgment<'_>| it.told(told).is_some_and(|place| it.cover.severity > place.severity);
    if speaking().any(|it| it.asks(UpdatePolicy::Escalations) && rises(it)) {
        return Some(News::update(UpdateReason::SeverityRise));
    }
    let is_newly_covered = |it: &Judgment<'_>| {
        let is_first = it.told(told).is_none();
        let is_back = told.is_away && it.cover.held != 0;
        is_first || it.asks(UpdatePolicy::Escalations) && (it.cover.held & !it.told_leaves(told) != 0 || is_back)
    };
    if speaking().any(is_newly_covered) {
        return Some(News::update(UpdateReason::NewlyCovered));
    }
    if moved_away(judgments, told) {
        return Some(News::update(UpdateReason::MovedAway));
    }
    let is_other = |it: &Judgment<'_>| it.told(told).is_some_and(|place| it.cover.kind != place.kind);
    if speaking().any(|it| it.asks(UpdatePolicy::UntilCancelled) && is_other(it)) {
        return Some(News::update(UpdateReason::TypeChange));
    }
    speaking().any(|it| it.asks(UpdatePolicy::All)).then_some(News::of(NoticeKind::Update))
}

/// True where the thread is known to hold in none of the places that the recipient was told for. A
/// message that says less of its place than was known says nothing of having left.
fn moved_away(judgments: &[Judgment<'_>], told: &Told) -> bool {
    if told.is_away {
        return false;
    }
    let mut wants = false;
    for judgment in judgments.iter().filter(|it| it.told(told).is_some()) {
        let leaves = judgment.told_leaves(told);
        let is_known = judgment.verdict != Decision::NotPermitted && judgment.cover.is_placed;
        if leaves == 0 || !is_known || (judgment.cover.held_anywhere | judgment.stands) & leaves != 0 {
            return false;
        }
        wants |= judgment.asks(UpdatePolicy::UntilCancelled);
    }
    wants
}
