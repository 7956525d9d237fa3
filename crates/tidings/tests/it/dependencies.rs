//! The one rule about structure: which crate may know which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What each crate may depend on among our own; dev-dependencies may add the testkit.
const ALLOWED: &[(&str, &[&str])] = &[
    ("tidings-core", &[]),
    ("tidings-sim", &["tidings-core"]),
    ("tidings-engine", &["tidings-core"]),
    ("tidings-adapters", &["tidings-core"]),
    ("tidings-http", &["tidings-core", "tidings-engine"]),
    ("tidings-testkit", &["tidings-core", "tidings-engine"]),
    ("tidings", &["tidings-adapters", "tidings-core", "tidings-engine", "tidings-http", "tidings-sim"]),
];

/// What the core must not even be able to name.
const NOT_IN_CORE: &[&str] = &["tokio", "fjall", "tantivy", "axum", "reqwest", "tracing", "rand", "chrono"];

fn own_dependencies(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    let dependencies = manifest.get(section).and_then(toml::Value::as_table);
    dependencies.into_iter().flat_map(toml::Table::keys).cloned().collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of crates");
    let mut seen = BTreeMap::new();
    for entry in fs::read_dir(crates).expect("readable") {
        let manifest = entry.expect("readable").path().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("TOML");
        let name = manifest["package"]["name"].as_str().expect("a name").to_owned();
        seen.insert(name, manifest);
    }
    assert_eq!(seen.len(), ALLOWED.len(), "a crate without a rule here: {:?}", seen.keys());
    for (name, allowed) in ALLOWED {
        let manifest = &seen[*name];
        let ours = |names: BTreeSet<String>| names.into_iter().filter(|it| it.starts_with("tidings")).collect();
        let normal: BTreeSet<String> = ours(own_dependencies(manifest, "dependencies"));
        let dev: BTreeSet<String> = ours(own_dependencies(manifest, "dev-dependencies"));
        let allowed: BTreeSet<String> = allowed.iter().map(|it| (*it).to_owned()).collect();
        assert!(normal.is_subset(&allowed), "{name} knows {:?}", normal.difference(&allowed));
        let mut allowed_in_tests = allowed;
        allowed_in_tests.extend(["tidings-testkit".to_owned(), "tidings-sim".to_owned()]);
        assert!(dev.is_subset(&allowed_in_tests), "{name} knows in tests {:?}", dev.difference(&allowed_in_tests));
    }
    let core = own_dependencies(&seen["tidings-core"], "dependencies");
    for name in NOT_IN_CORE {
        assert!(!core.contains(*name), "the core does no I/O, so it cannot need {name}");
    }
}
