//! What a join of threads changes for those who were told of one of them.
//!
//! A message may join threads without being what counts in the joined one: it names a warning and is
//! named by the cancel of it, both told as threads of their own until then. Whoever was told of one
//! of them hears of what counts now, once, if it changes anything for them.

use super::judgment::Judgment;
use super::record::{notice, retell, severity, stored};
use super::rule::news_for_follower;
use super::{Counting, Entry, Recipient, Ruling};
use crate::port::Told;
use crate::stored::Outlook;

/// Tells the recipient of what counts, unless they know it: `before` is the last they were told.
pub(super) fn catch_up(
    entry: &Entry<'_>,
    counting: &Counting<'_>,
    recipient: &Recipient,
    before: &Told,
    ruling: &mut Ruling,
) {
    let outlook = Outlook { is_current: true, ..entry.outlook.clone() };
    let (thread, revision) = (counting.thread, counting.revision);
    let current = Entry { thread, revision, outlook: &outlook, subject: counting.subject, counting: None, ..*entry };
    let was_told = recipient.told.iter().any(|told| told.event == current.event_id());
    if was_told && before.is_over == outlook.state.is_over() {
        return;
    }
    let judgments: Vec<Judgment<'_>> = recipient.wishes.iter().map(|wish| Judgment::of(&current, wish)).collect();
    let Some(news) = news_for_follower(&current, &judgments, before) else { return };
    // What was told already is told again under the number of the message that joined: nobody has
    // heard of that one, and its own number was given out.
    let (thread, revision) = if was_told { (entry.thread, entry.revision) } else { (thread, revision) };
    let decision = ruling.decision.get_or_insert_with(|| stored(entry, recipient));
    for judgment in judgments.iter().filter(|it| it.speaks || it.told(before).is_some()) {
        decision.note_notified(judgment.wish.subscription.id, judgment.wish.subscription.revision);
    }
    let severity = severity(&judgments, recipient);
    decision.notices.push(notice(recipient, thread, revision, news, severity));
    ruling.told.push(retell(&current, recipient, &judgments, Some(before), news));
}
