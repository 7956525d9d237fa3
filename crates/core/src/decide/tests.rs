//! One line of the rule a test: what was told before, what comes in, what comes of it.

use serde_json::{Value, json};

use super::*;
use crate::event::Event;
use crate::filter::Filter;
use crate::id::{IncidentId, SubscriptionId};
use crate::stored::ClosedThread;
use crate::subscription::UpdatePolicy;
use crate::time::Timestamp;
use crate::vocabulary::State;

const USER: UserId = UserId::from_bytes([1; 16]);

fn thread(number: u8) -> ThreadId {
    ThreadId::from_bytes([number; 16])
}

/// A severe wind warning at 10 degrees east and north that runs for a day, with what it says else.
fn event(number: u8, more: &Value) -> Event {
    let mut json = json!({
        "id": EventId::from_bytes([number; 16]), "tenant": "public", "source": "api", "sender": "x", "issuer": "x",
        "official": false, "action": "update", "status": "actual", "category": "weather", "type": "weather.wind",
        "severity": "Severe", "severity_origin": "given", "urgency": "Expected", "certainty": "Likely",
        "confidence": 1.0, "title": "Storm", "geometry": {"type": "Point", "coordinates": [10.0, 10.0]},
        "geometry_origin": "point", "place_precision": "exact", "forms": [], "received": "2026-01-01T00:00:00Z",
        "hazard_end": "2026-01-02T00:00:00Z", "schema_version": 1, "correlation_id": "x",
    });
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn wish(number: u8, filter: &str, change: impl FnOnce(&mut Subscription)) -> Wish {
    let filter = Filter::parse(filter).unwrap();
    let mut subscription = Subscription {
        id: SubscriptionId::from_bytes([number; 16]),
        revision: 1,
        tenant: TenantId::default_tenant(),
        reads: vec![TenantId::public()],
        owner: USER,
        name: None,
        filter: filter.clone(),
        channels: Vec::new(),
        updates: UpdatePolicy::UntilCancelled,
        include_drills: false,
        sees_restricted: false,
        sees_devices: false,
        sees_only: None,
        role: None,
        paused_until: None,
        created: Timestamp::from_millis(0),
        updated: Timestamp::from_millis(0),
    };
    change(&mut subscription);
    Wish::new(subscription).unwrap()
}

/// One person, and what they were told so far.
struct Person {
    wishes: Vec<Wish>,
    told: Vec<Told>,
    entries: u8,
}

/// What comes in besides the event itself.
#[derive(Default)]
struct Around {
    state: Option<State>,
    late: bool,
    thread: u8,
    closes: Option<(u8, bool)>,
    incident_of: Option<u8>,
}

impl Person {
    fn who_asks(wishes: Vec<Wish>) -> Self {
        Self { wishes, told: Vec::new(), entries: 0 }
    }

    /// What is decided for their first subscription, and what they are told, in words.
    fn hears(&mut self, more: Value, around: Around) -> (Decision, Vec<String>) {
        self.entries += 1;
        let event = event(self.entries, &more);
        let state = around.state.unwrap_or(State::Active);
        let outlook = Outlook {
            state,
            is_current: !around.late,
            current: event.id,
            merged: Vec::new(),
            merged_from: Vec::new(),
            standing: Vec::new(),
            closed: Vec::new(),
            incident: IncidentId::from_bytes([1; 16]),
            incident_threads: Vec::new(),
        };
        let subject = Subject::new(&event, state);
        let entry = Entry {
            position: Position::start(1).plus(u64::from(self.entries)),
            thread: thread(around.thread),
            revision: u32::from(self.entries),
            outlook: &outlook,
            subject: &subject,
            counting: None,
            standing: &[],
        };
        let of = |number: u8| self.told.iter().filter(|told| told.thread == thread(number)).cloned().collect();
        let mut recipient = Recipient {
            tenant: TenantId::default_tenant(),
            user: USER,
            wishes: self.wishes.clone(),
            told: of(around.thread),
            told_of_incident: around.incident_of.map(of).unwrap_or_default(),
            told_of_closed: Vec::new(),
        };
        if let Some((number, upgraded)) = around.closes {
            let closed =
                ClosedThread { thread: thread(number), merged_from: Vec::new(), upgraded, lives_elsewhere: false };
            recipient.of_closed(&closed).told = of(number);
        }
        let ruling = decide(&entry, &recipient);
        for told in ruling.told {
            self.told.retain(|known| known.thread != told.thread);
            self.told.push(told);
        }
        let decision = ruling.decision.map(|decision| {
            let said = decision.notices.iter().map(|notice| match notice.update_reason {
                Some(reason) => format!("{reason:?}"),
                None => notice.kind.as_str().to_owned(),
            });
            (decision.verdicts[0].decision, said.collect())
        });
        decision.unwrap_or_else(|| (stateless(&entry, &self.wishes[0]), Vec::new()))
    }
}

fn check(person: &mut Person, more: Value, around: Around, decision: Decision, said: &[&str]) {
    let context = more.to_string();
    let (found, heard) = person.hears(more, around);
    assert_eq!((found, heard.iter().map(String::as_str).collect::<Vec<_>>()), (decision, said.to_vec()), "{context}");
}

/// What someone hears first of an event, by one subscription.
fn first(filter: &str, change: impl FnOnce(&mut Subscription), more: Value, decision: Decision) {
    let mut person = Person::who_asks(vec![wish(1, filter, change)]);
    let said: &[&str] = if decision == Decision::Notified { &["new"] } else { &[] };
    check(&mut person, more, Around::default(), decision, said);
}

/// What someone hears after a first notice of a severe warning at 10, 10.
fn then(filter: &str, updates: UpdatePolicy, more: Value, decision: Decision, said: &[&str]) {
    let mut person = Person::who_asks(vec![wish(1, filter, |it| it.updates = updates)]);
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
    check(&mut person, more, Around::default(), decision, said);
}

const NEAR: &str = "near(10, 10, 50 km)";

#[test]
fn a_first_notice_needs_a_match_that_may_be_seen_and_matters() {
    let any = |_: &mut Subscription| {};
    first(NEAR, any, json!({}), Decision::Notified);
    first("near(40, 40, 50 km)", any, json!({}), Decision::NoMatch);
    first("severity >= Extreme", any, json!({}), Decision::NoMatch);
    for status in ["exercise", "test", "system"] {
        first(NEAR, any, json!({"status": status}), Decision::Drill);
        first(NEAR, |it| it.include_drills = true, json!({"status": status}), Decision::Notified);
    }
    first(NEAR, |it| it.include_drills = true, json!({"status": "draft"}), Decision::Drill);
    first(NEAR, any, json!({"restricted": true}), Decision::NotPermitted);
    first(NEAR, |it| it.sees_restricted = true, json!({"restricted": true}), Decision::Notified);
    first(NEAR, any, json!({"audience": [UserId::from_bytes([2; 16])]}), Decision::NotPermitted);
    first(NEAR, any, json!({"audience": [USER]}), Decision::Notified);
    let until = |time: &str| Timestamp::parse(time).unwrap();
    first(NEAR, |it| it.paused_until = Some(until("2026-01-01T00:00:01Z")), json!({}), Decision::Paused);
    first(NEAR, |it| it.paused_until = Some(until("2026-01-01T00:00:00Z")), json!({}), Decision::Notified);
    let coarse = json!({"geometry": null, "geometry_origin": "none", "place_precision": "region", "severity": "Minor"});
    first(NEAR, any, coarse, Decision::PlaceTooCoarse);
    let device = json!({"category": "device"});
    first(NEAR, |it| it.sees_devices = true, device.clone(), Decision::NoMatch);
    first("category = device", any, device.clone(), Decision::NotPermitted);
    first("category = device", |it| it.sees_devices = true, device, Decision::Notified);
}

#[test]
fn old_news_is_not_told_first() {
    let any = |_: &mut Subscription| {};
    let quake = |occurred: &str| json!({"category": "earthquake", "occurred": occurred});
    first(NEAR, any, quake("2025-12-31T00:00:00Z"), Decision::Notified);
    first(NEAR, any, quake("2025-12-30T23:59:59Z"), Decision::TooOld);
    let news = |sent: &str| json!({"category": "news", "sent": sent, "hazard_end": "2025-12-31T00:00:00Z"});
    first(NEAR, any, news("2025-12-30T00:00:00Z"), Decision::Notified);
    first(NEAR, any, news("2025-12-29T23:59:59Z"), Decision::TooOld);
    first(NEAR, any, json!({"hazard_end": "2025-12-31T23:59:59Z"}), Decision::TooOld);
}

#[test]
fn what_is_over_starts_nothing() {
    let ended = |more: Value, decision, said: &[&str]| {
        let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
        check(&mut person, more, Around { state: Some(State::Ended), ..Around::default() }, decision, said);
    };
    ended(json!({}), Decision::Expired, &[]);
    // Left to expire, and in force until then.
    ended(json!({"ends": "2026-01-01T12:00:00Z"}), Decision::Notified, &["new"]);
    ended(json!({"ends": "2026-01-01T12:00:00Z", "response": ["AllClear"]}), Decision::Expired, &[]);
    ended(json!({"ends": "2026-01-01T12:00:00Z", "urgency": "Past"}), Decision::Expired, &[]);
    let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
    let cancelled = Around { state: Some(State::Cancelled), ..Around::default() };
    check(&mut person, json!({"action": "cancel"}), cancelled, Decision::Expired, &[]);
}

#[test]
fn each_policy_hears_its_changes_and_no_others() {
    use UpdatePolicy::{All, Escalations, First, UntilCancelled};
    let worse = json!({"severity": "Extreme"});
    then(NEAR, First, worse.clone(), Decision::NothingNew, &[]);
    then(NEAR, Escalations, worse, Decision::Notified, &["SeverityRise"]);
    then(NEAR, Escalations, json!({"severity": "Minor"}), Decision::NothingNew, &[]);

    let both = "near(10, 10, 50 km) or near(40, 40, 50 km)";
    let there = json!({"geometry": {"type": "Point", "coordinates": [40.0, 40.0]}});
    then(both, First, there.clone(), Decision::NothingNew, &[]);
    then(both, Escalations, there.clone(), Decision::Notified, &["NewlyCovered"]);

    then(NEAR, Escalations, there.clone(), Decision::NoMatch, &[]);
    then(NEAR, UntilCancelled, there, Decision::Notified, &["MovedAway"]);

    let other = json!({"type": "weather.hail"});
    then(NEAR, Escalations, other.clone(), Decision::NothingNew, &[]);
    then(NEAR, UntilCancelled, other, Decision::Notified, &["TypeChange"]);

    then(NEAR, UntilCancelled, json!({"title": "Storm, again"}), Decision::NothingNew, &[]);
    then(NEAR, All, json!({"title": "Storm, again"}), Decision::Notified, &["update"]);
    then(NEAR, All, json!({"action": "ack"}), Decision::NothingNew, &[]);
}

#[test]
fn an_end_reaches_whoever_was_told_once() {
    for (state, word) in [(State::Cancelled, "cancel"), (State::Retracted, "cancel"), (State::Ended, "end")] {
        let mut person = Person::who_asks(vec![wish(1, NEAR, |it| it.updates = UpdatePolicy::First)]);
        check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
        let paused = |it: &mut Subscription| it.paused_until = Some(Timestamp::MAX);
        person.wishes = vec![wish(1, "near(40, 40, 1 km)", paused)];
        let over = || Around { state: Some(state), ..Around::default() };
        let old = json!({"severity": "Unknown", "hazard_end": "2025-12-01T00:00:00Z"});
        check(&mut person, old.clone(), over(), Decision::Notified, &[word]);
        assert!(person.hears(old, over()).1.is_empty(), "told twice");
    }
}

#[test]
fn what_goes_on_after_its_end_is_told_again() {
    let mut person = Person::who_asks(vec![wish(1, NEAR, |it| it.updates = UpdatePolicy::First)]);
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
    check(
        &mut person,
        json!({}),
        Around { state: Some(State::Ended), ..Around::default() },
        Decision::Notified,
        &["end"],
    );
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["update"]);
}

#[test]
fn an_older_version_is_late() {
    let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
    check(&mut person, json!({}), Around { late: true, ..Around::default() }, Decision::Late, &[]);
}

#[test]
fn moving_away_is_told_once_and_coming_back_is_newly_covered() {
    let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
    let away = json!({"geometry": {"type": "Point", "coordinates": [40.0, 40.0]}});
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
    check(&mut person, away.clone(), Around::default(), Decision::Notified, &["MovedAway"]);
    check(&mut person, away, Around::default(), Decision::NoMatch, &[]);
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["NewlyCovered"]);
}

#[test]
fn a_closed_thread_ends_for_those_told_unless_another_takes_its_place() {
    let closing = |upgraded| Around { thread: 2, closes: Some((0, upgraded)), ..Around::default() };
    let told = || {
        let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
        check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
        person
    };
    check(&mut told(), json!({}), closing(true), Decision::Notified, &["Upgraded"]);
    check(&mut told(), json!({}), closing(false), Decision::Notified, &["new", "end"]);
    let elsewhere = json!({"geometry": {"type": "Point", "coordinates": [40.0, 40.0]}});
    let mut person = told();
    check(&mut person, elsewhere.clone(), closing(true), Decision::Notified, &["end"]);
    assert!(person.hears(elsewhere, closing(true)).1.is_empty(), "told twice");
}

#[test]
fn one_incident_is_told_once_unless_worse() {
    let other = || Around { thread: 2, incident_of: Some(0), ..Around::default() };
    let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
    check(&mut person, json!({}), other(), Decision::DuplicateOf, &[]);
    check(&mut person, json!({"severity": "Extreme"}), other(), Decision::Notified, &["new"]);
    // Once the first was taken back, the second is no copy of anything.
    let mut person = Person::who_asks(vec![wish(1, NEAR, |_| {})]);
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
    let over = Around { state: Some(State::Cancelled), ..Around::default() };
    check(&mut person, json!({}), over, Decision::Notified, &["cancel"]);
    check(&mut person, json!({}), other(), Decision::Notified, &["new"]);
}

#[test]
fn subscriptions_of_one_person_make_one_notice_that_names_each_that_asked() {
    let wishes =
        vec![wish(1, NEAR, |_| {}), wish(2, "severity >= Extreme", |_| {}), wish(3, "category = weather", |_| {})];
    let mut person = Person::who_asks(wishes);
    person.entries += 1;
    check(&mut person, json!({}), Around::default(), Decision::Notified, &["new"]);
    let named: Vec<u8> = person.told[0].places.iter().map(|place| place.subscription.as_bytes()[0]).collect();
    assert_eq!(named, [1, 3]);
    assert_eq!(person.told[0].severity, crate::vocabulary::Severity::Severe);
}
