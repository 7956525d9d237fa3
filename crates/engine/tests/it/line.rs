//! The main line: an event comes in and the right people are told.

use serde_json::json;
use tidings_core::notice::NoticeKind;
use tidings_core::permission::Role;
use tidings_core::port::Clock;
use tidings_core::rejection::Outcome;
use tidings_engine::{InboxFrame, SubscriptionDraft};
use tidings_testkit::World;

fn draft(body: serde_json::Value) -> SubscriptionDraft {
    serde_json::from_value(body).expect("an object")
}

const QUAKE: &str = r#"{"id":"q-1","category":"earthquake","title":"M5.0 near Example","severity":"Moderate","lat":43.1,"lon":12.5,"magnitude":5.0,"sent":"2026-01-02T03:04:05Z"}"#;

#[tokio::test]
async fn an_event_reaches_the_one_who_asked() {
    let world = World::start().await;
    let curator = world.principal(Role::Curator).await;
    let viewer = world.principal(Role::Viewer).await;
    let near = json!({"filter": {"category": "earthquake", "near": {"lat": 43.1, "lon": 12.5, "radius_km": 200}}});
    let far = json!({"filter": {"category": "earthquake", "near": {"lat": -33.0, "lon": 151.0, "radius_km": 200}}});
    let near = world.engine.create_subscription(&viewer, draft(near)).await.expect("valid");
    let far = world.engine.create_subscription(&viewer, draft(far)).await.expect("valid");
    let mut inbox = world.engine.inbox(&viewer, None).await.expect("memory");

    let outcomes = world.publish(&curator, "application/json", QUAKE).await.expect("stored");
    let [Outcome::Accepted(id)] = outcomes[..] else { panic!("{outcomes:?}") };
    let frame = inbox.next().await.expect("memory");
    let InboxFrame::Notification(notice) = frame else { panic!("{frame:?}") };
    assert_eq!((notice.kind, notice.event.event.id), (NoticeKind::New, id));
    assert_eq!(notice.subscriptions, [near.id]);

    let told = world.engine.explain(&viewer, id, near.id).await.expect("memory").expect("there");
    assert_eq!((told.matched, told.notification_id), (true, Some(notice.id)), "{}", told.summary);
    let untold = world.engine.explain(&viewer, id, far.id).await.expect("memory").expect("there");
    assert!(!untold.matched && untold.summary.contains("200 km"), "{}", untold.summary);

    let again = world.publish(&curator, "application/json", QUAKE).await.expect("stored");
    assert!(matches!(again[..], [Outcome::Duplicate { id: known, .. }] if known == id), "{again:?}");
    assert_eq!(world.engine.notifications(&viewer, None, 10).await.expect("memory").len(), 1);
}

#[tokio::test]
async fn a_cancel_reaches_everyone_who_was_told_and_nobody_else() {
    let world = World::start().await;
    let curator = world.principal(Role::Curator).await;
    let viewer = world.principal(Role::Viewer).await;
    let bystander = world.principal(Role::Viewer).await;
    let severe = json!({"filter": {"severity_min": "Severe"}});
    let minor = json!({"filter": {"category": "flood"}});
    let subscription = world.engine.create_subscription(&viewer, draft(severe)).await.expect("valid");
    world.engine.create_subscription(&bystander, draft(minor)).await.expect("valid");
    let alert = |version: u32, severity: &str, action: &str| {
        let body = json!({"id": format!("w-{version}"), "thread": "w", "category": "weather", "title": "Storm",
            "severity": severity, "action": action, "sent": format!("2026-01-02T03:0{version}:00Z")});
        body.to_string()
    };
    for (version, severity, action) in [(1, "Severe", "new"), (2, "Extreme", "update"), (3, "Minor", "update")] {
        world.publish(&curator, "application/json", alert(version, severity, action)).await.expect("stored");
    }
    let pause = serde_json::from_value(json!({"paused_until": "2099-01-01T00:00:00Z"})).expect("an object");
    world.engine.change_subscription(&viewer, subscription.id, pause, None).await.expect("valid");
    world.publish(&curator, "application/json", alert(4, "Minor", "cancel")).await.expect("stored");
    world.publish(&curator, "application/json", alert(4, "Minor", "cancel")).await.expect("stored");

    let notices = world.engine.notifications(&viewer, None, 10).await.expect("memory");
    let kinds: Vec<NoticeKind> = notices.iter().rev().map(|notice| notice.kind).collect();
    assert_eq!(kinds, [NoticeKind::New, NoticeKind::Update, NoticeKind::Cancel]);
    assert!(world.engine.notifications(&bystander, None, 10).await.expect("memory").is_empty());
}

#[tokio::test]
async fn a_device_is_told_only_to_those_who_name_the_category_and_may_see_it() {
    let world = World::start().await;
    let admin = world.principal(Role::Admin).await;
    let viewer = world.principal(Role::Viewer).await;
    let everything = json!({"filter": {"all": []}});
    let devices = json!({"filter": {"category": "device"}});
    world.engine.create_subscription(&admin, draft(everything)).await.expect("valid");
    let named = world.engine.create_subscription(&admin, draft(devices.clone())).await.expect("valid");
    world.engine.create_subscription(&viewer, draft(devices)).await.expect("valid");
    let position = r#"{"id":"d-1","category":"device","title":"tracker 7","lat":43.1,"lon":12.5}"#;
    world.publish(&admin, "application/json", position).await.expect("stored");
    let told = world.engine.notifications(&admin, None, 10).await.expect("memory");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].subscriptions, [named.id]);
    assert!(world.engine.notifications(&viewer, None, 10).await.expect("memory").is_empty());
}

#[tokio::test]
async fn each_step_of_a_timeline_has_a_time_of_its_own() {
    let world = World::start().await;
    let curator = world.principal(Role::Curator).await;
    let everything = json!({"filter": {"all": []}});
    world.engine.create_subscription(&curator, draft(everything)).await.expect("valid");
    let envelope = world.envelope(&curator, "application/json", QUAKE);
    world.running.stop().await;
    // Taken in while nobody reads the log, and read five minutes later.
    let outcomes = world.engine.publish(vec![envelope]).await.expect("stored");
    let [Outcome::Accepted(id)] = outcomes[0][..] else { panic!("{outcomes:?}") };
    let received = world.clock.now();
    let later = world.clock.advance_millis(300_000);
    let again = World::over(world.store, world.clock).await;
    again.engine.decided(again.engine.head()).await;
    let steps = again.engine.timeline(&curator, id).await.expect("memory").expect("there");
    let at = |name: &str| steps.iter().find(|step| step.step == name).map(|step| step.at);
    assert_eq!((at("received"), at("stored")), (Some(received), Some(received)));
    assert_eq!((at("matched"), at("notified")), (Some(later), Some(later)));
    let told = again.engine.notifications(&curator, None, 10).await.expect("memory");
    assert_eq!(told[0].created, later);
}
