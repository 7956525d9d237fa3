//! Every chain of up to six messages, in every order, each sent twice, ends the same for everyone.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tidings_core::event::Event;
use tidings_core::id::EventId;
use tidings_core::notice::{NoticeKind, UpdateReason};
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_core::vocabulary::{Severity, State};
use tidings_engine::NotificationView;
use tidings_testkit::World;

/// How the messages of a chain find each other.
#[derive(Debug, Clone, Copy)]
enum Link {
    /// Each names every earlier one, as CAP asks.
    References,
    /// Each names only the one before it, so that the last ones may be threads of their own until
    /// one between them comes.
    Predecessor,
    /// They share the name of their thread.
    Thread,
    /// They share one id; `updated` tells them apart.
    SameId,
}

/// What one message says: severity, place in degrees east, action.
type Say = (&'static str, f64, &'static str);

/// Chains that rise, fall, move, come back, end and are taken back.
const CHAINS: &[&[Say]] = &[
    &[("Moderate", 10.0, "new")],
    &[("Severe", 10.0, "new"), ("Severe", 10.0, "cancel")],
    &[("Minor", 10.0, "new"), ("Severe", 10.0, "update"), ("Minor", 10.0, "end")],
    &[("Severe", 10.0, "new"), ("Severe", 15.0, "update"), ("Extreme", 10.0, "update"), ("Minor", 15.0, "update")],
    &[
        ("Moderate", 10.0, "new"),
        ("Severe", 15.0, "update"),
        ("Severe", 10.0, "end"),
        ("Severe", 10.0, "update"),
        ("Severe", 10.0, "cancel"),
    ],
    &[
        ("Minor", 10.0, "new"),
        ("Severe", 10.0, "update"),
        ("Severe", 15.0, "update"),
        ("Moderate", 15.0, "update"),
        ("Extreme", 10.0, "update"),
        ("Extreme", 10.0, "end"),
    ],
];

const FILTERS: &[&str] = &[
    r#"{"filter": {"all": []}}"#,
    r#"{"filter": {"all": []}, "updates": "all"}"#,
    r#"{"filter": {"severity_min": "Severe"}}"#,
    r#"{"filter": {"near": {"lat": 45.0, "lon": 10.0, "radius_km": 50}}}"#,
    r#"{"filter": {"near": {"lat": 45.0, "lon": 10.0, "radius_km": 50}}, "updates": "first"}"#,
];

fn message(chain: &[Say], index: usize, link: Link) -> String {
    let (severity, lon, action) = chain[index];
    let sent = format!("2026-01-02T03:{index:02}:00Z");
    let mut body = json!({"category": "weather", "title": format!("Storm, message {index}"), "severity": severity,
        "lat": 45.0, "lon": lon, "action": action, "sent": sent, "ends": "2026-01-09T00:00:00Z"});
    match link {
        Link::References => {
            body["id"] = json!(format!("m-{index}"));
            body["references"] = (0..index).map(|earlier| format!("m-{earlier}")).collect();
        }
        Link::Predecessor => {
            body["id"] = json!(format!("m-{index}"));
            body["references"] = index.checked_sub(1).map(|before| format!("m-{before}")).into_iter().collect();
        }
        Link::Thread => {
            body["id"] = json!(format!("m-{index}"));
            body["thread"] = json!("storm");
        }
        Link::SameId => {
            body["id"] = json!("storm");
            body["updated"] = json!(sent);
        }
    }
    body.to_string()
}

/// What a chain comes to.
#[derive(Debug)]
struct Ending {
    messages: BTreeSet<EventId>,
    current: EventId,
    state: State,
    event: Arc<Event>,
}

async fn play(chain: &[Say], order: &[usize], link: Link) -> Ending {
    let world = World::start().await;
    world.clock.set(tidings_core::time::Timestamp::parse("2026-01-03T00:00:00Z").expect("a time"));
    let curator = world.principal(Role::Curator).await;
    let mut people = Vec::new();
    for filter in FILTERS {
        let person = world.principal(Role::Viewer).await;
        let draft = serde_json::from_str(filter).expect("an object");
        world.engine.create_subscription(&person, draft).await.expect("valid");
        people.push(person);
    }
    for _ in 0..2 {
        for index in order {
            let outcome = world.publish(&curator, "application/json", message(chain, *index, link)).await;
            assert_eq!(outcome.expect("stored").len(), 1);
        }
    }
    let ending = ending(&world, &curator).await;
    for (person, filter) in people.iter().zip(FILTERS) {
        let context = format!("{link:?} {order:?} of {chain:?} for {filter}");
        let mut notices = world.engine.notifications(person, None, 100).await.expect("memory");
        notices.reverse();
        check_told(filter, &notices, &ending, link, &context);
    }
    ending
}

async fn ending(world: &World, curator: &Principal) -> Ending {
    let mut messages = BTreeSet::new();
    let request: Value = json!({"all": []});
    let request = tidings_engine::PageRequest {
        filter: tidings_core::filter::Filter::from_json(&request).expect("valid"),
        since: None,
        until: None,
        latest: false,
        sort: tidings_core::port::Sort::Received,
        limit: 100,
        after: None,
    };
    let page = loop {
        let page = world.engine.events(curator, request.clone()).await.expect("memory");
        if page.as_of == world.engine.head() {
            break page;
        }
        tokio::task::yield_now().await;
    };
    let threads: BTreeSet<_> = page.events.iter().map(|event| event.thread_id).collect();
    assert_eq!(threads.len(), 1, "one thread");
    let current = page.events.iter().find(|event| event.superseded_by.is_none()).expect("one is current");
    messages.extend(page.events.iter().map(|event| event.event.id));
    Ending { messages, current: current.event.id, state: current.state, event: current.event.clone() }
}

/// Nobody is told a version older than one told before, and the last word is the current one, or
/// the current one changes nothing. Messages that name only the one before may be told as threads
/// of their own, in any order, until they are joined; the last word holds for them too.
fn check_told(filter: &str, notices: &[NotificationView], ending: &Ending, link: Link, context: &str) {
    let versions: Vec<_> = notices.iter().map(|notice| notice.event.event.sent).collect();
    let is_one_thread_at_once = !matches!(link, Link::Predecessor);
    assert!(!is_one_thread_at_once || versions.is_sorted(), "told backwards: {versions:?}: {context}");
    let ids: BTreeSet<_> = notices.iter().map(|notice| notice.id).collect();
    assert_eq!(ids.len(), notices.len(), "told twice: {context}");
    let Some(last) = notices.last() else {
        let wants_everything = filter == FILTERS[0] || filter == FILTERS[1];
        assert!(ending.state.is_over() || !wants_everything, "nobody was told: {context}");
        return;
    };
    let over = matches!(last.kind, NoticeKind::End | NoticeKind::Cancel);
    if last.event.event.id == ending.current {
        assert_eq!(over || last.event.state.is_over(), ending.state.is_over(), "{context}");
        return;
    }
    assert!(!ending.state.is_over() || over, "the end was not told: {context}");
    assert!(!over || ending.state.is_over(), "an end was told of what goes on: {context}");
    let was_told = notices.iter().any(|notice| notice.event.event.id == ending.current);
    if !over && (is_one_thread_at_once || !was_told) {
        changes_nothing(filter, notices, &ending.event, context);
    }
}

/// What is current and was not told last must be no news by the subscription's own policy: no
/// worse than what was told, no place newly covered, and not every revision asked for.
fn changes_nothing(filter: &str, notices: &[NotificationView], current: &Event, context: &str) {
    let worst = notices.iter().map(|notice| notice.severity).max().unwrap_or(Severity::Unknown);
    let is_severe_enough = !filter.contains("severity_min") || current.severity >= Severity::Severe;
    let is_here = current.anchor().is_some_and(|point| point.lon == 10.0);
    let matches = is_severe_enough && (!filter.contains("near") || is_here);
    let last = notices.last().expect("something was told");
    let asks_for_changes = !filter.contains("first");
    assert!(!(matches && filter.contains("\"updates\": \"all\"")), "a revision was not told: {context}");
    assert!(!(matches && asks_for_changes && current.severity > worst), "a rise was not told: {context}");
    let was_here = last.update_reason != Some(UpdateReason::MovedAway);
    let stays = !filter.contains("near") || !asks_for_changes || is_here == was_here;
    assert!(stays, "a move was not told: {context}");
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    let Some(last) = length.checked_sub(1) else { return vec![Vec::new()] };
    let shorter = permutations(last);
    shorter
        .iter()
        .flat_map(|order| (0..=last).map(|place| [&order[..place], &[last], &order[place..]].concat()))
        .collect()
}

async fn check(link: Link) {
    for chain in CHAINS {
        let mut expected = None;
        for order in permutations(chain.len()) {
            let ending = play(chain, &order, link).await;
            match &expected {
                None => expected = Some(ending),
                Some(expected) => {
                    let of = |it: &Ending| (it.messages.clone(), it.current, it.state);
                    assert_eq!(of(&ending), of(expected), "{link:?} {order:?} of {chain:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn chains_of_references_end_the_same_in_every_order() {
    check(Link::References).await;
}

#[tokio::test]
async fn chains_of_predecessors_end_the_same_in_every_order() {
    check(Link::Predecessor).await;
}

#[tokio::test]
async fn chains_of_one_thread_end_the_same_in_every_order() {
    check(Link::Thread).await;
}

#[tokio::test]
async fn chains_of_one_id_end_the_same_in_every_order() {
    check(Link::SameId).await;
}
