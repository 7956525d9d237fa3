//! The reference keeps the promises of its ports, and what others are compared with it by is not empty.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidings_testkit::{MemoryStore, contract};

#[tokio::test]
async fn memory() {
    contract::promises(&|| Arc::new(MemoryStore::new())).await;
}

/// A script that leaves nothing to read of some kind would compare nothing with nothing.
#[tokio::test]
async fn the_scripts_leave_something_of_every_kind_to_compare() {
    let mut answers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for observed in contract::observed(&|| Arc::new(MemoryStore::new())).await {
        for line in observed.lines() {
            let (name, answer) = line.split_once(": ").expect("a name and an answer");
            answers.entry(name.to_owned()).or_default().insert(answer.to_owned());
        }
    }
    assert!(answers.len() >= 20, "{:?}", answers.keys());
    for (name, answers) in answers {
        assert!(answers.len() >= 2, "{name} has only {answers:?}");
    }
}
