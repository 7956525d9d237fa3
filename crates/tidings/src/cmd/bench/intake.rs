//! Documents of the simulated world to events, in batches of 500, on one core and without storage:
//! the stages of the engine's intake up to where it would accept.

use std::time::Duration;

use anyhow::Context;
use rustix::time::{ClockId, clock_gettime};
use tidings_adapters::clock::SystemClock;
use tidings_adapters::gazetteer;
use tidings_core::authorize::may_publish;
use tidings_core::batch::Batch;
use tidings_core::decode::decode;
use tidings_core::draft::Draft;
use tidings_core::enrich;
use tidings_core::envelope::{Coordinate, Envelope, Limits};
use tidings_core::id::TenantId;
use tidings_core::issuer;
use tidings_core::normalize::{Believed, normalize};
use tidings_core::port::{Clock, Gazetteer};
use tidings_core::principal::{Authority, Issuers};
use tidings_core::validate::validate;
use tidings_sim::World;

use super::Scale;
use super::row::{Figure, Goal, Row};
use super::times::rate;

/// Documents in a batch.
const BATCH: usize = 500;
/// What happens on a simulated day.
const EVENTS_A_DAY: u32 = 100_000;
/// The goal of the first issue.
const GOAL: f64 = 200_000.0;

/// Measures it.
pub(super) async fn measure(scale: &Scale) -> anyhow::Result<Vec<Row>> {
    let batches = scale.intake_batches;
    tokio::task::spawn_blocking(move || run(batches)).await.context("take in")
}

fn run(batches: usize) -> Vec<Row> {
    let gazetteer = gazetteer::open();
    let limits = Limits::default();
    let mut world = World::new(42, SystemClock.now(), EVENTS_A_DAY);
    judge(&batch_of(&mut world), &limits, &*gazetteer);
    let (mut documents, mut judging, mut encoding, mut reading) = (0, Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..batches {
        let batch = batch_of(&mut world);
        documents += batch.len();
        let began = worked();
        let events = judge(&batch, &limits, &*gazetteer);
        judging += worked() - began;
        let began = worked();
        let kept = events.items().iter().filter_map(|item| item.fate.as_ref().ok());
        let bytes: usize = kept.filter_map(|it| serde_json::to_vec(&it.event).ok()).map(|body| body.len()).sum();
        encoding += worked() - began;
        let began = worked();
        let readable = batch.iter().filter(|it| std::str::from_utf8(&it.bytes).is_ok()).count();
        reading += worked() - began;
        std::hint::black_box((events, bytes, readable));
    }
    let row = |what: &str, time: Duration| Row {
        name: "intake",
        what: what.to_owned(),
        measured: Figure::PerSecond(rate(documents, time)),
        limit: Figure::PerSecond(rate(documents, reading)),
        limit_is: "checking the same bytes for UTF-8".to_owned(),
        goal: Goal::Absolute(Figure::PerSecond(GOAL)),
    };
    vec![
        row("batches of 500 to events, a core", judging),
        row("the same, and each encoded for the log", judging + encoding),
    ]
}

/// The stages of the engine's intake, in its order.
fn judge(batch: &[Envelope], limits: &Limits, gazetteer: &dyn Gazetteer) -> Batch<Believed> {
    let mut drafts = decode(batch, limits);
    let keep = |draft: &Draft| (draft.raw.clone(), Some(draft.media_type.clone()));
    drafts.refuse(keep, |_, draft| validate(draft, limits));
    let mut events = normalize(drafts, batch);
    let mut cache = enrich::Cache::default();
    for believed in events.kept_mut() {
        let country = issuer::registered(&believed.event.issuer).filter(|issuer| issuer.national);
        let country = country.and_then(|issuer| issuer.country);
        enrich::place_event(&mut believed.event, country, gazetteer, &mut cache);
    }
    let keep = |believed: &Believed| (believed.raw.clone(), Some(believed.media_type.clone()));
    events.refuse(keep, |envelope, it| may_publish(&it.event, &batch[envelope].authority));
    events
}

fn batch_of(world: &mut World) -> Vec<Envelope> {
    let envelope = |number: usize| {
        let message = world.next_message();
        Envelope {
            bytes: message.body.into(),
            media_type: Some(message.media_type.to_owned()),
            headers: Vec::new(),
            source: "api".to_owned(),
            tenant: TenantId::default_tenant(),
            authority: Authority {
                namespace: "own:bench".to_owned(),
                issuers: Issuers::All,
                may_publish: true,
                says_only: None,
            },
            coordinate: Coordinate::Drawn(number.to_string()),
            first_item: 0,
            received: message.at,
            correlation_id: "bench".to_owned(),
        }
    };
    (0..BATCH).map(envelope).collect()
}

/// Processor time of this thread, so that other work on the machine does not count.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
