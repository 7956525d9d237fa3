//! Every operation of the document by every role, from its own tenant and from another one, beside the
//! table in docs/reference/permissions.md. `UPDATE_GOLDEN=1` writes the table anew.

use std::fmt::Write as _;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{Answer, TestApp, send};

const HEAD: &str = "\
# Permissions

Who may use which operation. A test walks every operation of the OpenAPI document with each of these callers and
compares; `UPDATE_GOLDEN=1 cargo test -p tidings-http --test it permissions` writes the page anew after a change.

The three roles are bundles of scopes, and a tenant makes further ones for itself (`PUT /v1/roles/{name}`): a list of
scopes, and if need be a filter of the events that it sees and one of those that it may publish. A key may hold fewer
scopes than its role. `tenants:*`, `system:read` and the keys of other tenants belong to the operator alone: whoever
holds a key of the tenant `default`. Everyone of a tenant that is suspended or deleted gets 403 from all of them.

| Scope | Admin | Curator | Viewer |
|---|---|---|---|
";

const TABLE: &str = "
*yes*: may use it. *no*: 403 with the missing scope in `WWW-Authenticate`. *unknown*: 401. *open*: needs no key.
*signed*: a signature with the webhook's own secret lets in, and no key does.
*not found*: an Admin of another tenant who knows the id gets 404, as if there were no such thing; *own*: the operation
names nothing of others, and shows or changes what is the caller's own.

| Operation | Needs | Admin | Curator | Viewer | no key | Admin of another tenant |
|---|---|---|---|---|---|---|
";

/// One of each thing that has an id, made by the Admin of the tenant `default`.
struct Things {
    event: String,
    subscription: String,
    key: String,
    webhook: String,
    account: String,
    letter: String,
    user: String,
    client: String,
}

impl Things {
    async fn make(app: &TestApp) -> Self {
        let event = app.publish_one(json!({ "id": "x", "title": "one" })).await;
        let subscription = app.subscribe(json!({ "category": "flood" })).await;
        let key = app.post("/v1/keys", json!({ "role": "viewer" })).await;
        let account = app.post("/v1/service-accounts", json!({ "name": "scanner", "role": "viewer" })).await;
        let webhook = app.post("/v1/inbound-webhooks", json!({ "name": "desk", "kind": "standard" })).await;
        let refused = app.publish("application/json", r#"{"title":"bad","lat":99,"lon":0}"#).await;
        let put = app.request(Method::PUT, "/v1/roles/reader").json(&json!({ "scopes": ["events:read"] }));
        assert_eq!(send(put).await.status, 201);
        assert_eq!(app.post("/v1/tenants", json!({ "id": "spare" })).await.status, 201);
        let user = app.post("/v1/users", json!({ "email": "a@example.org", "role": "viewer" })).await;
        let client = json!({ "name": "x", "scopes": ["openid"], "redirect_uris": ["https://app.example.org/cb"] });
        let client = app.post("/v1/oauth/clients", client).await;
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        Self {
            event,
            subscription: text(&subscription["id"]),
            key: text(&key.body["id"]),
            webhook: text(&webhook.body["id"]),
            account: text(&account.body["id"]),
            letter: text(&refused.body["results"][0]["dead_letter_id"]),
            user: text(&user.body["id"]),
            client: text(&client.body["id"]),
        }
    }

    /// A documented path with the id of a thing that is there.
    fn real(&self, path: &str) -> String {
        let id = match path.split('/').nth(2).unwrap_or_default() {
            "events" => &self.event,
            "subscriptions" => &self.subscription,
            "keys" => &self.key,
            "inbound-webhooks" | "hooks" => &self.webhook,
            "service-accounts" => &self.account,
            "dead-letters" => &self.letter,
            "users" => &self.user,
            "oauth" => &self.client,
            "tenants" => "spare",
            _ => "reader",
        };
        let query =
            if path.ends_with("/explain") { format!("?subscription={}", self.subscription) } else { String::new() };
        path.replace("{id}", id).replace("{name}", "reader") + &query
    }
}

async fn ask(app: &TestApp, method: &Method, path: &str, key: Option<&str>) -> Answer {
    // As from another machine: on this one some operations need no key.
    let request = app.http.request(method.clone(), app.url(path)).header("x-forwarded-for", "203.0.113.5");
    let request = request.header("content-type", "application/json").header("if-match", "\"7\"").body("{}");
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    if path.starts_with("/v1/stream") {
        // It goes on for good; its head says enough.
        let response = request.send().await.expect("an answer");
        return Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: String::new(),
            body: Value::Null,
        };
    }
    send(request).await
}

/// What a role's answer means.
fn may(answer: &Answer, scope: Option<&str>, is_open: bool, at: &str) -> &'static str {
    if answer.status != 403 {
        assert!(is_open || answer.status != 401, "{at}: {}", answer.text);
        return "yes";
    }
    let scope = scope.unwrap_or_else(|| panic!("{at} is forbidden and names no scope: {}", answer.text));
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{at}: {challenge}");
    "no"
}

#[tokio::test]
async fn every_operation_by_every_role_is_as_the_page_says() {
    let app = TestApp::start().await;
    let things = Things::make(&app).await;
    let stranger = app.key_of("other", Role::Admin).await;
    let document = app.get("/openapi.json").await.body;
    let mut page = HEAD.to_owned();
    for permission in tidings_core::permission::Permission::ALL {
        let held = Role::ALL.map(|role| if role.permissions().hold(permission) { "yes" } else { "no" });
        writeln!(page, "| `{}` | {} |", permission.as_str(), held.join(" | ")).expect("memory takes it");
    }
    page.push_str(TABLE);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let at = format!("{method} {path}");
            let scope = operation["x-scope"].as_str();
            let is_open = operation["security"] == json!([]);
            let real = things.real(path);
            if operation["security"] == json!([{ "signature": [] }]) {
                for key in [None, Some(&app.admin), Some(&app.curator), Some(&app.viewer), Some(&stranger)] {
                    let answer = ask(&app, &method, &real, key.map(String::as_str)).await;
                    assert_eq!(answer.status, 401, "{at} lets in without a signature: {}", answer.text);
                }
                let columns = ["signed"; 5].join(" | ");
                writeln!(page, "| `{at}` | a signature | {columns} |").expect("memory takes it");
                continue;
            }
            let none = ask(&app, &method, &real, None).await.status;
            let without = match none {
                401 if !is_open => "unknown",
                _ if is_open => "open",
                426 => "later", // a socket says who it is in its first frame
                other => panic!("{at} without a key: {other}"),
            };
            let mut row = Vec::new();
            for key in [&app.curator, &app.viewer] {
                row.push(may(&ask(&app, &method, &real, Some(key)).await, scope, is_open, &at));
            }
            let other = ask(&app, &method, &real, Some(&stranger)).await;
            let names_a_thing = path.contains('{') && !path.starts_with("/v1/roles");
            let elsewhere = match other.status {
                404 if names_a_thing => "not found",
                _ if is_open => "open",
                403 => "no",
                status if names_a_thing => panic!("{at} shows a stranger {status}: {}", other.text),
                _ => "own",
            };
            // Last, and on things that are not there: the Admin would take away what the others ask for.
            let unreal = path.replace("{id}", "evt_00000000000000000000000000").replace("{name}", "nobody");
            let admin = may(&ask(&app, &method, &unreal, Some(&app.admin)).await, scope, is_open, &at);
            let scope =
                scope.map_or_else(|| if is_open { "nothing" } else { "a key" }.to_owned(), |it| format!("`{it}`"));
            let [curator, viewer] = row[..] else { unreachable!("two roles") };
            writeln!(page, "| `{at}` | {scope} | {admin} | {curator} | {viewer} | {without} | {elsewhere} |")
                .expect("memory takes it");
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/permissions.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &page).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(&file).expect("the page is there");
    assert_eq!(page, kept, "docs/reference/permissions.md says otherwise");
}
