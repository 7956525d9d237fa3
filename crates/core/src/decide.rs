//! Whom an event is told to, and why: the rule of notification.
//!
//! [`decide`] judges one recipient and one entry of the log by the subscriptions in force there
//! and by what the recipient was told before. It is a pure function; time is the event's
//! `received`, so a repeat after a crash decides the same.

mod cover;
mod news;

use std::sync::Arc;

use crate::event::Outlook;
use crate::filter::{Compiled, Subject};
use crate::id::{TenantId, ThreadId, UserId, fingerprint};
use crate::notice::{Decision, Notice, NoticeKind, StoredDecision, UpdateReason, Verdict};
use crate::port::Told;
use crate::position::Position;
use crate::subscription::{Subscription, UpdatePolicy};
use crate::vocabulary::{Action, Category, Severity, State, Status};

use cover::Cover;
pub use news::is_old_news;

/// A subscription with its filter, ready to judge.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The revision in force.
    pub subscription: Arc<Subscription>,
    /// Its filter.
    pub compiled: Arc<Compiled>,
}

/// One entry of the log as decisions see it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Where it is.
    pub position: Position,
    /// The thread it was committed to.
    pub thread: ThreadId,
    /// Its number there.
    pub revision: u32,
    /// Its thread just after it.
    pub outlook: &'a Outlook,
    /// The event, prepared.
    pub subject: &'a Subject<'a>,
}

/// Everything about one recipient that bears on one entry.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The recipient's tenant.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// Their subscriptions that match the event or that they were told for.
    pub wishes: Vec<Wish>,
    /// What they were told of this thread and of those joined into it.
    pub told: Vec<Told>,
    /// What they were told of threads that this entry closes, with whether this thread takes the
    /// place of each.
    pub told_of_closed: Vec<(Told, bool)>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Ruling {
    /// What to store; its notices still lack their inbox numbers.
    pub decision: Option<StoredDecision>,
    /// What was told, as it stands now.
    pub told: Vec<Told>,
}

/// Judges one entry for one recipient.
pub fn decide(entry: &Entry<'_>, recipient: &Recipient) -> Ruling {
    let mut ruling = Ruling::default();
    let before = Told::combine(&recipient.told);
    let upgraded = recipient.told_of_closed.iter().any(|(told, upgraded)| *upgraded && !told.is_over);
    let judgments: Vec<Judgment<'_>> =
        recipient.wishes.iter().map(|wish| judgment_of(entry, wish, recipient.user)).collect();
    let news = news(entry, &judgments, before.as_ref(), upgraded);
    ruling.decision = record(entry, recipient, &judgments, news);
    if let Some(news) = news {
        ruling.told.push(retell(entry, recipient, &judgments, before.as_ref(), news));
    }
    let takes_over = news.is_some_and(|news| news.reason == Some(UpdateReason::Upgraded));
    for (told, upgraded) in &recipient.told_of_closed {
        if told.is_over {
            continue;
        }
        let is_followed = recipient.wishes.iter().any(|wish| told.was_for(wish.subscription.id));
        if is_followed && !(*upgraded && takes_over) {
            let decision = ruling.decision.get_or_insert_with(|| stored(entry, recipient, Vec::new()));
            // The closing message has no revision in that thread: 0 stands for "closed from outside".
            decision.notices.push(notice(recipient, told.thread, 0, News::of(NoticeKind::End), told.severity));
        }
        ruling.told.push(Told { is_over: true, event: entry.event_id(), position: entry.position, ..told.clone() });
    }
    ruling
}

/// What one subscription says of an entry when nothing was told before and nothing is stored: the
/// answer for an event that came to no decision.
pub fn stateless(entry: &Entry<'_>, wish: &Wish, user: UserId) -> Decision {
    judgment_of(entry, wish, user).verdict
}

impl Entry<'_> {
    fn event_id(&self) -> crate::id::EventId {
        self.subject.event().id
    }
}

/// How one subscription sees the event.
struct Judgment<'a> {
    wish: &'a Wish,
    /// What it says if there is nothing new.
    verdict: Decision,
    /// True where its filter holds and nothing forbids telling.
    speaks: bool,
    cover: Cover,
}

fn judgment_of<'a>(entry: &Entry<'_>, wish: &'a Wish, user: UserId) -> Judgment<'a> {
    let event = entry.subject.event();
    let subscription = &wish.subscription;
    let cover = Cover::of(wish, entry.subject);
    let paused = subscription.paused_until.is_some_and(|until| until > event.received);
    let verdict = if !may_see(entry, subscription, user) {
        Decision::NotPermitted
    } else if !cover.matches() {
        if cover.is_too_coarse { Decision::PlaceTooCoarse } else { Decision::NoMatch }
    } else if is_drill(event.status, subscription) {
        Decision::Drill
    } else if paused {
        Decision::Paused
    } else {
        Decision::NothingNew
    };
    Judgment { wish, speaks: verdict == Decision::NothingNew, verdict, cover }
}

/// Audience, restriction and other people's devices keep an event from a subscription.
fn may_see(entry: &Entry<'_>, subscription: &Subscription, user: UserId) -> bool {
    let event = entry.subject.event();
    let is_addressee = event.audience.as_ref().is_some_and(|audience| audience.contains(&user));
    if is_addressee {
        return true;
    }
    match event.category {
        Category::Device => subscription.sees_devices,
        _ => event.audience.is_none() && (!event.restricted || subscription.sees_restricted),
    }
}

fn is_drill(status: Status, subscription: &Subscription) -> bool {
    match status {
        Status::Actual => false,
        Status::Draft => true,
        Status::Exercise | Status::Test | Status::System => !subscription.include_drills,
    }
}

/// What is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct News {
    kind: NoticeKind,
    reason: Option<UpdateReason>,
}

impl News {
    const fn of(kind: NoticeKind) -> Self {
        Self { kind, reason: None }
    }

    const fn update(reason: Option<UpdateReason>) -> Self {
        Self { kind: NoticeKind::Update, reason }
    }
}

/// The rule of DESIGN section 7 for one recipient.
fn news(entry: &Entry<'_>, judgments: &[Judgment<'_>], before: Option<&Told>, upgraded: bool) -> Option<News> {
    let event = entry.subject.event();
    if !entry.outlook.is_current || matches!(event.action, Action::Ack | Action::Error) {
        return None;
    }
    let state = entry.outlook.state;
    let speaking = || judgments.iter().filter(|judgment| judgment.speaks);
    match before {
        Some(told) if state.is_over() => {
            let wanted = judgments.iter().any(|judgment| told.was_for(judgment.wish.subscription.id));
            let kind = if state == State::Ended { NoticeKind::End } else { NoticeKind::Cancel };
            (wanted && !told.is_over).then(|| News::of(kind))
        }
        Some(told) => speaking_change(judgments, told),
        None => {
            let is_first = speaking().next().is_some() && is_worth_starting(entry);
            match (is_first, upgraded) {
                (true, true) => Some(News::update(Some(UpdateReason::Upgraded))),
                (true, false) if !is_old_news(event) => Some(News::of(NoticeKind::New)),
                _ => None,
            }
        }
    }
}

/// True where a thread that nobody was told of is still worth telling: it is under way, or over
/// soon but in force until then (a warning left to expire), and does not itself say all clear.
fn is_worth_starting(entry: &Entry<'_>) -> bool {
    let event = entry.subject.event();
    match entry.outlook.state {
        State::Active => true,
        State::Ended => {
            let all_clear = event.response.iter().any(|word| word.eq_ignore_ascii_case("AllClear"));
            let past = event.urgency == crate::vocabulary::Urgency::Past;
            !all_clear && !past && event.ends.is_some_and(|ends| ends > event.received)
        }
        State::Cancelled | State::Expired | State::Retracted => false,
    }
}

/// What changed for a recipient who was told of a thread that is under way.
fn speaking_change(judgments: &[Judgment<'_>], told: &Told) -> Option<News> {
    let asks = |judgment: &Judgment<'_>, least: UpdatePolicy| judgment.wish.subscription.updates >= least;
    let of_speaking = |test: &dyn Fn(&Judgment<'_>) -> bool| judgments.iter().any(|it| it.speaks && test(it));
    if told.is_over && of_speaking(&|_| true) {
        return Some(News::update(None)); // under way again
    }
    let rises = of_speaking(&|it| asks(it, UpdatePolicy::Escalations) && it.cover.severity > told.severity);
    if rises {
        return Some(News::update(Some(UpdateReason::SeverityRise)));
    }
    let newly_covered = of_speaking(&|it| {
        let seen = told.leaves_for(it.wish.subscription.id);
        asks(it, UpdatePolicy::Escalations) && (it.cover.held & !seen != 0 || told.is_away && it.cover.held != 0)
    });
    if newly_covered {
        return Some(News::update(Some(UpdateReason::NewlyCovered)));
    }
    let told_for = |it: &&Judgment<'_>| told.was_for(it.wish.subscription.id);
    let had_place = |it: &Judgment<'_>| told.leaves_for(it.wish.subscription.id) != 0;
    let mut followers = judgments.iter().filter(told_for).peekable();
    let covers_none = followers.peek().is_some()
        && judgments
            .iter()
            .filter(told_for)
            .all(|it| had_place(it) && it.cover.held_anywhere & told.leaves_for(it.wish.subscription.id) == 0);
    let wants_away = followers.any(|it| asks(it, UpdatePolicy::UntilCancelled) && had_place(it));
    if covers_none && wants_away && !told.is_away {
        return Some(News::update(Some(UpdateReason::MovedAway)));
    }
    let is_other_type = of_speaking(&|it| asks(it, UpdatePolicy::UntilCancelled) && it.cover.kind != told.kind);
    if is_other_type {
        return Some(News::update(Some(UpdateReason::TypeChange)));
    }
    of_speaking(&|it| asks(it, UpdatePolicy::All)).then(|| News::update(None))
}

/// The decision to keep, where there is anything to say later about why.
fn record(
    entry: &Entry<'_>,
    recipient: &Recipient,
    judgments: &[Judgment<'_>],
    news: Option<News>,
) -> Option<StoredDecision> {
    let matters = news.is_some() || judgments.iter().any(|judgment| judgment.cover.matches());
    if !matters {
        return None;
    }
    let verdicts = judgments.iter().map(|judgment| Verdict {
        subscription: judgment.wish.subscription.id,
        revision: judgment.wish.subscription.revision,
        decision: verdict(entry, judgment, recipient, news),
    });
    let mut decision = stored(entry, recipient, verdicts.collect());
    let severity = severity(judgments, recipient);
    decision.notices.extend(news.map(|news| notice(recipient, entry.thread, entry.revision, news, severity)));
    Some(decision)
}

fn verdict(entry: &Entry<'_>, judgment: &Judgment<'_>, recipient: &Recipient, news: Option<News>) -> Decision {
    let was_told = recipient.told.iter().any(|told| told.was_for(judgment.wish.subscription.id));
    match news {
        Some(news) => {
            let closes = matches!(news.kind, NoticeKind::Cancel | NoticeKind::End);
            let moved = news.reason == Some(UpdateReason::MovedAway);
            if judgment.speaks || (closes || moved) && was_told { Decision::Notified } else { judgment.verdict }
        }
        None if !judgment.speaks => judgment.verdict,
        None if !entry.outlook.is_current => Decision::Late,
        None if was_told || matches!(entry.subject.event().action, Action::Ack | Action::Error) => Decision::NothingNew,
        None if entry.outlook.state.is_over() => Decision::Expired,
        None if recipient.told.is_empty() => Decision::TooOld,
        None => Decision::NothingNew,
    }
}

/// Worst severity of what matched; of a message that says none, the one told.
fn severity(judgments: &[Judgment<'_>], recipient: &Recipient) -> Severity {
    let matched = judgments.iter().map(|judgment| judgment.cover.severity).max().unwrap_or(Severity::Unknown);
    if matched != Severity::Unknown {
        return matched;
    }
    recipient.told.iter().map(|told| told.severity).max().unwrap_or(Severity::Unknown)
}

fn stored(entry: &Entry<'_>, recipient: &Recipient, verdicts: Vec<Verdict>) -> StoredDecision {
    StoredDecision {
        tenant: recipient.tenant.clone(),
        user: recipient.user,
        event: entry.event_id(),
        position: entry.position,
        decided: entry.subject.event().received,
        verdicts,
        notices: Vec::new(),
    }
}

/// A notice that still lacks its inbox number.
fn notice(recipient: &Recipient, thread: ThreadId, revision: u32, news: News, severity: Severity) -> Notice {
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
fn retell(
    entry: &Entry<'_>,
    recipient: &Recipient,
    judgments: &[Judgment<'_>],
    before: Option<&Told>,
    news: News,
) -> Told {
    let event = entry.subject.event();
    let is_away = news.reason == Some(UpdateReason::MovedAway);
    let closes = matches!(news.kind, NoticeKind::Cancel | NoticeKind::End);
    let speaking = judgments.iter().filter(|judgment| judgment.speaks);
    let mut places = before.map(|told| told.places.clone()).unwrap_or_default();
    let worst = speaking.clone().max_by_key(|judgment| judgment.cover.severity);
    let kind = worst.map(|judgment| judgment.cover.kind).or(before.map(|told| told.kind));
    if !closes && !is_away {
        for judgment in speaking {
            cover::tell_of(&mut places, judgment.wish.subscription.id, judgment.cover.held);
        }
    }
    let told_severity = before.map_or(Severity::Unknown, |told| told.severity);
    let matched = worst.map_or(Severity::Unknown, |judgment| judgment.cover.severity);
    Told {
        tenant: recipient.tenant.clone(),
        user: recipient.user,
        thread_tenant: event.tenant.clone(),
        thread: entry.thread,
        event: event.id,
        position: entry.position,
        severity: told_severity.max(matched),
        kind: kind.unwrap_or_else(|| kind_mark(&event.kind)),
        is_over: closes,
        is_away,
        places,
    }
}

/// A type as told rows hold it.
fn kind_mark(kind: &str) -> [u8; 8] {
    let bits = fingerprint(&[kind.as_bytes()]);
    let mut mark = [0; 8];
    mark.copy_from_slice(&bits[..8]);
    mark
}

#[cfg(test)]
mod tests;
