//! One event to very many people, and how long an event to one person takes meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use tidings_core::id::UserId;
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_engine::{Engine, InboxFrame, InboxReader, SubscriptionDraft};

use super::row::{Figure, Goal, Row};
use super::times::Times;
use super::{Place, Scale, events, limit, product};

/// Subscriptions on their way at the same time.
const AT_ONCE: usize = 2_000;
/// People who are told in one step of the notifier.
const CHUNK: u64 = 10_000;
/// Bytes that must be kept of each who is told: decision, notice and inbox place of at most 64
/// bytes, and the ids of person, event and thread.
const BYTES_A_RECIPIENT: usize = 64 + 3 * 16;
/// What a million may take.
const GOAL_A_MILLION: Duration = Duration::from_secs(20);
/// How often there is an event for one person.
const EVERY: Duration = Duration::from_millis(10);
/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    let server = product::start(place).await?;
    let told = async {
        let admin = product::admin(&server)?;
        tokio::time::timeout(PATIENCE, tell(server.engine(), &admin, scale)).await.context("too slow to measure")?
    };
    let told = told.await;
    server.stop().await;
    let Told { all, idle, meanwhile } = told?;
    let steps = scale.recipients.div_ceil(CHUNK) as usize;
    let step_bytes = scale.recipients.min(CHUNK) as usize * BYTES_A_RECIPIENT;
    let appended = append_steps(&place.folder, step_bytes, steps).await?;
    Ok(vec![
        Row {
            name: "broad",
            what: format!("one event to {} people, until all are told", scale.recipients),
            measured: Figure::Time(all),
            limit: Figure::Time(appended),
            limit_is: format!("{steps} x append {step_bytes} bytes, fdatasync"),
            goal: Goal::Absolute(Figure::Time(GOAL_A_MILLION.mul_f64(scale.recipients as f64 / 1e6))),
        },
        Row {
            name: "broad",
            what: format!("an event to one meanwhile, p99 of {}", meanwhile.count()),
            measured: Figure::Time(meanwhile.at(0.99)),
            limit: Figure::Time(idle.at(0.99)),
            limit_is: "the same with nothing beside, p99".to_owned(),
            goal: Goal::TimesLimit(2.0, Duration::ZERO),
        },
    ])
}

struct Told {
    all: Duration,
    idle: Times,
    meanwhile: Times,
}

async fn tell(engine: &Arc<Engine>, admin: &Principal, scale: &Scale) -> anyhow::Result<Told> {
    let began = Instant::now();
    subscribe_all(engine, admin, scale.recipients).await?;
    engine.decided(engine.head()).await;
    eprintln!("{} subscriptions made in {:.1} s", scale.recipients, began.elapsed().as_secs_f64());

    let mut narrow = Narrow::follow(engine, admin).await?;
    let idle = narrow.tell(|sent| sent >= scale.narrow_events).await?;

    let began = Instant::now();
    let told_before = engine.metrics().notifications.get();
    let told_narrow = narrow.told.clone();
    let broad = tokio::spawn(tell_all(engine.clone(), admin.clone(), told_before, told_narrow, scale.recipients));
    let meanwhile = narrow.tell(|_| broad.is_finished()).await?;
    let all = broad.await.context("tell all")??.saturating_duration_since(began);
    Ok(Told { all, idle, meanwhile })
}

/// A person of the Admin's tenant.
fn person(admin: &Principal, number: u64) -> Principal {
    let user = UserId::derived(&[b"bench", &number.to_be_bytes()]);
    Principal { user, role: Role::Viewer.into(), permissions: Role::Viewer.permissions(), ..admin.clone() }
}

async fn subscribe_all(engine: &Engine, admin: &Principal, people: u64) -> anyhow::Result<()> {
    let subscribing = futures_util::stream::iter(0..people).map(|number| async move {
        let wish = json!({ "filter": { "category": events::CATEGORY } });
        let draft: SubscriptionDraft = serde_json::from_value(wish).context("make a subscription")?;
        engine.create_subscription(&person(admin, number), draft).await.context("make a subscription")?;
        anyhow::Ok(())
    });
    subscribing.buffer_unordered(AT_ONCE).try_collect().await
}

/// Publishes what everyone asked for; when the last of them was told.
async fn tell_all(
    engine: Arc<Engine>,
    admin: Principal,
    told_before: u64,
    told_narrow: Arc<AtomicU64>,
    people: u64,
) -> anyhow::Result<Instant> {
    let narrow_before = told_narrow.load(Ordering::Acquire);
    let body = events::quake("for-all", 38.3, 142.4, engine.clock().now());
    product::publish(&engine, &admin, body).await?;
    loop {
        let told = engine.metrics().notifications.get() - told_before;
        if told >= people + told_narrow.load(Ordering::Acquire) - narrow_before {
            return Ok(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One person who asked for something else.
struct Narrow {
    engine: Arc<Engine>,
    admin: Principal,
    inbox: InboxReader,
    told: Arc<AtomicU64>,
}

impl Narrow {
    async fn follow(engine: &Arc<Engine>, admin: &Principal) -> anyhow::Result<Self> {
        let person = person(admin, u64::MAX);
        let draft = serde_json::from_value(json!({ "filter": { "category": "flood" } }))?;
        engine.create_subscription(&person, draft).await.context("make a subscription")?;
        let inbox = engine.inbox(&person, None).await.context("follow an inbox")?;
        Ok(Self { engine: engine.clone(), admin: admin.clone(), inbox, told: Arc::default() })
    }

    /// Publishes events for this person, each at its time whatever became of those before, until
    /// told to stop; how long each took from when it was due until they were told.
    async fn tell(&mut self, is_enough: impl Fn(usize) -> bool) -> anyhow::Result<Times> {
        let mut ticks = tokio::time::interval(EVERY);
        let (mut due, mut times) = (Vec::new(), Times::new());
        let mut publishing = tokio::task::JoinSet::new();
        let first = self.told.load(Ordering::Acquire);
        while !is_enough(due.len()) || times.count() < due.len() as u64 {
            tokio::select! {
                at = ticks.tick(), if !is_enough(due.len()) => {
                    let number = first + due.len() as u64;
                    due.push(at.into_std());
                    publishing.spawn(publish_one(self.engine.clone(), self.admin.clone(), number));
                }
                published = publishing.join_next(), if !publishing.is_empty() => {
                    published.context("publish an event")?.context("publish an event")??;
                }
                frame = self.inbox.next() => {
                    let InboxFrame::Notification(notice) = frame.context("read an inbox")? else { continue };
                    let number = notice.title.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok());
                    let due = number.and_then(|number| due.get(usize::try_from(number.checked_sub(first)?).ok()?));
                    times.add(due.context("an inbox shows another's event")?.elapsed());
                    self.told.fetch_add(1, Ordering::AcqRel);
                }
            }
        }
        Ok(times)
    }
}

async fn publish_one(engine: Arc<Engine>, admin: Principal, number: u64) -> anyhow::Result<()> {
    let title = format!("The river rises {number}");
    let body = json!({ "id": format!("flood-{number}"), "category": "flood", "severity": "Severe", "title": title });
    product::publish(&engine, &admin, body.to_string().into_bytes()).await?;
    Ok(())
}

async fn append_steps(folder: &Path, bytes: usize, steps: usize) -> anyhow::Result<Duration> {
    let times = limit::append_and_sync(folder, bytes, steps).await?;
    Ok(times.mean() * u32::try_from(times.count()).unwrap_or(u32::MAX))
}
