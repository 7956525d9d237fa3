//! The way of an event, stage by stage, in the order of the data: intake on any node, the owner of
//! a partition, the notifier behind the log.
//!
//! Control flow stays here; the stages are plain functions of `tidings-core` on batches of values.

use bytes::Bytes;
use tidings_core::authorize::may_publish;
use tidings_core::batch::{Batch, Refused};
use tidings_core::decide::{Ruling, decide};
use tidings_core::decode::decode;
use tidings_core::enrich;
use tidings_core::envelope::Envelope;
use tidings_core::id::DeadLetterId;
use tidings_core::issuer;
use tidings_core::normalize::{Believed, normalize};
use tidings_core::port::{DeadLetter, DeadLetterState, LetterEnvelope, PortError};
use tidings_core::rejection::{Outcome, Rejection};
use tidings_core::resolve::{Resolved, Submission, Threads, resolve};
use tidings_core::validate::validate;

use crate::engine::Engine;
use crate::metrics::{Histogram, observe};
use crate::notifier::Case;

impl Engine {
    /// Any node, no state: judges a batch and makes it durable. The point of no return is the last
    /// line; before it a failure has stored nothing.
    pub(crate) async fn intake(&self, batch: &[Envelope]) -> Result<Vec<Vec<Outcome>>, PortError> {
        let (stages, limits) = (&self.metrics.stages, &self.options.limits);
        let mut drafts = self.timed(&stages.decode, || decode(batch, limits)); //                         receive
        self.metrics.events_begun.inc_by(drafts.items().len() as u64);
        self.timed(&stages.validate, || drafts.refuse(keep_draft, |_, draft| validate(draft, limits))); // validate
        let mut events = self.timed(&stages.normalize, || normalize(drafts, batch)); //                   normalize
        self.timed(&stages.enrich, || self.enrich(&mut events)); //                                       enrich
        self.timed(&stages.authorize, || {
            events.refuse(keep_event, |envelope, it| may_publish(&it.event, &batch[envelope].authority)); // authorize
        });
        self.accept(events, batch).await //                                                               accept
    }

    /// Does the work of a stage and notes how long it took.
    fn timed<T>(&self, stage: &Histogram, work: impl FnOnce() -> T) -> T {
        let began = self.ports.clock.elapsed();
        let result = work();
        observe(stage, self.ports.clock.elapsed().saturating_sub(began));
        result
    }

    /// Places every event; what is known of one place serves the whole batch.
    fn enrich(&self, events: &mut Batch<Believed>) {
        let mut cache = enrich::Cache::default();
        for believed in events.kept_mut() {
            let country = issuer::registered(&believed.event.issuer).filter(|issuer| issuer.national);
            let country = country.and_then(|issuer| issuer.country);
            enrich::place_event(&mut believed.event, country, &*self.ports.gazetteer, &mut cache);
        }
    }

    /// Hands everything to the owner, refused items as dead letters, and sorts the outcomes back to
    /// their envelopes.
    async fn accept(&self, events: Batch<Believed>, batch: &[Envelope]) -> Result<Vec<Vec<Outcome>>, PortError> {
        let items = events.into_items();
        let envelopes: Vec<usize> = items.iter().map(|item| item.envelope).collect();
        let mut numbers: Vec<usize> = batch.iter().map(|envelope| envelope.first_item).collect();
        let submissions = items.into_iter().map(|item| {
            let number = numbers[item.envelope];
            numbers[item.envelope] += 1;
            match item.fate {
                Ok(believed) => {
                    let body = serde_json::to_vec(&believed.event).expect("an event is plain data and memory takes it");
                    Submission::Event(Box::new(believed), body.into())
                }
                Err(refused) => self.park(refused, &batch[item.envelope], number),
            }
        });
        let outcomes = match self.owner.append(submissions.collect()).await {
            Ok(outcomes) => outcomes,
            Err(fault) => {
                envelopes.iter().for_each(|envelope| self.metrics.count_failed(&batch[*envelope].source));
                return Err(fault);
            }
        };
        let mut sorted: Vec<Vec<Outcome>> = vec![Vec::new(); batch.len()];
        for (envelope, outcome) in envelopes.into_iter().zip(outcomes) {
            let outcome = outcome.expect("only control changes end without an outcome");
            sorted[envelope].push(outcome);
        }
        for (envelope, outcomes) in batch.iter().zip(&sorted) {
            self.metrics.count_outcomes(&envelope.source, outcomes);
        }
        Ok(sorted)
    }

    /// A refused item as a dead letter, with all that a replay needs to be read as it was.
    fn park(&self, refused: Refused, envelope: &Envelope, number: usize) -> Submission {
        let Rejection { stage, reason, pointer, detail } = refused.rejection;
        let letter = DeadLetter {
            id: DeadLetterId::from_bytes(self.draw_id()),
            tenant: envelope.tenant.clone(),
            source: envelope.source.clone(),
            received: envelope.received,
            stage,
            code: reason,
            pointer,
            detail,
            media_type: refused.media_type.or_else(|| envelope.media_type.clone()),
            bytes: refused.raw.len() as u64,
            state: DeadLetterState::Parked,
            envelope: Some(LetterEnvelope {
                headers: envelope.headers.clone(),
                namespace: envelope.authority.namespace.clone(),
                coordinate: envelope.coordinate.clone(),
                item: number as u64,
            }),
            attempts: Vec::new(),
            correlation_id: envelope.correlation_id.clone(),
        };
        Submission::DeadLetter(Box::new(letter), refused.raw)
    }
}

/// The one owner of a partition, in order: what a batch comes to over the threads as they stand.
/// The caller commits it, in one step.
pub(crate) fn own(batch: Vec<Submission>, threads: &mut Threads<'_>) -> Result<Resolved, PortError> {
    resolve(batch, threads) //                                     dedupe, thread, revise
}

/// A reader of the event log with its own cursor: what one entry comes to for each recipient. The
/// caller commits it with the cursor, in one step.
pub(crate) fn notify(case: &Case<'_>) -> impl Iterator<Item = Ruling> {
    case.recipients.iter().map(|recipient| decide(&case.entry, recipient)) // match was the caller's; decide
}

fn keep_draft(draft: &tidings_core::draft::Draft) -> (Bytes, Option<String>) {
    (draft.raw.clone(), Some(draft.media_type.clone()))
}

fn keep_event(believed: &Believed) -> (Bytes, Option<String>) {
    (believed.raw.clone(), Some(believed.media_type.clone()))
}
