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
