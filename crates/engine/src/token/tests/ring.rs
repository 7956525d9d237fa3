//! The overlap of keys, by a hand-turned time.

use super::super::error::{KeyError, TokenError};
use super::super::ring::{KeyRing, Rotation};
use super::*;

const DAY: i64 = 86_400;

fn ring() -> KeyRing {
    let days = |days: u64| Duration::from_secs(days * DAY as u64);
    KeyRing::new(Rotation { period: days(30), ahead: days(2), lifetime_max: Duration::from_secs(600) })
}

fn signer(ring: &KeyRing, at: Timestamp) -> &str {
    ring.signer(SigningAlgorithm::EdDsa, at).expect("a signer").id()
}

#[test]
fn a_key_is_published_before_it_signs_and_verifies_after_it_did() {
    let tenant = TenantId::default_tenant();
    let mut ring = ring();
    assert!(ring.signer(SigningAlgorithm::EdDsa, now()).is_none());
    assert!(ring.needs_key(SigningAlgorithm::EdDsa, now()));
    let (first, second) = (edwards(), edwards());
    let (first_id, second_id) = (first.id().to_owned(), second.id().to_owned());
    assert_eq!(ring.add(first, now()), Ok(now()), "the first signs at once");

    // Two days before its month is over a next one is due, and published, and does not sign.
    assert!(!ring.needs_key(SigningAlgorithm::EdDsa, after(28 * DAY - 1)));
    let due = after(28 * DAY);
    assert!(ring.needs_key(SigningAlgorithm::EdDsa, due));
    let turn = after(30 * DAY);
    assert_eq!(ring.add(second, due), Ok(turn));
    assert!(!ring.needs_key(SigningAlgorithm::EdDsa, due));
    assert_eq!(signer(&ring, due), first_id);
    assert_eq!(ring.jwks(due)["keys"].as_array().map(Vec::len), Some(2));

    // Every token is verified by whoever fetched the set up to two days before, until it expires.
    let set_fetched_before = ring.verifying(due);
    for seconds in -1_000..1_000 {
        let at = turn.plus_millis(seconds * 1_000);
        let key = ring.signer(SigningAlgorithm::EdDsa, at).expect("a signer");
        assert_eq!(key.id(), if seconds < 0 { &first_id } else { &second_id });
        if seconds % 50 == 0 {
            let issued = access_token("tok_1", "usr_1", &tenant).issue(key, at).expect("signs");
            for later in [0, 599, 659] {
                let then = at.plus_millis(later * 1_000);
                assert!(access().verify(&issued, &ring.verifying(then), then).is_ok(), "{seconds} + {later}");
                assert!(access().verify(&issued, &set_fetched_before, then).is_ok(), "{seconds} + {later}");
            }
        }
    }

    // The old key goes when its last token was refused: 600 s, and twice the skew.
    let end = turn.plus_millis(720_000);
    assert_eq!(ring.verifying(end.plus_millis(-1)).keys().len(), 2);
    assert_eq!(ring.verifying(end).keys().len(), 1);
    assert!(ring.forget_retired(end.plus_millis(-1)).is_empty());
    assert_eq!(ring.forget_retired(end), [first_id]);
    assert_eq!(signer(&ring, end), second_id);
}

#[test]
fn a_key_that_is_not_trusted_any_more_is_gone_at_once() {
    let tenant = TenantId::default_tenant();
    let mut ring = ring();
    let ids: Vec<String> = (0..2)
        .map(|_| {
            let key = edwards();
            let id = key.id().to_owned();
            ring.add(key, now()).expect("room");
            id
        })
        .collect();
    let issued = access_token("tok_1", "usr_1", &tenant);
    let issued = issued.issue(ring.signer(SigningAlgorithm::EdDsa, now()).expect("one"), now()).expect("signs");
    assert!(ring.remove(&ids[0], after(1)));
    assert!(!ring.remove(&ids[0], after(1)));
    assert_eq!(signer(&ring, after(1)), ids[1], "the next one signs early");
    assert_eq!(access().verify(&issued, &ring.verifying(after(1)), after(1)), Err(TokenError::UnknownKey));
}

#[test]
fn algorithms_rotate_apart_and_keys_come_once() {
    let mut ring = ring();
    let (edwards, elliptic) = (edwards(), key(SigningAlgorithm::Es256));
    let stored = edwards.to_stored().expect("writes");
    assert_eq!(ring.add(edwards, now()), Ok(now()));
    assert_eq!(ring.add(elliptic, after(5)), Ok(after(5)), "the first of its algorithm");
    assert!(ring.signer(SigningAlgorithm::Es256, now()).is_none());
    assert!(ring.signer(SigningAlgorithm::Es256, after(5)).is_some());
    let again = SigningKey::from_stored(&stored).expect("reads");
    assert_eq!(ring.restore(again, now()), Err(KeyError::DuplicateId));
    assert_eq!(ring.keys().map(|(_, from)| from).collect::<Vec<_>>(), [now(), after(5)]);
    for _ in 0..30 {
        ring.add(key(SigningAlgorithm::EdDsa), now()).expect("room");
    }
    assert_eq!(ring.add(key(SigningAlgorithm::EdDsa), now()), Err(KeyError::TooLarge));
}
