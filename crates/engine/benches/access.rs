//! What it costs a request to be let in: a key, a session and an access token that were shown before, and a token
//! that is new, beside the bare check of a signature.
//!
//! `cargo bench -p tidings-engine --bench access`

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_engine::token::SigningAlgorithm;
use tidings_engine::{Asker, Browser, ClientDraft, Engine, GrantType, NewKey, Parameters, Scopes, TokenRequest};
use tidings_testkit::World;
use tokio::runtime::Builder;

/// Callers at the same time, each with an own credential.
const CALLERS: usize = 1_000;
/// Each number is the middle one of so many runs, of a millisecond or two: short enough that most are not
/// interrupted.
const RUNS: usize = 301;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let world = runtime.block_on(World::start());
    let engine = &world.engine;
    let _entered = runtime.enter();
    let (keys, cookies, tokens) = runtime.block_on(credentials(engine));
    println!("{CALLERS} callers of each kind");
    let mut shown = keys.iter().cycle();
    time("a key that was shown before", 1_000, || by_bearer(engine, shown.next()));
    let mut forever = cookies.iter().cycle();
    time("a session that was shown before", 1_000, || {
        let secret = forever.next().expect("a cycle has no end");
        assert!(at_once(engine.enter(black_box(secret))).expect("memory can be read").is_some());
    });
    let mut shown = tokens.iter().cycle();
    let known = time("a token that was shown before", 1_000, || by_bearer(engine, shown.next()));

    // Each is shown for the first time: as many runs as there are new ones.
    let fresh = runtime.block_on(issue(engine, RUNS * 10));
    let mut shown = fresh.iter();
    let new = time("a token that is new", 10, || by_bearer(engine, shown.next()));
    let pair = Ed25519KeyPair::generate().expect("chance");
    let text = &tokens[0].as_bytes()[..tokens[0].rfind('.').expect("a signature")];
    let signature = pair.sign(text);
    let public = ParsedPublicKey::new(&ED25519, pair.public_key().as_ref()).expect("a key");
    let bare = time("limit: AWS-LC's check of a signature", 40, || {
        public.verify_sig(black_box(text), signature.as_ref()).expect("a good signature");
    });
    println!("new, of the limit: {:.2}; at 99% known {:.0} ns a request", new / bare, 0.99 * known + 0.01 * new);
}

fn by_bearer(engine: &Engine, shown: Option<&String>) {
    let shown = black_box(shown.expect("there are enough"));
    let principal = at_once(engine.authenticate_bearer(shown)).expect("memory can be read");
    assert!(black_box(principal).is_some());
}

/// What comes without waiting, so that no runtime's time is in the numbers.
fn at_once<F: Future>(work: F) -> F::Output {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

async fn credentials(engine: &Arc<Engine>) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (mut keys, mut cookies) = (Vec::new(), Vec::new());
    for _ in 0..CALLERS {
        let new = NewKey::of("acme".parse().expect("a name"), Role::Curator);
        let (_, key) = engine.create_key(new).await.expect("memory takes it");
        let entered = engine.sign_in_with_key(key.reveal(), &Browser::default(), None).await.expect("a key of ours");
        keys.push(key.reveal().clone());
        cookies.push(entered.secret.reveal().clone());
    }
    (keys, cookies, issue(engine, CALLERS).await)
}

/// Access tokens of a client that asks for itself.
async fn issue(engine: &Engine, count: usize) -> Vec<String> {
    let admin = NewKey::of("acme".parse().expect("a name"), Role::Admin);
    let (_, key) = engine.create_key(admin).await.expect("memory takes it");
    let admin: Principal = engine.authenticate(key.reveal()).expect("the key was just made");
    let asker = Asker { principal: &admin, correlation_id: "bench" };
    let draft = ClientDraft {
        name: "Reader".to_owned(),
        is_confidential: true,
        redirect_uris: Vec::new(),
        scopes: Scopes::ALL.of_a_service(),
        grant_types: vec![GrantType::ClientCredentials],
        is_first_party: false,
        role: Some(Role::Curator.into()),
        signed_with: SigningAlgorithm::EdDsa,
    };
    let made = engine.create_client(asker, draft).await.expect("an Admin may");
    let secret = made.secret.expect("it keeps one");
    let form: Parameters = [("grant_type".to_owned(), "client_credentials".to_owned())].into_iter().collect();
    let mut tokens = Vec::new();
    for _ in 0..count {
        let request = TokenRequest { form: &form, basic: Some((made.client.id.to_string(), secret.clone())) };
        let issued = engine.issue_tokens(request).await.expect("the secret is right");
        let issued = serde_json::to_value(issued).expect("plain JSON");
        tokens.push(issued["access_token"].as_str().expect("a text").to_owned());
    }
    tokens
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
