use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::geometry::{BoundingBox, Geometry, Point};
use crate::time::Timestamp;
use crate::vocabulary::{Category, Certainty, Severity, State, Status, Urgency};

fn some_of<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    subsequence(all.to_vec(), 1..=all.len().min(3))
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof![
        "[a-z][a-z_.]{0,9}",
        select(vec!["and", "or", "in", "not", "near", "category", "\"", "\\", "a b", "é,(", "\n\u{7}"])
            .prop_map(str::to_owned),
        ".{1,9}".prop_filter("not blank", |name| !name.trim().is_empty()),
    ];
    prop::collection::vec(name, 1..3)
}

fn entries() -> impl Strategy<Value = Vec<String>> {
    let entry = prop_oneof![
        "[a-z]{1,6}",
        "\"[a-z]{1,4} [a-z]{1,4}\"",
        "[a-z]{1,4} [a-z]{1,4}",
        ".{1,9}".prop_filter("a word", |entry| !super::super::words::phrases(entry).is_empty()),
    ];
    prop::collection::vec(entry, 0..3)
}

fn points() -> impl Strategy<Value = Point> {
    (-180.0..180.0, -90.0..90.0).prop_map(|(lon, lat)| Point::new(lon, lat))
}

fn areas() -> impl Strategy<Value = Geometry> {
    let square = (-175.0..175.0, -85.0..85.0, 0.1..4.0, any::<bool>());
    let rings = square.prop_map(|(lon, lat, half, has_hole)| {
        let ring = |half: f64| {
            let corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)];
            corners.map(|(east, north)| Point::new(lon + east, lat + north)).to_vec()
        };
        if has_hole { vec![ring(half), ring(half / 3.0)] } else { vec![ring(half)] }
    });
    prop::collection::vec(rings, 1..3)
        .prop_filter_map("an area", |polygons| super::super::json::of_rings(polygons, "", &mut Vec::new()))
}

fn times() -> impl Strategy<Value = Filter> {
    let field = select(super::super::keys::TIME_FIELDS.to_vec());
    let instant = || (0..4_000_000_000_000_i64).prop_map(Timestamp::from_millis);
    let span = prop_oneof![
        instant().prop_map(|from| (Some(from), None)),
        instant().prop_map(|to| (None, Some(to))),
        (instant(), instant()).prop_map(|(one, two)| (Some(one.min(two)), Some(one.max(two)))),
    ];
    (field, span).prop_map(|((_, field), (from, to))| Filter::Time { field, from, to })
}

fn conditions() -> impl Strategy<Value = Filter> {
    let comparison = select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ]);
    let value = prop_oneof![any::<i16>().prop_map(f64::from), prop::num::f64::NORMAL | prop::num::f64::ZERO];
    let severity = (select(Severity::ALL.to_vec()), any::<Option<bool>>());
    let code = ("[A-Z]{2}(-[A-Z0-9]{1,3})", "[A-Z]{2}");
    prop_oneof![
        some_of(Category::ALL).prop_map(Filter::Category),
        some_of(Urgency::ALL).prop_map(Filter::Urgency),
        some_of(Certainty::ALL).prop_map(Filter::Certainty),
        some_of(Status::ALL).prop_map(Filter::Status),
        some_of(State::ALL).prop_map(Filter::State),
        names().prop_map(Filter::Type),
        names().prop_map(Filter::Source),
        names().prop_map(Filter::Sender),
        severity.prop_map(|(at_least, unknown)| Filter::SeverityMin { at_least, unknown }),
        (names(), comparison, value).prop_map(|(mut names, op, value)| Filter::Measure {
            name: names.remove(0),
            op,
            value
        }),
        (entries(), entries(), entries())
            .prop_filter("some entry", |(any, all, none)| !(any.is_empty() && all.is_empty() && none.is_empty()))
            .prop_map(|(any, all, none)| Filter::Text(TextQuery { any, all, none })),
        code.prop_map(|(region, country)| {
            if region.len() % 2 == 0 {
                Filter::Region(vec![region])
            } else {
                Filter::Country(vec![country, region[..2].to_owned()])
            }
        }),
        (names(), names()).prop_map(|(schemes, values)| {
            Filter::AreaCode(schemes.into_iter().zip(values).map(|(scheme, value)| Code::new(scheme, value)).collect())
        }),
        (points(), 0.001..20_000.0).prop_map(|(center, radius_km)| Filter::Near { center, radius_km }),
        (points(), points()).prop_map(|(one, two)| {
            Filter::Bbox(BoundingBox([one.lon, one.lat.min(two.lat), two.lon, one.lat.max(two.lat)]))
        }),
        areas().prop_map(Filter::Within),
        times(),
    ]
}

/// Any filter that can be saved.
pub(super) fn filters() -> impl Strategy<Value = Filter> {
    conditions().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::Any),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_forms_give_the_same_filter_back(filter in filters()) {
        prop_assert_eq!(Filter::from_json(&filter.to_json()), Ok(filter.clone()));
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter.clone()), "{}", text);
        prop_assert_eq!(Filter::from_json(&Value::String(text)), Ok(filter.clone()));
        prop_assert!(Compiled::new(&filter).is_ok());
    }

    #[test]
    fn no_text_is_too_much(text in "[a-z()\"=,!<>: 0-9.-]{0,60}") {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn no_words_are_too_much(words in prop::collection::vec(select(vec![
        "(", ")", ",", "and", "or", "not", "in", "=", "!=", ">=", "all(", "any(", "category", "news", "text", "near",
        "bbox", "within", "polygon", "1", "2.5", "km", "onset", "from", "to", "2026-01-02T03:04:05Z", "\"", "code",
    ]), 0..20)) {
        let _ = Filter::parse(&words.join(" "));
    }
}

fn check(json: Value, text: &str) {
    let filter = from_json(json.clone());
    assert_eq!(filter.to_string(), text);
    assert_eq!(filter.to_json(), json);
    assert_eq!(Filter::parse(text), Ok(filter));
}

#[test]
fn prints_as_people_write() {
    check(
        json!({"category": "earthquake", "measure": {"name": "magnitude", "op": ">=", "value": 4}, "near": {"lat": 43.1, "lon": 12.5, "radius_km": 200}}),
        "category = earthquake and magnitude >= 4 and near(43.1, 12.5, 200 km)",
    );
    check(json!({}), "all()");
    check(json!({"not": {"category": ["news", "device"]}}), "not category in (news, device)");
    check(json!({"severity_min": {"at_least": "Severe", "unknown": false}}), "severity >= Severe without unknown");
    check(json!({"text": "flood \"storm surge\""}), r#"text = "flood \"storm surge\"""#);
    check(json!({"text": {"any": ["flood"], "none": ["drill"]}}), r#"text(any("flood"), none("drill"))"#);
    check(json!({"area_code": {"scheme": "SAME", "value": "048113"}}), "area_code = SAME:048113");
    check(json!({"area_code": {"scheme": "a:b", "value": "c d"}}), r#"area_code = code("a:b", "c d")"#);
    check(json!({"bbox": [170, -10, -170, 10.5]}), "bbox(170, -10, -170, 10.5)");
    check(
        json!({"within": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}),
        "within(polygon((0 0, 1 0, 1 1, 0 0)))",
    );
    check(
        json!({"time": {"field": "onset", "from": "2026-01-02T03:04:05.000Z"}}),
        "onset from 2026-01-02T03:04:05.000Z",
    );
    check(
        json!({"all": [{"source": "nws"}, {"any": [{"country": "IT"}, {"all": [{"region": "FR-2A"}, {"country": "FR"}]}]}]}),
        "source = nws and (country = IT or region = FR-2A and country = FR)",
    );
    check(json!({"any": [{"not": {"any": [{"type": "a"}, {"type": "b"}]}}]}), "any(not (type = a or type = b))");
    check(json!({"measure": {"name": "in the sea", "op": "<", "value": -1.5}}), r#"measure("in the sea") < -1.5"#);
}

fn check_reads(text: &str, json: Value) {
    assert_eq!(Filter::parse(text), Ok(from_json(json)), "{text}");
}

#[test]
fn reads_other_spellings() {
    check_reads(
        "CATEGORY == Earthquake AND Magnitude>=5",
        json!({"all": [{"category": "earthquake"}, {"measure": {"name": "Magnitude", "op": ">=", "value": 5}}]}),
    );
    check_reads("category != news", json!({"not": {"category": "news"}}));
    check_reads("category not in (news)", json!({"not": {"category": ["news"]}}));
    check_reads("not not category = news", json!({"not": {"not": {"category": "news"}}}));
    check_reads("near(43.1, 12.5, 200km)", json!({"near": {"lat": 43.1, "lon": 12.5, "radius_km": 200}}));
    check_reads("near(43.1, 192.5, 200)", json!({"near": {"lat": 43.1, "lon": -167.5, "radius_km": 200}}));
    check_reads("onset >= 2026-01-02T03:04:05Z", json!({"time": {"field": "onset", "from": "2026-01-02T03:04:05Z"}}));
    check_reads("text = flood", json!({"text": "flood"}));
    check_reads("  ", json!({}));
    check_reads("((category = news))", json!({"category": "news"}));
    check_reads("country in (it, fr)", json!({"country": ["IT", "FR"]}));
    check_reads("severity_min >= severe", json!({"severity_min": "Severe"}));
    check_reads("a = 1 or b = 2 and not c = 3", json!({"any": ["a = 1", {"all": ["b = 2", {"not": "c = 3"}]}]}));
}

#[test]
fn a_box_of_a_whole_turn_is_all_longitudes() {
    assert_eq!(from_json(json!({"bbox": [0, -10, 360, 10]})).to_json(), json!({"bbox": [-180, -10, 180, 10]}));
    assert_eq!(from_json(json!({"bbox": [170, -10, 190, 10]})).to_json(), json!({"bbox": [170, -10, -170, 10]}));
}

#[test]
fn areas_over_the_seams_survive_both_forms() {
    for ring in [
        json!([[170, 10], [-170, 10], [-170, 20], [170, 20], [170, 10]]),
        json!([[0, 80], [90, 80], [180, 80], [-90, 80], [0, 80]]),
        json!([[0, -80], [-90, -70], [180, -80], [90, -60], [0, -80]]),
        json!([[170, 10], [190, 10], [190, 20], [170, 20]]),
    ] {
        let filter = from_json(json!({"within": {"type": "Polygon", "coordinates": [ring]}}));
        assert_eq!(Filter::from_json(&filter.to_json()), Ok(filter.clone()));
        assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }
}

#[test]
fn serde_reads_and_writes_the_json_form() {
    let filter: Filter = serde_json::from_str(r#"{"category": "news", "text": "flood"}"#).expect("a filter");
    assert_eq!(serde_json::to_string(&filter).expect("writes"), r#"{"category":"news","text":"flood"}"#);
    let from_text: Filter = serde_json::from_str(r#""category = news and text = flood""#).expect("a filter");
    assert_eq!(from_text, filter);
    let error = serde_json::from_str::<Filter>(r#"{"categry": "news"}"#).expect_err("not a key").to_string();
    assert!(error.contains("/categry: `categry` is not a key of a filter; did you mean `category`?"), "{error}");
}
