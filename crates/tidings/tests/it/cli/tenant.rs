//! `tidings tenant` over the life of one.

use serde_json::Value;

use super::{GOOD, good, run, run_with, started, stderr};

#[test]
fn a_tenant_is_led_from_its_beginning_to_its_end() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let _server = started(data);
    good(
        data,
        &["tenant", "create", "acme", "--name", "Acme", "--quota", "streams=5", "--contact", "ops@acme.example"],
    );
    let edit = ["tenant", "edit", "acme", "--color", "#0f5fae", "--quota", "streams=none", "subscriptions=9"];
    let edited: Value = serde_json::from_str(&good(data, &edit)).expect("JSON");
    assert_eq!((&edited["revision"], &edited["quotas"]), (&2.into(), &serde_json::json!({ "subscriptions": 9 })));
    assert_eq!(edited["branding"]["display_name"], "Acme", "what is not given stays");
    let key = good(data, &["key", "create", "--role", "admin", "--tenant", "acme"]);
    let publish = || run_with(data, &["--key", key.trim(), "ingest", "-"], GOOD);
    assert_eq!(publish().status.code(), Some(0));
    good(data, &["tenant", "suspend", "acme", "--reason", "the trial has ended"]);
    let refused = publish();
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("the trial has ended"), "{}", stderr(&refused));
    good(data, &["tenant", "resume", "acme"]);
    assert_eq!(publish().status.code(), Some(0));
    let rows: Value = serde_json::from_str(&good(data, &["tenant", "delete", "acme", "--dry-run"])).expect("JSON");
    assert_eq!(rows["rows"]["event"], 1, "{rows}");
    let erased: Value =
        serde_json::from_str(&good(data, &["tenant", "delete", "acme", "--yes", "--wait"])).expect("JSON");
    assert_eq!((&erased["state"], &erased["proof"]["removed"]["event"]), (&"erased".into(), &1.into()), "{erased}");
    assert_eq!(publish().status.code(), Some(4));
    assert_eq!(run(data, &["tenant", "create", "acme"]).status.code(), Some(5));
    assert!(good(data, &["tenant", "list"]).contains("erased"));
    good(data, &["audit", "verify"]);
}
