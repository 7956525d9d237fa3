//! How fast messages are read, each beside what one would write without us.
//!
//! `cargo bench -p tidings-core --bench decode -- [--ours] [FILE…]`; files named are measured too,
//! and with `--ours` nothing else runs, for a profile.

mod samples;
mod serde_cap;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidings_core::decode::decode;
use tidings_core::envelope::{Coordinate, Envelope, Limits};
use tidings_core::id::TenantId;
use tidings_core::principal::{Authority, Issuers};
use tidings_core::time::Timestamp;

/// As in the binary, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A round is shorter than a scheduler's slice, so that the best of many is one that nobody broke.
const ROUND: Duration = Duration::from_micros(800);
const ROUNDS: usize = 400;

fn main() {
    println!("{:44} {:>9} {:>10} {:>10} {:>6} {:>8}", "cap", "bytes", "ours us", "serde us", "times", "ours/s");
    let own = samples::all().into_iter().map(|(name, text)| (name.to_owned(), text));
    let files = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let recorded = files.map(|file| {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        (file.rsplit('/').next().unwrap_or_default().to_owned(), text)
    });
    if std::env::args().any(|argument| argument == "--ours") {
        for (name, text) in recorded {
            println!(
                "{name:44} {:>9} {:>10.2}",
                text.len(),
                best_us(|| decode(&[envelope(&text)], &Limits::default()))
            );
        }
        return;
    }
    for (name, text) in own.chain(recorded) {
        compare(&name, text);
    }
}

fn compare(name: &str, text: String) {
    let batch = [envelope(&text)];
    let limits = Limits::default();
    assert!(decode(&batch, &limits).items().iter().all(|item| item.fate.is_ok()), "{name} is accepted");
    assert!(serde_cap::read(&text).is_ok(), "{name} is accepted by the peer");
    let ours = best_us(|| decode(&batch, &limits));
    let peer = best_us(|| serde_cap::read(&text));
    let name: String = name.chars().take(44).collect();
    println!("{name:44} {:>9} {ours:>10.2} {peer:>10.2} {:>6.2} {:>8.0}", text.len(), peer / ours, 1e6 / ours);
}

/// The best of many short rounds, in microseconds a call.
fn best_us<T>(mut read: impl FnMut() -> T) -> f64 {
    let mut timed = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(read());
        }
        start.elapsed() / calls
    };
    let once = (0..5).map(|_| timed(1)).min().unwrap_or_default();
    let calls = (ROUND.as_nanos() / once.as_nanos().max(1)).clamp(1, 10_000) as u32;
    let rounds = if once > ROUND { ROUNDS / 8 } else { ROUNDS };
    let best = (0..rounds).map(|_| timed(calls)).min().unwrap_or_default();
    best.as_nanos() as f64 / 1e3
}

fn envelope(text: &str) -> Envelope {
    Envelope {
        bytes: Bytes::copy_from_slice(text.as_bytes()),
        media_type: Some("application/cap+xml".to_owned()),
        headers: Vec::new(),
        source: "bench".to_owned(),
        tenant: TenantId::public(),
        authority: Authority {
            namespace: "bench".to_owned(),
            issuers: Issuers::All,
            may_publish: true,
            says_only: None,
        },
        coordinate: Coordinate::Document,
        first_item: 0,
        received: Timestamp::from_millis(1_767_225_600_000),
        correlation_id: "bench".to_owned(),
    }
}
