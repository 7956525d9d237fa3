//! `tidings serve --demo`: a simulated world feeds the server, and a person with a few
//! subscriptions is told in the terminal.

use std::time::Duration;

use tidings_core::envelope::{Coordinate, Envelope};
use tidings_core::principal::Principal;
use tidings_core::vocabulary::Severity;
use tidings_engine::{Engine, InboxFrame, NotificationView, SubscriptionDraft};
use tidings_sim::World;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::local::Local;

/// Messages a simulated day has; with the interval below about a minute of the world a second.
const EVENTS_PER_DAY: u32 = 100_000;
/// How often something happens.
const INTERVAL: Duration = Duration::from_millis(400);

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
        let feeding = feed(engine.clone(), admin.clone(), seed);
        tasks.push(tokio::spawn(until_stopped(feeding, stopped.clone())));
        tasks.push(tokio::spawn(until_stopped(show(engine, admin), stopped)));
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

/// Publishes what the simulated world says, now.
async fn feed(engine: std::sync::Arc<Engine>, admin: Principal, seed: u64) {
    let mut world = World::new(seed, engine.clock().now(), EVENTS_PER_DAY);
    let mut count = 0_u64;
    let mut tick = tokio::time::interval(INTERVAL);
    loop {
        tick.tick().await;
        let message = world.next_message();
        count += 1;
        let received = engine.clock().now();
        let envelope = Envelope {
            bytes: message.body.into(),
            media_type: Some(message.media_type.to_owned()),
            headers: Vec::new(),
            source: "demo".to_owned(),
            tenant: admin.tenant.clone(),
            authority: admin.authority.clone(),
            coordinate: Coordinate::Drawn(format!("demo-{seed}-{}-{count}", received.as_millis())),
            first_item: 0,
            received,
            correlation_id: format!("demo-{seed}-{count}"),
        };
        if let Err(error) = engine.publish(vec![envelope]).await {
            warn!("the demo could not publish: {error}");
        }
    }
}

/// Subscribes the Admin to what a curious person might ask for, and prints what they are told.
async fn show(engine: std::sync::Arc<Engine>, admin: Principal) {
    let wishes = [
        serde_json::json!({"name": "Anything severe", "filter": {"severity_min": {"at_least": "Severe", "unknown": false}}}),
        serde_json::json!({"name": "Earthquakes from M 4.5", "filter": {"category": "earthquake", "measure": {"name": "magnitude", "op": ">=", "value": 4.5}}}),
        serde_json::json!({"name": "Storms and floods", "filter": {"category": ["weather", "flood"], "severity_min": {"at_least": "Moderate", "unknown": false}}}),
    ];
    if engine.subscriptions(&admin).is_empty() {
        for wish in wishes {
            let Ok(draft) = serde_json::from_value::<SubscriptionDraft>(wish) else { continue };
            if let Err(error) = engine.create_subscription(&admin, draft).await {
                warn!("the demo could not subscribe: {error}");
            }
        }
    }
    let mut inbox = match engine.inbox(&admin, None).await {
        Ok(inbox) => inbox,
        Err(error) => {
            warn!("the demo could not follow its inbox: {error}");
            return;
        }
    };
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
