//! Every metric: name, unit, meaning. UX section 7 has the names.
//!
//! Units are base units, labels are small closed sets, an id is never a label. Handles are plain
//! fields; a family's member is looked up once a batch, never once an event.

use std::fmt::Write;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
pub use prometheus_client::metrics::gauge::Gauge;
pub use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::histogram::exponential_buckets;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tidings_core::rejection::Outcome;

/// By route in and outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct IngestLabels {
    /// The route by which it came: `api`, a feed's name.
    pub source: String,
    /// `accepted`, `duplicate`, `rejected` or `failed`.
    pub result: &'static str,
}

/// By one name of a closed list.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $field:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub struct $name {
            /// The name.
            pub $field: &'static str,
        }
    };
}
label!(
    /// By pipeline stage.
    StageLabels,
    stage
);
label!(
    /// By channel.
    ChannelLabels,
    channel
);
label!(
    /// By queue.
    QueueLabels,
    queue
);
label!(
    /// By kind of open stream: `websocket`, `sse`.
    KindLabels,
    kind
);
label!(
    /// By rate limit: `user-requests`, `address-sign-ins`, …
    LimitLabels,
    limit
);
label!(
    /// By reader of the log: `notifier`, `projector`.
    ReaderLabels,
    reader
);

/// By channel and how an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AttemptLabels {
    /// The channel.
    pub channel: &'static str,
    /// `delivered`, `retrying`, `dead`.
    pub result: &'static str,
}

/// By HTTP operation and answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpLabels {
    /// `GET`, `POST`, …; `OTHER` for those we do not know.
    pub method: &'static str,
    /// The route as documented, `unmatched` for none.
    pub route: &'static str,
    /// The status code.
    pub status: u16,
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// How long things that take microseconds to seconds took: 10 µs to 42 s, a factor of 4 apart.
#[derive(Debug, Clone, Copy)]
pub struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(1e-5, 4.0, 12))
    }
}

/// A number of seconds that goes up and down.
pub type SecondsGauge = Gauge<f64, AtomicU64>;

/// How long each stage of the pipeline took for a batch, in seconds.
#[derive(Debug)]
pub struct Stages {
    /// Bytes to drafts.
    pub decode: Histogram,
    /// Rules of the formats.
    pub validate: Histogram,
    /// Drafts to events.
    pub normalize: Histogram,
    /// Places.
    pub enrich: Histogram,
    /// Who may say it.
    pub authorize: Histogram,
    /// Dedupe, thread, revise.
    pub resolve: Histogram,
    /// Making it durable.
    pub commit: Histogram,
    /// Finding candidates.
    pub matching: Histogram,
    /// Judging them.
    pub decide: Histogram,
    /// Making decisions durable.
    pub deliver: Histogram,
    /// Feeding the read view.
    pub project: Histogram,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Messages by route and outcome.
    pub events_ingested: Family<IngestLabels, Counter>,
    /// Messages that were known already.
    pub events_duplicate: Counter,
    /// Messages that began; `events_ended` of them ended, and a difference at rest is a loss.
    pub events_begun: Counter,
    /// Messages that ended in an outcome.
    pub events_ended: Counter,
    /// How long each stage took for a batch.
    pub stages: Stages,
    /// From `received` to the notice's commit, in seconds, by channel.
    pub event_to_notification: Family<ChannelLabels, Histogram, Seconds>,
    /// Finding everyone who asked for one batch, in seconds.
    pub match_duration: Histogram,
    /// Attempts on channels.
    pub delivery_attempts: Family<AttemptLabels, Counter>,
    /// Notices committed to inboxes.
    pub notifications: Counter,
    /// Dead letters set aside since the start, less those of them replayed or discarded, by stage.
    pub dead_letters: Family<StageLabels, Gauge>,
    /// Things waiting in a queue: batches for the `owner`, frames of all `streams`.
    pub queue_depth: Family<QueueLabels, Gauge>,
    /// Entries of the log that a reader has not passed.
    pub reader_lag_entries: Family<ReaderLabels, Gauge>,
    /// How long ago the oldest entry came in that a reader has not passed, in seconds.
    pub reader_lag_seconds: Family<ReaderLabels, SecondsGauge>,
    /// How long ago the oldest entry came in that is not decided for everyone, in seconds.
    pub notify_stalled_seconds: SecondsGauge,
    /// Subscriptions in force.
    pub subscriptions: Gauge,
    /// Open streams by kind.
    pub stream_clients: Family<KindLabels, Gauge>,
    /// Frames written to streams, by kind.
    pub stream_frames: Family<KindLabels, Counter>,
    /// Requests refused for coming too soon, by the limit that they have to wait for longest.
    pub rate_limited: Family<LimitLabels, Counter>,
    /// Requests by operation and answer, in seconds.
    pub http_request_duration: Family<HttpLabels, Histogram, Seconds>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tidings");
        let build = Info::new(BuildLabels { version: env!("CARGO_PKG_VERSION") });
        registry.register("build", "What was built", build);
        Self {
            events_ingested: member(&mut registry, "events_ingested", "Messages by route in and outcome"),
            events_duplicate: member(&mut registry, "events_duplicate", "Messages that were known already"),
            events_begun: member(&mut registry, "events_begun", "Messages that began the pipeline"),
            events_ended: member(&mut registry, "events_ended", "Messages that ended in an outcome"),
            stages: Stages::new(&mut registry),
            event_to_notification: durations(
                &mut registry,
                "event_to_notification",
                "From receiving an event to the commit of a notice of it, by channel",
            ),
            match_duration: duration(&mut registry, "match_duration", "Finding everyone who asked for one batch"),
            delivery_attempts: member(&mut registry, "delivery_attempts", "Attempts on channels by how they ended"),
            notifications: member(&mut registry, "notifications", "Notices committed to inboxes"),
            dead_letters: member(
                &mut registry,
                "dead_letters",
                "Dead letters set aside since the start, less those of them replayed or discarded, by stage",
            ),
            queue_depth: member(
                &mut registry,
                "queue_depth",
                "Things waiting in a queue: batches for the owner, frames of all streams",
            ),
            reader_lag_entries: member(
                &mut registry,
                "reader_lag_entries",
                "Entries of the log a reader has not passed",
            ),
            reader_lag_seconds: member(
                &mut registry,
                "reader_lag_seconds",
                "How long ago the oldest entry came in that a reader has not passed",
            ),
            notify_stalled_seconds: member(
                &mut registry,
                "notify_stalled_seconds",
                "How long ago the oldest entry came in that is not decided for everyone",
            ),
            subscriptions: member(&mut registry, "subscriptions", "Subscriptions in force"),
            stream_clients: member(&mut registry, "stream_clients", "Open streams by kind"),
            stream_frames: member(&mut registry, "stream_frames", "Frames written to streams by kind"),
            rate_limited: member(&mut registry, "rate_limited", "Requests refused for coming too soon, by limit"),
            http_request_duration: durations(
                &mut registry,
                "http_request_duration",
                "Time to the head of the answer, by method, route and status",
            ),
            registry,
        }
    }

    /// Counts how the messages of one source ended.
    pub fn count_outcomes<'a>(&self, source: &str, outcomes: impl IntoIterator<Item = &'a Outcome>) {
        let (mut accepted, mut duplicate, mut rejected, mut failed) = (0, 0, 0, 0);
        for outcome in outcomes {
            match outcome {
                Outcome::Accepted(_) => accepted += 1,
                Outcome::Duplicate { .. } => duplicate += 1,
                Outcome::Rejected { rejection, .. } => {
                    rejected += 1;
                    self.dead_letters.get_or_create(&StageLabels { stage: rejection.stage.as_str() }).inc();
                }
                Outcome::Failed(_) => failed += 1,
            }
        }
        self.events_duplicate.inc_by(duplicate);
        self.events_ended.inc_by(accepted + duplicate + rejected + failed);
        let counts = [("accepted", accepted), ("duplicate", duplicate), ("rejected", rejected), ("failed", failed)];
        for (result, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let labels = IngestLabels { source: source.to_owned(), result };
            self.events_ingested.get_or_create(&labels).inc_by(count);
        }
    }

    /// Counts a message of a source that could not be stored.
    pub fn count_failed(&self, source: &str) {
        self.events_ended.inc();
        let labels = IngestLabels { source: source.to_owned(), result: "failed" };
        self.events_ingested.get_or_create(&labels).inc();
    }

    /// All of them in the OpenMetrics text format 1.0.
    pub fn write_text(&self, out: &mut impl Write) {
        prometheus_client::encoding::text::encode(out, &self.registry).expect("memory takes it");
    }

    /// The media type of [`Metrics::write_text`].
    pub const MEDIA_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl Stages {
    fn new(registry: &mut Registry) -> Self {
        let family: Family<StageLabels, Histogram, Seconds> =
            durations(registry, "stage_duration", "Time that a stage took for a batch");
        let of = |stage| family.get_or_create_owned(&StageLabels { stage });
        Self {
            decode: of("decode"),
            validate: of("validate"),
            normalize: of("normalize"),
            enrich: of("enrich"),
            authorize: of("authorize"),
            resolve: of("resolve"),
            commit: of("commit"),
            matching: of("match"),
            decide: of("decide"),
            deliver: of("deliver"),
            project: of("project"),
        }
    }
}

/// Adds a duration in seconds to a histogram.
pub fn observe(histogram: &Histogram, duration: Duration) {
    histogram.observe(duration.as_secs_f64());
}

fn member<M>(registry: &mut Registry, name: &str, help: &str) -> M
where
    M: prometheus_client::registry::Metric + Clone + Default,
{
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn duration(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = Seconds.new_metric();
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

fn durations<L>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Histogram, Seconds>
where
    L: EncodeLabelSet + Clone + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static,
{
    let family = Family::new_with_constructor(Seconds);
    registry.register_with_unit(name, help, Unit::Seconds, family.clone());
    family
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_core::id::EventId;

    #[test]
    fn names_are_those_of_the_conventions() {
        let metrics = Metrics::new();
        metrics.count_outcomes("api", &[Outcome::Accepted(EventId::from_bytes([0; 16]))]);
        observe(&metrics.stages.decode, Duration::from_millis(3));
        metrics.stream_clients.get_or_create(&KindLabels { kind: "websocket" }).inc();
        let mut text = String::new();
        metrics.write_text(&mut text);
        for line in [
            "tidings_events_ingested_total{source=\"api\",result=\"accepted\"} 1",
            "tidings_events_ended_total 1",
            "tidings_stage_duration_seconds_count{stage=\"decode\"} 1",
            "tidings_stream_clients{kind=\"websocket\"} 1",
            "tidings_build_info{version=",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
