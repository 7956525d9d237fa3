//! `tidings serve --demo`: a simulated world feeds the server, and a person with a few
//! subscriptions is told in the terminal.

use std::sync::Arc;
use std::time::Duration;

use tidings_core::envelope::{Coordinate, Envelope};
use tidings_core::principal::Principal;
use tidings_core::vocabulary::Severity;
use tidings_engine::{Engine, InboxFrame, InboxReader, NotificationView, SubscriptionDraft};
use tidings_sim::{Message, World};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::local::Local;

/// Messages a simulated day has: one each 0.4 s.
const EVENTS_PER_DAY: u32 = 216_000;
/// How much of its world has happened before the demo starts, so that there is something to become
/// worse, to end and to be taken back.
const HISTORY_MILLIS: i64 = 30 * 60 * 1_000;
/// Messages of that history published at once.
const HISTORY_BATCH: usize = 200;

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts feeding and showing.
pub fn start(server: &Local, seed: u64) -> Demo {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    if let Some(admin) = server.admin() {
        let engine = server.engine().clone();
        tasks.push(tokio::spawn(until_stopped(run(engine, admin, seed), stopped)));
    }
    Demo { stop, tasks }
}

impl Demo {
    /// Ends both.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A demo that failed has said so already.
            let _ = task.await;
        }
    }
}

async fn until_stopped(work: impl Future<Output = ()>, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Subscribes, tells the history at once, then what happens as it happens.
async fn run(engine: Arc<Engine>, admin: Principal, seed: u64) {
    subscribe(&engine, &admin).await;
    let mut feed = Feed::new(&engine, admin.clone(), seed);
    feed.catch_up().await;
    engine.decided(engine.head()).await;
    eprintln!("{} messages of the last half hour are taken in; from here on it happens as you watch", feed.count);
    match engine.inbox(&admin, None).await {
        Ok(inbox) => {
            tokio::join!(feed.go_on(), show(inbox));
        }
        Err(error) => warn!("the demo could not follow its inbox: {error}"),
    }
}

/// What the simulated world says, on its way in.
struct Feed<'a> {
    engine: &'a Engine,
    admin: Principal,
    seed: u64,
    world: World,
    next: Option<Message>,
    count: u64,
}

impl<'a> Feed<'a> {
    fn new(engine: &'a Engine, admin: Principal, seed: u64) -> Self {
        let world = World::new(seed, engine.clock().now().plus_millis(-HISTORY_MILLIS), EVENTS_PER_DAY);
        Self { engine, admin, seed, world, next: None, count: 0 }
    }

    /// Publishes all that has been sent by now.
    async fn catch_up(&mut self) {
        let mut batch = Vec::new();
        loop {
            let message = self.next.take().unwrap_or_else(|| self.world.next_message());
            if message.at > self.engine.clock().now() {
                self.next = Some(message);
                break;
            }
            batch.push(self.envelope(message));
            if batch.len() == HISTORY_BATCH {
                self.publish(std::mem::take(&mut batch)).await;
            }
        }
        self.publish(batch).await;
    }

    /// Publishes each message when it is sent.
    async fn go_on(mut self) {
        loop {
            let message = self.next.take().unwrap_or_else(|| self.world.next_message());
            let wait = message.at.millis_since(self.engine.clock().now());
            tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or_default())).await;
            let envelope = self.envelope(message);
            self.publish(vec![envelope]).await;
        }
    }

    fn envelope(&mut self, message: Message) -> Envelope {
        self.count += 1;
        let (seed, count, received) = (self.seed, self.count, self.engine.clock().now());
        Envelope {
            bytes: message.body.into(),
            media_type: Some(message.media_type.to_owned()),
            headers: Vec::new(),
            source: "demo".to_owned(),
            tenant: self.admin.tenant.clone(),
            authority: self.admin.authority.clone(),
            coordinate: Coordinate::Drawn(format!("demo-{seed}-{}-{count}", received.as_millis())),
            first_item: 0,
            received,
            correlation_id: format!("demo-{seed}-{count}"),
        }
    }

    async fn publish(&self, batch: Vec<Envelope>) {
        if let Err(error) = self.engine.publish(batch).await {
            warn!("the demo could not publish: {error}");
        }
    }
}

/// Subscribes the Admin to what a curious person might ask for.
async fn subscribe(engine: &Engine, admin: &Principal) {
    let wishes = [
        serde_json::json!({"name": "Anything severe", "filter": {"severity_min": {"at_least": "Severe", "unknown": false}}}),
        serde_json::json!({"name": "Earthquakes from M 4.5", "filter": {"category": "earthquake", "measure": {"name": "magnitude", "op": ">=", "value": 4.5}}}),
        serde_json::json!({"name": "Storms and floods", "filter": {"category": ["weather", "flood"], "severity_min": {"at_least": "Moderate", "unknown": false}}}),
    ];
    if !engine.subscriptions(admin).is_empty() {
        return;
    }
    for wish in wishes {
        let Ok(draft) = serde_json::from_value::<SubscriptionDraft>(wish) else { continue };
        if let Err(error) = engine.create_subscription(admin, draft).await {
            warn!("the demo could not subscribe: {error}");
        }
    }
}

/// Prints what the Admin is told.
async fn show(mut inbox: InboxReader) {
    loop {
        match inbox.next().await {
            Ok(InboxFrame::Notification(notice)) => println!("{}", line(&notice)),
            Ok(InboxFrame::Gap { .. } | InboxFrame::Lag { .. }) => {}
            Err(error) => {
                warn!("the demo could not read its inbox: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// One notice in one line: how bad, what, why, where.
fn line(notice: &NotificationView) -> String {
    let symbol = match notice.severity {
        Severity::Extreme => "[EXTREME]",
        Severity::Severe => "[SEVERE]",
        Severity::Moderate => "[moderate]",
        Severity::Minor => "[minor]",
        Severity::Unknown => "[?]",
    };
    format!("{symbol:<10} {:<6} {}  ({})", notice.kind.as_str(), notice.title, notice.reason)
}
