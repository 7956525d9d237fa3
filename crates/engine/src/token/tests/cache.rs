//! Remembered tokens, and their end.

use std::sync::Arc;

use super::super::cache::TokenCache;
use super::super::error::TokenError;
use super::super::revoked::{Revocations, Revoked};
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

struct Fixture {
    cache: TokenCache,
    revocations: Arc<Revocations>,
    key: SigningKey,
    keys: KeySet,
}

fn fixture(entries_max: usize) -> Fixture {
    let revocations = Arc::new(Revocations::new(entries_max, DAY));
    let cache = TokenCache::new(1 << 20, Arc::clone(&revocations));
    let key = edwards();
    let keys = keys_of(&[&key]);
    Fixture { cache, revocations, key, keys }
}

impl Fixture {
    fn issue(&self, id: &str, subject: &str, at: Timestamp) -> String {
        let tenant = TenantId::default_tenant();
        access_token(id, subject, &tenant).issue(&self.key, at).expect("signs")
    }

    fn verify(&self, token: &str, at: Timestamp) -> Result<(), TokenError> {
        self.cache.verify(token, &self.keys, &access(), at).map(drop)
    }

    /// True where it is taken though no key is there any more: it came from memory.
    fn remembers(&self, token: &str, at: Timestamp) -> bool {
        self.cache.verify(token, &KeySet::default(), &access(), at).is_ok()
    }
}

#[test]
fn a_known_token_needs_no_key_until_it_expires() {
    let it = fixture(10);
    let token = it.issue("tok_1", "usr_1", now());
    assert!(!it.remembers(&token, now()));
    assert_eq!(it.verify(&token, now()), Ok(()));
    assert!(it.remembers(&token, now()));
    assert!(it.remembers(&token, after(600).plus_millis(-1)));
    assert!(!it.remembers(&token, after(600)), "the skew is not for memory");
    assert_eq!(it.verify(&token, after(659)), Ok(()), "within the skew it is verified anew");
    assert!(it.cache.is_empty());
    assert_eq!(it.verify(&token, after(660)), Err(TokenError::Expired));
}

#[test]
fn a_token_is_remembered_for_its_profile_only() {
    let it = fixture(10);
    let token = it.issue("tok_1", "usr_1", now());
    assert_eq!(it.verify(&token, now()), Ok(()));
    for other in [
        Profile::ours(Kind::Access, ISSUER, "https://other.example"),
        Profile::ours(Kind::Access, "https://other.example", AUDIENCE),
        Profile::ours(Kind::Id, ISSUER, AUDIENCE),
        Profile::foreign(Kind::Access, ISSUER, AUDIENCE),
        access().with_nonce("n"),
        access().with_lifetime_max(Duration::from_secs(1)),
    ] {
        assert_eq!(it.verify(&token, now()), Ok(()));
        assert!(it.cache.verify(&token, &KeySet::default(), &other, now()).is_err(), "{other:?}");
    }
}

fn check_revoked(what: impl Fn(&Fixture) -> Revoked<'_>, reaches_everyone: bool) {
    let it = fixture(10);
    let token = it.issue("tok_1", "usr_1", now());
    let claims = it.cache.verify(&token, &it.keys, &access(), now()).expect("good");
    assert!(!it.revocations.is_revoked(&claims));
    let what = what(&it);
    it.revocations.revoke(&what, now());
    assert!(it.revocations.is_revoked(&claims));
    assert!(!it.remembers(&token, now()), "{what:?}");
    assert_eq!(it.verify(&token, now()), Err(TokenError::Revoked), "{what:?}");
    assert_eq!(it.verify(&token, after(659)), Err(TokenError::Revoked), "{what:?}");
    let mut other = claims_with("jti", "tok_2".into());
    (other["sub"], other["grant"]) = ("usr_2".into(), "grt_2".into());
    let other = super::token(&it.key, &header(&it.key), &other);
    let expected = if reaches_everyone { Err(TokenError::Revoked) } else { Ok(()) };
    assert_eq!(it.verify(&other, now()), expected, "{what:?}");
}

#[test]
fn what_is_revoked_is_refused_at_once_from_memory_and_anew() {
    let issuer = ISSUER;
    check_revoked(|_| Revoked::Token { issuer, id: "tok_1" }, false);
    check_revoked(|_| Revoked::Grant { issuer, grant: "grt_1" }, false);
    check_revoked(|_| Revoked::User { issuer, subject: "usr_1", issued_until: now() }, false);
    check_revoked(|it| Revoked::Key { thumbprint: it.key.id() }, true);
}

#[test]
fn a_user_who_signs_in_again_gets_in() {
    let it = fixture(10);
    let (old, new) = (it.issue("tok_1", "usr_1", now()), it.issue("tok_2", "usr_1", after(1)));
    assert_eq!((it.verify(&old, after(1)), it.verify(&new, after(1))), (Ok(()), Ok(())));
    let user = Revoked::User { issuer: ISSUER, subject: "usr_1", issued_until: now().plus_millis(500) };
    it.revocations.revoke(&user, after(1));
    assert_eq!(it.verify(&old, after(1)), Err(TokenError::Revoked));
    assert!(it.remembers(&new, after(1)), "looked up once more, and still in memory");
    // An earlier instant does not bring the first one back.
    let earlier = Revoked::User { issuer: ISSUER, subject: "usr_1", issued_until: after(-100) };
    it.revocations.revoke(&earlier, after(1));
    assert_eq!(it.verify(&old, after(1)), Err(TokenError::Revoked));
}

#[test]
fn a_revocation_lasts_as_long_as_a_token_could() {
    let it = fixture(10);
    it.revocations.revoke(&Revoked::Token { issuer: ISSUER, id: "tok_1" }, now());
    it.revocations.revoke(&Revoked::Key { thumbprint: "other" }, now());
    it.revocations.forget_expired(after(86_400 + 119));
    assert_eq!(it.revocations.len(), 2);
    it.revocations.forget_expired(after(86_400 + 120));
    assert_eq!(it.revocations.len(), 1, "a key stays revoked");
}

#[test]
fn more_revocations_than_fit_refuse_everyone_and_lose_none() {
    let it = fixture(3);
    let token = it.issue("tok_0", "usr_1", now());
    assert_eq!(it.verify(&token, now()), Ok(()));
    for id in ["tok_1", "tok_2", "tok_3"] {
        it.revocations.revoke(&Revoked::Token { issuer: ISSUER, id }, now());
    }
    assert_eq!(it.verify(&token, now()), Ok(()), "three fit");
    it.revocations.revoke(&Revoked::Token { issuer: ISSUER, id: "tok_4" }, now());
    for id in ["tok_0", "tok_1", "tok_4"] {
        assert_eq!(it.verify(&it.issue(id, "usr_1", now()), now()), Err(TokenError::Revoked), "{id}");
    }
    assert_eq!(it.verify(&it.issue("tok_5", "usr_1", after(61)), after(61)), Ok(()));
    assert!(it.revocations.len() <= 3);
}

#[test]
fn forgetting_all_ends_what_was_remembered() {
    let it = fixture(10);
    let token = it.issue("tok_1", "usr_1", now());
    assert_eq!(it.verify(&token, now()), Ok(()));
    it.cache.forget_all();
    assert!(!it.remembers(&token, now()));
    assert_eq!(it.verify(&token, now()), Ok(()));
    assert!(it.remembers(&token, now()));
}

#[test]
fn memory_is_bounded_and_bad_tokens_take_none() {
    let it = Fixture { cache: TokenCache::new(64 * 1_024, Arc::new(Revocations::new(10, DAY))), ..fixture(10) };
    for number in 0..500 {
        assert_eq!(it.verify(&it.issue(&format!("tok_{number}"), "usr_1", now()), now()), Ok(()));
    }
    assert!((10..64).contains(&it.cache.len()), "{}", it.cache.len());
    let before = it.cache.len();
    let stranger = edwards();
    for number in 0..500 {
        let token = super::token(&stranger, &header(&it.key), &claims_with("jti", number.to_string().into()));
        assert_eq!(it.verify(&token, now()), Err(TokenError::Signature));
    }
    assert_eq!(it.cache.len(), before);
}

#[test]
fn a_revocation_holds_for_every_thread_once_it_returns() {
    let it = fixture(1_000);
    let tokens: Vec<String> = (0..64).map(|number| it.issue(&format!("tok_{number}"), "usr_1", now())).collect();
    let revoked = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let before = revoked.load(std::sync::atomic::Ordering::SeqCst);
                    for (number, token) in tokens.iter().enumerate() {
                        let is_good = it.verify(token, now()).is_ok();
                        assert!(!(is_good && number < before), "{number} of {before}");
                    }
                }
            });
        }
        for number in 0..tokens.len() {
            it.revocations.revoke(&Revoked::Token { issuer: ISSUER, id: &format!("tok_{number}") }, now());
            revoked.store(number + 1, std::sync::atomic::Ordering::SeqCst);
            std::thread::yield_now();
        }
    });
    assert!(tokens.iter().all(|token| it.verify(token, now()) == Err(TokenError::Revoked)));
}
