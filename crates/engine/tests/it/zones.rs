//! Warnings that begin and end zone by zone: each message speaks for the zones it lists.

use serde_json::{Value, json};
use tidings_core::notice::{NoticeKind, UpdateReason};
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_core::vocabulary::Severity;
use tidings_testkit::World;

/// A warning's messages: which, minutes after the first, VTEC action, zones (`a` at 10 east, `b` at
/// 20 east), severity.
type Message = (&'static str, u32, &'static str, &'static [&'static str], &'static str);

fn alert((id, minutes, step, zones, severity): Message) -> Value {
    let kind = if step == "CAN" { "Cancel" } else { "Update" };
    let boxes: Vec<Value> = zones.iter().map(|zone| square(zone)).collect();
    let ugc: Vec<&str> = zones.iter().map(|zone| if *zone == "a" { "TXC001" } else { "TXC003" }).collect();
    let sent = format!("2026-01-02T03:{minutes:02}:00+00:00");
    json!({"type": "Feature", "id": id, "geometry": {"type": "MultiPolygon", "coordinates": boxes}, "properties": {
        "@type": "wx:Alert", "id": id, "areaDesc": "x", "geocode": {"UGC": ugc}, "sent": sent, "effective": sent,
        "expires": "2026-01-03T03:00:00+00:00", "ends": "2026-01-03T03:00:00+00:00", "status": "Actual",
        "messageType": if minutes == 0 { "Alert" } else { kind }, "category": "Met", "severity": severity,
        "certainty": "Observed", "urgency": "Immediate", "event": "Tornado Warning",
        "sender": "w-nws.webmaster@noaa.gov", "headline": id,
        "parameters": {"VTEC": [format!("/O.{step}.KABC.TO.W.0001.260102T0300Z-260103T0300Z/")]}}})
}

fn square(zone: &str) -> Value {
    let west = if zone == "a" { 10.0 } else { 20.0 };
    json!([[[west, 40.0], [west + 1.0, 40.0], [west + 1.0, 41.0], [west, 41.0], [west, 40.0]]])
}

async fn person_near(world: &World, lon: f64) -> Principal {
    let person = world.principal(Role::Viewer).await;
    let filter = json!({"filter": {"near": {"lat": 40.5, "lon": lon, "radius_km": 20}}});
    world.engine.create_subscription(&person, serde_json::from_value(filter).expect("an object")).await.expect("valid");
    person
}

/// What someone at `a`, someone at `b` and someone who asked for everything hear.
async fn check(messages: &[Message], at_a: &[&str], at_b: &[&str], everyone: &[&str]) {
    let world = World::start().await;
    world.clock.set(tidings_core::time::Timestamp::parse("2026-01-02T04:00:00Z").expect("a time"));
    let admin = world.principal(Role::Admin).await;
    let (a, b) = (person_near(&world, 10.5).await, person_near(&world, 20.5).await);
    let all = world.principal(Role::Viewer).await;
    let filter = serde_json::from_value(json!({"filter": {"all": []}})).expect("an object");
    world.engine.create_subscription(&all, filter).await.expect("valid");
    for message in messages {
        let outcome = world.publish(&admin, "application/geo+json", alert(*message).to_string()).await;
        assert_eq!(outcome.expect("stored").len(), 1);
    }
    for (who, person, expected) in [("a", a, at_a), ("b", b, at_b), ("everyone", all, everyone)] {
        let mut notices = world.engine.notifications(&person, None, 100).await.expect("memory");
        notices.reverse();
        let said: Vec<String> = notices
            .iter()
            .map(|notice| match (notice.kind, notice.update_reason) {
                (NoticeKind::Update, Some(UpdateReason::SeverityRise)) => "rise".to_owned(),
                (NoticeKind::Update, Some(UpdateReason::MovedAway)) => "away".to_owned(),
                (NoticeKind::Update, reason) => format!("{reason:?}"),
                (kind, _) => kind.as_str().to_owned(),
            })
            .collect();
        assert_eq!(said, expected, "{who} of {messages:?}");
        assert!(
            notices.iter().all(|notice| notice.severity >= Severity::Severe),
            "the severity of what they were told"
        );
    }
}

const NEW: Message = ("new", 0, "NEW", &["a", "b"], "Severe");

#[tokio::test]
async fn a_cancel_for_one_zone_leaves_the_other() {
    let cancel = ("cancel-a", 5, "CAN", &["a"][..], "Severe");
    let goes_on = ("goes-on-b", 5, "CON", &["b"][..], "Extreme");
    // One drawn shape over both zones does not tell where it still holds until the next one comes.
    check(&[NEW, cancel, goes_on], &["new", "away"], &["new", "rise"], &["new", "rise"]).await;
    check(&[NEW, goes_on, cancel], &["new", "cancel"], &["new", "rise"], &["new", "rise"]).await;
    let rest = ("cancel-b", 9, "CAN", &["b"][..], "Severe");
    let (heard_at_a, heard_at_b) = (["new", "cancel"], ["new", "rise", "cancel"]);
    check(&[NEW, goes_on, cancel, rest], &heard_at_a, &heard_at_b, &heard_at_b).await;
}

#[tokio::test]
async fn two_messages_of_one_time_for_two_zones_are_both_told() {
    let (a, b) = (("new-a", 0, "NEW", &["a"][..], "Severe"), ("new-b", 0, "NEW", &["b"][..], "Severe"));
    for order in [[a, b], [b, a]] {
        check(&order, &["new"], &["new"], &["new"]).await;
    }
}

#[tokio::test]
async fn a_zone_added_later_takes_nothing_from_the_first() {
    let (first, added) = (("new-a", 0, "NEW", &["a"][..], "Severe"), ("adds-b", 5, "EXA", &["b"][..], "Severe"));
    check(&[first, added], &["new"], &["new"], &["new"]).await;
}

#[tokio::test]
async fn a_late_warning_still_reaches_the_zone_that_was_not_cancelled() {
    let cancel = ("cancel-a", 5, "CAN", &["a"][..], "Severe");
    check(&[cancel, NEW], &["new"], &["new"], &["new"]).await;
}
