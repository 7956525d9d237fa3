//! What one person hears over the life of an alert: the corners where somebody would be misled.

use serde_json::{Value, json};
use tidings_core::notice::NoticeKind;
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_core::time::Timestamp;
use tidings_engine::NotificationView;
use tidings_testkit::World;

async fn subscribe(world: &World, who: &Principal, filter: Value) -> tidings_core::id::SubscriptionId {
    let draft = serde_json::from_value(json!({"filter": filter})).expect("an object");
    world.engine.create_subscription(who, draft).await.expect("valid").id
}

async fn post(world: &World, who: &Principal, body: Value) {
    let outcome = world.publish(who, "application/json", body.to_string()).await.expect("stored");
    assert!(outcome.iter().all(|outcome| !format!("{outcome:?}").contains("Rejected")), "{outcome:?}");
}

async fn heard(world: &World, who: &Principal) -> Vec<NotificationView> {
    let mut notices = world.engine.notifications(who, None, 100).await.expect("memory");
    notices.reverse();
    notices
}

fn kinds(notices: &[NotificationView]) -> Vec<&'static str> {
    let name = |notice: &NotificationView| match (notice.kind, notice.update_reason) {
        (NoticeKind::Update, Some(reason)) => {
            let words = serde_json::to_value(reason).expect("a word");
            match words.as_str() {
                Some("severity_rise") => "rise",
                Some("newly_covered") => "covered",
                Some("moved_away") => "away",
                Some("type_change") => "type",
                _ => "upgraded",
            }
        }
        (kind, _) => kind.as_str(),
    };
    notices.iter().map(name).collect()
}

/// One message of the thread `storm`, with what it says besides.
fn storm(minute: u32, more: Value) -> Value {
    let mut body = json!({"id": format!("s-{minute}"), "thread": "storm", "category": "weather", "title": "Storm",
        "severity": "Severe", "sent": format!("2026-01-02T03:{minute:02}:00Z"), "ends": "2099-01-01T00:00:00Z"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

struct Scene {
    world: World,
    sender: Principal,
    person: Principal,
}

async fn scene() -> Scene {
    let world = World::start().await;
    world.clock.set(Timestamp::parse("2026-01-02T04:00:00Z").expect("a time"));
    let sender = world.principal(Role::Admin).await;
    let person = world.principal(Role::Viewer).await;
    Scene { world, sender, person }
}

impl Scene {
    async fn post(&self, body: Value) {
        post(&self.world, &self.sender, body).await;
    }

    async fn kinds(&self) -> Vec<&'static str> {
        kinds(&heard(&self.world, &self.person).await)
    }
}

fn near(lat: f64, lon: f64) -> Value {
    json!({"near": {"lat": lat, "lon": lon, "radius_km": 50}})
}

#[tokio::test]
async fn saying_less_of_the_place_is_not_moving_away() {
    let scene = scene().await;
    subscribe(&scene.world, &scene.person, near(45.0, 10.0)).await;
    scene.post(storm(0, json!({"lat": 45.0, "lon": 10.0}))).await;
    scene.post(storm(1, json!({}))).await;
    scene.post(storm(2, json!({"areas": [{"description": "the valley"}]}))).await;
    let region = json!({"severity": "Moderate", "areas": [{"description": "x", "codes": [{"scheme": "UGC", "value": "TXZ001"}]}]});
    scene.post(storm(3, region)).await;
    assert_eq!(scene.kinds().await, ["new"]);
    scene.post(storm(4, json!({"lat": 20.0, "lon": 20.0}))).await;
    assert_eq!(scene.kinds().await, ["new", "away"]);
}

#[tokio::test]
async fn a_filter_that_asks_for_another_place_is_told_anew() {
    let scene = scene().await;
    let subscription = subscribe(&scene.world, &scene.person, near(10.0, 10.0)).await;
    scene.post(storm(0, json!({"lat": 10.0, "lon": 10.0}))).await;
    let patch = serde_json::from_value(json!({"filter": near(40.0, 40.0)})).expect("an object");
    scene.world.engine.change_subscription(&scene.person, subscription, patch, None).await.expect("valid");
    scene.post(storm(1, json!({"lat": 40.0, "lon": 40.0}))).await;
    assert_eq!(scene.kinds().await, ["new", "covered"]);
}

#[tokio::test]
async fn each_place_of_a_list_is_a_place_of_its_own() {
    let scene = scene().await;
    let codes = ["one", "two"].map(|value| json!({"scheme": "SAME", "value": value}));
    subscribe(&scene.world, &scene.person, json!({"area_code": codes})).await;
    let areas = |value: &str| json!({"areas": [{"description": value, "codes": [{"scheme": "SAME", "value": value}]}]});
    scene.post(storm(0, areas("one"))).await;
    scene.post(storm(1, areas("two"))).await;
    assert_eq!(scene.kinds().await, ["new", "covered"]);
}

#[tokio::test]
async fn a_rise_at_home_is_told_though_it_was_worse_elsewhere() {
    let scene = scene().await;
    subscribe(&scene.world, &scene.person, near(10.0, 10.0)).await;
    subscribe(&scene.world, &scene.person, near(40.0, 40.0)).await;
    let segment = |severity: &str, lat: f64| {
        json!({"event": "Wind", "category": "weather", "severity": severity,
            "geometry": {"type": "Point", "coordinates": [lat, lat]}})
    };
    let both = |home: &str| json!({"segments": [segment(home, 10.0), segment("Extreme", 40.0)]});
    scene.post(storm(0, both("Minor"))).await;
    scene.post(storm(1, both("Minor"))).await;
    assert_eq!(scene.kinds().await, ["new"]);
    scene.post(storm(2, both("Extreme"))).await;
    assert_eq!(scene.kinds().await, ["new", "rise"]);
}

#[tokio::test]
async fn two_subscriptions_on_two_parts_hear_of_no_change_of_type() {
    let scene = scene().await;
    subscribe(&scene.world, &scene.person, near(10.0, 10.0)).await;
    subscribe(&scene.world, &scene.person, near(40.0, 40.0)).await;
    let segment = |kind: &str, lat: f64| {
        json!({"event": kind, "category": "weather", "type": kind, "severity": "Severe",
            "geometry": {"type": "Point", "coordinates": [lat, lat]}})
    };
    let body = json!({"segments": [segment("weather.wind", 10.0), segment("weather.rain", 40.0)]});
    for minute in 0..3 {
        scene.post(storm(minute, body.clone())).await;
    }
    assert_eq!(scene.kinds().await, ["new"]);
}

#[tokio::test]
async fn a_test_never_ends_what_is_real() {
    let scene = scene().await;
    subscribe(&scene.world, &scene.person, json!({"category": "weather"})).await;
    scene.post(storm(0, json!({}))).await;
    for (minute, status) in [(1, "test"), (2, "exercise"), (3, "draft"), (4, "system")] {
        scene.post(storm(minute, json!({"status": status, "action": "cancel"}))).await;
    }
    assert_eq!(scene.kinds().await, ["new"]);
    scene.post(storm(5, json!({"action": "cancel"}))).await;
    assert_eq!(scene.kinds().await, ["new", "cancel"]);
}

#[tokio::test]
async fn an_earlier_time_never_undoes_a_cancel_without_one() {
    let scene = scene().await;
    subscribe(&scene.world, &scene.person, json!({"category": "weather"})).await;
    scene.post(storm(10, json!({}))).await;
    let mut cancel = storm(20, json!({"action": "cancel"}));
    cancel.as_object_mut().expect("an object").remove("sent");
    scene.post(cancel).await;
    scene.post(storm(5, json!({}))).await;
    assert_eq!(scene.kinds().await, ["new", "cancel"]);
}

#[tokio::test]
async fn an_end_from_a_message_that_is_not_for_me_says_no_more_than_that() {
    let scene = scene().await;
    subscribe(&scene.world, &scene.person, json!({"category": "weather"})).await;
    scene.post(storm(0, json!({"title": "Public storm"}))).await;
    let other = scene.world.principal(Role::Viewer).await;
    let secret = json!({"title": "SECRET", "action": "cancel", "audience": [other.user.to_string()]});
    scene.post(storm(1, secret)).await;
    let notices = heard(&scene.world, &scene.person).await;
    assert_eq!(kinds(&notices), ["new", "cancel"]);
    let mut shown = Vec::new();
    notices[1].write_json(&mut shown);
    let shown = String::from_utf8(shown).expect("JSON");
    assert!(!shown.contains("SECRET") && shown.contains("Public storm"), "{shown}");
    scene
        .post(json!({"id": "s-9", "thread": "storm", "references": ["s-1"], "title": "x", "category": "weather",
        "sent": "2026-01-02T03:30:00Z"}))
        .await;
    assert!(!format!("{:?}", heard(&scene.world, &scene.person).await).contains("SECRET"));
}

/// A quake as one of two agencies reports it: seconds after the other, east of it, magnitude.
fn quake(id: &str, second: u32, lon: f64, magnitude: f64) -> Value {
    json!({"id": id, "category": "earthquake", "title": format!("Quake {id}"), "lat": 45.0, "lon": lon,
        "magnitude": magnitude, "severity": if magnitude >= 6.0 { "Severe" } else { "Moderate" },
        "occurred": format!("2026-01-02T03:04:{second:02}Z")})
}

#[tokio::test]
async fn a_quake_told_by_two_agencies_is_told_once() {
    let scene = scene().await;
    let subscription = subscribe(&scene.world, &scene.person, json!({"category": "earthquake"})).await;
    let (one, other) = (scene.world.principal(Role::Curator).await, scene.world.principal(Role::Curator).await);
    post(&scene.world, &one, quake("a", 5, 10.0, 5.0)).await;
    let outcome = scene.world.publish(&other, "application/json", quake("b", 7, 10.1, 5.2).to_string()).await;
    let Ok(&[tidings_core::rejection::Outcome::Accepted(second)]) = outcome.as_deref() else { panic!("{outcome:?}") };
    assert_eq!(scene.kinds().await, ["new"]);
    let why = scene.world.engine.explain(&scene.person, second, subscription).await.expect("memory").expect("there");
    assert_eq!(why.decision, tidings_core::notice::Decision::DuplicateOf, "{}", why.summary);
    let view = scene.world.engine.event(&scene.person, second).await.expect("memory").expect("there");
    assert_eq!(view.incident_id, heard(&scene.world, &scene.person).await[0].event.incident_id);

    // What the second agency finds worse than what was told is told.
    post(
        &scene.world,
        &other,
        json!({"id": "b", "category": "earthquake", "title": "Quake b", "lat": 45.0, "lon": 10.1,
        "magnitude": 6.1, "severity": "Severe", "occurred": "2026-01-02T03:04:07Z", "updated": "2026-01-02T03:09:00Z"}),
    )
    .await;
    assert_eq!(scene.kinds().await, ["new", "new"]);

    // Another quake of the first agency right after it is a quake of its own.
    post(&scene.world, &one, quake("c", 9, 10.0, 5.0)).await;
    assert_eq!(scene.kinds().await, ["new", "new", "new"]);
}
