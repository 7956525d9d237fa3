//! Why an event was, or was not, told: the stored decision, or the same judgment once more.

use serde::Serialize;
use tidings_core::decide::{self, Entry, Wish};
use tidings_core::filter::{Condition, Subject};
use tidings_core::id::{EventId, NotificationId, SubscriptionId};
use tidings_core::notice::{Decision, Notice, StoredDecision};
use tidings_core::port::{ControlChange, InboxEntry, PortError, StoredChange};
use tidings_core::position::Position;
use tidings_core::principal::Principal;
use tidings_core::stored::Stored;
use tidings_core::subscription::Subscription;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::State;

use crate::control::wish_of;
use crate::engine::Engine;
use crate::reading::as_of_entry;
use crate::view::NotificationView;

/// Why an event was, or was not, told for a subscription.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The event.
    pub event_id: EventId,
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its revision in force when the event came in.
    pub subscription_revision: u32,
    /// Whether its filter held.
    pub matched: bool,
    /// How it ended.
    pub decision: Decision,
    /// When it was decided, where a decision is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
    /// The notice that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<NotificationId>,
    /// Every condition with what was wanted and what was there.
    pub conditions: Vec<Condition>,
    /// One sentence.
    pub summary: String,
}

impl Engine {
    /// Why an event was, or was not, told for one of the principal's subscriptions; `None` when
    /// either is not there for them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn explain(
        &self,
        principal: &Principal,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<Option<Explanation>, PortError> {
        let Some(found) = self.find(principal, event).await? else { return Ok(None) };
        let history = self.ports.control.history(subscription).await?;
        let Some((wish, since)) = in_force(&history, found.position) else { return Ok(None) };
        if wish.subscription.tenant != principal.tenant || wish.subscription.owner != principal.user {
            return Ok(None);
        }
        let stored = self.ports.deliveries.decision(&principal.tenant, principal.user, event).await?;
        let subject = Subject::new(&found.event, found.outlook.state);
        let entry = Entry {
            position: found.position,
            thread: found.thread,
            revision: found.revision,
            outlook: &found.outlook,
            subject: &subject,
            counting: None,
            standing: &[],
        };
        let matching = wish.compiled.matching_segments(&subject);
        let segment = matching.iter().next().unwrap_or_else(|| nearest_segment(&wish, &subject));
        let conditions = wish.compiled.conditions(&subject, segment);
        let verdict = stored.as_ref().and_then(|decision| verdict_of(decision, subscription));
        let decision = verdict.unwrap_or_else(|| decide::stateless(&entry, &wish));
        let notice = stored.as_ref().filter(|_| decision == Decision::Notified);
        let notice = notice.and_then(|stored| stored.notices.first());
        let summary = summary(decision, since > found.position, &conditions, &wish, &subject, segment);
        Ok(Some(Explanation {
            event_id: event,
            subscription_id: subscription,
            subscription_revision: wish.subscription.revision,
            matched: !matching.is_empty(),
            decision,
            decided: stored.as_ref().map(|stored| stored.decided),
            notification_id: notice.map(|notice| notice.id),
            conditions,
            summary,
        }))
    }

    /// A notice as its recipient reads it; `None` where its event is no longer kept.
    pub(crate) async fn notification(
        &self,
        principal: &Principal,
        place: InboxEntry,
        read_mark: u64,
    ) -> Result<Option<NotificationView>, PortError> {
        let decision = self.ports.deliveries.decision(&principal.tenant, principal.user, place.event).await?;
        let entry = self.ports.events.entry(place.position).await?;
        let (Some(decision), Some(found)) = (decision, entry.and_then(Stored::of)) else { return Ok(None) };
        let Some(notice) = decision.notices.iter().find(|notice| notice.number == place.number) else {
            return Ok(None);
        };
        let Some(found) = self.shown(principal, found, notice).await? else { return Ok(None) };
        let told = decision.verdicts.iter().filter(|verdict| verdict.decision == Decision::Notified);
        let subscriptions: Vec<SubscriptionId> = told.map(|verdict| verdict.subscription).collect();
        let reason = self.reason(&subscriptions, &found);
        Ok(Some(NotificationView {
            id: notice.id,
            kind: notice.kind,
            update_reason: notice.update_reason,
            thread_id: notice.thread,
            revision: notice.revision,
            title: found.event.title.clone(),
            severity: notice.severity,
            reason,
            created: decision.decided,
            epoch: place.position.epoch,
            number: notice.number,
            is_read: notice.number <= read_mark,
            event: as_of_entry(&found),
            subscriptions,
        }))
    }

    /// The event that a notice shows: its entry's own; the one that counts, where the entry joined
    /// threads; the last of the closed thread, where a message of another one closed it. In place of
    /// one that the principal may not see, the last of the thread that they may: whoever was told of
    /// an alert hears that it is over, and nothing else of a message that is not for them.
    async fn shown(&self, principal: &Principal, found: Stored, notice: &Notice) -> Result<Option<Stored>, PortError> {
        let tenant = found.event.tenant.clone();
        let (instead, state) = if notice.is_of_closed_thread() {
            let row = self.survivor(&tenant, notice.thread).await?;
            (row.map(|row| row.current.event), State::Ended)
        } else {
            (found.outlook.told_instead(), found.outlook.state)
        };
        let mut shown = match instead {
            None => found,
            Some(id) => match self.ports.events.event(&tenant, id).await?.and_then(Stored::of) {
                Some(shown) => shown,
                None => return Ok(None),
            },
        };
        shown.outlook.state = state;
        if principal.may_see(&shown.event) {
            return Ok(Some(shown));
        }
        for mut earlier in self.thread_of(&shown).await?.into_iter().rev() {
            if earlier.position < shown.position && principal.may_see(&earlier.event) {
                earlier.outlook.state = state;
                return Ok(Some(earlier));
            }
        }
        Ok(None)
    }

    /// Why these subscriptions asked for an event, in the words of the first that still stands.
    fn reason(&self, subscriptions: &[SubscriptionId], found: &Stored) -> String {
        let subject = Subject::new(&found.event, found.outlook.state);
        let reason = subscriptions.iter().filter_map(|id| self.control.wish(*id)).find_map(|wish| {
            let segment = wish.compiled.matching_segments(&subject).iter().next()?;
            Some(wish.compiled.reason(&subject, segment))
        });
        reason.unwrap_or_else(|| "you were told of this before".to_owned())
    }
}

fn verdict_of(decision: &StoredDecision, subscription: SubscriptionId) -> Option<Decision> {
    decision.verdicts.iter().find(|verdict| verdict.subscription == subscription).map(|verdict| verdict.decision)
}

/// The revision in force at a position, and from where it was; the first one for older events.
fn in_force(history: &[StoredChange], position: Position) -> Option<(Wish, Position)> {
    let revision = |change: &StoredChange| match &change.change {
        ControlChange::Subscription(subscription) => Some((Subscription::clone(subscription), change.position)),
        _ => None,
    };
    let before = history.iter().filter(|change| change.position < position).filter_map(revision).next_back();
    let (subscription, since) = before.or_else(|| history.iter().find_map(revision))?;
    Some((wish_of(subscription)?, since))
}

/// Of segments that do not match, the one that fails the fewest conditions.
fn nearest_segment(wish: &Wish, subject: &Subject<'_>) -> usize {
    let failures = |segment: &usize| {
        wish.compiled.conditions(subject, *segment).iter().filter(|condition| !condition.held).count()
    };
    (0..subject.segment_count()).min_by_key(failures).unwrap_or_default()
}

fn summary(
    decision: Decision,
    is_younger: bool,
    conditions: &[Condition],
    wish: &Wish,
    subject: &Subject<'_>,
    segment: usize,
) -> String {
    if is_younger {
        return "not told: the subscription was made after the event came in".to_owned();
    }
    let failed = conditions.iter().find(|condition| !condition.held);
    match (decision, failed) {
        (Decision::Notified, _) => format!("told: {}", wish.compiled.reason(subject, segment)),
        (Decision::NoMatch, Some(failed)) => {
            format!("not told: it needs {}, and the event has {}", failed.expected, failed.actual)
        }
        (Decision::NoMatch, None) => "not told: the filter does not hold".to_owned(),
        (Decision::PlaceTooCoarse, _) => {
            "not told: the event is placed too coarsely to say whether it touches your area".to_owned()
        }
        (Decision::Late, _) => "not told: a newer version of it was known already".to_owned(),
        (Decision::TooOld, _) => "not told: it was old news when it came in".to_owned(),
        (Decision::NothingNew, _) => "not told: it changed nothing that you asked to hear".to_owned(),
        (Decision::DuplicateOf, _) => "not told: you were told of the same incident already".to_owned(),
        (Decision::Expired, _) => "not told: it was over when it came in".to_owned(),
        (Decision::Paused, _) => "not told: the subscription was paused".to_owned(),
        (Decision::Drill, _) => "not told: it is an exercise or a test".to_owned(),
        (Decision::NotPermitted, _) => "not told: it is not for you to see".to_owned(),
    }
}
