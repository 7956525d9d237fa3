//! Lost commits are refused, never silently left out; a head file that cannot tell is a warning.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tidings_adapters::fjall::{FjallStore, OpenError, Options};
use tidings_core::port::{EventLog, Ledger};

use super::{commit, open, refusal};

/// A closed store of 50 commits.
async fn fifty() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    commit(&open(dir.path()), 0..50).await;
    dir
}

fn journal(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir.join("store")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "jnl")).max().unwrap()
}

/// Where the journal's content ends: what follows was only set aside.
fn content_bytes(journal: &Path) -> u64 {
    fs::read(journal).unwrap().iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1
}

fn cut(journal: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(journal).unwrap().set_len(bytes).unwrap();
}

#[tokio::test]
async fn a_cut_journal_is_refused() {
    for keep_percent in [0, 50, 99] {
        let dir = fifty().await;
        let journal = journal(dir.path());
        cut(&journal, content_bytes(&journal) * keep_percent / 100);
        for _ in 0..2 {
            let refused = refusal(dir.path());
            assert_eq!(refused.code(), "log_truncated", "{refused}");
            says_what_can_be_done(&refused, dir.path());
        }
        let salvage = Options { accept_truncation: true, ..Options::default() };
        let store = FjallStore::open(dir.path(), salvage).unwrap();
        let left = store.head().offset;
        assert!(left < 50, "{left} are left");
        commit(&store, left..left + 1).await;
        drop(store);
        assert_eq!(open(dir.path()).head().offset, left + 1);
    }
}

/// Only what there is today: a copy, another directory, and asking.
fn says_what_can_be_done(refused: &OpenError, dir: &Path) {
    let said = refused.to_string();
    assert!(said.starts_with(&format!("{} is damaged", dir.display())), "{said}");
    let ways =
        "put a copy of the directory in its place, or keep it as it is for support and start on a new one with --data";
    assert!(said.ends_with(ways), "{said}");
}

/// What ends each batch of the journal, after a tag and the checksum.
const TRAILER: &[u8] = b"FJL\x03";

/// Where the journal's 25th batch from its end has its trailer.
fn trailer_within(journal: &Path) -> u64 {
    let content = fs::read(journal).unwrap();
    let ends: Vec<usize> = (0..content.len()).filter(|at| content[*at..].starts_with(TRAILER)).collect();
    ends[ends.len() - 25] as u64
}

#[tokio::test]
async fn a_flipped_bit_is_refused() {
    // Where the bit is, from the trailer of a batch: a batch that says something else than was written is damage, and
    // one whose bounds are gone hides all that follow.
    for (what, from_trailer, expected) in [
        ("an item's last byte", -10, "store_damaged"),
        ("the tag of the end", -9, "log_truncated"),
        ("the checksum", -8, "store_damaged"),
        ("the trailer", 0, "log_truncated"),
        ("the tag of the next start", 4, "log_truncated"),
        ("the count of the next items", 5, "store_damaged"),
    ] {
        let dir = fifty().await;
        let journal = journal(dir.path());
        let offset = trailer_within(&journal).checked_add_signed(from_trailer).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&journal).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        file.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
        for _ in 0..2 {
            let refused = refusal(dir.path());
            assert_eq!(refused.code(), expected, "{what}: {refused}");
            says_what_can_be_done(&refused, dir.path());
        }
    }
}

#[tokio::test]
async fn a_head_file_that_cannot_tell_is_a_warning() {
    let break_head: [fn(&Path); 3] = [
        |head| fs::remove_file(head).unwrap(),
        |head| fs::write(head, [7; 20]).unwrap(),
        |head| fs::write(head, []).unwrap(),
    ];
    for break_head in break_head {
        let dir = fifty().await;
        break_head(&dir.path().join("head"));
        let store = open(dir.path());
        assert_eq!(store.head().offset, 50);
        commit(&store, 50..52).await;
        drop(store);
        assert_eq!(open(dir.path()).head().offset, 52);
    }
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let dir = fifty().await;
    {
        let database = fjall::Database::builder(dir.path().join("store")).open().unwrap();
        let meta = database.keyspace("meta", Default::default).unwrap();
        meta.insert("format", "\u{1}2").unwrap();
    }
    let refused = refusal(dir.path());
    assert_eq!(refused.code(), "format_too_new");
    assert!(refused.to_string().contains("start a newer build on it"), "{refused}");
}

#[tokio::test]
async fn without_syncs_nothing_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let careless = Options { sync: false, ..Options::default() };
    let store = FjallStore::open(dir.path(), careless).unwrap();
    commit(&store, 0..10).await;
    store.commit(tidings_core::port::Commit::default()).await.unwrap();
    drop(store);
    assert_eq!(fs::read(dir.path().join("head")).unwrap().len(), 0);
    assert_eq!(open(dir.path()).head().offset, 10);
}
