//! How fast the embedded store is, each figure beside what the disk does with nothing around it:
//! `cargo bench -p tidings-adapters --bench store -- [events]`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tidings_adapters::fjall::{FjallStore, Options};
use tidings_core::id::TenantId;
use tidings_core::port::{DeliveryStore, EventLog, Ledger};
use tidings_testkit::sample;

/// Events in one commit, as a batch post brings them.
const BATCH: u64 = 500;
/// Recipients in one step.
const CHUNK: u64 = 10_000;

#[tokio::main]
async fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("skipped: this measures, and is run by cargo bench");
        return;
    }
    let events = std::env::args().filter_map(|argument| argument.parse().ok()).next_back().unwrap_or(1_000_000);
    // Beside the build, which is on a real disk where a temporary directory may not be.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = dir.path().join("data");

    let began = Instant::now();
    let store = open(&data);
    row("open a new directory", began.elapsed(), 1);
    memory("memory when empty");
    bare_syncs(dir.path(), 1_500, 200);
    single_commits(&store).await;
    bare_syncs(dir.path(), 1_500 * BATCH as usize, 40);
    batches(&store, events).await;
    memory("memory after that");
    drop(store);

    reopen(&data, "as after kill -9").await;
    reopen(&data, "as after a clean stop").await;
    let store = open(&data);
    scan(&store).await;
    recipients(&store).await;
}

fn open(data: &Path) -> FjallStore {
    FjallStore::open(data, Options::default()).unwrap()
}

async fn single_commits(store: &FjallStore) {
    let mut times = Vec::new();
    for number in 0..200 {
        let commit = sample::commit_of(store.head(), &TenantId::public(), number..number + 1);
        times.push(timed(store.commit(commit)).await);
    }
    spread("one event a commit", times);
}

async fn batches(store: &FjallStore, events: u64) {
    let (mut times, began) = (Vec::new(), Instant::now());
    let mut busy = Duration::ZERO;
    for first in (1_000..1_000 + events).step_by(BATCH as usize) {
        let commit = sample::commit_of(store.head(), &TenantId::public(), first..first + BATCH);
        let time = timed(store.commit(commit)).await;
        busy += time;
        times.push(time);
    }
    spread("500 events a commit", times);
    row("events committed, by the time in commits", busy, events);
    println!("  with making them: {:.1} s", began.elapsed().as_secs_f64());
}

/// Opens what a process left, and commits one event.
async fn reopen(data: &Path, how: &str) {
    let began = Instant::now();
    let store = open(data);
    let opened = began.elapsed();
    store.commit(sample::commit_of(store.head(), &TenantId::public(), 1..2)).await.unwrap();
    println!("{how}: open {:.0} ms, first event {:.0} ms", millis(opened), millis(began.elapsed()));
    memory("memory then");
    let began = Instant::now();
    store.settle().unwrap();
    println!("  settle {:.0} ms", millis(began.elapsed()));
}

async fn scan(store: &FjallStore) {
    let (began, mut cursor, mut count) = (Instant::now(), store.tail(), 0);
    loop {
        let entries = store.read(cursor, 512, 8 << 20).await.unwrap();
        let Some(last) = entries.last().filter(|_| count < 200_000) else { break };
        cursor = last.position;
        count += entries.len() as u64;
    }
    row("entries read from the log", began.elapsed(), count);
}

async fn recipients(store: &FjallStore) {
    let (tenant, position) = (TenantId::default_tenant(), store.head());
    for (round, name) in [(1, "recipients told, first event"), (2, "recipients told, second event")] {
        let (mut times, mut busy) = (Vec::new(), Duration::ZERO);
        for first in (0..200_000).step_by(CHUNK as usize) {
            let step = sample::step_of(&tenant, first..first + CHUNK, round, position, round);
            let time = timed(store.commit_step(step)).await;
            busy += time;
            times.push(time);
        }
        spread("10,000 recipients a step", times);
        row(name, busy, 200_000);
        let began = Instant::now();
        for user in 0..50_000 {
            store.inbox_head(&tenant, sample::user_id(user * 8)).await.unwrap();
        }
        row("inbox heads, half of them empty", began.elapsed(), 50_000);
    }
    let began = Instant::now();
    let told = store.told_of(&TenantId::public(), sample::thread_id(1), None, usize::MAX).await.unwrap();
    row("told rows read", began.elapsed(), told.len() as u64);
}

/// The limit: the same bytes appended to a file and synced.
fn bare_syncs(dir: &Path, bytes: usize, count: usize) {
    let mut file = File::create(dir.join("bare")).unwrap();
    let content = vec![7; bytes];
    let times = (0..count).map(|_| {
        let began = Instant::now();
        file.write_all(&content).unwrap();
        file.sync_data().unwrap();
        began.elapsed()
    });
    spread(&format!("limit: append {bytes} bytes and fdatasync"), times.collect());
}

async fn timed<T, E: std::fmt::Debug>(work: impl Future<Output = Result<T, E>>) -> Duration {
    let began = Instant::now();
    work.await.unwrap();
    began.elapsed()
}

fn row(name: &str, time: Duration, count: u64) {
    println!("{name}: {:.1} ms, {:.0}/s", millis(time), count as f64 / time.as_secs_f64());
}

fn spread(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| millis(times[((times.len() - 1) as f64 * share) as usize]);
    println!("{name}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", at(0.5), at(0.99), at(1.0));
}

fn memory(name: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: unknown");
    println!("{name}: {}", line.trim_start_matches("VmRSS:").trim());
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
