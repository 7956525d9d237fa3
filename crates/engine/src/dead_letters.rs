//! What was set aside, for a human to look at, replay or discard.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tidings_core::decode::decode;
use tidings_core::envelope::{Coordinate, Envelope};
use tidings_core::id::{DeadLetterId, EventId};
use tidings_core::port::{DeadLetter, DeadLetterAttempt, DeadLetterState, LetterEnvelope, PortError};
use tidings_core::position::Position;
use tidings_core::principal::Principal;
use tidings_core::rejection::{Outcome, Reason, Rejection, Stage};
use tidings_core::time::Timestamp;
use tidings_core::validate::validate;

use crate::Engine;
use crate::audit::{Asker, Change};
use crate::metrics::StageLabels;

/// How many letters one call looks at, at most; the answer says where to go on.
const SCANNED_MAX: usize = 100_000;
/// How many are read from the store at once.
const CHUNK: usize = 500;

/// Which dead letters; what is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Their reason.
    pub cause: Option<Reason>,
    /// The route by which they came.
    pub source: Option<String>,
    /// Where they were set aside.
    pub stage: Option<Stage>,
    /// What was done with them.
    pub state: Option<DeadLetterState>,
}

impl DeadLetterFilter {
    fn holds(&self, letter: &DeadLetter) -> bool {
        self.cause.is_none_or(|cause| cause == letter.code)
            && self.source.as_ref().is_none_or(|source| *source == letter.source)
            && self.stage.is_none_or(|stage| stage == letter.stage)
            && self.state.is_none_or(|state| state == letter.state)
    }
}

/// A page of dead letters.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterPage {
    /// The letters, newest first.
    pub letters: Vec<DeadLetter>,
    /// Below here the next page goes on, when there is one.
    pub next: Option<Position>,
}

/// Dead letters of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetterGroup {
    /// Where they were set aside.
    pub stage: Stage,
    /// Why.
    pub code: Reason,
    /// The route by which they came.
    pub source: String,
    /// How many are parked.
    pub parked: u64,
    /// How many there are.
    pub total: u64,
    /// When the first of them came in.
    pub oldest: Timestamp,
    /// When the last of them came in.
    pub newest: Timestamp,
    /// The newest of them.
    pub example: DeadLetterId,
    /// What that one says.
    pub detail: String,
}

/// How the replay of one dead letter ended, or would end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Which.
    pub id: DeadLetterId,
    /// `accepted`, `duplicate`, `rejected` or `failed`; the worst of its messages.
    pub outcome: &'static str,
    /// The events it became.
    pub events: Vec<EventId>,
    /// Why it was refused again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Rejection>,
}

impl Engine {
    /// The tenant's dead letters below a position, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead_letters(
        &self,
        principal: &Principal,
        filter: &DeadLetterFilter,
        mut before: Option<Position>,
        limit: usize,
    ) -> Result<DeadLetterPage, PortError> {
        let mut letters = Vec::new();
        for _ in 0..SCANNED_MAX / CHUNK {
            let found = self.ports.dead_letters.dead_letters(&principal.tenant, before, CHUNK).await?;
            let is_last = found.len() < CHUNK;
            for (position, letter) in found {
                if letters.len() == limit {
                    return Ok(DeadLetterPage { letters, next: before });
                }
                before = Some(position);
                if filter.holds(&letter) {
                    letters.push(letter);
                }
            }
            if is_last {
                return Ok(DeadLetterPage { letters, next: None });
            }
        }
        Ok(DeadLetterPage { letters, next: before })
    }

    /// The tenant's dead letters by cause, the largest group first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead_letter_groups(&self, principal: &Principal) -> Result<Vec<DeadLetterGroup>, PortError> {
        let page = self.dead_letters(principal, &DeadLetterFilter::default(), None, SCANNED_MAX).await?;
        let mut groups: Vec<DeadLetterGroup> = Vec::new();
        for letter in page.letters {
            let parked = u64::from(letter.state == DeadLetterState::Parked);
            let same = |group: &&mut DeadLetterGroup| {
                group.stage == letter.stage && group.code == letter.code && group.source == letter.source
            };
            if let Some(group) = groups.iter_mut().find(same) {
                group.total += 1;
                group.parked += parked;
                group.oldest = group.oldest.min(letter.received);
                continue;
            }
            groups.push(DeadLetterGroup {
                stage: letter.stage,
                code: letter.code,
                source: letter.source,
                parked,
                total: 1,
                oldest: letter.received,
                newest: letter.received,
                example: letter.id,
                detail: letter.detail,
            });
        }
        groups.sort_by_key(|group| std::cmp::Reverse((group.parked, group.total)));
        Ok(groups)
    }

    /// One of the tenant's dead letters.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead_letter(&self, principal: &Principal, id: DeadLetterId) -> Result<Option<DeadLetter>, PortError> {
        self.ports.dead_letters.dead_letter(&principal.tenant, id).await
    }

    /// The bytes of one of the tenant's dead letters.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead_letter_raw(&self, principal: &Principal, id: DeadLetterId) -> Result<Option<Bytes>, PortError> {
        self.ports.dead_letters.dead_letter_raw(&principal.tenant, id).await
    }

    /// Sends a dead letter through the pipeline again, with other bytes where some are given, as the
    /// message of its envelope that it was; it speaks for whom the principal may speak. `None` when there is no such letter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replay_dead_letter(
        &self,
        asker: impl Into<Asker<'_>>,
        id: DeadLetterId,
        edited: Option<Bytes>,
        dry_run: bool,
    ) -> Result<Option<Replayed>, PortError> {
        let asker = asker.into();
        let principal = asker.principal;
        let Some(letter) = self.dead_letter(principal, id).await? else { return Ok(None) };
        let is_edited = edited.is_some();
        let bytes = match edited {
            Some(bytes) => bytes,
            None => self.dead_letter_raw(principal, id).await?.unwrap_or_default(),
        };
        let mut envelope = envelope(&letter, bytes, principal, self.clock().now());
        if is_edited && decode(std::slice::from_ref(&envelope), self.limits()).len() > 1 {
            // One message was made several: they must not take the numbers of those beside it.
            (envelope.coordinate, envelope.first_item) = (Coordinate::Key(id.to_string()), 0);
        }
        if dry_run {
            return Ok(Some(self.judge(id, &envelope)));
        }
        let outcomes = self.publish(vec![envelope]).await?.into_iter().flatten().collect::<Vec<_>>();
        let replayed = summarize(id, &outcomes);
        self.note_handled(
            asker,
            &letter,
            "dead_letter.replay",
            json!({ "edited": is_edited, "outcome": replayed.outcome }),
        )
        .await?;
        self.settle(principal, letter, &replayed, &outcomes).await?;
        Ok(Some(replayed))
    }

    /// Marks a dead letter as given up; its bytes stay for the retention time. `None` when there is
    /// no such letter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn discard_dead_letter(
        &self,
        asker: impl Into<Asker<'_>>,
        id: DeadLetterId,
    ) -> Result<Option<DeadLetter>, PortError> {
        let asker = asker.into();
        let Some(mut letter) = self.dead_letter(asker.principal, id).await? else { return Ok(None) };
        self.note_handled(asker, &letter, "dead_letter.discard", Value::Null).await?;
        let was = std::mem::replace(&mut letter.state, DeadLetterState::Discarded);
        self.ports.dead_letters.update_dead_letter(&letter).await?;
        self.count_handled(&letter, was);
        Ok(Some(letter))
    }

    /// Says in the audit log what is about to be noted of a dead letter, which is kept elsewhere.
    async fn note_handled(
        &self,
        asker: Asker<'_>,
        letter: &DeadLetter,
        action: &'static str,
        after: Value,
    ) -> Result<(), PortError> {
        let audited = Change {
            action,
            target: letter.id.to_string(),
            tenant: &letter.tenant,
            before: Some(json!({ "state": letter.state, "code": letter.code })),
            after: Some(after).filter(|after| !after.is_null()),
        };
        self.note_done(asker, &audited).await
    }

    /// What decoding and validating say of an envelope, without storing anything.
    fn judge(&self, id: DeadLetterId, envelope: &Envelope) -> Replayed {
        let drafts = decode(std::slice::from_ref(envelope), self.limits());
        let problem = drafts.items().iter().find_map(|item| match &item.fate {
            Ok(draft) => validate(draft, self.limits()).err(),
            Err(refused) => Some(refused.rejection.clone()),
        });
        let outcome = if problem.is_some() { "rejected" } else { "accepted" };
        Replayed { id, outcome, events: Vec::new(), problem }
    }

    /// Notes a replay on the letter. What was refused again was set aside as a letter of its own;
    /// the first one stands for it, so that one is closed.
    async fn settle(
        &self,
        principal: &Principal,
        mut letter: DeadLetter,
        replayed: &Replayed,
        outcomes: &[Outcome],
    ) -> Result<(), PortError> {
        let store = &self.ports.dead_letters;
        let detail = replayed.problem.as_ref().map(|problem| problem.detail.clone()).unwrap_or_default();
        let at = self.clock().now();
        letter.attempts.push(DeadLetterAttempt { at, outcome: replayed.outcome.to_owned(), detail });
        let was = letter.state;
        if matches!(replayed.outcome, "accepted" | "duplicate") {
            letter.state = DeadLetterState::Replayed;
        }
        store.update_dead_letter(&letter).await?;
        self.count_handled(&letter, was);
        for outcome in outcomes {
            let Outcome::Rejected { dead_letter, .. } = outcome else { continue };
            let again =
                if *dead_letter == letter.id { None } else { self.dead_letter(principal, *dead_letter).await? };
            if let Some(mut again) = again {
                let was = std::mem::replace(&mut again.state, DeadLetterState::Discarded);
                let detail = format!("refused again in the replay of {}", letter.id);
                again.attempts.push(DeadLetterAttempt { at, outcome: "rejected".to_owned(), detail });
                store.update_dead_letter(&again).await?;
                self.count_handled(&again, was);
            }
        }
        Ok(())
    }

    /// Takes a letter out of the count of those parked since the start, where it is in it.
    fn count_handled(&self, letter: &DeadLetter, was: DeadLetterState) {
        let is_counted = was == DeadLetterState::Parked && letter.received >= self.started;
        if is_counted && letter.state != DeadLetterState::Parked {
            self.metrics.dead_letters.get_or_create(&StageLabels { stage: letter.stage.as_str() }).dec();
        }
    }
}

/// The letter as an envelope of its own that is read, and known, as it would have been at first.
fn envelope(letter: &DeadLetter, bytes: Bytes, principal: &Principal, received: Timestamp) -> Envelope {
    // Letters of older builds are known by their own id.
    let kept = letter.envelope.clone().unwrap_or_else(|| LetterEnvelope {
        headers: Vec::new(),
        namespace: principal.authority.namespace.clone(),
        coordinate: Coordinate::Key(letter.id.to_string()),
        item: 0,
    });
    let mut authority = principal.authority.clone();
    if authority.speaks_for(&kept.namespace) {
        authority.namespace = kept.namespace;
    }
    Envelope {
        bytes,
        media_type: letter.media_type.clone(),
        headers: kept.headers,
        source: letter.source.clone(),
        tenant: principal.tenant.clone(),
        authority,
        coordinate: kept.coordinate,
        first_item: usize::try_from(kept.item).unwrap_or_default(),
        received,
        correlation_id: letter.correlation_id.clone(),
    }
}

/// The worst outcome speaks for the letter.
fn summarize(id: DeadLetterId, outcomes: &[Outcome]) -> Replayed {
    let rank = |outcome: &&Outcome| match outcome {
        Outcome::Failed(_) => 3,
        Outcome::Rejected { .. } => 2,
        Outcome::Accepted(_) => 1,
        Outcome::Duplicate { .. } => 0,
    };
    let worst = outcomes.iter().max_by_key(rank);
    let events = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Accepted(id) | Outcome::Duplicate { id, .. } => Some(*id),
        Outcome::Rejected { .. } | Outcome::Failed(_) => None,
    });
    let problem = match worst {
        Some(Outcome::Rejected { rejection, .. }) => Some(rejection.clone()),
        _ => None,
    };
    Replayed { id, outcome: worst.map_or("failed", Outcome::as_str), events: events.collect(), problem }
}
