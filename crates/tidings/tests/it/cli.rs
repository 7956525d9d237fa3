//! The command line as people and scripts see it: help, tables and errors against golden files,
//! and each command against a server of its own process.
//!
//! `TIDINGS_UPDATE_GOLDEN=1 cargo test --workspace --test it cli` writes the files anew.

mod access;
mod tenant;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::server::Server;

/// Runs the binary on a data directory, without anything of the environment.
fn run_with(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.env_clear().env("TIDINGS_DATA", data).env("TIDINGS_LOG", "error").env("COLUMNS", "120");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary was built");
    // One that does not read its input has closed it.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    run_with(data, arguments, "")
}

fn started(data: &Path) -> Server {
    Server::start(data, &[]).expect("it starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Its stdout; it must have ended well.
#[track_caller]
fn good(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// The same text at every run: ids, times, ports and folders have fixed values of the same width.
fn steady(text: &str, data: &Path) -> String {
    let text = text.replace(&data.display().to_string(), "DIR");
    let mut steady = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let is_time = rest.len() >= 24 && rest.is_char_boundary(24) && is_time(&rest[..24]);
        let id =
            ["evt", "sub", "usr", "key", "whk", "dlq", "ntf"].iter().find(|id| rest.starts_with(&format!("{id}_")));
        let id = id.filter(|_| rest.get(4..30).is_some_and(|bits| bits.bytes().all(|it| it.is_ascii_alphanumeric())));
        let taken = match (is_time, id) {
            (true, _) => {
                steady.push_str("0000-00-00T00:00:00.000Z");
                24
            }
            (_, Some(id)) => {
                write!(steady, "{id}_{}", "x".repeat(26)).expect("memory takes it");
                30
            }
            _ if rest.starts_with("127.0.0.1:") => {
                steady.push_str("127.0.0.1:PORT");
                10 + rest[10..].bytes().take_while(u8::is_ascii_digit).count()
            }
            _ => {
                steady.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    steady
}

fn is_time(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00.000Z";
    text.bytes()
        .zip(shape)
        .all(|(letter, shape)| if *shape == b'0' { letter.is_ascii_digit() } else { letter == *shape })
}

#[track_caller]
fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("TIDINGS_UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).expect("the folder is there");
    }
    let expected = std::fs::read_to_string(&file).expect("TIDINGS_UPDATE_GOLDEN=1 makes it");
    assert!(text == expected, "{name} is not what the golden file holds; it is now\n{text}");
}

const COMMANDS: &[&str] = &[
    "",
    "serve",
    "ingest",
    "tail",
    "explain",
    "subscription",
    "subscription list",
    "subscription get",
    "subscription create",
    "subscription pause",
    "subscription resume",
    "subscription delete",
    "dlq",
    "dlq list",
    "dlq groups",
    "dlq get",
    "dlq raw",
    "dlq replay",
    "dlq discard",
    "key",
    "key create",
    "key list",
    "key rotate",
    "key revoke",
    "role",
    "role list",
    "role get",
    "role create",
    "role edit",
    "role delete",
    "tenant",
    "tenant create",
    "tenant list",
    "tenant show",
    "tenant edit",
    "tenant suspend",
    "tenant resume",
    "tenant delete",
    "service-account",
    "service-account create",
    "service-account list",
    "service-account get",
    "service-account disable",
    "service-account enable",
    "service-account delete",
    "webhook",
    "webhook create",
    "webhook list",
    "webhook get",
    "webhook rotate",
    "webhook delete",
    "audit",
    "audit list",
    "audit export",
    "audit verify",
    "simulate",
    "bench",
];

#[test]
fn every_command_explains_itself() {
    let mut text = String::new();
    for command in COMMANDS {
        let mut call = Command::new(env!("CARGO_BIN_EXE_tidings"));
        let output = call.env_clear().args(command.split_whitespace()).arg("--help").output().expect("built");
        assert!(output.status.success());
        let help = stdout(&output);
        let is_group = matches!(
            *command,
            "subscription" | "dlq" | "key" | "role" | "tenant" | "service-account" | "webhook" | "audit"
        );
        assert!(help.contains("Example") || is_group, "`{command}` has no example");
        let call = ["tidings", command, "--help"].into_iter().filter(|word| !word.is_empty());
        writeln!(text, "$ {}\n{help}", call.collect::<Vec<_>>().join(" ")).expect("memory takes it");
    }
    golden("help.txt", &text);
}

const GOOD: &str = r#"{"id":"q-1","category":"earthquake","title":"M5.0 near Example","severity":"Moderate","lat":43.1,"lon":12.5,"magnitude":5.0}"#;
const BAD: &str = r#"{"id":"q-2","title":"bad","lat":91,"lon":0}"#;

/// Waits until an event can be listed and its notices are there; the streams find both.
fn take_in(data: &Path) -> Output {
    run_with(data, &["ingest", "-"], &format!("{GOOD}\n{BAD}\n{GOOD}\n"))
}

#[test]
fn errors_say_what_to_do_and_end_with_their_code() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let _server = started(data);
    let viewer = good(data, &["key", "create", "--role", "viewer", "--user", "vera"]);
    let none = "sub_00000000000000000000000000";
    let calls: &[(u8, &[&str])] = &[
        (2, &["subscribe"]),
        (2, &["subscription", "create", "--filter", "  "]),
        (2, &["subscription", "create", "--filter", "magnitude > five"]),
        (2, &["subscription", "create", "--filter", "{"]),
        (2, &["subscription", "create", "--filter", r#"{"near":{"lat":1},"category":"x"}"#]),
        (2, &["subscription", "create", "--filter", "all()", "--updates", "some"]),
        (2, &["subscription", "pause", none, "--until", "2020-01-01"]),
        (2, &["key", "create", "--role", "viewer", "--user", "alice/desk"]),
        (2, &["key", "create", "--role", "king"]),
        (2, &["tenant", "create", "acme", "--quota", "streams"]),
        (2, &["tenant", "create", "acme", "--color", "red", "--quota", "wishes=3", "--reads", "nobody"]),
        (2, &["tenant", "delete", "acme"]),
        (2, &["simulate", "--events-per-day", "0"]),
        (2, &["tail", "--filter", "nope"]),
        (2, &["--server", "notaurl", "dlq", "list"]),
        (2, &["--log", "bogus=zzz", "version"]),
        (3, &["subscription", "get", none]),
        (3, &["dlq", "get", "dlq_00000000000000000000000000"]),
        (3, &["key", "revoke", "key_00000000000000000000000000"]),
        (2, &["webhook", "create", "a/b", "--kind", "standard"]),
        (2, &["webhook", "create", "scanner", "--kind", "hmac"]),
        (3, &["webhook", "get", "whk_00000000000000000000000000"]),
        (3, &["tenant", "show", "nobody"]),
        (3, &["explain", "evt_00000000000000000000000000"]),
        (3, &["ingest", "no/such/file"]),
        (4, &["--key", viewer.trim(), "key", "list"]),
        (4, &["--key", viewer.trim(), "tenant", "list"]),
        (4, &["--key", "tk_no", "subscription", "list"]),
        (5, &["tenant", "suspend", "default"]),
        (7, &["--server", "http://127.0.0.1:1", "subscription", "list"]),
        (7, &["--data", "/nonexistent", "subscription", "list"]),
        (7, &["--data", "/nonexistent", "key", "create", "--role", "viewer"]),
        (7, &["--data", "/", "tail"]),
    ];
    let mut text = String::new();
    for (code, arguments) in calls {
        let output = run(data, arguments);
        let said = steady(&stderr(&output).replace(viewer.trim(), "KEY"), data);
        let shown = arguments.join(" ").replace(viewer.trim(), "KEY");
        assert_eq!(output.status.code(), Some(i32::from(*code)), "{shown}: {said}");
        assert!(output.stdout.is_empty(), "{shown}");
        writeln!(text, "$ tidings {shown}\n{said}exit {code}\n").expect("memory takes it");
    }
    golden("errors.txt", &text);
    assert!(!Path::new("/nonexistent").exists());
}

#[test]
fn tables_line_up() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let server = started(data);
    let mut text = String::new();
    let mut show = |arguments: &[&str]| {
        let output = run(data, arguments);
        let said = steady(&format!("{}{}", stdout(&output), stderr(&output)), data);
        writeln!(text, "$ tidings {}\n{said}", arguments.join(" ")).expect("memory takes it");
    };
    show(&["subscription", "list"]);
    show(&["dlq", "list"]);
    show(&["dlq", "groups"]);
    good(data, &["subscription", "create", "--name", "Home", "--filter", "near(43.1, 12.5, 50 km) and magnitude >= 4"]);
    good(data, &["subscription", "create", "--filter", "severity >= Severe"]);
    let ended = take_in(data);
    assert_eq!(ended.status.code(), Some(8), "{}", stderr(&ended));
    show(&["subscription", "list"]);
    show(&["dlq", "list"]);
    show(&["dlq", "groups"]);
    show(&["key", "list"]);
    show(&["role", "list"]);
    show(&["webhook", "list"]);
    good(data, &["webhook", "create", "city-desk", "--kind", "standard"]);
    show(&["webhook", "list"]);
    good(data, &["tenant", "create", "acme", "--name", "Acme Ltd"]);
    good(data, &["tenant", "suspend", "acme", "--reason", "the trial has ended"]);
    show(&["tenant", "list"]);
    show(&["tenant", "show", "acme"]);
    let said = format!("{}{}", stdout(&ended), stderr(&ended));
    writeln!(text, "$ tidings ingest -\n{}", steady(&said, data)).expect("memory takes it");
    golden("tables.txt", &text);
    drop(server);
}

#[test]
fn what_is_sent_is_tailed_told_and_explained() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let _server = started(data);
    let made = good(data, &["subscription", "create", "--name", "Home", "--filter", "category = earthquake"]);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let id = made["id"].as_str().expect("an id");
    take_in(data);

    let all = ["tail", "--from", "0", "--until-now"];
    let events = good(data, &[&all[..], &["--filter", "category = earthquake"]].concat());
    let event = events.split_whitespace().find(|word| word.starts_with("evt_")).expect("an id in the line").to_owned();
    assert!(events.contains("M5.0 near Example") && events.lines().count() == 1, "{events}");
    assert_eq!(good(data, &[&all[..], &["--filter", "category = flood"]].concat()), "");
    let inbox = good(data, &[&all[..], &["--inbox"]].concat());
    assert!(inbox.contains(&event) && inbox.trim_end().ends_with("for Home") && inbox.lines().count() == 1, "{inbox}");
    let json = good(data, &[&all[..], &["--inbox", "--json"]].concat());
    let notice: Value = serde_json::from_str(json.trim()).expect("one line of JSON");
    assert_eq!((&notice["kind"], notice["event_id"].as_str()), (&"new".into(), Some(event.as_str())));

    let why = good(data, &["explain", &event]);
    assert!(why.starts_with(&format!("Home ({id}): ")) && why.contains("(notified)"), "{why}");
    let why = good(data, &["explain", &event, "--subscription", id, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&why).expect("JSON")["matched"], true);

    let paused = good(data, &["subscription", "pause", id, "--until", "8h"]);
    assert!(serde_json::from_str::<Value>(&paused).expect("JSON")["paused_until"].is_string(), "{paused}");
    let resumed = good(data, &["subscription", "resume", id]);
    assert!(serde_json::from_str::<Value>(&resumed).expect("JSON")["paused_until"].is_null(), "{resumed}");
    good(data, &["subscription", "delete", id]);
    assert_eq!(run(data, &["subscription", "get", id]).status.code(), Some(3));
}

#[test]
fn dead_letters_are_mended_from_the_command_line() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let _server = started(data);
    let file = data.join("three.ndjson");
    std::fs::write(&file, format!("{GOOD}\nnot json\n{BAD}\n")).expect("writes");
    let ended = run(data, &["ingest", &file.display().to_string()]);
    let said = stderr(&ended);
    assert_eq!(ended.status.code(), Some(8), "{said}");
    assert!(said.contains("three.ndjson:2: ") && said.contains("three.ndjson:3: invalid_coordinates: /lat"), "{said}");
    let list = good(data, &["dlq", "list", "--cause", "invalid_coordinates", "--json"]);
    let letter: Value = serde_json::from_str(list.trim()).expect("one line");
    let id = letter["id"].as_str().expect("an id");
    assert!(letter["correlation_id"].as_str().is_some_and(|it| it.ends_with("three.ndjson-3")), "{letter}");
    assert_eq!(good(data, &["dlq", "raw", id]).trim(), BAD);

    assert_eq!(run(data, &["dlq", "replay", id, "--dry-run"]).status.code(), Some(8));
    assert_eq!(run(data, &["dlq", "replay", id]).status.code(), Some(8));
    let mended = run_with(data, &["dlq", "replay", id, "--body", "-"], &BAD.replace("91", "19"));
    assert!(mended.status.success(), "{}", stderr(&mended));
    let again = run(data, &["dlq", "replay", "--cause", "invalid_coordinates"]);
    assert!(again.status.success() && stdout(&again).contains("\"rejected\": 0"), "{}", stdout(&again));
    let parked = good(data, &["dlq", "list", "--json"]);
    let rest = parked.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let rest: Vec<Value> = rest.filter(|letter| letter["state"] == "parked").collect();
    assert_eq!(rest.len(), 1, "{parked}");
    good(data, &["dlq", "discard", rest[0]["id"].as_str().expect("an id")]);
}

#[test]
fn a_revoked_key_opens_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    // Without a server the command opens the directory itself.
    let key = good(data, &["key", "create", "--role", "viewer", "--user", "vera"]);
    let listed: Value = serde_json::from_str(&good(data, &["key", "list", "--json"])).expect("JSON");
    let of_vera = |it: &&Value| it["user_name"] == "vera";
    let id = listed.as_array().expect("a list").iter().find(of_vera).expect("her key")["id"].as_str().expect("an id");
    let _server = started(data);
    assert!(run(data, &["--key", key.trim(), "subscription", "list"]).status.success());
    good(data, &["key", "revoke", id]);
    assert_eq!(run(data, &["--key", key.trim(), "subscription", "list"]).status.code(), Some(4));
}

#[test]
fn a_role_of_ones_own_bounds_its_keys_until_it_is_changed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let _server = started(data);
    let create = ["role", "create", "flood-desk", "--scope", "events:read", "events:write"];
    good(data, &[&create[..], &["--publishes", "category = flood", "--description", "Floods"]].concat());
    let key = good(data, &["key", "create", "--role", "flood-desk", "--name", "desk", "--expires", "1d"]);
    let publish = |event: &str| run_with(data, &["--key", key.trim(), "ingest", "-"], event).status.code();
    assert_eq!(publish(r#"{"id":"a","title":"Flood","category":"flood"}"#), Some(0));
    assert_eq!(publish(r#"{"id":"b","title":"Quake","category":"earthquake"}"#), Some(8));
    good(data, &["role", "edit", "flood-desk", "--publishes", "category in (flood, earthquake)"]);
    assert_eq!(publish(r#"{"id":"c","title":"Quake","category":"earthquake"}"#), Some(0));
    let kept: Value = serde_json::from_str(&good(data, &["role", "get", "flood-desk"])).expect("JSON");
    assert_eq!((&kept["revision"], &kept["description"]), (&2.into(), &"Floods".into()), "{kept}");
    // Refused as long as a key acts as it.
    assert_eq!(run(data, &["role", "delete", "flood-desk"]).status.code(), Some(5));
    let keys: Value = serde_json::from_str(&good(data, &["key", "list", "--json"])).expect("JSON");
    let desk = keys.as_array().expect("a list").iter().find(|it| it["name"] == "desk").expect("its key");
    let next = good(data, &["key", "rotate", desk["id"].as_str().expect("an id"), "--overlap", "0s"]);
    assert_eq!(publish(r#"{"id":"d","title":"Flood","category":"flood"}"#), Some(4), "the old key has ended");
    let output =
        run_with(data, &["--key", next.trim(), "ingest", "-"], r#"{"id":"d","title":"Flood","category":"flood"}"#);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn an_audit_log_is_listed_exported_and_verified() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path();
    let server = started(data);
    good(data, &["role", "create", "reader", "--scope", "events:read"]);
    let first = good(data, &["audit", "verify"]);
    good(data, &["key", "create", "--role", "reader"]);
    drop(server);
    // Without a server the command opens the directory itself: the chain goes on over the restart.
    let _server = started(data);
    good(data, &["role", "create", "writer", "--scope", "events:write"]);
    let last = good(data, &["audit", "verify", "--expect", first.trim()]);
    let lines = good(data, &["audit", "export"]);
    let numbers = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["number"].clone());
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4], "the Admin's key, a role, a key, a role");
    assert!(last.starts_with("4:") && good(data, &["audit", "list"]).contains("role.put"));
    let other = format!("2:{}", "0".repeat(64));
    let output = run(data, &["audit", "verify", "--expect", &other]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("cut off or replaced"), "{}", stderr(&output));
}

#[test]
fn a_simulated_world_is_sent_and_counted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let _server = started(dir.path());
    let counts = good(dir.path(), &["simulate", "--count", "20", "--speed", "0"]);
    assert!(counts.starts_with("sent 20, accepted "), "{counts}");
    let printed = good(dir.path(), &["simulate", "--count", "3", "--print"]);
    assert!(printed.lines().count() >= 3, "{printed}");
}
