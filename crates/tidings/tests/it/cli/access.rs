//! Those who ask without being people.

use super::*;

#[test]
fn a_webhook_is_made_given_another_secret_and_deleted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let _server = started(data);
    let read = |text: String| serde_json::from_str::<Value>(&text).expect("JSON");
    let made = read(good(data, &["webhook", "create", "desk", "--kind", "standard", "--issuer", "usgs"]));
    let id = made["id"].as_str().expect("an id");
    let secret = made["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_") && made["path"] == format!("/v1/hooks/{id}"), "{made}");
    let rotated = read(good(data, &["webhook", "rotate", id, "--overlap", "1h"]));
    assert!(rotated["secret"] != made["secret"] && rotated["old_secret_ends"].is_string(), "{rotated}");
    let create = ["webhook", "create", "ci", "--kind", "github", "--secret-file", "-"];
    assert_eq!(run_with(data, &create, "short").status.code(), Some(2));
    let given = run_with(data, &create, "It's a Secret to Everybody\n");
    assert!(given.status.success() && !stdout(&given).contains("Everybody"), "{}", stderr(&given));
    assert_eq!(run_with(data, &create, "It's a Secret to Everybody").status.code(), Some(5), "the name is taken");
    let listed = good(data, &["webhook", "list", "--json"]);
    assert!(!listed.contains("whsec_") && listed.contains("\"ci\""), "{listed}");
    good(data, &["webhook", "delete", id]);
    assert_eq!(run(data, &["webhook", "get", id]).status.code(), Some(3));
}

#[test]
fn a_service_account_holds_keys_until_it_is_disabled_or_deleted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let server = started(data);
    let create = ["service-account", "create", "scanner", "--role", "curator", "--description", "Scans"];
    let made: Value = serde_json::from_str(&good(data, &create)).expect("JSON");
    let id = made["id"].as_str().expect("an id");
    let key = good(data, &["key", "create", "--service-account", id]);
    let asks = || run(data, &["--key", key.trim(), "subscription", "list"]).status.code();
    assert_eq!(asks(), Some(0));
    good(data, &["service-account", "disable", id]);
    assert_eq!(asks(), Some(4));
    good(data, &["service-account", "enable", id]);
    assert_eq!(asks(), Some(0));
    // A stop stores when keys were last used.
    server.stop(std::time::Duration::from_secs(30));
    let _server = started(data);
    let keys: Value = serde_json::from_str(&good(data, &["key", "list", "--json"])).expect("JSON");
    let of_account = |it: &&Value| it["service_account"] == id;
    let shown = keys.as_array().expect("a list").iter().find(of_account).expect("its key");
    assert!(shown["last_used"].is_string(), "{shown}");
    good(data, &["service-account", "delete", id]);
    assert_eq!(asks(), Some(4));
    assert_eq!(run(data, &["service-account", "get", id]).status.code(), Some(3));
}
