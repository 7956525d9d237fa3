//! Messages one after another, and what the owner makes of each.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::draft::ThreadKey;
use crate::event::Event;
use crate::incident::{Report, Reporter};
use crate::normalize::ThreadHints;

/// The rows as commits leave them.
#[derive(Default)]
struct Rows {
    identities: BTreeMap<EventId, IdentityRow>,
    aliases: BTreeMap<[u8; 16], ThreadId>,
    threads: BTreeMap<ThreadId, ThreadRow>,
    reports: Vec<Report>,
}

impl crate::port::ThreadRows for Rows {
    fn identity(&self, _: &TenantId, event: EventId) -> Result<Option<IdentityRow>, PortError> {
        Ok(self.identities.get(&event).copied())
    }

    fn alias(&self, _: &TenantId, alias: &[u8; 16]) -> Result<Option<ThreadId>, PortError> {
        Ok(self.aliases.get(alias).copied())
    }

    fn thread(&self, _: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        Ok(self.threads.get(&thread).cloned())
    }

    fn reports(&self, _: &TenantId, from: i64, to: i64, reporter: Reporter<'_>) -> Result<Vec<Report>, PortError> {
        let near = self.reports.iter().filter(|report| (from..=to).contains(&report.second()));
        Ok(near.filter(|report| reporter.asks_for(report)).cloned().collect())
    }
}

/// An owner with its rows and its log.
struct Desk {
    rows: Rows,
    head: Position,
    log: Vec<LogEntry>,
}

impl Desk {
    fn new() -> Self {
        Self { rows: Rows::default(), head: Position::start(1), log: Vec::new() }
    }

    fn take(&mut self, believed: Believed) -> Outcome {
        let body = encode(&believed);
        let mut threads = Threads::new(&self.rows, self.head);
        let submission = Submission::Event(Box::new(believed), body);
        let Resolved { commit, mut outcomes } = resolve(vec![submission], &mut threads).unwrap();
        self.head = commit.entries.last().map_or(self.head, |entry| entry.position);
        self.log.extend(commit.entries);
        self.rows.identities.extend(commit.identities.into_iter().map(|(_, event, row)| (event, row)));
        self.rows.aliases.extend(commit.aliases.into_iter().map(|(_, name, thread)| (name, thread)));
        self.rows.threads.extend(commit.threads.into_iter().map(|row| (row.id, row)));
        self.rows.reports.extend(commit.reports);
        outcomes.remove(0).unwrap()
    }

    /// The last entry, which must be an event.
    fn last(&self) -> (ThreadId, u32, &Outlook, &Event) {
        match &self.log.last().unwrap().record {
            LogRecord::Event { thread, revision, outlook, event, .. } => (*thread, *revision, outlook, event),
            other => panic!("{other:?}"),
        }
    }

    fn thread(&self, of: ThreadId) -> &ThreadRow {
        &self.rows.threads[&of]
    }
}

/// A message with a native id of its own, `minute` minutes into the hour.
fn message(native_id: &str, minute: u32) -> Believed {
    let sent = Timestamp::parse(&format!("2026-01-01T00:{minute:02}:00Z")).unwrap();
    let tenant = TenantId::public();
    let (id, tuple_hash) = identity::of_native(&tenant, "x", native_id, None);
    let event = json!({
        "id": id, "tenant": tenant, "source": "api", "sender": "x", "issuer": "x", "native_id": native_id,
        "official": false, "action": "new", "status": "actual", "category": "weather", "type": "weather",
        "severity": "Severe", "severity_origin": "given", "urgency": "Expected", "certainty": "Likely",
        "confidence": 1.0, "title": format!("Storm {native_id}"), "geometry_origin": "none", "place_precision": "none",
        "forms": [], "sent": sent, "received": "2026-01-01T01:00:00Z", "hazard_end": "2026-01-02T00:00:00Z",
        "schema_version": 1, "correlation_id": "x",
    });
    Believed {
        event: serde_json::from_value(event).unwrap(),
        thread: ThreadHints { keys: Vec::new(), closings: Vec::new(), references: Vec::new() },
        raw: Bytes::new(),
        media_type: "application/json".to_owned(),
        content_hash: fingerprint(&[native_id.as_bytes(), &minute.to_be_bytes()]),
        tuple_hash,
        order_key: "x".to_owned(),
        version_time: Some(sent),
        format: Format::Native,
        restricted: false,
        retracted: false,
        bound: true,
    }
}

fn with(mut believed: Believed, change: impl FnOnce(&mut Believed)) -> Believed {
    change(&mut believed);
    believed
}

fn key(value: &str) -> ThreadKey {
    ThreadKey { scheme: "vtec", value: value.to_owned() }
}

fn in_thread(name: &str) -> impl FnOnce(&mut Believed) {
    let key = key(name);
    move |it| it.thread.keys.push(key)
}

fn closing(name: &str, upgraded: bool) -> impl FnOnce(&mut Believed) {
    let key = key(name);
    move |it| it.thread.closings.push(Closing { key, upgraded })
}

#[test]
fn what_shares_a_known_id_is_one_of_five_things() {
    let first = || message("m", 0);
    let after_first = |change: &dyn Fn(&mut Believed)| {
        let mut desk = Desk::new();
        desk.take(first());
        (desk.take(with(message("m", 0), change)), desk)
    };
    let (outcome, desk) = after_first(&|_| {});
    assert!(matches!(outcome, Outcome::Duplicate { kind: Copy::Same, .. }) && desk.log.len() == 1, "{outcome:?}");

    let (outcome, desk) = after_first(&|it| it.tuple_hash = [9; 16]);
    let Outcome::Rejected { rejection, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(rejection.reason, Reason::IdCollision);
    assert!(matches!(desk.log.last().unwrap().record, LogRecord::DeadLetter { .. }));

    let other_content = |it: &mut Believed| it.content_hash = [9; 16];
    let (outcome, mut desk) = after_first(&other_content);
    assert!(matches!(outcome, Outcome::Duplicate { kind: Copy::Conflict, .. }), "{outcome:?}");
    assert!(matches!(desk.log[1].record, LogRecord::Form { conflict: true, .. }));
    let again = desk.take(with(message("m", 0), other_content));
    assert!(matches!(again, Outcome::Duplicate { kind: Copy::Conflict, .. }), "{again:?}");
    assert_eq!(desk.log.len(), 2, "what contradicts it is kept once");

    let (outcome, _) = after_first(&|it| (it.content_hash, it.format) = ([9; 16], Format::Cap));
    assert!(matches!(outcome, Outcome::Duplicate { kind: Copy::Form, .. }), "{outcome:?}");

    let completing = |it: &mut Believed| {
        (it.content_hash, it.format) = ([9; 16], Format::Cap);
        it.event.onset = it.event.sent;
    };
    let (outcome, desk) = after_first(&completing);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    let (_, revision, _, event) = desk.last();
    assert_eq!((revision, event.warnings[0].code.as_str()), (2, "completed_by"));
    let unbound = |it: &mut Believed| {
        completing(it);
        it.bound = false;
    };
    assert!(matches!(after_first(&unbound).0, Outcome::Duplicate { kind: Copy::Form, .. }));
}

#[test]
fn later_content_is_the_next_revision_from_whoever_may_say_so() {
    let mut desk = Desk::new();
    desk.take(message("m", 0));
    let outcome = desk.take(message("m", 1));
    let Outcome::Accepted(id) = outcome else { panic!("{outcome:?}") };
    let (_, revision, outlook, event) = desk.last();
    assert_eq!((revision, outlook.current, event.action), (2, id, Action::Update));
    assert!(matches!(desk.take(message("m", 1)), Outcome::Duplicate { kind: Copy::Same, .. }));
    let stranger = with(message("m", 2), |it| it.bound = false);
    assert!(matches!(desk.take(stranger), Outcome::Duplicate { kind: Copy::Conflict, .. }));
}

#[test]
fn of_equal_times_the_cancel_counts() {
    let cancel = || {
        with(message("b", 0), |it| {
            in_thread("t")(it);
            it.event.action = Action::Cancel;
        })
    };
    let alert = || with(message("a", 0), in_thread("t"));
    for order in [[alert(), cancel()], [cancel(), alert()]] {
        let mut desk = Desk::new();
        order.into_iter().for_each(|it| drop(desk.take(it)));
        let (thread, ..) = desk.last();
        assert_eq!(desk.thread(thread).state, State::Cancelled);
    }
}

#[test]
fn a_message_closes_other_threads_whichever_came_first() {
    for upgraded in [true, false] {
        let watch = || with(message("watch", 0), in_thread("watch"));
        let warning = || {
            with(message("warning", 5), |it| {
                in_thread("warning")(it);
                closing("watch", upgraded)(it);
            })
        };
        let mut desk = Desk::new();
        desk.take(watch());
        let (watched, ..) = desk.last();
        desk.take(warning());
        let (warned, _, outlook, _) = desk.last();
        assert_eq!(outlook.closed.iter().map(|it| (it.thread, it.upgraded)).collect::<Vec<_>>(), [(watched, upgraded)]);
        let row = desk.thread(watched);
        assert_eq!((row.state, row.upgraded_to), (State::Ended, upgraded.then_some(warned)));
        // A later message of the closed thread opens it again.
        desk.take(with(message("watch-2", 9), in_thread("watch")));
        assert_eq!(desk.thread(watched).state, State::Active);

        let mut desk = Desk::new();
        desk.take(warning());
        let (warned, ..) = desk.last();
        desk.take(watch());
        let (watched, _, outlook, _) = desk.last();
        assert_eq!((outlook.state, desk.thread(watched).upgraded_to), (State::Ended, upgraded.then_some(warned)));
    }
}

#[test]
fn a_thread_is_closed_only_in_the_zones_that_the_closing_message_lists() {
    let zones = |zones: &'static [&'static str]| {
        move |it: &mut Believed| {
            let codes = zones.iter().map(|zone| crate::event::Code::new("UGC", *zone)).collect();
            it.event.areas = vec![crate::event::Area { codes, ..crate::event::Area::default() }];
        }
    };
    let mut desk = Desk::new();
    desk.take(with(with(message("watch", 0), in_thread("watch")), zones(&["TXC001", "TXC003"])));
    let (watched, ..) = desk.last();
    for (id, minute, zone, lives) in [("w-1", 5, &["TXC001"][..], true), ("w-2", 6, &["TXC003"][..], false)] {
        let zone: &'static [&'static str] = zone;
        let warning = with(with(message(id, minute), in_thread(id)), zones(zone));
        desk.take(with(warning, closing("watch", true)));
        let (_, _, outlook, _) = desk.last();
        assert_eq!(outlook.closed[0].lives_elsewhere, lives);
        assert_eq!(desk.thread(watched).state.is_over(), !lives);
    }
}

#[test]
fn a_message_that_names_two_threads_joins_them() {
    let mut desk = Desk::new();
    desk.take(message("a", 0));
    let (first, ..) = desk.last();
    desk.take(message("c", 2));
    let (second, ..) = desk.last();
    let refers = |it: &mut Believed| it.thread.references = vec!["a".to_owned(), "c".to_owned()];
    desk.take(with(message("b", 1), refers));
    let (thread, revision, outlook, _) = desk.last();
    assert_eq!((thread, revision, &outlook.merged, &outlook.merged_from), (first, 2, &vec![second], &vec![second]));
    assert!(!outlook.is_current && outlook.told_instead() == Some(outlook.current), "the later one counts");
    assert_eq!(desk.thread(second).merged_into, Some(first));
    desk.take(with(message("d", 3), |it| it.thread.references = vec!["c".to_owned()]));
    let (thread, revision, outlook, _) = desk.last();
    assert_eq!((thread, revision, &outlook.merged_from), (first, 3, &vec![second]));
}

#[test]
fn what_not_everyone_may_read_names_no_thread() {
    let mut desk = Desk::new();
    let hide = |it: &mut Believed| {
        in_thread("t")(it);
        it.event.restricted = true;
    };
    desk.take(with(message("a", 0), hide));
    desk.take(with(message("b", 1), |it| {
        in_thread("t")(it);
        it.event.title.clear();
    }));
    assert_eq!(desk.last().3.title, "");
}

#[test]
fn the_order_of_versions_is_total() {
    let head = |time: Option<i64>, offset: u64, event: u8| ThreadHead {
        event: EventId::from_bytes([event; 16]),
        position: Position::start(1).plus(offset),
        revision: 1,
        version_time: time.map(Timestamp::from_millis),
        order_time: Timestamp::from_millis(time.unwrap_or(5)),
        action: Action::Update,
        hazard_end: Timestamp::MAX,
    };
    let heads = [head(Some(5), 1, 3), head(None, 2, 1), head(Some(6), 3, 9), head(None, 4, 2), head(Some(5), 5, 4)];
    for one in &heads {
        for other in &heads {
            let differ = one.position != other.position;
            assert_eq!(versions::supersedes(one, other), differ && !versions::supersedes(other, one));
            for third in &heads {
                let chain = versions::supersedes(one, other) && versions::supersedes(other, third);
                assert!(!chain || versions::supersedes(one, third), "{one:?} {other:?} {third:?}");
            }
        }
    }
}
