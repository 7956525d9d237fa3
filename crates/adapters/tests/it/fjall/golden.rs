//! The stored shapes of a release, as a file that never changes: this build must write what the
//! newest file holds, and read every file.

use std::fmt::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use fjall::{Database, KeyspaceCreateOptions};

use tidings_adapters::fjall::{FjallStore, Options};
use tidings_core::audit::ChainEnd;
use tidings_core::id::TenantId;
use tidings_core::port::{Commit, DeliveryStore, EventLog, Fence, Ledger, TenantRows};
use tidings_core::tenant::{TenantState, Usage};
use tidings_testkit::{contract, sample};

use super::open;

/// The store's format, and the file of what it holds.
const NEWEST: &str = "format-1.txt";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// One of each stored shape.
async fn store_samples(dir: &Path) -> String {
    let options = Options { epoch: NonZeroU32::new(1), ..Options::default() };
    let store = FjallStore::open(dir, options).unwrap();
    let (public, tenant, start) = (TenantId::public(), TenantId::default_tenant(), store.head());
    let other: TenantId = "other".parse().unwrap();
    store.commit(sample::commit_of(start, &public, 0..2)).await.unwrap();
    let entries = vec![
        sample::form_entry(start.plus(3), &public, 1, true),
        sample::letter_entry(start.plus(4), &tenant, 1),
        sample::subscription_entry(start.plus(5), &tenant, 1, 1),
        sample::deletion_entry(start.plus(6), &tenant, 1),
        sample::key_entry(start.plus(7), &tenant, 1),
        sample::role_entry(start.plus(8), &tenant),
        sample::hook_entry(start.plus(9), &tenant, 1),
        sample::hook_deletion_entry(start.plus(10), &tenant, 1),
        sample::account_entry(start.plus(11), &tenant, 1),
        sample::account_deletion_entry(start.plus(12), &tenant, 1),
        sample::tenant_entry(start.plus(13), sample::tenant(&"acme".parse().unwrap(), TenantState::Suspended)),
        sample::tenant_entry(start.plus(14), sample::erased_tenant(&other)),
        sample::letter_entry(start.plus(15), &other, 2),
    ];
    let audit = vec![sample::audit_entry(&tenant, "flood-desk", &mut ChainEnd::default())];
    let records =
        vec![sample::record_row(Fence::Server, "one", 2), sample::record_row(Fence::Tenant(tenant.clone()), "one", 1)];
    let usage = vec![(tenant.clone(), Usage { storage_bytes: 1_234, day: 20_454, events: 3 })];
    store.commit(Commit { entries, audit, records, usage, ..Commit::default() }).await.unwrap();
    store.commit_step(sample::step_of(&tenant, 1..3, 1, start.plus(2), 1)).await.unwrap();
    let silent = sample::decision(&tenant, 3, 1, start.plus(2), None);
    let mut step = sample::step_of(&tenant, 0..0, 1, start.plus(6), 1);
    step.decisions.push(silent);
    store.commit_step(step).await.unwrap();
    store.set_read_mark(&tenant, sample::user_id(1), 1).await.unwrap();
    // Stops in the middle, so that how far it is can be read too.
    assert!(!store.erase_some(&other).await.unwrap().is_done);
    contract::observe(&store).await
}

/// Every row of a closed store, a line each: keyspace, key, value.
fn dump(dir: &Path) -> String {
    let database = Database::builder(dir.join("store")).open().unwrap();
    let mut names: Vec<String> = database.list_keyspace_names().iter().map(|name| name.to_string()).collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        for row in database.keyspace(&name, KeyspaceCreateOptions::default).unwrap().iter() {
            let (key, value) = row.into_inner().unwrap();
            let key = key.escape_ascii().to_string().replace(' ', r"\x20");
            writeln!(text, "{name} {key} {}", value.escape_ascii()).unwrap();
        }
    }
    text
}

/// Makes a store of the rows of a golden file.
fn load(text: &str, dir: &Path) {
    drop(open(dir));
    let database = Database::builder(dir.join("store")).open().unwrap();
    for line in text.lines() {
        let mut parts = line.splitn(3, ' ');
        let (name, key, value) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let keyspace = database.keyspace(name, KeyspaceCreateOptions::default).unwrap();
        keyspace.insert(unescape(key), unescape(value)).unwrap();
    }
    database.persist(fjall::PersistMode::SyncAll).unwrap();
}

/// Takes back `escape_ascii`.
fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, if byte == b'\\' { rest.next() } else { None }) {
            (b'\\', Some(b'x')) => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b't')) => b'\t',
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(other)) => other,
            _ => byte,
        });
    }
    bytes
}

#[tokio::test]
async fn this_build_writes_the_newest_shapes() {
    let dir = tempfile::tempdir().unwrap();
    store_samples(dir.path()).await;
    let written = dump(dir.path());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(NEWEST), &written).unwrap();
    }
    let expected = std::fs::read_to_string(golden(NEWEST)).unwrap();
    for (line, expected) in written.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(written.lines().count(), expected.lines().count());
}

#[tokio::test]
async fn this_build_reads_every_golden_file() {
    let expected = store_samples(tempfile::tempdir().unwrap().path()).await;
    for name in ["format-1.txt"] {
        let dir = tempfile::tempdir().unwrap();
        load(&std::fs::read_to_string(golden(name)).unwrap(), dir.path());
        let store = open(dir.path());
        assert_eq!(store.head().offset, 15);
        assert_eq!(contract::observe(&store).await, expected, "{name}");
    }
}
