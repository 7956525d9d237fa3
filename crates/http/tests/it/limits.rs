//! Rate limits, by a clock that is turned by hand. Requests go straight to the service, so that they can
//! come from any address.

mod fields;

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tidings_core::id::TenantId;
use tidings_core::permission::Role;
use tidings_engine::NewKey;
use tidings_http::limits::{Rate, RateLimits};
use tidings_http::{App, Options, router};
use tidings_testkit::World;
use tower::ServiceExt;

use self::fields::{left, policy};
use crate::app::{Answer, QUAKE};

const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";
const LOOK: &str = "GET /v1/me";
const PUBLISH: &str = "POST /v1/events";
const SIGN_IN: &str = "POST /v1/session";

struct Door {
    world: World,
    service: Router,
}

impl Door {
    async fn with(rates: RateLimits) -> Self {
        Self::of(Options { rates, ..Options::default() }).await
    }

    async fn of(options: Options) -> Self {
        let world = World::start().await;
        let service = router(App::new(world.engine.clone(), options));
        Self { world, service }
    }

    async fn key(&self, tenant: &str, user: &str) -> String {
        let tenant: TenantId = tenant.parse().expect("a tenant");
        let user_name = Some(user.parse().expect("a name"));
        let new = NewKey { user_name, ..NewKey::of(tenant, Role::Curator) };
        self.world.engine.create_key(new).await.expect("memory takes it").1.reveal().to_owned()
    }

    async fn ask(&self, from: &str, key: &str, what: &str, body: &str) -> Answer {
        let (method, path) = what.split_once(' ').expect("a method and a path");
        let from: IpAddr = from.parse().expect("an address");
        let mut request = Request::builder().method(method).uri(path).header("x-forwarded-for", "203.0.113.9");
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        request = request.extension(ConnectInfo(SocketAddr::from((from, 4_000))));
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let answer = self.service.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await.expect("a body").to_bytes()).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }

    async fn status(&self, from: &str, key: &str, what: &str) -> u16 {
        self.ask(from, key, what, "").await.status
    }

    fn turn(&self, seconds: i64) {
        self.world.clock.advance_millis(seconds * 1_000);
    }

    fn refusals(&self, limit: &str) -> u64 {
        let mut text = String::new();
        self.world.engine.metrics().write_text(&mut text);
        let name = format!("tidings_rate_limited_total{{limit=\"{limit}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
    }

    /// Asks `quota` times, is refused, and is let in again after `wait` seconds, not a second earlier.
    async fn refuses_and_recovers(&self, asks: (&str, &str, &str), quota: usize, wait: i64, limit: &str) {
        let (from, key, what) = asks;
        for count in 0..quota {
            let status = self.status(from, key, what).await;
            assert!(!matches!(status, 429 | 503), "{limit}: {status} at {count}");
        }
        let refused = self.ask(from, key, what, "").await;
        match limit.starts_with("global") {
            true => refused.is_problem(503, "overloaded"),
            false => refused.is_problem(429, "rate_limited"),
        }
        assert_eq!(refused.header("retry-after"), wait.to_string(), "{limit}");
        assert_eq!((&refused.body["violated-policies"], self.refusals(limit)), (&json!([limit]), 1));
        self.turn(wait - 1);
        assert!(matches!(self.status(from, key, what).await, 429 | 503), "{limit}");
        self.turn(1);
        assert!(!matches!(self.status(from, key, what).await, 429 | 503), "{limit}");
    }
}

fn per_minute(quota: u64) -> Rate {
    Rate::new(quota, 60)
}

#[tokio::test]
async fn requests_of_a_user_a_tenant_an_address_and_all_are_refused_and_recover() {
    let mut rates = RateLimits::default();
    rates.user.requests = per_minute(6);
    let door = Door::with(rates).await;
    let ann = door.key("default", "ann").await;
    door.refuses_and_recovers((HERE, &ann, LOOK), 6, 10, "user-requests").await;

    let mut rates = RateLimits::default();
    rates.tenant.requests = per_minute(6);
    let door = Door::with(rates).await;
    let (ann, bob) = (door.key("default", "ann").await, door.key("default", "bob").await);
    assert_eq!(door.status(HERE, &bob, LOOK).await, 200);
    door.refuses_and_recovers((HERE, &ann, LOOK), 5, 10, "tenant-requests").await;
    assert_eq!(door.status(HERE, &bob, LOOK).await, 429);
    let other = door.key("other", "ann").await;
    assert_eq!(door.status(HERE, &other, LOOK).await, 200);

    let mut rates = RateLimits::default();
    rates.address.requests = per_minute(6);
    let door = Door::with(rates).await;
    door.refuses_and_recovers((HERE, "", LOOK), 6, 10, "address-requests").await;

    let mut rates = RateLimits::default();
    rates.global.requests = per_minute(6);
    let door = Door::with(rates).await;
    let other = door.key("other", "ann").await;
    assert_eq!(door.status(ELSEWHERE, "", LOOK).await, 401);
    door.refuses_and_recovers((HERE, &other, LOOK), 5, 10, "global-requests").await;
}

#[tokio::test]
async fn signing_in_is_slower_than_the_rest_and_right_by_right_address() {
    let mut rates = RateLimits::default();
    rates.address.sign_ins = per_minute(2);
    let door = Door::with(rates).await;
    door.refuses_and_recovers((HERE, "", SIGN_IN), 2, 30, "address-sign-ins").await;
    assert_eq!(door.status(HERE, "", SIGN_IN).await, 429);
    assert_eq!(door.status(HERE, "", LOOK).await, 401);
    assert_eq!(door.status(HERE, "", "DELETE /v1/session").await, 204);
    assert_eq!(door.status(ELSEWHERE, "", SIGN_IN).await, 422);
}

#[tokio::test]
async fn events_and_bytes_are_spent_into_debt_that_the_next_publication_waits_for() {
    let mut rates = RateLimits::default();
    rates.user.events = per_minute(6);
    let door = Door::with(rates).await;
    let ann = door.key("default", "ann").await;
    let eight = format!("[{}]", [QUAKE; 8].join(","));
    let taken = door.ask(HERE, &ann, PUBLISH, &eight).await;
    assert_eq!((taken.status, left(&taken, "user-events")), (202, (0, 80)), "{}", taken.text);
    let refused = door.ask(HERE, &ann, PUBLISH, QUAKE).await;
    refused.is_problem(429, "rate_limited");
    assert_eq!((refused.header("retry-after"), door.refusals("user-events")), ("20", 1));
    assert_eq!(door.status(HERE, &ann, LOOK).await, 200, "reading goes on");
    door.turn(20);
    assert_eq!(door.ask(HERE, &ann, PUBLISH, QUAKE).await.status, 202);

    let mut rates = RateLimits::default();
    rates.user.bytes = per_minute(QUAKE.len() as u64);
    let door = Door::with(rates).await;
    let (ann, bob) = (door.key("default", "ann").await, door.key("default", "bob").await);
    assert_eq!(door.ask(HERE, &ann, PUBLISH, &format!("[{QUAKE},{QUAKE}]")).await.status, 202);
    let refused = door.ask(HERE, &ann, PUBLISH, QUAKE).await;
    refused.is_problem(429, "rate_limited");
    assert_eq!(refused.body["violated-policies"], json!(["user-bytes"]));
    assert_eq!(door.ask(HERE, &bob, PUBLISH, QUAKE).await.status, 202);
    door.turn(refused.header("retry-after").parse().expect("seconds"));
    assert_eq!(door.ask(HERE, &ann, PUBLISH, QUAKE).await.status, 202);
}

#[tokio::test]
async fn bodies_of_strangers_and_events_of_tenants_and_all_are_limited() {
    let mut rates = RateLimits::default();
    rates.address.bytes = per_minute(10);
    rates.tenant.events = per_minute(1);
    rates.global.events = per_minute(2);
    let door = Door::with(rates).await;
    let body = r#"{"key":"tk_no"}"#;
    assert_eq!(door.ask(HERE, "", SIGN_IN, body).await.status, 401);
    let refused = door.ask(HERE, "", SIGN_IN, body).await;
    refused.is_problem(429, "rate_limited");
    assert_eq!(refused.body["violated-policies"], json!(["address-bytes"]));
    assert_eq!(door.ask(ELSEWHERE, "", SIGN_IN, body).await.status, 401);

    let (ann, other) = (door.key("default", "ann").await, door.key("other", "ann").await);
    let two = format!("[{QUAKE},{QUAKE}]");
    assert_eq!(door.ask(HERE, &ann, PUBLISH, &two).await.status, 202);
    assert_eq!(door.ask(HERE, &ann, PUBLISH, QUAKE).await.body["violated-policies"], json!(["tenant-events"]));
    assert_eq!(door.ask(HERE, &other, PUBLISH, &two).await.status, 202);
    door.turn(59);
    let third = door.key("third", "ann").await;
    let refused = door.ask(HERE, &third, PUBLISH, QUAKE).await;
    refused.is_problem(503, "overloaded");
    assert_eq!(refused.body["violated-policies"], json!(["global-events"]));
}

#[tokio::test]
async fn keys_of_one_user_share_and_another_user_does_not_notice() {
    let mut rates = RateLimits::default();
    rates.user.requests = per_minute(10);
    let door = Door::with(rates).await;
    let (desk, phone) = (door.key("default", "ann").await, door.key("default", "ann").await);
    let (bob, namesake) = (door.key("default", "bob").await, door.key("other", "ann").await);
    for _ in 0..5 {
        assert_eq!(door.status(HERE, &desk, LOOK).await, 200);
        assert_eq!(door.status(ELSEWHERE, &phone, LOOK).await, 200);
    }
    for _ in 0..100 {
        assert_eq!(door.status(HERE, &desk, LOOK).await, 429);
    }
    assert_eq!(door.status(ELSEWHERE, &phone, LOOK).await, 429);
    for key in [&bob, &namesake] {
        let answer = door.ask(HERE, key, LOOK, "").await;
        assert_eq!((answer.status, left(&answer, "user-requests")), (200, (9, 6)));
    }
}

#[tokio::test]
async fn wrong_keys_count_against_their_address_and_no_header_changes_it() {
    let mut rates = RateLimits::default();
    rates.address.requests = per_minute(6);
    let door = Door::with(rates).await;
    let ann = door.key("default", "ann").await;
    let wrong = |number: usize| format!("tk_{number}");
    for number in 0..6 {
        assert_eq!(door.status(HERE, &wrong(number), LOOK).await, 401);
    }
    // Each says that it was forwarded for another; see `Door::ask`.
    assert_eq!(door.status(HERE, &wrong(7), LOOK).await, 429);
    assert_eq!(door.status(HERE, "", "GET /v1/ws").await, 429);
    assert_eq!(door.status(HERE, "", "GET /v1/nothing").await, 429);
    assert_eq!(door.status(HERE, "", "GET /").await, 429);
    assert_eq!(door.status(ELSEWHERE, &wrong(8), LOOK).await, 401);
    assert_eq!(door.status(HERE, &ann, LOOK).await, 200, "one who is known is not kept out by a neighbor");
    assert_eq!(door.status("203.0.113.9", "", LOOK).await, 401, "who was named has spent nothing");
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_is_its_clients() {
    let mut rates = RateLimits::default();
    rates.address.requests = per_minute(6);
    let trusted_proxies = vec![HERE.parse().expect("a network")];
    let door = Door::of(Options { rates, trusted_proxies, ..Options::default() }).await;
    // The proxy names 203.0.113.9, see `Door::ask`; whoever is no proxy names it in vain.
    for _ in 0..6 {
        assert_eq!(door.status(HERE, "", LOOK).await, 401);
    }
    assert_eq!(door.status(HERE, "", LOOK).await, 429);
    assert_eq!(door.status("203.0.113.9", "", LOOK).await, 429);
    assert_eq!(door.status(ELSEWHERE, "", LOOK).await, 401);
}

#[tokio::test]
async fn every_answer_says_what_is_left() {
    let mut rates = RateLimits::default();
    rates.user.requests = per_minute(60);
    rates.address.requests = per_minute(60);
    let door = Door::with(rates).await;
    let ann = door.key("default", "ann").await;
    let known = ["GET /v1/me", "GET /v1/events?limit=x", "POST /v1/keys", "GET /v1/events/evt_no", PUBLISH];
    for (count, what) in (1..).zip(known) {
        let answer = door.ask(HERE, &ann, what, "").await;
        assert_eq!(policy(&answer, "user-requests"), (60, 60), "{what}");
        assert_eq!(left(&answer, "user-requests"), (60 - count, count), "{what}: {}", answer.text);
        assert_eq!(answer.header("ratelimit").contains("user-events"), what == PUBLISH, "{what}");
        assert!(!answer.header("ratelimit-policy").contains("global"), "{what}");
    }
    for (count, what) in (1..).zip([LOOK, "GET /v1/nothing", "PATCH /v1/me", "GET /v1/!x", "GET /", SIGN_IN]) {
        let answer = door.ask(HERE, "", what, "").await;
        assert_eq!(policy(&answer, "address-requests"), (60, 60), "{what}");
        assert_eq!(left(&answer, "address-requests"), (60 - count, count), "{what}: {}", answer.text);
    }
    door.turn(3);
    assert_eq!(left(&door.ask(HERE, &ann, LOOK, "").await, "user-requests"), (57, 3));
    door.turn(3_600);
    assert_eq!(left(&door.ask(HERE, &ann, LOOK, "").await, "user-requests"), (59, 1));
}

#[tokio::test]
async fn meta_lists_every_limit() {
    let door = Door::with(RateLimits::default()).await;
    let ann = door.key("default", "ann").await;
    let meta = door.ask(HERE, &ann, "GET /v1/meta", "").await;
    let limits = meta.body["rate_limits"].as_array().expect("a list");
    assert_eq!(limits.len(), 14);
    assert_eq!(limits[6], json!({ "name": "user-requests", "quota": 500_000, "window_seconds": 10 }));
    assert_eq!(limits[11], json!({ "name": "address-sign-ins", "quota": 20, "window_seconds": 60 }));
    assert_eq!(limits[12], json!({ "name": "person-sign-ins", "quota": 30, "window_seconds": 900 }));
    assert_eq!(limits[13], json!({ "name": "address-tokens", "quota": 600, "window_seconds": 60 }));
}

#[tokio::test]
async fn probes_of_the_machine_itself_and_preflights_are_not_counted() {
    let mut rates = RateLimits::default();
    rates.address.requests = per_minute(1);
    let site = "https://app.example";
    let cors_origins = vec![site.parse().expect("an origin")];
    let door = Door::of(Options { rates, cors_origins, ..Options::default() }).await;
    let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4_000)));
    let probe = || Request::get("/livez");
    let preflight =
        || Request::options("/v1/events").header("origin", site).header("access-control-request-method", "POST");
    for _ in 0..10 {
        for (request, expected) in [(probe(), 200), (preflight(), 204)] {
            let request = request.extension(peer).body(Body::empty()).expect("a request");
            let answer = door.service.clone().oneshot(request).await.expect("infallible");
            assert_eq!(answer.status(), expected);
        }
    }
    assert_eq!(door.status("127.0.0.1", "", LOOK).await, 401);
    assert_eq!(door.status("127.0.0.1", "", LOOK).await, 429);
}
