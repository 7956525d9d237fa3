//! People: the first Admin, invitations, passwords, second factors and sessions.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;
use tidings_core::time::Timestamp;
use totp_rs::{Builder, Secret, Totp};

use crate::app::{TestApp, send};
use crate::browser::{Browser, PASSWORD, first_admin, invited, link_sent, sign_in};
use crate::client::{End, Socket};

async fn redeem(app: &TestApp, body: Value) -> crate::app::Answer {
    send(app.http.post(app.url("/v1/links:redeem")).json(&body)).await
}

#[tokio::test]
async fn the_first_admin_is_made_once_by_a_link_and_without_a_default_password() {
    let app = TestApp::start().await;
    let engine = &app.world.engine;
    let (one, other) =
        (engine.first_admin_link().await.unwrap().unwrap(), engine.first_admin_link().await.unwrap().unwrap());
    for (body, pointer) in [
        (json!({ "link": one.reveal() }), "/email"),
        (json!({ "link": one.reveal(), "email": "x", "password": PASSWORD }), "/email"),
        (json!({ "link": one.reveal(), "email": "anna@example.org" }), "/password"),
        (json!({ "link": one.reveal(), "email": "anna@example.org", "password": "short" }), "/password"),
        (json!({ "link": one.reveal(), "email": "anna@example.org", "password": PASSWORD, "role": "admin" }), "/role"),
    ] {
        let answer = redeem(&app, body).await;
        answer.is_problem(422, "invalid");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    let right = |link: &str| json!({ "link": link, "email": "anna@example.org", "password": PASSWORD });
    let (first, second) = tokio::join!(redeem(&app, right(one.reveal())), redeem(&app, right(other.reveal())));
    let mut answers = [first.status, second.status];
    answers.sort_unstable();
    assert_eq!(answers, [200, 410], "of two links at once one works: {} {}", first.text, second.text);
    redeem(&app, right(one.reveal())).await.is_problem(410, "link_gone");
    assert!(engine.first_admin_link().await.unwrap().is_none());
    let anna = Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
    let me = anna.get("/v1/me").await;
    assert_eq!((me.body["role"].as_str(), me.body["tenant"].as_str()), (Some("admin"), Some("default")), "{}", me.text);
    assert!(me.body["key"].is_null());
}

#[tokio::test]
async fn an_invitation_makes_a_member_with_that_role_and_no_more() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    let again = anna.post("/v1/users", json!({ "email": "anna@example.org", "role": "viewer" })).await;
    again.is_problem(409, "conflict");
    anna.post("/v1/users", json!({ "email": "b@example.org", "role": "king" })).await.is_problem(422, "invalid");
    let bela = invited(&app, &anna, "bela@example.org", "viewer").await;
    assert_eq!(bela.get("/v1/me").await.body["role"], "viewer");
    bela.get("/v1/users").await.is_problem(403, "forbidden");
    bela.post("/v1/users", json!({ "email": "c@example.org", "role": "viewer" })).await.is_problem(403, "forbidden");
    let users = anna.get("/v1/users").await.body;
    let states: Vec<_> = users["data"].as_array().unwrap().iter().map(|user| user["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "active"]);
    // A link works once.
    let link = link_sent(&app, "bela@example.org", "join").await;
    redeem(&app, json!({ "link": link, "password": PASSWORD })).await.is_problem(410, "link_gone");
    // Rights follow at once, and so does their loss, streams included.
    let id = users["data"].as_array().unwrap().iter().find(|user| user["email"] == "bela@example.org").unwrap()["id"]
        .clone();
    let path = format!("/v1/users/{}", id.as_str().unwrap());
    let change = |body: Value| send(anna.request(Method::PATCH, &path).json(&body));
    assert_eq!(change(json!({ "role": "curator" })).await.body["role"], "curator");
    assert_eq!(bela.get("/v1/me").await.body["role"], "curator");
    let origin = format!("http://{}", app.address);
    let mut socket = Socket::open(app.address, &[("cookie", &bela.cookie), ("origin", &origin)]).await.unwrap();
    assert_eq!(change(json!({ "disabled": true })).await.body["state"], "disabled");
    bela.get("/v1/me").await.is_problem(401, "unauthenticated");
    let ended = loop {
        if let Err(end) = socket.hear().await {
            break end;
        }
    };
    assert_eq!(ended, End::Code(4401));
    sign_in(&app, json!({ "email": "bela@example.org", "password": PASSWORD })).await.is_problem(403, "forbidden");
    change(json!({ "disabled": false })).await;
    assert_eq!(bela.get("/v1/me").await.status, 200);
    assert_eq!(anna.delete(&path).await.status, 204);
    bela.get("/v1/me").await.is_problem(401, "unauthenticated");
    anna.get(&path).await.is_problem(404, "not_found");
    // Nobody locks themselves out.
    let own = anna.get("/v1/me").await.body["user"].as_str().unwrap().to_owned();
    anna.delete(&format!("/v1/users/{own}")).await.is_problem(409, "conflict");
}

#[tokio::test]
async fn the_id_of_a_person_does_not_tell_since_when_they_have_an_account() {
    let app = TestApp::start().await;
    let mut beginnings = std::collections::BTreeSet::new();
    for number in 0..8 {
        let body = json!({ "email": format!("b{number}@example.org"), "role": "viewer" });
        let invited = app.post("/v1/users", body).await;
        let id = invited.body["id"].as_str().unwrap_or_else(|| panic!("{}", invited.text)).to_owned();
        beginnings.insert(id[..9].to_owned());
    }
    assert!(beginnings.len() > 4, "made at the same moment, and not alike: {beginnings:?}");
}

#[tokio::test]
async fn one_person_is_in_several_tenants_and_in_one_at_a_time() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    let other = app.key_of("other", Role::Admin).await;
    let as_other = |method, path: &str| app.http.request(method, app.url(path)).bearer_auth(&other);
    // The answer is the same for one who has an account and for one who has none.
    let mut shapes = Vec::new();
    for email in ["anna@example.org", "nobody@example.org"] {
        let made = send(as_other(Method::POST, "/v1/users").json(&json!({ "email": email, "role": "viewer" }))).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let mut shape = made.body.clone();
        shape["id"].take();
        shape["email"].take();
        shapes.push(shape);
    }
    assert_eq!(shapes[0], shapes[1]);
    anna.post("/v1/session:switch", json!({ "tenant": "other" })).await.is_problem(403, "forbidden");
    let link = link_sent(&app, "anna@example.org", "join").await;
    redeem(&app, json!({ "link": link, "password": "not her password" })).await.is_problem(403, "wrong_proof");
    assert_eq!(redeem(&app, json!({ "link": link, "password": PASSWORD })).await.status, 200);
    assert_eq!(anna.get("/v1/me").await.body["tenant"], "default");
    let switched = anna.post("/v1/session:switch", json!({ "tenant": "other" })).await;
    let there = Browser::of(&app, &switched);
    assert_eq!(
        (&there.get("/v1/me").await.body["role"], &switched.body["tenant"]),
        (&json!("viewer"), &json!("other"))
    );
    anna.get("/v1/me").await.is_problem(401, "unauthenticated");
    there.post("/v1/session:switch", json!({ "tenant": "third" })).await.is_problem(403, "forbidden");
    // Changing over makes a session no younger.
    app.world.clock.advance_hours(11);
    let mut at = there;
    for turn in 0..70 {
        let tenant = if turn % 2 == 0 { "default" } else { "other" };
        let switched = at.post("/v1/session:switch", json!({ "tenant": tenant })).await;
        if switched.status == 401 {
            assert!(turn > 60, "{turn}");
            return;
        }
        at = Browser::of(&app, &switched);
        app.world.clock.advance_hours(11);
    }
    panic!("a session that changes over lives for ever");
}

#[tokio::test]
async fn who_has_an_account_shows_neither_by_text_nor_by_time() {
    let app = TestApp::start().await;
    let _anna = first_admin(&app).await;
    let mut took = Vec::new();
    let mut texts = Vec::new();
    for email in ["anna@example.org", "nobody@example.org", "not an address"] {
        let started = std::time::Instant::now();
        for _ in 0..4 {
            let answer = sign_in(&app, json!({ "email": email, "password": "not the password" })).await;
            answer.is_problem(401, "unauthenticated");
            texts.push((answer.body["detail"].clone(), answer.body["title"].clone()));
        }
        took.push(started.elapsed().as_secs_f64());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let (least, most) = (took.iter().copied().fold(f64::MAX, f64::min), took.iter().copied().fold(0.0, f64::max));
    assert!(most < 4.0 * least, "an address without an account took another time: {took:?}");
    let forgot = |email: &str| send(app.http.post(app.url("/v1/password-resets")).json(&json!({ "email": email })));
    let (known, unknown) = (forgot("anna@example.org").await, forgot("nobody@example.org").await);
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    assert_eq!(known.status, 202);
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_a_link_to_a_verified_address_and_ends_every_session() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    let forgot = || send(app.http.post(app.url("/v1/password-resets")).json(&json!({ "email": "ANNA@example.org" })));
    assert_eq!(forgot().await.status, 202);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let all = app.world.mailbox.all();
    assert!(all.iter().all(|it| !it.text.contains("#reset=")), "an address nobody has verified gets no link");
    let verify = link_sent(&app, "anna@example.org", "verify").await;
    redeem(&app, json!({ "link": verify })).await.is_problem(422, "invalid");
    redeem(&app, json!({ "link": verify, "password": "a strangers guess" })).await.is_problem(403, "wrong_proof");
    assert_eq!(redeem(&app, json!({ "link": verify, "password": PASSWORD })).await.body["made"], "email");
    assert_eq!(anna.get("/v1/account").await.body["email_verified"], true);
    forgot().await;
    let link = link_sent(&app, "anna@example.org", "reset").await;
    redeem(&app, json!({ "link": link, "password": "weak" })).await.is_problem(422, "invalid");
    let new = "another plain sentence";
    assert_eq!(redeem(&app, json!({ "link": link, "password": new })).await.status, 200);
    redeem(&app, json!({ "link": link, "password": new })).await.is_problem(410, "link_gone");
    anna.get("/v1/me").await.is_problem(401, "unauthenticated");
    sign_in(&app, json!({ "email": "anna@example.org", "password": PASSWORD }))
        .await
        .is_problem(401, "unauthenticated");
    let anna = Browser::sign_in(&app, "anna@example.org", new).await;
    // A link ends by the clock.
    forgot().await;
    let before = link;
    let link = loop {
        let link = link_sent(&app, "anna@example.org", "reset").await;
        if link != before {
            break link;
        }
    };
    app.world.clock.advance_millis(61 * 60 * 1_000);
    redeem(&app, json!({ "link": link, "password": PASSWORD })).await.is_problem(410, "link_gone");
    // Changing it takes the present one.
    let change = |present: &str| anna.post("/v1/account/password", json!({ "present": present, "password": PASSWORD }));
    change("wrong").await.is_problem(403, "wrong_proof");
    assert_eq!(change(new).await.status, 204);
    anna.get("/v1/me").await.is_problem(401, "unauthenticated");
    Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
}

async fn change_to(person: &Browser<'_>, email: &str) {
    let body = json!({ "email": email, "password": PASSWORD });
    assert_eq!(person.post("/v1/account/email", body).await.status, 202);
}

#[tokio::test]
async fn checks_of_ones_own_password_are_counted_too() {
    let mut options = tidings_http::Options::default();
    options.rates.person_sign_ins = tidings_http::limits::Rate::new(5, 900);
    let app = TestApp::with(options).await;
    let anna = first_admin(&app).await;
    let guess = || anna.post("/v1/account/password", json!({ "present": "a guess", "password": PASSWORD }));
    for _ in 0..5 {
        guess().await.is_problem(403, "wrong_proof");
    }
    guess().await.is_problem(429, "rate_limited");
}

#[tokio::test]
async fn a_body_of_very_many_members_is_answered_shortly() {
    let app = TestApp::start().await;
    let members: Vec<String> = (0..50_000).map(|number| format!("\"m{number}\":0")).collect();
    let request = app.http.post(app.url("/v1/session")).header("content-type", "application/json");
    let answer = send(request.body(format!("{{{}}}", members.join(",")))).await;
    answer.is_problem(422, "invalid");
    assert!(answer.text.len() < 10_000, "{} bytes", answer.text.len());
}

#[tokio::test]
async fn an_address_is_changed_by_its_link_and_only_then() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    let change =
        |email: &str, password: &str| anna.post("/v1/account/email", json!({ "email": email, "password": password }));
    change("new@example.org", "wrong password").await.is_problem(403, "wrong_proof");
    assert_eq!(change("new@example.org", PASSWORD).await.status, 202);
    assert_eq!(anna.get("/v1/account").await.body["email"], "anna@example.org");
    let link = link_sent(&app, "new@example.org", "verify").await;
    assert!(app.world.mailbox.last_to("anna@example.org").await.text.contains("new@example.org"));
    assert_eq!(redeem(&app, json!({ "link": link, "password": PASSWORD })).await.status, 200);
    assert_eq!(anna.get("/v1/account").await.body["email"], "new@example.org");
    // What was asked for before the password changed ends with it.
    change_to(&anna, "other@example.org").await;
    let late = link_sent(&app, "other@example.org", "verify").await;
    let new = json!({ "present": PASSWORD, "password": "another plain sentence" });
    assert_eq!(anna.post("/v1/account/password", new).await.status, 204);
    let late = json!({ "link": late, "password": "another plain sentence" });
    redeem(&app, late).await.is_problem(410, "link_gone");
    let back = json!({ "email": "new@example.org", "password": "another plain sentence" });
    let anna = Browser::of(&app, &sign_in(&app, back).await);
    let back = json!({ "present": "another plain sentence", "password": PASSWORD });
    assert_eq!(anna.post("/v1/account/password", back).await.status, 204);
    sign_in(&app, json!({ "email": "anna@example.org", "password": PASSWORD }))
        .await
        .is_problem(401, "unauthenticated");
    Browser::sign_in(&app, "new@example.org", PASSWORD).await;
}

#[tokio::test]
async fn a_second_factor_is_asked_for_once_confirmed_and_no_code_works_twice() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    // Who found an open session locks nobody out.
    anna.post("/v1/account/second-factor", json!({})).await.is_problem(422, "invalid");
    let begin = |password: &str| anna.post("/v1/account/second-factor", json!({ "password": password }));
    begin("not her password").await.is_problem(403, "wrong_proof");
    let enrollment = begin(PASSWORD).await;
    assert!(
        enrollment.body["address"].as_str().unwrap().starts_with("otpauth://totp/Tidings:anna%40example.org?"),
        "{}",
        enrollment.text
    );
    let secret = Secret::try_from_base32(enrollment.body["secret"].as_str().unwrap()).unwrap();
    let totp = Builder::new().with_secret(secret).with_account_name("a").build().unwrap();
    // Nothing asks for it before it was shown to work.
    Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
    let confirm = |code: &str| anna.post("/v1/account/second-factor:confirm", json!({ "code": code }));
    confirm("000000").await.is_problem(403, "wrong_proof");
    let confirmed = confirm(&code_at(&totp, app.world.engine.clock().now())).await;
    let codes: Vec<String> = serde_json::from_value(confirmed.body["recovery_codes"].clone()).unwrap();
    assert_eq!(codes.len(), 10, "{}", confirmed.text);
    let with = |code: Option<&str>| {
        let mut body = json!({ "email": "anna@example.org", "password": PASSWORD });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        sign_in(&app, body)
    };
    with(None).await.is_problem(401, "code_needed");
    let used = code_at(&totp, app.world.engine.clock().now());
    with(Some(&used)).await.is_problem(401, "unauthenticated");
    app.world.clock.advance_millis(60_000);
    let code = code_at(&totp, app.world.engine.clock().now());
    let (one, other) = tokio::join!(with(Some(&code)), with(Some(&code)));
    let mut answers = [one.status, other.status];
    answers.sort_unstable();
    assert_eq!(answers, [200, 401], "one code, at once from two places");
    assert_eq!(with(Some(&codes[3])).await.status, 200);
    with(Some(&codes[3])).await.is_problem(401, "unauthenticated");
    let anna = Browser::of(&app, &with(Some(&codes[4])).await);
    assert_eq!(anna.get("/v1/account").await.body["recovery_codes_left"], 8);
    let remove =
        |code: &str| anna.post("/v1/account/second-factor:remove", json!({ "password": PASSWORD, "code": code }));
    remove("000000").await.is_problem(403, "wrong_proof");
    assert_eq!(remove(&codes[5]).await.status, 204);
    Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
}

fn code_at(totp: &Totp, now: Timestamp) -> String {
    totp.generate(u64::try_from(now.as_millis() / 1_000).expect("after 1970")).to_string()
}

#[tokio::test]
async fn sessions_are_listed_ended_one_by_one_and_all_at_once() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    let phone = Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
    let bela = invited(&app, &anna, "bela@example.org", "viewer").await;
    let sessions = anna.get("/v1/sessions").await.body;
    let sessions = sessions["data"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|session| session["is_current"] == true).count(), 1);
    let other = sessions.iter().find(|session| session["is_current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/v1/sessions/{other}");
    bela.delete(&path).await.is_problem(404, "not_found");
    assert_eq!(phone.get("/v1/me").await.status, 200);
    assert_eq!(anna.delete(&path).await.status, 204);
    phone.get("/v1/me").await.is_problem(401, "unauthenticated");
    let tablet = Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
    assert_eq!(anna.post("/v1/sessions:end-all", json!({})).await.status, 204);
    for browser in [&anna, &tablet] {
        browser.get("/v1/me").await.is_problem(401, "unauthenticated");
    }
    assert_eq!(bela.get("/v1/me").await.status, 200, "another's session goes on");
}

#[tokio::test]
async fn a_session_is_a_new_one_at_each_sign_in_and_lives_as_long_as_it_is_used() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    // A cookie planted before does not become the session, and the one before ends.
    let credentials = json!({ "email": "anna@example.org", "password": PASSWORD });
    let planted = "tidings_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let opened = send(app.http.post(app.url("/v1/session")).header("cookie", planted).json(&credentials)).await;
    assert!(!opened.header("set-cookie").contains("AAAAAAAA"));
    send(app.http.get(app.url("/v1/me")).header("cookie", planted)).await.is_problem(401, "unauthenticated");
    let again = send(app.http.post(app.url("/v1/session")).header("cookie", &anna.cookie).json(&credentials)).await;
    let anna_now = Browser::of(&app, &again);
    anna.get("/v1/me").await.is_problem(401, "unauthenticated");
    for _ in 0..5 {
        app.world.clock.advance_hours(8);
        assert_eq!(anna_now.get("/v1/me").await.status, 200);
        // That it was used is written beside the answer.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.world.clock.advance_hours(13);
    anna_now.get("/v1/me").await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn guessing_one_persons_password_is_slowed_from_wherever_it_comes() {
    let mut options = tidings_http::Options::default();
    options.rates.address.sign_ins = tidings_http::limits::Rate::new(1_000, 1);
    options.rates.person_sign_ins = tidings_http::limits::Rate::new(5, 900);
    let app = TestApp::with(options).await;
    let _anna = first_admin(&app).await;
    let wrong = || sign_in(&app, json!({ "email": " Anna@example.org", "password": "wrong password" }));
    for _ in 0..4 {
        wrong().await.is_problem(401, "unauthenticated");
    }
    let slowed = wrong().await;
    slowed.is_problem(429, "rate_limited");
    assert!(!slowed.header("retry-after").is_empty());
    let right = json!({ "email": "anna@example.org", "password": PASSWORD });
    sign_in(&app, right.clone()).await.is_problem(429, "rate_limited");
    let unknown = sign_in(&app, json!({ "email": "nobody@example.org", "password": "wrong password" })).await;
    unknown.is_problem(401, "unauthenticated");
    app.world.clock.advance_millis(180_000);
    assert_eq!(sign_in(&app, right).await.status, 200);
}
