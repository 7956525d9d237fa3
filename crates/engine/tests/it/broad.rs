//! Events of very many recipients: everyone is told once, in the right order, whatever happens on
//! the way.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidings_core::id::{SubscriptionId, UserId};
use tidings_core::notice::NoticeKind;
use tidings_core::permission::Role;
use tidings_core::port::{DeliveryStore, EventLog};
use tidings_core::position::Position;
use tidings_core::principal::Principal;
use tidings_core::rejection::Outcome;
use tidings_engine::{Engine, Options, Running, SubscriptionPatch};
use tidings_testkit::{Failing, Faults, HandClock, Mailbox, MemoryStore, SmallWeb, TakenStep, World, ports};

/// People who hear of a broad event; several times what is decided in one step.
const PEOPLE: u64 = 3_000;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine whose notifier can be stopped between any two steps.
struct Stage {
    world: World,
    faults: Faults,
    sender: Principal,
}

async fn over(store: MemoryStore, faults: &Faults) -> World {
    let clock = Arc::new(HandClock::default());
    let mut ports = ports(&store, &clock, 7);
    ports.deliveries = Arc::new(Failing::new(ports.deliveries, faults.clone()));
    let (engine, running): (Arc<Engine>, Running) =
        Engine::start(ports, Options::default()).await.expect("memory can be read");
    World { engine, running, clock, store, mailbox: Mailbox::default(), web: SmallWeb::default() }
}

/// With everyone's subscription, and nothing decided from here on.
async fn stage() -> Stage {
    let faults = Faults::default();
    let world = over(MemoryStore::new(), &faults).await;
    let sender = world.principal(Role::Admin).await;
    let stage = Stage { world, faults, sender };
    for number in 0..PEOPLE {
        stage.subscribe(number, "earthquake").await;
    }
    stage.world.engine.decided(stage.world.engine.head()).await;
    stage.faults.refuse_steps(true);
    stage
}

impl Stage {
    fn person(&self, number: u64) -> Principal {
        let user = UserId::derived(&[b"person", &number.to_be_bytes()]);
        Principal { user, role: Role::Viewer.into(), permissions: Role::Viewer.permissions(), ..self.sender.clone() }
    }

    async fn subscribe(&self, number: u64, category: &str) -> SubscriptionId {
        let draft = serde_json::from_value(json!({ "filter": { "category": category } })).expect("an object");
        self.world.engine.create_subscription(&self.person(number), draft).await.expect("valid").id
    }

    /// Publishes without waiting; where it is.
    async fn publish(&self, body: Value) -> Position {
        let sent = self.world.send(&self.sender, "application/json", body.to_string()).await.expect("stored");
        assert!(matches!(sent[..], [Outcome::Accepted(_)]), "{sent:?}");
        self.world.engine.head()
    }

    async fn quake(&self, name: &str, minute: u32, severity: &str) -> Position {
        self.publish(
            json!({ "id": format!("{name}-{minute}"), "thread": name, "category": "earthquake", "title": "Quake",
            "severity": severity, "sent": format!("2026-01-01T00:{minute:02}:00Z") }),
        )
        .await
    }

    /// The subscription of one person deleted, of one changed, and one of a newcomer in the place of
    /// the first.
    async fn change_three(&self) {
        let engine = &self.world.engine;
        for number in [7, 2_007] {
            let (leaving, changing) = (self.person(number), self.person(number + 1));
            let id = engine.subscriptions(&leaving)[0].id;
            engine.delete_subscription(&leaving, id, None).await.expect("it is there");
            let patch: SubscriptionPatch =
                serde_json::from_value(json!({ "filter": { "category": "wildfire" } })).expect("an object");
            let id = engine.subscriptions(&changing)[0].id;
            engine.change_subscription(&changing, id, patch, None).await.expect("valid");
            self.subscribe(PEOPLE + number, "earthquake").await;
        }
    }

    /// The steps taken once nothing is left to decide.
    async fn end(&self) -> Vec<TakenStep> {
        let head = self.world.store.head();
        let mut taken = self.faults.taken();
        let is_end = |steps: &Vec<TakenStep>| {
            steps.last().is_some_and(|step| step.cursor.position >= head && step.cursor.unfinished.is_empty())
        };
        let steps = tokio::time::timeout(PATIENCE, taken.wait_for(is_end)).await.expect("it ends").expect("it is held");
        steps.clone()
    }

    /// What a person heard, oldest first.
    async fn heard(&self, number: u64) -> Vec<(Position, NoticeKind)> {
        let (person, store) = (self.person(number), &self.world.store);
        let places = store.inbox_after(&person.tenant, person.user, 0, 100).await.expect("memory");
        let mut heard = Vec::new();
        for (place, expected) in places.iter().zip(1..) {
            assert_eq!(place.number, expected, "places of person {number}");
            let decision = store.decision(&person.tenant, person.user, place.event).await.expect("memory");
            let notices = decision.expect("a place has a decision").notices;
            assert_eq!(notices.len(), 1, "notices of one event to person {number}");
            heard.push((place.position, notices[0].kind));
        }
        heard
    }

    async fn everyone_heard(&self, expected: &[(Position, NoticeKind)]) {
        for number in 0..PEOPLE {
            assert_eq!(self.heard(number).await, expected, "person {number}");
        }
        for number in [7, 2_007] {
            assert_eq!(self.heard(PEOPLE + number).await, [], "who came later");
        }
    }
}

/// The first and the last step that decides an event.
fn steps_of(steps: &[TakenStep], event: Position) -> (usize, usize) {
    let of = |step: &TakenStep| step.events.contains(&event);
    let first = steps.iter().position(of).expect("it was decided");
    (first, steps.iter().rposition(of).expect("it was decided"))
}

#[tokio::test]
async fn the_gravest_goes_first_narrow_ones_between_and_an_update_after_its_alert() {
    // As a task of its own, so that it gets its turn as often as the notifier does.
    tokio::spawn(gravest_first()).await.expect("it holds");
}

async fn gravest_first() {
    let stage = stage().await;
    stage.subscribe(PEOPLE, "flood").await;
    let flood = |name: &str| json!({ "id": name, "category": "flood", "title": "Flood", "severity": "Minor" });
    let minor = stage.quake("minor", 0, "Minor").await;
    let extreme = stage.quake("extreme", 1, "Extreme").await;
    let narrow = stage.publish(flood("beside")).await;
    let update = stage.quake("minor", 2, "Severe").await;
    stage.change_three().await;
    let begun = stage.faults.taken();
    stage.faults.refuse_steps(false);

    let is_begun = |steps: &Vec<TakenStep>| steps.iter().any(|step| step.events.contains(&extreme));
    let mut waiting = begun.clone();
    drop(tokio::time::timeout(PATIENCE, waiting.wait_for(is_begun)).await.expect("it begins").expect("it is held"));
    let meanwhile = stage.publish(flood("meanwhile")).await;
    let steps = stage.end().await;

    stage.everyone_heard(&[(extreme, NoticeKind::New), (minor, NoticeKind::New), (update, NoticeKind::Update)]).await;
    assert_eq!(stage.heard(PEOPLE).await, [(narrow, NoticeKind::New), (meanwhile, NoticeKind::New)]);
    let order = [extreme, minor, update].map(|event| steps_of(&steps, event));
    assert!(order[0].1 < order[1].0 && order[1].1 < order[2].0, "one after the other: {order:?}");
    assert!(steps_of(&steps, narrow).0 < order[0].0, "a narrow event waits for no broad one of another thread");
    assert!(steps_of(&steps, meanwhile).0 < order[1].0, "nor for its end: {order:?}");
    let largest = steps.iter().map(|step| step.events.len()).max();
    assert!(largest < Some(PEOPLE as usize / 4), "{largest:?} in one step");
    stage.world.running.stop().await;
}

#[tokio::test]
async fn an_update_to_few_waits_for_its_alert_to_many() {
    let stage = stage().await;
    let alert = stage.quake("one", 0, "Minor").await;
    // By itself it matches nobody, and nobody is told of the thread yet when it comes.
    let ends = json!({ "id": "one-1", "thread": "one", "category": "other", "title": "Over", "action": "cancel",
        "sent": "2026-01-01T00:05:00Z" });
    let cancel = stage.publish(ends).await;
    stage.faults.refuse_steps(false);
    let steps = stage.end().await;
    stage.everyone_heard(&[(alert, NoticeKind::New), (cancel, NoticeKind::Cancel)]).await;
    assert!(steps_of(&steps, alert).1 < steps_of(&steps, cancel).0);
}

/// Stops the notifier after some steps of a broad event, lets everyone's wishes change, and goes on.
async fn stop_and_go_on(steps: usize, answers_lost: usize, restarts: bool) {
    let mut stage = stage().await;
    let alert = stage.quake("one", 0, "Severe").await;
    stage.faults.lose_answers(answers_lost);
    stage.faults.refuse_steps_after(steps);
    let mut taken = stage.faults.taken();
    let is_taken = |all: &Vec<TakenStep>| all.iter().filter(|step| step.events.contains(&alert)).count() >= steps;
    drop(tokio::time::timeout(PATIENCE, taken.wait_for(is_taken)).await.expect("it goes on").expect("it is held"));
    let reached = stage.world.store.notifier_cursor().await.expect("memory").unfinished;
    assert!(steps == 0 || reached.iter().any(|it| it.position == alert && it.after.is_some()), "{reached:?}");
    stage.change_three().await;
    let update = stage.quake("one", 1, "Extreme").await;
    if restarts {
        stage.world.running.stop().await;
        stage.world = over(stage.world.store, &stage.faults).await;
    }
    stage.faults.refuse_steps(false);
    stage.end().await;
    for number in 0..PEOPLE {
        let expected = match number {
            // Gone, or asking for something else, when it got worse.
            7 | 2_007 | 8 | 2_008 => &[(alert, NoticeKind::New)][..],
            _ => &[(alert, NoticeKind::New), (update, NoticeKind::Update)],
        };
        assert_eq!(stage.heard(number).await, expected, "person {number} after {steps} steps");
    }
    for number in [7, 2_007] {
        assert_eq!(stage.heard(PEOPLE + number).await, [(update, NoticeKind::New)], "who came between");
    }
    stage.world.running.stop().await;
}

#[tokio::test]
async fn a_notifier_that_is_stopped_within_a_broad_event_goes_on_where_it_was() {
    stop_and_go_on(5, 0, true).await;
    stop_and_go_on(1, 0, true).await;
    stop_and_go_on(0, 0, true).await;
}

#[tokio::test]
async fn a_fault_within_a_broad_event_loses_nobody_and_tells_nobody_twice() {
    stop_and_go_on(4, 0, false).await;
    stop_and_go_on(4, 2, false).await;
}
