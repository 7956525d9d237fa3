//! Changes that are asked for at the same moment: each is judged by what the one before it has left.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{Answer, TestApp, send};
use crate::browser::{Browser, PASSWORD, first_admin, invited};
use crate::client::PATIENCE;

/// How often each race is run: which of two is faster is not ours to say.
const ROUNDS: usize = 8;

/// Sends some requests at once; their answers in the order of the requests.
async fn at_once(requests: impl IntoIterator<Item = RequestBuilder>) -> Vec<Answer> {
    let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(send(request))).collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.expect("an answer"));
    }
    answers
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

fn id_of(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn with(app: &TestApp, method: Method, path: &str, etag: &str, body: &Value) -> RequestBuilder {
    app.request(method, path).header("if-match", etag).json(body)
}

/// The ids that a list holds.
async fn listed(app: &TestApp, path: &str) -> Vec<String> {
    let list = app.get(path).await;
    let data = list.body["data"].as_array().unwrap_or_else(|| panic!("{}", list.text));
    data.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_deletion_stays_whatever_comes_at_the_same_moment() {
    let app = TestApp::start().await;
    for round in 0..ROUNDS {
        let tenant = format!("/v1/tenants/t{round}");
        app.key_of(&format!("t{round}"), Role::Admin).await;
        let answers = at_once([
            app.request(Method::POST, &format!("{tenant}:suspend")).json(&json!({})),
            with(&app, Method::DELETE, &tenant, "\"0\"", &json!({})),
            app.request(Method::POST, &format!("{tenant}:resume")).json(&json!({})),
            with(&app, Method::PATCH, &tenant, "\"0\"", &json!({ "branding": { "contact": "x@example.org" } })),
        ])
        .await;
        if answers[1].status != 202 {
            assert_eq!(answers[1].status, 412, "{}", answers[1].text);
            let now = app.get(&tenant).await.header("etag").to_owned();
            assert_eq!(send(with(&app, Method::DELETE, &tenant, &now, &json!({}))).await.status, 202);
        }
        let erased = tokio::time::timeout(PATIENCE, async {
            while app.get(&tenant).await.body["state"] != "erased" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        erased.await.expect("it is erased and not served again");
    }
}

#[tokio::test]
async fn of_two_changes_from_the_same_revision_one_is_made() {
    let app = TestApp::start().await;
    let role = json!({ "scopes": ["events:read"] });
    assert_eq!(send(app.request(Method::PUT, "/v1/roles/reader").json(&role)).await.status, 201);
    let wish = id_of(&app.post("/v1/subscriptions", json!({ "filter": {} })).await);
    app.key_of("acme", Role::Admin).await;
    for round in 1..=ROUNDS {
        let etag = format!("\"{round}\"");
        let put = || with(&app, Method::PUT, "/v1/roles/reader", &etag, &role);
        assert_eq!(statuses(&at_once([put(), put(), put()]).await), [200, 412, 412]);
        let name = json!({ "name": "x" });
        let patch = || with(&app, Method::PATCH, &format!("/v1/subscriptions/{wish}"), &etag, &name);
        assert_eq!(statuses(&at_once([patch(), patch(), patch()]).await), [200, 412, 412]);
        let (etag, branding) = (format!("\"{}\"", round - 1), json!({ "branding": { "display_name": "x" } }));
        let patch = || with(&app, Method::PATCH, "/v1/tenants/acme", &etag, &branding);
        assert_eq!(statuses(&at_once([patch(), patch(), patch()]).await), [200, 412, 412]);
    }
}

#[tokio::test]
async fn what_is_deleted_does_not_come_back_by_a_change_of_the_same_moment() {
    let app = TestApp::start().await;
    for round in 0..ROUNDS {
        for (path, body, change, with) in [
            ("/v1/keys", json!({ "role": "viewer" }), ":rotate", json!({})),
            ("/v1/inbound-webhooks", json!({ "name": format!("h{round}"), "kind": "standard" }), ":rotate", json!({})),
            ("/v1/service-accounts", json!({ "name": format!("a{round}"), "role": "viewer" }), ":disable", json!({})),
            ("/v1/subscriptions", json!({ "filter": {} }), "", json!({ "name": "again" })),
        ] {
            let id = id_of(&app.post(path, body).await);
            let method = if change.is_empty() { Method::PATCH } else { Method::POST };
            let change = || app.request(method.clone(), &format!("{path}/{id}{change}")).json(&with);
            let delete = app.request(Method::DELETE, &format!("{path}/{id}"));
            let answers = at_once([change(), delete, change()]).await;
            assert_eq!(answers[1].status, 204, "{path}: {}", answers[1].text);
            for answer in [&answers[0], &answers[2]] {
                assert!([200, 201, 404].contains(&answer.status), "{path}: {}", answer.text);
            }
            assert!(!listed(&app, path).await.contains(&id), "{path}: it is back");
        }
    }
}

#[tokio::test]
async fn no_more_are_made_at_once_than_one_after_another() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Admin).await;
    let quotas = json!({ "quotas": { "subscriptions": 3 } });
    assert_eq!(send(with(&app, Method::PATCH, "/v1/tenants/acme", "\"0\"", &quotas)).await.status, 200);
    let post = |path: &str, body: &Value| app.http.post(app.url(path)).bearer_auth(&key).json(body);
    let made = at_once((0..10).map(|_| post("/v1/subscriptions", &json!({ "filter": {} })))).await;
    assert_eq!(statuses(&made), [201, 201, 201, 429, 429, 429, 429, 429, 429, 429]);
    made.iter().find(|answer| answer.status == 429).expect("one").is_problem(429, "quota_reached");
    for (path, body) in [
        ("/v1/inbound-webhooks", json!({ "name": "one", "kind": "standard" })),
        ("/v1/service-accounts", json!({ "name": "one", "role": "viewer" })),
    ] {
        let made = at_once((0..4).map(|_| post(path, &body))).await;
        assert_eq!(statuses(&made), [201, 409, 409, 409], "{path}");
    }
}

#[tokio::test]
async fn of_two_admins_who_take_each_other_out_one_stays() {
    let app = TestApp::start().await;
    for round in 0..ROUNDS {
        let tenant = format!("t{round}");
        let keys = [app.key_of(&tenant, Role::Admin).await, app.key_of(&tenant, Role::Admin).await];
        let ids = keys.each_ref().map(|key| app.principal(key).credential.key().expect("a key"));
        let revoke = |by: &str, id| app.http.delete(app.url(&format!("/v1/keys/{id}"))).bearer_auth(by);
        let answers = at_once([revoke(&keys[0], ids[1]), revoke(&keys[1], ids[0])]).await;
        let statuses = statuses(&answers);
        assert!(matches!(statuses[..], [204, 401 | 403 | 404]), "{statuses:?}");
        let stay = keys.iter().filter(|key| app.world.engine.authenticate(key).is_some()).count();
        assert_eq!(stay, 1);
    }
}

#[tokio::test]
async fn of_two_people_who_take_each_other_out_one_stays() {
    let app = TestApp::start().await;
    let mut anna = first_admin(&app).await;
    for round in 0..ROUNDS / 2 {
        let email = format!("b{round}@example.org");
        let bela = invited(&app, &anna, &email, "admin").await;
        let mut users = Vec::new();
        for admin in [&anna, &bela] {
            users.push(admin.get("/v1/me").await.body["user"].as_str().expect("an id").to_owned());
        }
        let disable = |by: &Browser, user: &str| {
            by.request(Method::PATCH, &format!("/v1/users/{user}")).json(&json!({ "disabled": true }))
        };
        let answers = at_once([disable(&anna, &users[1]), disable(&bela, &users[0])]).await;
        let statuses = statuses(&answers);
        assert!(matches!(statuses[..], [200, 401 | 403 | 409]), "{} {}", answers[0].text, answers[1].text);
        if answers[1].status == 200 {
            anna = Browser::sign_in(&app, &email, PASSWORD).await;
        }
    }
}
