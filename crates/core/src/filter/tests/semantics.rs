use super::*;
use crate::vocabulary::State;

fn check(event: &Event, text: &str, expected: bool) {
    let compiled = compiled(text);
    let subject = Subject::new(event, State::Active);
    assert_eq!(compiled.matches(&subject), expected, "{text}");
    for segment in 0..subject.segment_count() {
        let ways = compiled.program().conjunctions();
        let literals = compiled.program().literals();
        let written_out =
            ways.iter().any(|way| way.iter().all(|at| literals[usize::from(*at)].holds(&subject, segment)));
        assert_eq!(written_out, compiled.matches_segment(&subject, segment), "{text} written out");
    }
}

fn check_all(event: &Event, table: &[(&str, bool)]) {
    for (text, expected) in table {
        check(event, text, *expected);
    }
}

#[test]
fn words_and_names() {
    let event = event(
        json!({"type": "weather.thunderstorm.tornado", "category": "weather", "sender": "W-NWS.Webmaster@NOAA.gov"}),
    );
    check_all(
        &event,
        &[
            ("all()", true),
            ("category = weather", true),
            ("category in (news, weather)", true),
            ("category = news", false),
            ("not category = news", true),
            ("type = weather", true),
            ("type = weather.thunderstorm", true),
            ("type = Weather.Thunderstorm.Tornado", true),
            ("type = weather.thunder", false),
            ("type = weather.thunderstorm.tornado.f5", false),
            ("source = USGS", true),
            ("source = usg", false),
            ("sender = w-nws.webmaster@noaa.gov", true),
            ("urgency = Past and certainty = Observed and status = actual and state = active", true),
            ("status in (test, exercise)", false),
            ("state = ended", false),
        ],
    );
}

#[test]
fn severity_unknown_passes_but_where_senders_give_none() {
    let of = |category: &str, severity: &str| event(json!({"category": category, "severity": severity}));
    for (category, severity, filter, expected) in [
        ("weather", "Severe", "severity >= Moderate", true),
        ("weather", "Minor", "severity >= Moderate", false),
        ("weather", "Unknown", "severity >= Extreme", true),
        ("weather", "Unknown", "severity >= Extreme without unknown", false),
        ("news", "Unknown", "severity >= Minor", false),
        ("device", "Unknown", "severity >= Minor", false),
        ("system", "Unknown", "severity >= Minor", false),
        ("other", "Unknown", "severity >= Minor", false),
        ("other", "Unknown", "severity >= Minor with unknown", true),
        ("news", "Severe", "severity >= Minor", true),
        ("news", "Unknown", "severity >= Unknown", true),
        ("weather", "Minor", "severity >= Severe with unknown", false),
    ] {
        check(&of(category, severity), filter, expected);
    }
}

#[test]
fn a_measure_must_be_there() {
    let event = event(json!({"measures": {"magnitude": 6.1}}));
    check_all(
        &event,
        &[
            ("magnitude >= 6.1", true),
            ("magnitude > 6.1", false),
            ("magnitude <= 6.1", true),
            ("magnitude < 6.1", false),
            ("magnitude = 6.1", true),
            ("magnitude != 6.1", false),
            ("magnitude != 6", true),
            ("depth_km != 6", false),
            ("depth_km <= 600", false),
            ("not depth_km <= 600", true),
        ],
    );
}

#[test]
fn times_include_their_bounds() {
    let event = event(json!({"onset": "2026-01-02T00:00:00Z"}));
    check_all(
        &event,
        &[
            ("onset from 2026-01-02T00:00:00Z to 2026-01-02T00:00:00Z", true),
            ("onset from 2026-01-02T01:00:00+01:00", true),
            ("onset to 2026-01-01T23:59:59Z", false),
            ("ends from 2000-01-01T00:00:00Z", false),
            ("not ends from 2000-01-01T00:00:00Z", true),
            ("received >= 2026-01-02T03:04:05Z", true),
        ],
    );
}

#[test]
fn places_by_code() {
    let event = event(json!({
        "place": {"countries": ["IT", "SM"], "regions": ["IT-55"]},
        "areas": [{"description": "", "codes": [{"scheme": "SAME", "value": "048113"}]}],
        "codes": [{"scheme": "usgs:type", "value": "earthquake"}],
    }));
    check_all(
        &event,
        &[
            ("country = it", true),
            ("country in (FR, SM)", true),
            ("country = FR", false),
            ("region = IT-55", true),
            ("region = IT-52", false),
            ("area_code = same:048113", true),
            ("area_code in (SAME:048114, SAME:048113)", true),
            ("area_code = UGC:048113", false),
            (r#"area_code = code("usgs:type", earthquake)"#, true),
        ],
    );
    check(&super::event(json!({"place": null})), "country = IT", false);
}

#[test]
fn places_by_shape() {
    let event = event(json!({}));
    check_all(
        &event,
        &[
            ("near(43.1, 12.5, 1 km)", true),
            ("near(43.1, 13.5, 81.5 km)", true),
            ("near(43.1, 13.5, 81.3 km)", false),
            ("bbox(12, 43, 13, 44)", true),
            ("bbox(13, 43, 12, 44)", false),
            ("within(polygon((12 43, 13 43, 13 44, 12 44, 12 43)))", true),
            (
                "within(polygon((12 43, 13 43, 13 44, 12 44, 12 43), (12.4 43, 12.4 43.2, 12.6 43.2, 12.6 43, 12.4 43)))",
                false,
            ),
        ],
    );
    let nowhere = super::event(json!({"geometry": null, "place_precision": "none"}));
    check_all(
        &nowhere,
        &[("near(43.1, 12.5, 20000 km)", false), ("not near(43.1, 12.5, 1 km)", true), ("all()", true)],
    );
}

#[test]
fn a_coarse_place_counts_for_the_severe_only() {
    for (precision, is_coarse) in [("region", true), ("country", true), ("code", false), ("none", false)] {
        for (severity, is_severe) in [("Extreme", true), ("Severe", true), ("Moderate", false), ("Unknown", false)] {
            let event = event(json!({"geometry": null, "place_precision": precision, "severity": severity}));
            let near = is_coarse && is_severe;
            let not_near = if is_coarse { is_severe } else { true };
            check_all(
                &event,
                &[
                    ("near(0, 0, 1 km)", near),
                    ("bbox(0, 0, 1, 1)", near),
                    ("within(polygon((0 0, 1 0, 1 1, 0 0)))", near),
                    ("not near(0, 0, 1 km)", not_near),
                    ("not (near(0, 0, 1 km))", not_near),
                    ("not all(near(0, 0, 1 km))", not_near),
                    ("not not near(0, 0, 1 km)", near),
                    // Not directly under `not`: the condition answers first.
                    ("not (near(0, 0, 1 km) and category = earthquake)", !near),
                    ("not (not near(0, 0, 1 km) and category = earthquake)", !not_near),
                ],
            );
            let subject = Subject::new(&event, State::Active);
            assert_eq!(compiled("near(0, 0, 1 km)").coarse(&subject, 0), is_coarse && !is_severe);
            assert!(!compiled("near(0, 0, 1 km) and category = news").coarse(&subject, 0));
            assert!(!compiled("category = news").coarse(&subject, 0));
            assert!(!compiled("category = earthquake").coarse(&subject, 0));
        }
    }
}

#[test]
fn one_segment_makes_the_whole_filter_true() {
    let segment = |severity: &str, lon: f64, headline: &str| {
        json!({
            "category": "weather", "type": "weather.wind", "severity": severity, "urgency": "Future", "certainty": "Likely",
            "texts": [{"lang": "en", "headline": headline}], "areas": [], "ended": false,
            "geometry": {"type": "Point", "coordinates": [lon, 0]}, "geometry_origin": "point", "place_precision": "exact",
        })
    };
    let event = event(
        json!({"title": "Wind", "segments": [segment("Minor", 0.0, "breeze"), segment("Extreme", 10.0, "hurricane")]}),
    );
    check_all(
        &event,
        &[
            ("severity >= Extreme and near(0, 10, 1 km)", true),
            ("severity >= Extreme and near(0, 0, 1 km)", false),
            ("not severity >= Extreme", true),
            ("not near(0, 0, 1 km) and text = hurricane", true),
            ("near(0, 0, 1 km) and text = hurricane", false),
            ("text = wind", true),
        ],
    );
    let subject = Subject::new(&event, State::Active);
    let held = compiled("text = wind").matching_segments(&subject);
    assert_eq!(held.iter().collect::<Vec<_>>(), [0, 1]);
    let places = compiled("country = IT or near(0, 10, 1 km) or not bbox(-1, -1, 1, 1)");
    assert!(places.has_places());
    assert_eq!((places.places_held(&subject, 0), places.places_held(&subject, 1)), (0b000, 0b110));
}

#[test]
fn words_are_found_by_form_or_stem_of_their_language() {
    let event = event(json!({"title": "Flash Flooding expected", "texts": [
        {"lang": "en-US", "headline": "Flash Flooding expected", "description": "Rivers rise. The storm surge is near.", "instruction": "Don’t drive"},
        {"lang": "fr", "headline": "Inondations", "description": "Risque d'inondation à l’école"},
        {"lang": "ja", "description": "大阪で地震が発生"},
        {"lang": "xx", "description": "houses"},
    ]}));
    check_all(
        &event,
        &[
            ("text = flood", true),
            ("text = FLOODED", true),
            ("text = \"flood river\"", true),
            ("text = \"flood fire\"", false),
            (r#"text = "\"storm surge\"""#, true),
            (r#"text = "\"storms surging\"""#, true),
            (r#"text = "\"surge storm\"""#, false),
            (r#"text = "\"expected rivers\"""#, false),
            ("text = école", true),
            ("text = ecole", false),
            ("text = inondation", true),
            ("text = don't", true),
            ("text = 地震", true),
            ("text = 震", true),
            ("text = 大阪地震", false),
            ("text = houses", true),
            ("text = house", false),
            (r#"text(any("fire", "flood"), none("drill"))"#, true),
            (r#"text(any("fire"), all("flood"))"#, false),
            (r#"text(none("flood"))"#, false),
            (r#"text(none("fire"))"#, true),
            (r#"text(any("fire or", "flash flood"))"#, true),
        ],
    );
}

#[test]
fn broad_is_what_says_nothing_about_what_must_be() {
    for (text, expected) in [
        ("all()", true),
        ("category = news", false),
        ("not category = news", true),
        ("not not category = news", false),
        ("category = news or not country = IT", true),
        ("category = news and not country = IT", false),
        (r#"text(none("a"))"#, true),
        (r#"text(none("a"), any("b"))"#, false),
        ("not (category = news and country = IT)", true),
    ] {
        assert_eq!(compiled(text).is_broad(), expected, "{text}");
    }
}

#[test]
fn segment_sets_hold_any_number() {
    let mut set = SegmentSet::default();
    assert!(set.is_empty());
    for segment in [0, 63, 64, 200] {
        set.insert(segment);
    }
    assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 200]);
    assert!(!set.contains(1_000) && !set.is_empty());
}

#[test]
fn a_subject_can_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    let event = event(json!({}));
    is_send(&Subject::new(&event, State::Active));
}

/// The filter as its words say it, one condition at a time.
fn naively(filter: &Filter, subject: &Subject<'_>) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| naively(part, subject)),
        Filter::Any(parts) => parts.iter().any(|part| naively(part, subject)),
        Filter::Not(inner) => !naively(inner, subject),
        condition => Compiled::new(condition).expect("a condition that can be saved").matches_segment(subject, 0),
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 1_500, failure_persistence: None, ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn pushing_not_down_changes_no_answer(filter in super::forms::filters()) {
        let plain = event(json!({}));
        let full = event(json!({
            "category": "weather", "type": "weather.wind", "severity": "Unknown", "urgency": "Immediate", "onset": "2030-01-01T00:00:00Z",
            "geometry": {"type": "Point", "coordinates": [0, 0], "radius_km": 8000}, "place": {"countries": ["IT"], "regions": []},
        }));
        let compiled = Compiled::new(&filter).expect("it can be saved");
        for (event, state) in [(&plain, State::Active), (&full, State::Ended)] {
            let subject = Subject::new(event, state);
            let expected = naively(&filter, &subject);
            proptest::prop_assert_eq!(compiled.matches(&subject), expected);
            let (program, ways) = (compiled.program(), compiled.program().conjunctions());
            let holds = |at: &u16| program.literals()[usize::from(*at)].holds(&subject, 0);
            proptest::prop_assert_eq!(ways.iter().any(|way| way.iter().all(holds)), expected);
        }
    }
}
