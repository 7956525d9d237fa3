//! What a token costs a request: known, and new, beside the bare check of its signature.
//!
//! `cargo bench -p tidings-engine --bench token`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use tidings_core::time::Timestamp;
use tidings_engine::token::{
    AccessToken, KeySet, Kind, Profile, Revocations, Revoked, SigningAlgorithm, SigningKey, TokenCache,
};

const ISSUER: &str = "https://tidings.example";
const AUDIENCE: &str = "https://tidings.example/v1";
/// Tokens in use at the same time.
const TOKENS: usize = 1_000;
/// Each number is the middle one of so many runs, of a millisecond or two: short enough that most are not
/// interrupted.
const RUNS: usize = 301;

fn main() {
    let now = Timestamp::from_millis(1_795_435_200_000);
    let key = SigningKey::generate(SigningAlgorithm::EdDsa).expect("chance");
    let keys = KeySet::of(vec![key.verifying().expect("a key")]).expect("a set");
    let profile = Profile::ours(Kind::Access, ISSUER, AUDIENCE);
    let tokens: Vec<String> = (0..TOKENS).map(|number| issue(&key, number, now)).collect();
    let revocations = Arc::new(Revocations::new(1_000_000, Duration::from_secs(86_400)));
    let cache = TokenCache::new(64 << 20, Arc::clone(&revocations));
    let mut tokens_forever = tokens.iter().cycle();
    let mut next = || tokens_forever.next().expect("a cycle has no end").as_str();
    println!("{} bytes a token, {TOKENS} tokens", tokens[0].len());

    let hash = time("SHA-256 of a token", 2_000, || {
        black_box(digest::digest(&digest::SHA256, next().as_bytes()));
    });
    let verify = |token: &str| {
        black_box(cache.verify(token, &keys, &profile, now).expect("a good token"));
    };
    tokens.iter().for_each(|token| verify(token));
    let known = time("a known token", 2_000, || verify(next()));
    let looked_up = time("a known token after a revocation", 2_000, || {
        revocations.revoke(&Revoked::Token { issuer: ISSUER, id: "other" }, now);
        verify(next());
    });
    let fresh = time("a new token", 40, || {
        black_box(profile.verify(next(), &keys, now).expect("a good token"));
    });
    let text = tokens[0].rsplit_once('.').expect("a signature").0.as_bytes();
    let pair = Ed25519KeyPair::generate().expect("chance");
    let signature = pair.sign(text);
    let public = ParsedPublicKey::new(&ED25519, pair.public_key().as_ref()).expect("a key");
    let bare = time("limit: AWS-LC's check of a signature", 40, || {
        public.verify_sig(text, signature.as_ref()).expect("a good signature");
    });
    let mixed = 0.99 * known + 0.01 * fresh;
    println!("known tokens of {hash:.0} ns for the hash: {:.0} ns more", known - hash);
    println!("looking up again costs with the revocation itself {:.0} ns", looked_up - known);
    println!("new, of the limit: {:.2}; at 99% known {mixed:.0} ns a request", fresh / bare);
}

fn issue(key: &SigningKey, number: usize, now: Timestamp) -> String {
    let asked = AccessToken {
        issuer: ISSUER,
        subject: "usr_01jd8x4k2mqv9w3tzr5ynb7p6c",
        audience: AUDIENCE,
        client: "cli_01jd8x4k2mqv9w3tzr5ynb7p6c",
        id: &format!("tok_01jd8x4k2mqv9w3tzr5yn{number:05}"),
        grant: Some("grt_01jd8x4k2mqv9w3tzr5ynb7p6c"),
        tenant: &"acme".parse().expect("a name"),
        roles: &["curator"],
        scopes: &["events:read", "events:write", "subscriptions:*"],
        lifetime: Duration::from_secs(600),
    };
    asked.issue(key, now).expect("signs")
}

/// Nanoseconds of one round, in the middle of the runs.
fn time(name: &str, rounds: u32, mut work: impl FnMut()) -> f64 {
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds)
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    println!("{name:40} {:9.0} ns (from {:.0})", runs[RUNS / 2], runs[0]);
    runs[RUNS / 2]
}
