//! Recorded feeds, where they lie beside the project: `tidings ingest --clock data` on each folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The recordings, if they are here. They are never part of the project.
fn recordings() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TIDINGS_SHARED_DATA").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no recordings at {}; TIDINGS_SHARED_DATA names another folder", folder.display());
    None
}

fn tidings(data: &Path, arguments: &[&str], paths: &[PathBuf]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.args(["--log", "error", "--data"]).arg(data).args(arguments).args(paths);
    let output = command.output().expect("the binary was built");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Messages, accepted, duplicates, rejected of one run over some paths.
fn ingest(data: &Path, paths: &[PathBuf]) -> (Value, [u64; 4]) {
    let answer = tidings(data, &["ingest", "--clock", "data", "--json"], paths);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let total = |name: &str| answer["total"][name].as_u64().expect("a count");
    let counts = [total("messages"), total("accepted"), total("duplicates"), total("rejected")];
    assert_eq!(total("failed"), 0);
    assert_eq!(counts[0], counts[1] + counts[2] + counts[3], "outcomes add up");
    (answer, counts)
}

fn check(folder: &str, expected: [u64; 4]) {
    let Some(recordings) = recordings() else { return };
    let data = tempfile::tempdir().expect("a temporary folder");
    let (answer, counts) = ingest(data.path(), &[recordings.join(folder)]);
    assert_eq!(counts, expected, "{folder}: {answer:#}");
}

#[test]
fn well_formed_feeds_are_taken_whole() {
    check("cap", [19, 18, 0, 1]); // one is EDXL-DE
    check("cap-legacy", [9, 9, 0, 0]);
    check("cap-signature", [6, 1, 4, 1]); // one message in five spellings, one that is no CAP
    check("usgs", [4_770, 4_554, 216, 0]);
}

#[test]
fn broken_messages_are_repaired_or_refused_by_name() {
    check("cap-malformed", [7, 5, 0, 2]);
    check("cloudevents", [42, 6, 11, 25]); // two sets of valid vectors with many copies, one of invalid ones
    check("gdacs", [1, 0, 0, 1]);
}

#[test]
fn a_subscriber_of_everything_hears_of_each_thread_once() {
    let Some(recordings) = recordings() else { return };
    let data = tempfile::tempdir().expect("a temporary folder");
    tidings(data.path(), &["subscription", "create", "--filter", r#"{"all": []}"#], &[]);
    let mut streams: Vec<PathBuf> = std::fs::read_dir(recordings.join("nws"))
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .collect();
    streams.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    streams.sort();
    let (_, counts) = ingest(data.path(), &streams);
    assert_eq!(counts, [1_890, 1_890, 0, 0]);
    let inbox = tidings(data.path(), &["tail", "--inbox", "--from", "0", "--until-now", "--json"], &[]);
    let kinds: Vec<String> = inbox
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["kind"].as_str().expect("a kind").to_owned())
        .collect();
    let count = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    // Of 1,039 threads, 106 hold a message that ends something. In 73 every zone that began has ended; in 30 some zone
    // is left to run out by its own time, so whoever follows everything is still warned (ADR 6); 3 begin with their end.
    assert_eq!((count("new"), count("end"), kinds.len()), (1_039, 73, 1_112));
}
