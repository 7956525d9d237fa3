use std::net::Ipv6Addr;

use super::*;

fn narrow() -> RateLimits {
    let mut limits = RateLimits { remembered: 1_600, ..RateLimits::default() };
    limits.address.requests = Rate::new(5, 60);
    limits.address.sign_ins = Rate::new(2, 60);
    limits
}

fn ask(limits: &Limits, address: &str, purpose: Purpose, second: u64) -> Option<TooSoon> {
    let now = Duration::from_secs(second);
    let address = address.parse().expect("an address");
    let standing = limits.standing(Spender::Stranger(Some(address)), purpose, now);
    limits.enter(&standing, now).err()
}

#[test]
fn networks_of_ipv6_share_and_addresses_of_ipv4_do_not() {
    let limits = Limits::new(&narrow());
    for host in 0..5 {
        assert_eq!(ask(&limits, &format!("2001:db8:1:2::{host}"), Purpose::Look, 1), None);
    }
    assert!(ask(&limits, "2001:db8:1:2:ffff::1", Purpose::Look, 1).is_some());
    assert_eq!(ask(&limits, "2001:db8:1:3::1", Purpose::Look, 1), None);
    for _ in 0..5 {
        assert_eq!(ask(&limits, "192.0.2.1", Purpose::Look, 1), None);
    }
    assert!(ask(&limits, "::ffff:192.0.2.1", Purpose::Look, 1).is_some());
    assert_eq!(ask(&limits, "192.0.2.2", Purpose::Look, 1), None);
}

#[test]
fn the_longest_wait_is_told_and_what_is_refused_spends_nothing() {
    let limits = Limits::new(&narrow());
    for _ in 0..2 {
        assert_eq!(ask(&limits, "192.0.2.1", Purpose::SignIn, 1), None);
    }
    for _ in 0..10 {
        let refused = ask(&limits, "192.0.2.1", Purpose::SignIn, 1).expect("too many");
        assert_eq!((refused.limit, refused.wait), ("address-sign-ins", Duration::from_secs(30)));
    }
    for _ in 0..3 {
        assert_eq!(ask(&limits, "192.0.2.1", Purpose::Look, 1), None);
    }
    let refused = ask(&limits, "192.0.2.1", Purpose::Look, 1).expect("too many");
    assert_eq!((refused.limit, refused.wait), ("address-requests", Duration::from_secs(12)));
    assert_eq!(ask(&limits, "192.0.2.1", Purpose::Look, 13), None);
    assert!(ask(&limits, "192.0.2.1", Purpose::SignIn, 30).is_some());
    assert_eq!(ask(&limits, "192.0.2.1", Purpose::SignIn, 31), None);
}

#[test]
fn a_flood_of_addresses_is_remembered_only_so_far_and_frees_no_one() {
    let limits = Limits::new(&narrow());
    for _ in 0..5 {
        assert_eq!(ask(&limits, "192.0.2.1", Purpose::Look, 1), None);
    }
    for number in 0..100_000_u128 {
        let network = Ipv6Addr::from((0x2001_0db8_u128 << 96) | (number << 64));
        assert_eq!(ask(&limits, &network.to_string(), Purpose::Look, 1), None);
        assert!(number % 1_000 != 0 || limits.addresses.len() <= 1_600);
    }
    assert!(ask(&limits, "192.0.2.1", Purpose::Look, 1).is_some());
}

#[test]
fn two_at_the_same_moment_never_free_a_third() {
    let mut options = narrow();
    options.address.requests = Rate::new(1_000, 60);
    let limits = Limits::new(&options);
    let entered = || (0..1_000).filter(|_| ask(&limits, "192.0.2.1", Purpose::Look, 1).is_none()).count();
    let total = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(entered)).collect();
        asking.into_iter().map(|thread| thread.join().expect("no panic")).sum::<usize>()
    });
    // Each of the other three may have been between asking and spending.
    assert!((1_000..=1_003).contains(&total), "{total}");
}
