//! How fast events find their subscriptions: `cargo bench -p tidings-core --bench matching`.
//!
//! Arguments: the most subscriptions to try; `profile` to search a while for a profiler to watch.

#![allow(clippy::print_stdout, reason = "a bench prints a table")]

#[path = "matching/population.rs"]
mod population;

use std::hint::black_box;
use std::time::{Duration, Instant};

use tidings_core::event::Event;
use tidings_core::filter::{Compiled, Subject};
use tidings_core::id::{SubscriptionId, TenantId};
use tidings_core::matcher::{Entry, Matcher, Scratch, SlotId};
use tidings_core::vocabulary::State;

use population::{KINDS, Kind, World};

/// That of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const EVENTS: usize = 32_000;
/// Events prepared, then searched together.
const CHUNK: usize = 16;
const MATCHES: f64 = 10.0;
const KIND_SIZE: usize = 100_000;
const CHANGES_PER_SECOND: f64 = 50_000.0;
/// How many may fall due after one event; more are late.
const CHANGES_AT_ONCE: usize = 8;

fn main() {
    let most = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    println!("events/s and core, about {MATCHES} matches an event");
    println!(
        "{:>13} {:>8} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>7} {:>11}",
        "subscriptions",
        "matches",
        "points",
        "areas",
        "unprepared",
        "meanwhile",
        "changes/s",
        "limit",
        "bytes",
        "insert/s"
    );
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        measure(size);
    }
    println!("\nbytes a subscription by kind, of {KIND_SIZE} each, without vertices");
    for (kind, name, share) in KINDS {
        let mut world = World::new(7, 20_000);
        let mut matcher = Matcher::new();
        for number in 0..KIND_SIZE {
            insert(&mut matcher, number, &compiled(&mut world, Some(kind)));
        }
        let memory = matcher.memory_bytes();
        println!("{name:>20} {share:>3} % {:>6}  {memory:?}", memory.total() / matcher.len());
    }
}

fn measure(size: usize) {
    let towns = towns_for(size);
    let mut world = World::new(1, towns);
    let filters: Vec<Compiled> = (0..size.min(50_000)).map(|_| compiled(&mut world, None)).collect();
    let mut matcher = Matcher::new();
    for number in filters.len()..size {
        let filter = compiled(&mut world, None);
        insert(&mut matcher, number, &filter);
    }
    let start = Instant::now();
    for (number, filter) in filters.iter().enumerate() {
        insert(&mut matcher, number, filter);
    }
    let inserting = start.elapsed();
    let memory = matcher.memory_bytes();
    let points: Vec<Event> = (0..EVENTS).map(|_| world.event(false)).collect();
    let areas: Vec<Event> = (0..EVENTS).map(|_| world.event(true)).collect();
    let mut scratch = Scratch::default();
    let (point_rate, matches, unprepared) = search_all(&matcher, &points, &mut scratch);
    if std::env::args().any(|argument| argument == "profile") {
        let subjects: Vec<Subject<'_>> = points[..512].iter().map(prepared).collect();
        let mut found = Vec::new();
        for subject in (0..6_000).flat_map(|_| &subjects) {
            matcher.matching(subject, &TenantId::public(), &mut scratch, &mut found);
        }
        return;
    }
    let (area_rate, _, _) = search_all(&matcher, &areas, &mut scratch);
    let (meanwhile, changes) = with_changes(&mut matcher, &points, &filters, &mut scratch);
    println!(
        "{size:>13} {matches:>8.1} {point_rate:>11.0} {area_rate:>11.0} {unprepared:>11.0} {meanwhile:>11.0} {changes:>11.0} {:>11.0} {:>7} {:>11.0}",
        limit(size),
        memory.total() / size,
        filters.len() as f64 / inserting.as_secs_f64(),
    );
    let each = |bytes: usize| bytes / size;
    println!(
        "{:>13} bytes: subscriptions {}, tests {}, keys {}, cells {}, postings {}",
        "",
        each(memory.subscriptions),
        each(memory.tests),
        each(memory.keys),
        each(memory.cells),
        each(memory.postings),
    );
}

/// How many towns make about ten matches an event: a few steps of trying.
fn towns_for(size: usize) -> usize {
    let mut towns = (size / 20).max(1);
    for _ in 0..4 {
        let sample = size.min(200_000);
        let mut world = World::new(1, towns);
        let mut matcher = Matcher::new();
        for number in 0..sample {
            let filter = compiled(&mut world, None);
            insert(&mut matcher, number, &filter);
        }
        let events: Vec<Event> = (0..2_000).map(|_| world.event(false)).collect();
        let (_, matches, _) = search_all(&matcher, &events, &mut Scratch::default());
        let matches = matches * size as f64 / sample as f64;
        towns = (towns as f64 * (matches / MATCHES).powf(0.9)).max(1.0) as usize;
    }
    towns
}

fn compiled(world: &mut World, kind: Option<Kind>) -> Compiled {
    let kind = kind.unwrap_or_else(|| world.kind());
    Compiled::new(&world.filter(kind)).expect("the filter is a good one")
}

fn insert(matcher: &mut Matcher, number: usize, compiled: &Compiled) {
    let id = SubscriptionId::from_bytes((number as u128).to_be_bytes());
    let tenant = TenantId::default_tenant();
    matcher.insert(Entry { id, tenant: &tenant, reads: &[TenantId::public()], compiled });
}

/// Events a second with subjects prepared, matches an event, and events a second with preparing.
///
/// Events are prepared a few at a time, as in the pipeline, so that they are still in the cache.
/// The median of many short times is not moved by what else the machine does.
fn search_all(matcher: &Matcher, events: &[Event], scratch: &mut Scratch) -> (f64, f64, f64) {
    let tenant = TenantId::public();
    let mut found: Vec<SlotId> = Vec::new();
    let mut matches = 0;
    let (mut preparing, mut searching) = (Vec::new(), Vec::new());
    for chunk in events.chunks_exact(CHUNK) {
        let start = Instant::now();
        let subjects: Vec<Subject<'_>> = chunk.iter().map(prepared).collect();
        preparing.push(start.elapsed());
        let start = Instant::now();
        for subject in &subjects {
            matcher.matching(subject, &tenant, scratch, &mut found);
            matches += found.len();
        }
        searching.push(start.elapsed());
    }
    let (preparing, searching) = (median(preparing), median(searching));
    let rate = |time: Duration| CHUNK as f64 / time.as_secs_f64();
    (rate(searching), matches as f64 / (events.len() / CHUNK * CHUNK) as f64, rate(searching + preparing))
}

/// An event with its words and shape worked out.
fn prepared(event: &Event) -> Subject<'_> {
    let subject = Subject::new(event, State::Active);
    for segment in 0..subject.segment_count() {
        black_box((subject.words(segment), subject.geometry(segment)));
    }
    subject
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Events a second while 50,000 subscriptions a second are replaced by others on the same core, and
/// the changes a second that were made: both by the clock, other work of the machine included.
fn with_changes(matcher: &mut Matcher, events: &[Event], filters: &[Compiled], scratch: &mut Scratch) -> (f64, f64) {
    let tenant = TenantId::public();
    let mut found = Vec::new();
    let (mut changes, mut searches, mut spent) = (0, 0, Duration::ZERO);
    for chunk in events.chunks_exact(CHUNK) {
        let subjects: Vec<Subject<'_>> = chunk.iter().map(prepared).collect();
        let start = Instant::now();
        for subject in &subjects {
            matcher.matching(subject, &tenant, scratch, &mut found);
            black_box(&found);
            searches += 1;
            let due = ((spent + start.elapsed()).as_secs_f64() * CHANGES_PER_SECOND) as usize;
            for _ in 0..due.saturating_sub(changes).min(CHANGES_AT_ONCE) {
                // A subscription takes over the filter of another one.
                insert(matcher, changes * 7_919 % filters.len(), &filters[changes * 104_729 % filters.len()]);
                changes += 1;
            }
        }
        spent += start.elapsed();
    }
    let seconds = spent.as_secs_f64();
    (f64::from(searches) / seconds, changes as f64 / seconds)
}

/// What the machine does without a matcher: an event looks up ten strings in a table of all, reads
/// ten subscriptions' places in memory, and writes their numbers down.
fn limit(size: usize) -> f64 {
    let table: std::collections::HashMap<u64, u32, foldhash::fast::RandomState> =
        (0..size as u64).map(|number| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15), number as u32)).collect();
    let places: Vec<[u32; 8]> = (0..size as u32).map(|number| [number; 8]).collect();
    let mut found: Vec<u32> = Vec::new();
    let mut at = 1_u64;
    let mut run = || {
        for _ in 0..CHUNK {
            found.clear();
            for _ in 0..10 {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let key = (at >> 33) % size as u64;
                if let Some(number) = table.get(&key.wrapping_mul(0x9E37_79B9_7F4A_7C15)) {
                    found.push(places[*number as usize][3]);
                }
            }
            black_box(&found);
        }
    };
    let times = (0..EVENTS / CHUNK).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    CHUNK as f64 / median(times.collect()).as_secs_f64()
}
