mod fixture;
mod random;

use serde_json::json;
use tidings_core::filter::Filter;
use tidings_core::id::EventId;
use tidings_core::port::{EventLog, Sort};

use super::*;
use fixture::{Fixture, Others, at, event, everything, filled};
use random::random_filter;

#[tokio::test]
async fn finds_what_a_scan_finds() {
    let mut fixture = filled(400).await;
    let mut nonempty = 0;
    for _ in 0..500 {
        let filter = random_filter(&mut fixture.random, 3);
        if Compiled::new(&filter).is_err() {
            continue;
        }
        let random = &mut fixture.random;
        let query = Query {
            tenants: vec![TenantId::default_tenant(), TenantId::public()],
            since: (random.below(4) == 0).then(|| at(random.below(300) as i64)),
            until: (random.below(4) == 0).then(|| at(200 + random.below(300) as i64)),
            latest: random.below(2) == 0,
            sort: random.pick(&[Sort::Received, Sort::Occurred]),
            limit: random.pick(&[1, 7, 100, 1_000]),
            ..everything(filter)
        };
        let now = at(random.below(1_000) as i64);
        let expected = fixture.scan(&query, now).await;
        assert_eq!(fixture.pages(&query, now).await, expected, "{query:?} at {now}");
        nonempty += usize::from(!expected.is_empty());
    }
    assert!(nonempty > 200, "{nonempty}");
}

#[tokio::test]
async fn pages_go_on_where_they_were_while_events_come_in() {
    let mut fixture = filled(100).await;
    let mut query = Query { latest: false, ..everything(Filter::All(Vec::new())) };
    let expected = fixture.scan(&query, at(0)).await;
    let mut found = Vec::new();
    loop {
        let page = fixture.view.search(&query, at(0)).await.unwrap();
        found.extend(page.found.iter().map(|found| found.event));
        query.after = page.found.last().map(|last| (last.time, last.position));
        if !page.has_more {
            break;
        }
        let newer = event(10_000 + found.len() as u64, json!({}));
        fixture.commit(newer, None, true, Others::None).await;
        fixture.project().await;
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_newest_current_revision_alone_is_latest() {
    let mut fixture = Fixture::new();
    let all = everything(Filter::All(Vec::new()));
    let thread = fixture.commit(event(1, json!({})), None, true, Others::None).await;
    fixture.project().await;
    fixture.commit(event(2, json!({})), Some(thread), true, Others::None).await;
    fixture.commit(event(3, json!({})), Some(thread), false, Others::None).await;
    let other = fixture.commit(event(4, json!({})), None, true, Others::None).await;
    fixture.project().await;
    let ids = |numbers: &[u64]| numbers.iter().map(|n| EventId::derived(&[&n.to_be_bytes()])).collect::<Vec<_>>();
    assert_eq!(fixture.pages(&all, at(5)).await, ids(&[4, 2]));
    fixture.commit(event(5, json!({})), Some(thread), false, Others::Join(other)).await;
    fixture.project().await;
    assert_eq!(fixture.pages(&all, at(5)).await, ids(&[2]));
    assert_eq!(fixture.pages(&Query { latest: false, ..all }, at(5)).await, ids(&[5, 4, 3, 2, 1]));
}

#[tokio::test]
async fn a_restart_goes_on_from_the_last_commit() {
    let mut fixture = filled(60).await;
    let shown = fixture.view.cursor().await.unwrap();
    for number in 100..110 {
        fixture.commit(event(number, json!({})), None, true, Others::None).await;
    }
    // Applied, but not committed: lost with the process, and offered again.
    let entries = fixture.store.read(shown, 5, usize::MAX).await.unwrap();
    fixture.view.apply(&entries, at(9)).await.unwrap();
    assert_eq!(fixture.view.cursor().await.unwrap(), shown.plus(5));
    let mut fixture = fixture.reopen();
    assert_eq!(fixture.view.cursor().await.unwrap(), shown);
    fixture.project().await;
    // Entries at or below the cursor change nothing.
    fixture.view.apply(&entries, at(9)).await.unwrap();
    fixture.project().await;
    let all = Query { latest: false, ..everything(Filter::All(Vec::new())) };
    assert_eq!(fixture.pages(&all, at(0)).await, fixture.scan(&all, at(0)).await);
    let mut fixture = fixture.reopen();
    assert_eq!(fixture.view.cursor().await.unwrap(), EventLog::head(&fixture.store));
    fixture.project().await;
    assert_eq!(fixture.pages(&all, at(0)).await, fixture.scan(&all, at(0)).await);
}

#[tokio::test]
async fn a_broken_index_is_built_anew_and_other_files_stay() {
    let mut fixture = filled(60).await;
    let all = everything(Filter::All(Vec::new()));
    let breaks: [fn(&Path); 4] = [
        |dir| std::fs::write(dir.join("meta.json"), "{").unwrap(),
        |dir| std::fs::remove_file(dir.join("meta.json")).unwrap(),
        |dir| {
            let meta = std::fs::read_to_string(dir.join("meta.json")).unwrap();
            std::fs::write(dir.join("meta.json"), meta.replace("\"1 1-0-", "\"0 1-0-")).unwrap();
        },
        |dir| {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|kind| kind == "fast" || kind == "idx") {
                    std::fs::write(path, "").unwrap();
                }
            }
        },
    ];
    std::fs::write(fixture.dir.path().join("notes.txt"), "mine").unwrap();
    for damage in breaks {
        damage(fixture.dir.path());
        fixture = fixture.reopen();
        assert_eq!(fixture.view.cursor().await.unwrap(), Position::default());
        fixture.project().await;
        assert_eq!(fixture.pages(&all, at(0)).await, fixture.scan(&all, at(0)).await);
    }
    assert!(fixture.dir.path().join("notes.txt").exists());
}

#[tokio::test]
async fn each_revision_knows_when_it_came_into_the_view() {
    let mut fixture = Fixture::new();
    let thread = fixture.commit(event(1, json!({})), None, true, Others::None).await;
    fixture.commit(event(2, json!({})), Some(thread), true, Others::None).await;
    fixture.commit(event(3, json!({})), None, true, Others::None).await;
    let entries = fixture.store.read(Position::default(), usize::MAX, usize::MAX).await.unwrap();
    for (number, entry) in entries.iter().take(2).enumerate() {
        fixture.view.apply(std::slice::from_ref(entry), at(20 + number as i64)).await.unwrap();
        // The second takes the place of the first as the latest of its thread, with another time.
        fixture.view.apply(&[], at(30)).await.unwrap();
    }
    let applied = async |entry: &LogEntry| fixture.view.applied_at(entry.position).await.unwrap();
    assert_eq!(applied(&entries[0]).await, Some(at(20)));
    assert_eq!(applied(&entries[1]).await, Some(at(21)));
    assert_eq!(applied(&entries[2]).await, None);
}
