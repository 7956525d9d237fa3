use std::collections::{BTreeMap, HashMap, HashSet};

use super::*;

fn start() -> Timestamp {
    Timestamp::parse("2026-07-01T12:00:00Z").unwrap()
}

pub(super) fn some(seed: u64, count: usize) -> Vec<Message> {
    World::new(seed, start(), 1_000_000).take(count).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert!(some(1, 20_000) == some(1, 20_000));
    let others = some(2, 1_000);
    assert!(some(1, 1_000).iter().zip(&others).filter(|(a, b)| a.body == b.body).count() < 10);
}

#[test]
fn time_goes_on_at_the_rate() {
    let messages = some(3, 50_000);
    assert!(messages.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let days = messages.last().unwrap().at.millis_since(start()) as f64 / 86_400_000.0;
    let rate = messages.len() as f64 / days;
    assert!((980_000.0..1_020_000.0).contains(&rate), "{rate}");
}

#[test]
fn a_day_has_some_of_everything() {
    let messages: Vec<Message> = World::new(4, start(), 100_000).take(50_000).collect();
    let mut kinds = BTreeMap::new();
    let mut media_types = BTreeMap::new();
    for message in &messages {
        *kinds.entry(message.intent.kind).or_insert(0) += 1;
        *media_types.entry(message.media_type).or_insert(0) += 1;
    }
    let share = |kind: Kind| f64::from(kinds.get(&kind).copied().unwrap_or(0)) / messages.len() as f64;
    assert!((0.25..0.7).contains(&share(Kind::New)), "{kinds:?}");
    assert!(share(Kind::Update) > 0.2 && share(Kind::End) > 0.05 && share(Kind::Cancel) > 0.01, "{kinds:?}");
    assert!((0.015..0.025).contains(&share(Kind::Duplicate)), "{kinds:?}");
    assert!((0.001..0.02).contains(&share(Kind::Late)), "{kinds:?}");
    assert!((0.004..0.006).contains(&share(Kind::Bad)), "{kinds:?}");
    assert!(media_types.len() >= 7, "{media_types:?}");
    let categories: HashSet<String> = natives(&messages).map(|(_, value)| value["category"].to_string()).collect();
    assert!(categories.len() >= 20, "{categories:?}");
}

/// The good messages in our own JSON, parsed.
fn natives(messages: &[Message]) -> impl Iterator<Item = (&Message, serde_json::Value)> {
    messages
        .iter()
        .filter(|message| message.intent.kind != Kind::Bad && message.media_type == write::JSON)
        .map(|message| (message, serde_json::from_slice(&message.body).expect("good messages parse")))
}

#[test]
fn chains_begin_go_on_and_are_over_once() {
    let mut last: HashMap<String, Kind> = HashMap::new();
    let mut told: HashSet<String> = HashSet::new();
    for message in some(5, 50_000) {
        let Intent { identity, thread, kind } = message.intent;
        match kind {
            Kind::New => assert!(last.insert(thread, kind).is_none(), "{identity} begins twice"),
            Kind::Update | Kind::Cancel | Kind::End => {
                let before = last.insert(thread, kind);
                assert!(matches!(before, Some(Kind::New | Kind::Update)), "{identity}: {kind:?} after {before:?}");
            }
            Kind::Late => assert!(last.contains_key(&thread), "{identity} is late but nothing was before"),
            Kind::Duplicate => assert!(told.contains(&identity), "{identity} is no duplicate"),
            Kind::Bad => continue,
        }
        let is_new = told.insert(identity.clone());
        assert!(is_new || kind == Kind::Duplicate, "{identity} was told before");
    }
}

#[test]
fn late_ones_are_older_than_one_told_before() {
    let mut newest: HashMap<String, String> = HashMap::new();
    let mut late = 0;
    let messages = some(6, 20_000);
    for (message, value) in natives(&messages) {
        let (Some(thread), Some(sent)) = (value["thread"].as_str(), value["sent"].as_str()) else { continue };
        let known = newest.entry(thread.to_owned()).or_default();
        if message.intent.kind == Kind::Late {
            assert!(sent < known.as_str(), "{sent} {known}");
            late += 1;
        } else if sent > known.as_str() {
            *known = sent.to_owned();
        }
    }
    assert!(late > 25, "{late}");
}

#[test]
fn places_and_times_are_possible() {
    let messages = some(7, 20_000);
    for (message, value) in natives(&messages) {
        for value in value.as_array().cloned().unwrap_or_else(|| vec![value]) {
            if let Some(lat) = value["lat"].as_f64() {
                let lon = value["lon"].as_f64().unwrap();
                assert!(lat.abs() <= 90.0 && lon.abs() <= 180.0, "{value}");
            }
            if let Some(ring) = value["geometry"]["coordinates"][0].as_array() {
                assert!(ring.len() >= 4 && ring.first() == ring.last(), "{value}");
            }
            let sent = Timestamp::parse(value["sent"].as_str().unwrap()).unwrap();
            assert!(sent <= message.at);
        }
    }
}

#[test]
fn any_rate_will_do() {
    for rate in [0, 1, 100_000, u32::MAX] {
        let messages: Vec<Message> = World::new(8, start(), rate).take(2_000).collect();
        assert!(messages.iter().all(|message| !message.body.is_empty()));
    }
    assert_eq!(World::new(8, Timestamp::MAX, 1).next_message().at, Timestamp::MAX);
}
