//! What is left on the disk of an erased tenant: a search through every byte of the directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tidings_adapters::fjall::FjallStore;
use tidings_adapters::tantivy;
use tidings_core::audit::ChainEnd;
use tidings_core::filter::Filter;
use tidings_core::id::TenantId;
use tidings_core::port::{
    Commit, DeliveryStore, EventLog, EventQuery, EventStore, Ledger, LogRecord, Projection, Query, Sort, TenantRows,
};
use tidings_testkit::{START, sample};

use super::open;

/// It stands in bodies, raw bytes, forms, letters and audit entries.
const MARKER: &str = "Quetzalcoatlus";

/// The files below a directory that hold a text.
fn files_with(dir: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else {
            // One that is removed meanwhile holds nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes())) {
                found.push(path);
            }
        }
    }
    found
}

/// True where a word is in any dictionary of the search index, whose files spell words in parts.
fn words_in(dir: &Path, word: &str) -> bool {
    let index = ::tantivy::Index::open_in_dir(dir).unwrap();
    let field = index.schema().get_field("words").unwrap();
    let term = ::tantivy::Term::from_field_text(field, &word.to_lowercase());
    let searcher = index.reader().unwrap().searcher();
    let mut segments = searcher.segment_readers().iter();
    segments.any(|segment| {
        segment.inverted_index(field).unwrap().terms().get(term.serialized_value_bytes()).unwrap().is_some()
    })
}

fn segments_of(dir: &Path) -> BTreeSet<String> {
    let index = ::tantivy::Index::open_in_dir(dir).unwrap();
    index.searchable_segment_ids().unwrap().iter().map(|id| id.uuid_string()).collect()
}

fn files_of_segments(dir: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stems = names.filter_map(|name| name.split('.').next().map(str::to_owned));
    stems.filter(|stem| stem.len() == 32).collect()
}

/// Events of a tenant, with the marker in all that a sender writes.
async fn publish(store: &FjallStore, tenant: &TenantId, numbers: std::ops::Range<u64>, marker: &str) {
    let mut commit = sample::commit_of(store.head(), tenant, numbers);
    for (entry, row) in commit.entries.iter_mut().zip(&mut commit.threads) {
        let LogRecord::Event { event, body, raw, .. } = &mut entry.record else { continue };
        let event = Arc::make_mut(event);
        event.title = format!("{marker} over {}", event.title);
        (*body, *raw) = (serde_json::to_vec(event).unwrap().into(), Bytes::from(format!("<alert>{marker}</alert>")));
        row.title.clone_from(&event.title);
    }
    store.commit(commit).await.unwrap();
}

async fn forget(store: &FjallStore, tenant: &TenantId) {
    while !store.erase_some(tenant).await.unwrap().is_done {}
    let mut step = 0;
    while store.forget_removed(step).await.unwrap() {
        step += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_holds_anything_of_an_erased_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let (gone, kept): (TenantId, TenantId) = ("gone".parse().unwrap(), "kept".parse().unwrap());
    let store = open(dir.path());
    let mut end = ChainEnd::default();
    for round in 0..5 {
        publish(&store, &gone, round * 40..round * 40 + 40, MARKER).await;
        publish(&store, &kept, round * 40..round * 40 + 40, "Pteranodon").await;
        let head = store.head();
        let mut letter = sample::letter(&gone, round);
        letter.detail = MARKER.to_owned();
        let entries = vec![
            sample::form_entry(head.plus(1), &gone, 1, false),
            tidings_core::port::LogEntry {
                position: head.plus(2),
                tenant: gone.clone(),
                record: LogRecord::DeadLetter { letter, raw: Bytes::from_static(MARKER.as_bytes()) },
            },
        ];
        let audit = vec![sample::audit_entry(&gone, MARKER, &mut end)];
        store.commit(Commit { entries, audit, ..Commit::default() }).await.unwrap();
        store.commit_step(sample::step_of(&gone, 1..3, 1, head, round + 1)).await.unwrap();
        if round == 2 {
            // Some of it is in tables that are not the newest, some in the journal alone.
            store.settle().unwrap();
        }
    }
    let view = tantivy::open(&dir.path().join("search"), Arc::new(store.clone())).unwrap();
    let entries = store.read(store.tail(), usize::MAX, usize::MAX).await.unwrap();
    for some in entries.chunks(100) {
        view.apply(some, START).await.unwrap();
        view.apply(&[], START).await.unwrap();
    }
    let found = |tenant: &TenantId| Query {
        tenants: vec![tenant.clone()],
        filter: Filter::All(Vec::new()),
        since: None,
        until: None,
        latest: false,
        sort: Sort::Received,
        limit: 1_000,
        after: None,
    };
    assert_eq!(view.search(&found(&gone), START).await.unwrap().found.len(), 200);
    let with = files_with(dir.path(), MARKER);
    let is_in = |name: &str| with.iter().any(|path| path.to_string_lossy().contains(name));
    assert!(is_in("store/keyspaces") && is_in(".jnl"), "the search finds what is there: {with:?}");
    let search = dir.path().join("search");
    assert_eq!((words_in(&search, MARKER), words_in(&search, "Pteranodon")), (true, true));

    forget(&store, &gone).await;
    view.forget(&gone).await.unwrap();
    let left = files_with(dir.path(), MARKER);
    assert!(left.is_empty(), "{left:?}");
    assert_eq!((words_in(&search, MARKER), words_in(&search, "Pteranodon")), (false, true));
    assert_eq!(segments_of(&search), files_of_segments(&search), "no file of a segment before is left");
    assert_eq!(store.scan(&gone).await.unwrap().found.len(), 0);
    assert_eq!(view.search(&found(&gone), START).await.unwrap().found.len(), 0);
    assert_eq!(view.search(&found(&kept), START).await.unwrap().found.len(), 200);
    assert!(!files_with(dir.path(), "Pteranodon").is_empty());
    drop(view);
    drop(store);
    let store = open(dir.path());
    assert!(store.event(&kept, sample::event_id(7)).await.unwrap().is_some());
    assert!(store.event(&gone, sample::event_id(7)).await.unwrap().is_none());
    assert_eq!(files_with(dir.path(), MARKER), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn an_erasure_goes_on_after_a_restart_with_its_counts() {
    let dir = tempfile::tempdir().unwrap();
    let tenant: TenantId = "gone".parse().unwrap();
    let mut rounds = 0;
    publish(&open(dir.path()), &tenant, 0..50, MARKER).await;
    let erasure = loop {
        // Each step by a process of its own.
        let erasure = open(dir.path()).erase_some(&tenant).await.unwrap();
        rounds += 1;
        if erasure.is_done {
            break erasure;
        }
    };
    assert!(rounds > 5, "{rounds} steps");
    for space in ["log", "event", "raw", "id", "alias", "thread", "version", "incident"] {
        assert_eq!(erasure.removed.get(space), Some(&50), "{space} in {erasure:?}");
    }
    let store = open(dir.path());
    assert_eq!((store.head().offset, store.scan(&tenant).await.unwrap().found.len()), (50, 0));
    assert_eq!(store.erase_some(&tenant).await.unwrap(), erasure);
}
