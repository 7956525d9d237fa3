use super::*;

/// The faults of a filter as `pointer code`.
fn check(json: Value, expected: &[&str]) {
    let faults = Filter::from_json(&json).expect_err("it has faults");
    let found: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
    assert_eq!(found, expected, "{json}: {faults:?}");
}

#[test]
fn names_every_fault_with_its_place() {
    check(
        json!({
            "categry": "news",
            "category": ["news", "quake"],
            "near": {"lat": 91, "lon": 12, "radius": 5},
            "all": [{"severity_min": "bad"}, {"measure": {"name": "m", "op": "~"}}, 7],
            "not": {"bbox": [1, 2, 3]},
        }),
        &[
            "/all/0/severity_min invalid_enum",
            "/all/1/measure/op invalid_enum",
            "/all/1/measure/value missing_field",
            "/all/2 invalid_type",
            "/category/1 invalid_enum",
            "/categry unknown_key",
            "/near/radius unknown_key",
            "/near/lat invalid_coordinates",
            "/near/radius_km missing_field",
            "/not/bbox invalid_type",
        ],
    );
    check(
        json!({"near": {"lat": 91, "lon": 361, "radius_km": 0}}),
        &["/near/lat invalid_coordinates", "/near/lon invalid_coordinates", "/near/radius_km invalid_value"],
    );
    check(json!({"near": {"lat": 99, "lon": 1}}), &["/near/lat invalid_coordinates", "/near/radius_km missing_field"]);
    check(json!({"bbox": [0, 10, 10, 0]}), &["/bbox invalid_value"]);
    check(json!({"bbox": [0, 10, 1000, 20]}), &["/bbox/2 invalid_coordinates"]);
    check(
        json!({"bbox": [1000, 91, "x", 20]}),
        &["/bbox/0 invalid_coordinates", "/bbox/1 invalid_coordinates", "/bbox/2 invalid_type"],
    );
    check(json!({"bbox": [1000, 20, 1, 10]}), &["/bbox/0 invalid_coordinates", "/bbox invalid_value"]);
    check(json!({"country": ["IT", "ITA"]}), &["/country/1 invalid_value"]);
    check(json!({"country": ["ITA", 5]}), &["/country/0 invalid_value", "/country/1 invalid_type"]);
    check(json!({"type": ["", null]}), &["/type/0 invalid_value", "/type/1 invalid_type"]);
    check(
        json!({"measure": {"name": " ", "op": "~", "value": "5"}}),
        &["/measure/name invalid_value", "/measure/op invalid_enum", "/measure/value invalid_type"],
    );
    check(
        json!({"area_code": [{"scheme": "", "value": "x"}, 1]}),
        &["/area_code/0 invalid_value", "/area_code/1 invalid_type"],
    );
    check(json!({"region": "Tuscany"}), &["/region invalid_value"]);
    check(json!({"category": []}), &["/category empty_list"]);
    check(json!({"any": []}), &["/any empty_list"]);
    check(json!({"text": "  "}), &["/text empty_list"]);
    check(json!({"text": {"any": ["flood", "--"]}}), &["/text/any/1 invalid_value"]);
    check(json!({"time": {"field": "onset"}}), &["/time missing_field"]);
    check(
        json!({"time": {"field": "when", "from": "today"}}),
        &["/time/field invalid_enum", "/time/from invalid_time"],
    );
    check(
        json!({"time": {"field": "when", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}}),
        &["/time/field invalid_enum", "/time invalid_value"],
    );
    check(json!({"text": {"any": ["--"], "none": 5}}), &["/text/any/0 invalid_value", "/text/none invalid_type"]);
    check(json!({"within": {"type": "Point", "coordinates": [1, 2]}}), &["/within/type invalid_geometry"]);
    check(
        json!({"within": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}}),
        &["/within/coordinates invalid_geometry"],
    );
    check(
        json!({"within": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 100], [1, 2]]]}}),
        &["/within/coordinates invalid_coordinates"],
    );
    check(json!({"area_code": "SAME:048113"}), &["/area_code invalid_type"]);
    check(json!({"a/b~": 1}), &["/a~1b~0 unknown_key"]);
    check(json!([]), &[" invalid_type"]);
    check(json!({"all": ["category = news and", {"x": 1}]}), &["/all/0 syntax", "/all/1/x unknown_key"]);
}

#[test]
fn holds_to_its_limits() {
    let nested = |levels| (0..levels).fold(json!({"category": "news"}), |inner, _| json!({"not": inner}));
    assert!(Filter::from_json(&nested(16)).is_ok());
    check(nested(17), &[" too_deep"]);
    let deep_text = format!("{}category = news", "not ".repeat(17));
    check(json!(deep_text), &[" too_deep"]);
    check(json!("(".repeat(100_000)), &[" too_deep"]);
    let all_of =
        |count: usize| json!({"all": (0..count).map(|index| json!({"source": index.to_string()})).collect::<Value>()});
    let any =
        |count: usize| json!({"any": (0..count).map(|index| json!({"source": index.to_string()})).collect::<Value>()});
    assert!(Filter::from_json(&any(64)).is_ok());
    check(any(65), &[" too_many_conjunctions"]);
    check(json!({"all": [any(9), any(8)]}), &[" too_many_conjunctions"]);
    check(json!({"not": {"any": [all_of(9), all_of(8)]}}), &[" too_many_conjunctions"]);
    // What never holds makes the product zero, but not the way there.
    check(json!({"all": [any(10), any(10), any(10), {"not": {}}]}), &[" too_many_conjunctions"]);
    assert!(Filter::from_json(&all_of(100)).is_ok());
    check(all_of(101), &[" too_many_terms"]);
    check(json!({"text": "word ".repeat(101)}), &[" too_many_terms"]);
    let ring = |corners: u32| {
        let corner = |index: u32| {
            let angle = f64::from(index % corners) / f64::from(corners) * std::f64::consts::TAU;
            json!([(angle.cos() * 1e6).round() / 1e6, (angle.sin() * 1e6).round() / 1e6])
        };
        json!({"within": {"type": "Polygon", "coordinates": [(0..=corners).map(corner).collect::<Value>()]}})
    };
    let largest = from_json(ring(10_000));
    assert_eq!(Compiled::new(&largest).map(|compiled| compiled.has_places()), Ok(true));
    check(ring(10_001), &["/within/coordinates too_many_vertices"]);
    check(json!({"any": [ring(6_000), ring(6_000)]}), &[" too_many_vertices"]);
    check(json!({"source": "x".repeat(262_144)}), &[" too_large"]);
    // Short as a text, but stored as JSON.
    check(json!(format!("area_code in ({})", vec!["a:b"; 12_000].join(","))), &[" too_large"]);
    assert_eq!(Filter::parse(&"x".repeat(262_145)).expect_err("too long")[0].code, "too_large");
}

#[test]
fn a_tree_made_by_hand_is_checked_too() {
    let filter =
        Filter::All(vec![Filter::Category(Vec::new()), Filter::Not(Box::new(Filter::Country(vec!["x".into()])))]);
    let faults = Compiled::new(&filter).expect_err("it has faults");
    let found: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
    assert_eq!(found, ["/category empty_list", "/not/country invalid_value"]);
}

fn check_text(text: &str, expected: &[&str]) {
    let faults = Filter::parse(text).expect_err(text);
    let found: Vec<String> = faults.into_iter().map(|fault| fault.detail).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn text_faults_name_their_columns() {
    check_text(
        "categry = news and magnitude >= big or country in (IT, ITA, X) and severity = Severe",
        &[
            "column 1: `categry` does not begin a condition, and is not compared with a number; did you mean `category`?",
            "column 33: a number is expected, not `big`",
            "column 56: `ITA` is not an ISO 3166-1 code like IT",
            "column 61: `X` is not an ISO 3166-1 code like IT",
            "column 77: severity is compared with `>=` only, not `=`",
        ],
    );
    check_text(
        "category in (new, quake, fire)",
        &[
            "column 14: `new` is not one of weather, flood, fire_weather, wildfire, fire, earthquake, tsunami, volcano, \
             landslide, drought, air_quality, environment, health, public_safety, cbrne, transport, infrastructure, \
             space_weather, news, device, system, other; did you mean `news`?",
            "column 19: `quake` is not one of weather, flood, fire_weather, wildfire, fire, earthquake, tsunami, volcano, \
             landslide, drought, air_quality, environment, health, public_safety, cbrne, transport, infrastructure, \
             space_weather, news, device, system, other",
        ],
    );
    check_text("category = news)", &["column 16: `and`, `or` or the end is expected, not `)`"]);
    check_text("(category = news", &["column 17: `)` is expected, not the end"]);
    check_text("category = \"news", &["column 12: a value is expected, not a quote is not closed"]);
    check_text("magnitude > five", &["column 13: a number is expected, not `five`"]);
    check_text("magnitude > NaN", &["column 13: NaN is not a number to compare with"]);
    check_text("country = Italy", &["column 11: `Italy` is not an ISO 3166-1 code like IT"]);
    check_text("type = \"\"", &["column 8: it is empty"]);
    check_text("area_code in (SAME:1, SAME)", &["column 23: `SAME` is not a code like SAME:048113"]);
    check_text("text(any(\"--\", flood))", &["column 10: `--` has no word to find"]);
    check_text("near(43, 12, 200 miles)", &["column 18: a radius is in km, not in `miles`"]);
    check_text("near(43, 12, 200mi)", &["column 14: a number of kilometers is expected, like 200 km, not `200mi`"]);
    check_text(
        "any(near(north, 400, 0km), bbox(1, 91, x, 95), bbox(1, 20, 3, 10), bbox(1, 2))",
        &[
            "column 10: a number is expected, not `north`",
            "column 17: longitude 400 is not between -180 and 180",
            "column 22: 0 is not a radius above 0 and at most 20037.6 km",
            "column 36: latitude 91 is not between -90 and 90",
            "column 40: a number is expected, not `x`",
            "column 43: latitude 95 is not between -90 and 90",
            "column 48: south 20 is above north 10",
            "column 72: a box is four numbers: west, south, east, north",
        ],
    );
    check_text("category = news or", &["column 19: a condition is expected, not the end"]);
    check_text("é = news", &["column 1: `é` does not begin a condition, and is not compared with a number"]);
}
