//! What holding a request against its limits costs, beside finding out who asks.
//!
//! `cargo bench -p tidings-http --bench limits`

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use tidings_core::permission::Role;
use tidings_core::port::Clock;
use tidings_core::principal::Principal;
use tidings_engine::NewKey;
use tidings_http::limits::{Limits, Purpose, Rate, RateLimits, Rates, Spender};
use tidings_testkit::World;

/// Users of the known, in tenants of ten.
const USERS: u32 = 10_000;
/// Each number is the middle one of so many runs, of a millisecond or two: short enough that most are
/// not interrupted.
const RUNS: usize = 301;
const ROUNDS: u32 = 2_000;

/// The monotonic clock as the adapters read it.
#[derive(Debug)]
struct Monotonic(Instant);

impl Clock for Monotonic {
    fn now(&self) -> tidings_core::time::Timestamp {
        tidings_core::time::Timestamp::from_millis(0)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let world = World::start().await;
    let new = NewKey::of("acme".parse().expect("a name"), Role::Curator);
    let (_, secret) = world.engine.create_key(new).await.expect("memory takes it");
    let first = world.engine.authenticate(secret.reveal()).expect("a key");
    let principals: Vec<Principal> = (0..USERS).map(|number| other(&first, number)).collect();
    let clock = Monotonic(Instant::now());
    let limits = Limits::new(&wide());

    let mut asking = principals.iter().cycle();
    let mut next = || asking.next().expect("a cycle has no end");
    println!("{USERS} users in {} tenants; the clock's reading is in every number", USERS / 10);
    time("limit: a key is looked up", || {
        black_box(world.engine.authenticate(black_box(secret.reveal())));
    });
    time("limit: the clock is read", || {
        black_box(clock.elapsed());
    });
    for (name, purpose) in [("look", Purpose::Look), ("publish", Purpose::Publish)] {
        time(&format!("a decision, {name}, one user"), || {
            let now = clock.elapsed();
            let standing = limits.standing(Spender::from(&first), purpose, now);
            black_box(limits.enter(&standing, now)).expect("more is allowed than can be asked");
        });
        time(&format!("a decision, {name}, {USERS} users"), || {
            let now = clock.elapsed();
            let standing = limits.standing(Spender::from(next()), purpose, now);
            black_box(limits.enter(&standing, now)).expect("more is allowed than can be asked");
        });
        let standing = limits.standing(Spender::from(&first), purpose, clock.elapsed());
        time(&format!("the answer's two fields, {name}"), || {
            let now = clock.elapsed();
            black_box((limits.policy_field(&standing), limits.rate_field(&standing, now)));
        });
    }
    let standing = limits.standing(Spender::from(&first), Purpose::Publish, clock.elapsed());
    time("bytes and events are spent", || {
        limits.spend_bytes(&standing, black_box(100), clock.elapsed());
        limits.spend_events(&standing, black_box(1), clock.elapsed());
    });
    let mut address = 0_u32;
    time("a flood: each request of a new address", || {
        address = address.wrapping_add(1);
        let now = clock.elapsed();
        let from = IpAddr::V4(Ipv4Addr::from_bits(address));
        let standing = limits.standing(Spender::Stranger(Some(from)), Purpose::Look, now);
        black_box(limits.enter(&standing, now)).expect("all are new");
    });
    let mut narrow = RateLimits::default();
    narrow.address.requests = Rate::new(1, 60);
    let limits = Limits::new(&narrow);
    time("a stranger is refused", || {
        let now = clock.elapsed();
        let standing = limits.standing(Spender::Stranger(None), Purpose::Look, now);
        let _refused = black_box(limits.enter(&standing, now));
    });
}

/// The defaults, but for requests, of which this bench makes more than they allow.
fn wide() -> RateLimits {
    let requests = Rate::new(1_000_000_000, 1);
    let default = RateLimits::default();
    RateLimits {
        global: Rates { requests, ..default.global },
        tenant: Rates { requests, ..default.tenant },
        user: Rates { requests, ..default.user },
        ..default
    }
}

fn other(first: &Principal, number: u32) -> Principal {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    let tenant = format!("tenant-{}", number / 10).parse().expect("a name");
    Principal { tenant, user: tidings_core::id::UserId::from_bytes(bytes), ..first.clone() }
}

/// Nanoseconds of one round, in the middle of the runs.
fn time(name: &str, mut work: impl FnMut()) {
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            (0..ROUNDS).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    println!("{name:40} {:9.0} ns (from {:.0})", runs[RUNS / 2], runs[0]);
}
