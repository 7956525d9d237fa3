//! How fast our own JSON comes in: decoding beside a typed serde_json parse of the same bytes, and
//! the whole of intake without storage.
//!
//! `cargo bench -p tidings-core --bench native -- [--ours]`; with `--ours` only our decoding runs, for a
//! profile.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use tidings_core::authorize::may_publish;
use tidings_core::decode::decode;
use tidings_core::envelope::{Coordinate, Envelope, Limits};
use tidings_core::id::TenantId;
use tidings_core::normalize::normalize;
use tidings_core::principal::{Authority, Issuers};
use tidings_core::time::Timestamp;
use tidings_core::validate::validate;

/// What the binary allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ITEMS: usize = 500;

/// What one would write without us: the same members, typed and owned, no rules.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct Typed {
    id: Option<String>,
    thread: Option<String>,
    source: Option<String>,
    category: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    severity: Option<String>,
    urgency: Option<String>,
    certainty: Option<String>,
    title: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    radius_km: Option<f64>,
    magnitude: Option<f64>,
    occurred: Option<String>,
    sent: Option<String>,
    onset: Option<String>,
    expires: Option<String>,
    #[serde(default)]
    texts: Vec<TypedText>,
    #[serde(default)]
    measures: BTreeMap<String, f64>,
    geometry: Option<TypedGeometry>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct TypedText {
    lang: Option<String>,
    headline: Option<String>,
    description: Option<String>,
    instruction: Option<String>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct TypedGeometry {
    #[serde(rename = "type")]
    kind: String,
    coordinates: Vec<Vec<[f64; 2]>>,
}

fn main() {
    println!(
        "{:28} {:>8} {:>12} {:>12} {:>7} {:>12}",
        "500 items of", "bytes", "ours ev/s", "serde ev/s", "ratio", "intake ev/s"
    );
    report("quakes", quake);
    report("warnings with polygons", warning);
    report("short notes", note);
}

fn report(name: &str, item: fn(usize) -> String) {
    let body = format!("[{}]", (0..ITEMS).map(item).collect::<Vec<_>>().join(","));
    let batch = [envelope(&body)];
    let limits = Limits::default();
    assert!(decode(&batch, &limits).items().iter().all(|item| item.fate.is_ok()), "{name} are accepted");
    let ours = rate(|| decode(&batch, &limits));
    if std::env::args().any(|argument| argument == "--ours") {
        println!("{name:28} {:>8} {ours:>12.0}", body.len());
        return;
    }
    let typed = rate(|| serde_json::from_str::<Vec<Typed>>(&body).expect("well-formed"));
    let intake = rate(|| {
        let mut drafts = decode(&batch, &limits);
        drafts.refuse(|draft| (draft.raw.clone(), None), |_, draft| validate(draft, &limits));
        let mut events = normalize(drafts, &batch);
        events.refuse(|one| (one.raw.clone(), None), |_, one| may_publish(&one.event, &batch[0].authority));
        events
    });
    println!("{name:28} {:>8} {ours:>12.0} {typed:>12.0} {:>7.2} {intake:>12.0}", body.len(), ours / typed);
}

fn quake(index: usize) -> String {
    format!(
        r#"{{"id":"q-{index}","category":"earthquake","type":"earthquake","title":"M{m} - 41 km SW of Example","severity":"Moderate","lat":{lat},"lon":12.51,"magnitude":{m},"measures":{{"depth_km":10.2}},"occurred":"2026-01-02T03:04:05Z","sent":"2026-01-02T03:09:05.120Z"}}"#,
        m = 4.0 + (index % 30) as f64 / 10.0,
        lat = (index % 900) as f64 / 10.0,
    )
}

fn warning(index: usize) -> String {
    let ring: Vec<String> = (0..=24)
        .map(|corner| {
            let angle = f64::from(corner % 24) / 24.0 * std::f64::consts::TAU;
            format!("[{:.4},{:.4}]", 10.0 + angle.cos(), 45.0 + angle.sin())
        })
        .collect();
    format!(
        r#"{{"id":"w-{index}","thread":"storm-{index}","category":"weather","type":"weather.thunderstorm","severity":"Severe","urgency":"Immediate","certainty":"Likely","texts":[{{"lang":"en","headline":"Severe thunderstorm warning for Example","description":"At 335 PM strong thunderstorms were located along a line from here to there,\nmoving northeast.","instruction":"Move to an interior room."}}],"geometry":{{"type":"Polygon","coordinates":[[{}]]}},"sent":"2026-01-02T03:04:05Z","onset":"2026-01-02T03:10:05Z","expires":"2026-01-02T05:04:05+01:00"}}"#,
        ring.join(",")
    )
}

fn note(index: usize) -> String {
    format!(r#"{{"id":"n-{index}","title":"Door {index} opened","category":"device","lat":1.5,"lon":2.5}}"#)
}

/// The best of many short rounds, in items a second.
fn rate<T>(mut run: impl FnMut() -> T) -> f64 {
    let until = Instant::now() + Duration::from_secs(2);
    let mut best = Duration::MAX;
    while Instant::now() < until {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    ITEMS as f64 / best.as_secs_f64()
}

fn envelope(body: &str) -> Envelope {
    Envelope {
        bytes: Bytes::copy_from_slice(body.as_bytes()),
        media_type: Some(Cow::from("application/json").into_owned()),
        headers: Vec::new(),
        source: "api".to_owned(),
        tenant: TenantId::default_tenant(),
        authority: Authority {
            namespace: "bench".to_owned(),
            issuers: Issuers::All,
            may_publish: true,
            says_only: None,
        },
        coordinate: Coordinate::Drawn("request".to_owned()),
        first_item: 0,
        received: Timestamp::from_millis(1_767_225_600_000),
        correlation_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
    }
}
