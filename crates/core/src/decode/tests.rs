//! Which decoder gets what, and the recorded feeds.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::*;
use crate::draft::Format;
use crate::envelope::Coordinate;
use crate::id::TenantId;
use crate::principal::{Authority, Issuers};
use crate::time::Timestamp;
use crate::vocabulary::Action;

pub(super) fn envelope(bytes: impl Into<Bytes>, media_type: Option<&str>) -> Envelope {
    Envelope {
        bytes: bytes.into(),
        media_type: media_type.map(str::to_owned),
        headers: Vec::new(),
        source: "test".into(),
        tenant: TenantId::default_tenant(),
        authority: Authority { namespace: "test".into(), issuers: Issuers::All, may_publish: true, says_only: None },
        coordinate: Coordinate::Document,
        first_item: 0,
        received: Timestamp::default(),
        correlation_id: "c".into(),
    }
}

pub(super) fn fates(bytes: impl Into<Bytes>, media_type: Option<&str>) -> Vec<Result<Draft, Rejection>> {
    let items = decode(&[envelope(bytes, media_type)], &Limits::default()).into_items();
    items.into_iter().map(|item| item.fate.map_err(|refused| refused.rejection)).collect()
}

pub(super) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TIDINGS_SHARED_DATA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let path = root.join(path);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn format_of(body: &str, media_type: Option<&str>) -> Result<Vec<Format>, Reason> {
    fates(body.to_owned(), media_type)
        .into_iter()
        .map(|fate| fate.map(|draft| draft.format).map_err(|r| r.reason))
        .collect()
}

#[test]
fn the_media_type_decides_else_the_bytes() {
    let native = r#"{"title":"T","category":"flood"}"#;
    let event = r#"{"specversion":"1.0","id":"1","source":"s","type":"t"}"#;
    let both = format!("{native}\n{event}\n\n");
    assert_eq!(format_of(native, None), Ok(vec![Format::Native]));
    assert_eq!(
        format_of(&format!("\u{feff} {native}"), Some("application/json; charset=utf-8")),
        Ok(vec![Format::Native])
    );
    assert_eq!(format_of(event, Some("application/json")), Ok(vec![Format::CloudEvents]));
    assert_eq!(
        format_of(&format!("[{event},{native}]"), Some("application/json")),
        Ok(vec![Format::CloudEvents, Format::Native])
    );
    assert_eq!(format_of(&both, Some("application/x-ndjson")), Ok(vec![Format::Native, Format::CloudEvents]));
    assert_eq!(format_of(&both, None), Ok(vec![Format::Native, Format::CloudEvents]));
    assert_eq!(format_of(native, Some("application/cloudevents+json")), Err(Reason::MissingField));
    assert_eq!(format_of("[]", Some("application/cloudevents-batch+json")), Ok(vec![]));
    assert_eq!(format_of("[]", Some("application/json")), Err(Reason::EmptyBatch));
    assert_eq!(format_of(" ", None), Err(Reason::EmptyBatch));
    assert_eq!(format_of("Door open", Some("text/plain")), Ok(vec![Format::Text]));
    assert_eq!(format_of("Door open", None), Err(Reason::UnknownFormat));
    assert_eq!(format_of(native, Some("image/png")), Err(Reason::UnknownFormat));
    assert_eq!(format_of(r#"{"title":"Feed","events":[]}"#, None), Err(Reason::UnknownFormat));
    assert_eq!(format_of(r#"{"severity":"Minor"}"#, Some("application/json")), Err(Reason::MissingField));
    assert_eq!(format_of(r#"{"type":"FeatureCollection","features":[]}"#, None), Ok(vec![]));
    assert_eq!(
        format_of(r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{}}]}"#, None),
        Err(Reason::UnknownFormat)
    );
}

#[test]
fn limits_refuse_the_whole() {
    let limits = Limits { items: 2, envelope_bytes: 60, ..Limits::default() };
    let reason = |body: &str| {
        let items = decode(&[envelope(body.to_owned(), Some("application/json"))], &limits).into_items();
        assert_eq!(items.len(), 1);
        items[0].fate.as_ref().map_err(|refused| (refused.rejection.reason, refused.raw.len())).map(drop)
    };
    let body = r#"[{"title":"a"},{"title":"b"},{"title":"c"}]"#;
    assert_eq!(reason(body), Err((Reason::TooManyItems, body.len())));
    assert_eq!(reason(&"x".repeat(61)), Err((Reason::TooLarge, 61)));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(format_of(&deep, None), Err(Reason::TooDeep));
    assert_eq!(
        fates(&b"[\"\xff\"]"[..], None)[0].as_ref().map(drop).map_err(|fault| fault.reason),
        Err(Reason::InvalidEncoding)
    );
}

#[test]
fn a_bad_line_or_feature_is_refused_alone() {
    let lines = fates("{\"title\":\"a\"}\n{\"title\":\n{\"title\":\"b\"}", Some("application/x-ndjson"));
    assert_eq!(lines.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let quake =
        r#"{"type":"Feature","id":"us1","properties":{"mag":5,"time":1700000000000,"ids":",us1,"},"geometry":null}"#;
    let broken = r#"{"type":"Feature","id":"us2","properties":{"mag":5,"time":"x","ids":",us2,"}}"#;
    let features = fates(format!(r#"{{"features":[{quake},{broken}],"type":"FeatureCollection"}}"#), None);
    assert_eq!(features[0].as_ref().map(|draft| draft.raw.as_ref()), Ok(quake.as_bytes()));
    assert_eq!(features[1].as_ref().map_err(|fault| fault.reason).map(drop), Err(Reason::InvalidTime));
}

/// The number of messages of every recorded file of three feeds, as MANIFEST.tsv has it.
#[test]
fn recorded_feeds_count_as_listed() {
    let Some(manifest) = shared("MANIFEST.tsv") else { return };
    let manifest = std::fs::read_to_string(manifest).expect("readable");
    let mut wrong = BTreeMap::new();
    for line in manifest.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let is_read = ["nws/", "usgs/", "cap/", "cap-legacy/"].iter().any(|folder| columns[0].starts_with(folder));
        if !is_read || columns[0].contains("edxl") {
            continue;
        }
        let bytes = std::fs::read(shared(columns[0]).expect("listed files are there")).expect("readable");
        let fates = fates(bytes, None);
        let good = fates.iter().filter(|fate| fate.is_ok()).count();
        if good.to_string() != columns[3] || good != fates.len() {
            wrong.insert(
                columns[0].to_owned(),
                (good, fates.len(), columns[3].to_owned(), fates.into_iter().find_map(Result::err)),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Recorded files of feeds without a decoder are one refusal each, never a wrong event.
#[test]
fn other_feeds_are_unknown() {
    let Some(manifest) = shared("MANIFEST.tsv") else { return };
    let manifest = std::fs::read_to_string(manifest).expect("readable");
    let ours = ["nws/", "usgs/", "cap", "cloudevents/", "news/", "tsunami/", "volcano/", "quakes-iran/usgs"];
    for line in manifest.lines().skip(1) {
        let name = line.split('\t').next().expect("a line has columns");
        if ours.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let bytes = std::fs::read(shared(name).expect("listed files are there")).expect("readable");
        for fate in fates(bytes, None) {
            let refusal = fate.map(|draft| draft.title).expect_err(name);
            assert!(refusal.stage == crate::rejection::Stage::Decode, "{name}: {refusal}");
        }
    }
}

/// By VTEC and references the recorded stream is 1,039 threads.
#[test]
fn the_recorded_alerts_make_their_threads() {
    let Some(folder) = shared("nws") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("listed").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let mut parents: HashMap<String, String> = HashMap::new();
    fn root(parents: &mut HashMap<String, String>, name: &str) -> String {
        let mut name = name.to_owned();
        while let Some(parent) = parents.get(&name).filter(|parent| **parent != name) {
            name.clone_from(parent);
        }
        name
    }
    let mut ids = Vec::new();
    let mut ended = 0;
    for file in files {
        for fate in fates(std::fs::read(file).expect("readable"), None) {
            let draft = fate.expect("recorded alerts are good");
            let own = draft.native_id.expect("every alert has an id");
            ended += usize::from(draft.action == Some(Action::End));
            let keys = draft.thread_keys.iter().map(|key| key.value.clone());
            for other in keys.chain(draft.references) {
                let (from, to) = (root(&mut parents, &own), root(&mut parents, &other));
                parents.insert(from, to);
            }
            ids.push(own);
        }
    }
    let threads: std::collections::HashSet<String> = ids.iter().map(|id| root(&mut parents, id)).collect();
    assert_eq!((ids.len(), threads.len(), ended), (1_890, 1_039, 106));
}
