//! Whom an event is told to, and why: the rule of notification.
//!
//! [`decide`] judges one recipient and one entry of the log by the subscriptions in force there
//! and by what the recipient was told before. It is a pure function; time is the event's
//! `received`, so a repeat after a crash decides the same.

mod cover;
mod judgment;
mod rule;
mod news;
mod record;
mod joined;
pub mod zones;

use std::sync::Arc;

use crate::event::Event;
use crate::filter::{Compiled, Fault, Subject};
use crate::id::{EventId, TenantId, ThreadId, UserId};
use crate::notice::{Decision, StoredDecision, UpdateReason};
use crate::port::Told;
use crate::position::Position;
use crate::principal::Bound;
use crate::stored::{ClosedThread, Outlook};
use crate::subscription::Subscription;

use judgment::Judgment;
pub use news::is_old_news;

/// A subscription with its filter, ready to judge.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The revision in force.
    pub subscription: Arc<Subscription>,
    /// Its filter.
    pub compiled: Arc<Compiled>,
    /// What its owner may see, where that is not everything.
    pub sees_only: Option<Bound>,
    /// Tells which places its filter asks for; see [`Filter::places_mark`].
    ///
    /// [`Filter::places_mark`]: crate::filter::Filter::places_mark
    pub places_mark: u32,
}

impl Wish {
    /// A subscription with its filters compiled.
    ///
    /// # Errors
    /// Every fault of the first filter that has any.
    pub fn new(subscription: Subscription) -> Result<Self, Vec<Fault>> {
        let compiled = Arc::new(Compiled::new(&subscription.filter)?);
        let sees_only = subscription.sees_only.clone().map(Bound::new).transpose()?;
        let places_mark = subscription.filter.places_mark();
        Ok(Self { subscription: Arc::new(subscription), compiled, sees_only, places_mark })
    }

    /// True where its owner may see the event.
    pub fn may_see(&self, event: &Event) -> bool {
        let subscription = &self.subscription;
        event.is_visible_to(subscription.owner, subscription.sees_restricted, subscription.sees_devices)
            && self.sees_only.as_ref().is_none_or(|bound| bound.admits(event))
    }
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
    /// The event that counts in the thread, where this entry joined threads and is not it.
    pub counting: Option<Counting<'a>>,
    /// Other messages of the thread that hold in zones of their own, each cut to those.
    pub standing: &'a [Subject<'a>],
}

/// The event that counts in a thread joined together by another one.
#[derive(Debug, Clone, Copy)]
pub struct Counting<'a> {
    /// The thread it was committed to.
    pub thread: ThreadId,
    /// Its number there.
    pub revision: u32,
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
    /// What they were told of other threads of its incident.
    pub told_of_incident: Vec<Told>,
    /// What they were told of each thread that this entry closes.
    pub told_of_closed: Vec<ToldOfClosed>,
}

/// What one recipient was told of a thread that an entry of another one closes.
#[derive(Debug, Clone)]
pub struct ToldOfClosed {
    /// The thread.
    pub thread: ThreadId,
    /// True when the entry's own thread takes its place.
    pub upgraded: bool,
    /// True when it goes on in other zones.
    pub lives_elsewhere: bool,
    /// Of it and of those joined into it.
    pub told: Vec<Told>,
}

impl Recipient {
    /// What they were told of a thread that the entry closes, to add to.
    pub fn of_closed(&mut self, closed: &ClosedThread) -> &mut ToldOfClosed {
        let known = self.told_of_closed.iter().position(|it| it.thread == closed.thread);
        let index = known.unwrap_or_else(|| {
            let (thread, upgraded, lives_elsewhere) = (closed.thread, closed.upgraded, closed.lives_elsewhere);
            self.told_of_closed.push(ToldOfClosed { thread, upgraded, lives_elsewhere, told: Vec::new() });
            self.told_of_closed.len() - 1
        });
        &mut self.told_of_closed[index]
    }
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
    let judgments: Vec<Judgment<'_>> = recipient.wishes.iter().map(|wish| Judgment::of(entry, wish)).collect();
    let news = rule::news(entry, recipient, &judgments, before.as_ref());
    ruling.decision = record::record(entry, recipient, &judgments, news);
    if let Some(news) = news {
        ruling.told.push(record::retell(entry, recipient, &judgments, before.as_ref(), news));
    }
    if let (Some(counting), Some(before)) = (&entry.counting, &before) {
        joined::catch_up(entry, counting, recipient, before, &mut ruling);
    }
    let takes_over = news.is_some_and(|news| news.reason == Some(UpdateReason::Upgraded));
    for closed in &recipient.told_of_closed {
        record::close(entry, recipient, closed, takes_over, &mut ruling);
    }
    ruling
}

/// What one subscription says of an entry when nothing was told before and nothing is stored: the
/// answer for an event that came to no decision.
pub fn stateless(entry: &Entry<'_>, wish: &Wish) -> Decision {
    Judgment::of(entry, wish).verdict
}

impl Entry<'_> {
    fn event_id(&self) -> EventId {
        self.subject.event().id
    }
}

#[cfg(test)]
mod tests;
