use super::*;
use crate::draft::Format;
use crate::event::Segment;
use crate::geometry::{Geometry, Point};
use crate::vocabulary::{Action, Category, GeometryOrigin, Severity, SeverityOrigin, Status, Urgency};

mod hostile;
mod shared;

/// The smallest whole alert, with room for more in the alert and in its info block.
fn alert(inside: &str, info: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>urn:oid:2.49.0.1.1</identifier>
  <sender>warn@example.org</sender>
  <sent>2026-01-02T03:04:05+01:00</sent>
  <status>Actual</status><msgType>Update</msgType><scope>Public</scope>{inside}
  <info>
    <language>en-US</language><category>Met</category><event>Flood Warning</event>
    <urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>{info}
  </info>
</alert>"#
    )
}

fn fates(document: impl AsRef<[u8]>) -> Vec<Result<Draft, Refused>> {
    decode(&Bytes::copy_from_slice(document.as_ref()), &Limits::default())
}

fn draft(document: impl AsRef<[u8]>) -> Draft {
    let mut fates = fates(document);
    assert_eq!(fates.len(), 1);
    fates.pop().expect("one").expect("accepted")
}

fn refusal(document: impl AsRef<[u8]>) -> Rejection {
    let mut fates = fates(document);
    assert_eq!(fates.len(), 1);
    fates.pop().expect("one").expect_err("refused").rejection
}

fn codes(draft: &Draft) -> Vec<&str> {
    draft.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

fn area(content: &str) -> String {
    alert("", &format!("<area><areaDesc>Somewhere</areaDesc>{content}</area>"))
}

fn only_segment(document: &str) -> (Segment, Vec<String>) {
    let draft = draft(document);
    let codes = codes(&draft).into_iter().map(str::to_owned).collect();
    (draft.segments.into_iter().next().expect("one"), codes)
}

#[test]
fn reads_a_plain_alert() {
    let text = alert(
        "<source>desk 4</source><code>profile:1</code><note>n &amp; m</note>\
         <references>warn@example.org,urn:oid:2.49.0.1.0,2026-01-01T00:00:00Z</references><incidents>\"big one\" two</incidents>",
        "<responseType>Shelter</responseType><eventCode><valueName>SAME</valueName><value>FLW</value></eventCode>\
         <onset>2026-01-02T04:00:00Z</onset><expires>2026-01-02T06:00:00-00:00</expires><headline>It rains</headline>\
         <description><![CDATA[a < b]]> and\r\nmore</description><web>https://example.org/</web>\
         <parameter><valueName>eventEndingTime</valueName><value>2026-01-03T00:00:00Z</value></parameter>\
         <parameter><valueName>depth</valueName><value>1</value></parameter>\
         <parameter><valueName>depth</valueName><value>2</value></parameter>\
         <resource><resourceDesc>map</resourceDesc><uri>https://example.org/map</uri></resource>\
         <area><areaDesc>Town</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon><geocode><valueName>SAME</valueName>\
         <value>048113 048115</value></geocode><altitude>1000</altitude></area>",
    );
    let draft = draft(&text);
    assert_eq!((draft.format, draft.status, draft.action), (Format::Cap, Status::Actual, Some(Action::Update)));
    assert_eq!(draft.native_id.as_deref(), Some("2.49.0.1.1"));
    assert_eq!(draft.references, ["2.49.0.1.0"]);
    assert_eq!(draft.sent.map(|time| time.to_string()).as_deref(), Some("2026-01-02T02:04:05.000Z"));
    assert_eq!(draft.time_texts["sent"], "2026-01-02T03:04:05+01:00");
    assert_eq!(draft.time_texts["expires"], "2026-01-02T06:00:00-00:00");
    assert!(!draft.time_texts.contains_key("onset"), "our own form is not kept twice");
    assert_eq!(draft.warnings, []);
    assert_eq!(draft.raw, text.as_bytes());
    assert_eq!(draft.extra["parameters"]["depth"], serde_json::json!(["1", "2"]));
    assert_eq!((&draft.extra["note"], &draft.extra["source"]), (&"n & m".into(), &"desk 4".into()));
    let related: Vec<_> = draft.related.iter().map(|code| code.value.as_str()).collect();
    assert_eq!(related, ["big one", "two"]);
    let links: Vec<_> = draft.links.iter().map(|link| (link.rel.as_str(), link.href.as_str())).collect();
    assert_eq!(links, [("web", "https://example.org/"), ("resource", "https://example.org/map")]);
    let [segment] = &draft.segments[..] else { panic!("one segment") };
    assert_eq!((segment.category, segment.severity), (Category::Flood, Severity::Severe));
    assert_eq!(segment.response, ["Shelter"]);
    assert_eq!(segment.texts[0].description.as_deref(), Some("a < b and\nmore"));
    assert_eq!(segment.ends.map(|time| time.to_string()).as_deref(), Some("2026-01-03T00:00:00.000Z"));
    let area = &segment.areas[0];
    assert_eq!((area.description.as_str(), area.altitude_m, area.ceiling_m), ("Town", Some(304.8), None));
    assert_eq!(area.codes.len(), 2);
    assert_eq!(segment.geometry_origin, GeometryOrigin::Exact);
    assert_eq!(segment.geometry.as_ref().and_then(|shape| shape.points().next()), Some(Point::new(2., 1.)));
}

#[test]
fn languages_make_one_segment_and_repeats_make_another() {
    let block = |language: &str, severity: &str| {
        format!(
            "<info><language>{language}</language><category>Met</category><event>{language}</event>\
             <urgency>Future</urgency><severity>{severity}</severity><certainty>Likely</certainty>\
             <area><areaDesc>{language}</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon></area></info>"
        )
    };
    let check = |blocks: &[(&str, &str)], expected: &[&[&str]]| {
        let blocks: String = blocks.iter().map(|(language, severity)| block(language, severity)).collect();
        let text = alert("", "").split("<info>").next().expect("a head").to_owned() + &blocks + "</alert>";
        let segments = draft(text).segments;
        let languages: Vec<Vec<_>> =
            segments.iter().map(|segment| segment.texts.iter().map(|text| text.lang.as_str()).collect()).collect();
        assert_eq!(languages, expected);
        assert!(segments.iter().all(|segment| segment.areas.len() == 1));
    };
    check(&[("en", "Minor"), ("de", "Minor")], &[&["en", "de"]]);
    check(&[("en", "Minor"), ("en", "Minor")], &[&["en"], &["en"]]);
    check(&[("en", "Minor"), ("de", "Severe")], &[&["en"], &["de"]]);
    check(&[("en", "Minor"), ("en", "Severe"), ("fr", "Minor"), ("fr", "Severe")], &[&["en", "fr"], &["en", "fr"]]);
    check(&[("en_us", "Minor"), ("", "Minor")], &[&["en-US", "und"]]);
}

#[test]
fn shapes_are_repaired() {
    let check = |content: &str, parts: usize, origin: GeometryOrigin, warnings: &[&str]| {
        let (segment, found) = only_segment(&area(content));
        assert_eq!(segment.geometry.as_ref().map_or(0, |shape| shape.parts().len()), parts, "{content}");
        assert_eq!(
            (segment.geometry_origin, found.iter().map(String::as_str).collect::<Vec<_>>()),
            (origin, warnings.to_vec())
        );
    };
    check("<polygon>1,2 1,3 2,3 1,2</polygon><circle>5,5 10</circle>", 2, GeometryOrigin::Exact, &[]);
    check("<circle>5,5 0</circle>", 1, GeometryOrigin::Point, &[]);
    check("<circle>5,5 7.5</circle>", 1, GeometryOrigin::Circle, &[]);
    check("<polygon/>", 0, GeometryOrigin::None, &["empty_element"]);
    check("<polygon>nowhere</polygon>", 0, GeometryOrigin::None, &["shape_dropped"]);
    check("<polygon>1,2 1,3 2,3</polygon>", 1, GeometryOrigin::Exact, &["ring_closed"]);
    check("<polygon>1,200 1,3 2,399 1,200</polygon>", 0, GeometryOrigin::None, &["shape_dropped"]);
    check("<polygon>1,179 1,-179 2,-179 1,179</polygon>", 2, GeometryOrigin::Exact, &["antimeridian_split"]);
    check("<polygon>116,39 117,39 117,40 116,39</polygon>", 1, GeometryOrigin::Exact, &["axes_swapped"]);
    let (segment, _) = only_segment(&area("<polygon>116,39 117,39 117,40 116,39</polygon><circle>50,39 5</circle>"));
    assert!(segment.geometry.expect("kept").points().all(|point| point.lat < 41.0), "all of a segment is swapped");
    let hole = "<geocode><valueName>EXCLUDE_POLYGON</valueName><value>2,2 2,3 3,3 2,2</value></geocode>";
    let (segment, _) = only_segment(&area(&format!("<polygon>0,0 0,9 9,9 9,0 0,0</polygon>{hole}")));
    assert!(matches!(segment.geometry, Some(Geometry::Polygon(area)) if area.holes.len() == 1));
    assert_eq!(segment.areas[0].codes, []);
    check(&format!("<polygon>10,10 10,19 19,19 10,10</polygon>{hole}"), 1, GeometryOrigin::Exact, &["hole_dropped"]);
}

#[test]
fn levels_win_over_the_word() {
    let check = |name: &str, value: &str, severity: Severity, origin: SeverityOrigin| {
        let text = alert("", &format!("<parameter><valueName>{name}</valueName><value>{value}</value></parameter>"));
        let draft = draft(text);
        assert_eq!((draft.segments[0].severity, draft.severity_origin), (severity, origin), "{name} {value}");
    };
    check("awareness_level", "1; green; Minor", Severity::Minor, SeverityOrigin::Inferred);
    check("awareness_level", "3; orange; Severe", Severity::Severe, SeverityOrigin::Given);
    check("awareness_level", "?", Severity::Severe, SeverityOrigin::Given);
    check("alertlevel", "Red", Severity::Extreme, SeverityOrigin::Inferred);
    check("flashFloodDamageThreat", "CATASTROPHIC", Severity::Extreme, SeverityOrigin::Inferred);
    check("flashFloodDamageThreat", "CONSIDERABLE", Severity::Severe, SeverityOrigin::Given);
}

#[test]
fn an_update_that_says_it_is_over_is_an_end() {
    let over = alert("", "").replace("Immediate", "Past");
    assert_eq!(draft(&over).action, Some(Action::End));
    assert_eq!(draft(alert("", "<responseType>AllClear</responseType>")).action, Some(Action::End));
    assert_eq!(draft(over.replace("Flood Warning", "Earthquake")).action, Some(Action::Update));
    let first = draft(over.replace("Update", "Alert"));
    assert_eq!((first.action, first.segments[0].ended), (Some(Action::New), false));
}

#[test]
fn bare_messages() {
    let bare = |kind: &str, references: &str| {
        let head = alert(references, "").split("<info>").next().expect("a head").replace("Update", kind);
        head + "</alert>"
    };
    let references = "<references>a,b,2026-01-01T00:00:00Z</references>";
    for (kind, action) in
        [("Cancel", Action::Cancel), ("Ack", Action::Ack), ("Error", Action::Error), ("Update", Action::Update)]
    {
        let draft = draft(bare(kind, references));
        assert_eq!((draft.action, draft.segments.len()), (Some(action), 0));
    }
    assert_eq!(refusal(bare("Alert", references)).reason, Reason::MissingField);
    assert_eq!(refusal(bare("Update", "")).reason, Reason::MissingField);
}

#[test]
fn what_is_restricted_stays_so() {
    let text = alert("<addresses>a@example.org \"b c\"</addresses>", "");
    assert!(!draft(&text).restricted);
    let private = draft(text.replace("Public", "Private"));
    assert!(private.restricted && private.audience.is_none());
    assert_eq!(private.extra["addresses"], serde_json::json!(["a@example.org", "b c"]));
    let user = crate::id::UserId::from_bytes([1; 16]);
    let named = draft(text.replace("Public", "Private").replace("a@example.org", &user.to_string()));
    assert_eq!(named.audience, Some(vec![user]));
    assert!(draft(text.replace("Public", "Restricted")).restricted);
}

#[test]
fn deviations_are_warned_of() {
    let check = |text: String, warnings: &[&str]| {
        let draft = draft(&text);
        assert_eq!(codes(&draft), warnings, "{text}");
    };
    let plain = || alert("", "");
    check(plain(), &[]);
    check(plain().replace("cap:1.2", "cap:1.1"), &[]);
    check(plain().replace("<scope>Public</scope>", ""), &["scope_missing"]);
    check(plain().replace(">Severe<", ">Bad<"), &["invalid_enum"]);
    check(plain().replace(">Severe<", "><"), &["value_missing", "empty_element"]);
    check(plain().replace(">Likely<", ">Very Likely<"), &[]);
    check(alert("", "<onset>soon</onset>"), &["invalid_time"]);
    check(alert("", "<onset>2569-01-01T00:00:00+07:00</onset>"), &["buddhist_era"]);
    check(alert("<references>x,urn:oid:2.49.0.1.1,2026-01-01T00:00:00Z</references>", ""), &["reference_to_itself"]);
    check(alert("", "<headline>a</headline><headline>b</headline>"), &["element_repeated"]);
    check(plain().replace("<alert", "<cap:alert").replace("</alert", "</cap:alert"), &["prefix_unbound"]);
    check(plain().replace("<status>", "stray<status>"), &["stray_text"]);
    let extra = draft(alert("<x:odd xmlns:x='urn:x'><x:deep>1</x:deep></x:odd><parameters>2</parameters>", "")).extra;
    assert_eq!((&extra["odd"]["deep"], &extra["parameters"]), (&"1".into(), &"2".into()));
}

#[test]
fn refusals_name_line_and_column() {
    let check = |text: String, reason: Reason, pointer: &str| {
        let refusal = refusal(&text);
        assert_eq!((refusal.reason, refusal.pointer.as_str()), (reason, pointer), "{} in {text}", refusal.detail);
    };
    let plain = || alert("", "");
    check(plain().replace("<sender>warn@example.org</sender>", ""), Reason::MissingField, "2:1");
    check(plain().replace("<sender>warn@example.org", "<sender> "), Reason::MissingField, "2:1");
    check(plain().replace("2026-01-02T03:04:05+01:00", "today"), Reason::InvalidTime, "5:3");
    check(plain().replace("Actual", "Real"), Reason::InvalidEnum, "6:3");
    check(plain().replace("Update", "News"), Reason::InvalidEnum, "6:26");
    check(plain().replace("</info>", ""), Reason::InvalidXml, "11:1");
    check(plain().replace("</alert>", ""), Reason::InvalidXml, "11:1");
    check(plain() + "<more/>", Reason::InvalidXml, "11:16");
    check(plain() + "more", Reason::InvalidXml, "11:9");
    check(plain().replace("Flood Warning", "&xxe;"), Reason::InvalidXml, "8:62");
    check(plain().replace("<alert", "<!DOCTYPE alert>\n<alert"), Reason::DtdRefused, "2:1");
    check(plain().replace(" xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"", ""), Reason::UnknownFormat, "2:1");
    check(plain().replace("cap:1.2", "cap:9.9"), Reason::UnknownFormat, "2:1");
    check(alert(&"<a>".repeat(100), ""), Reason::TooDeep, "6:261");
    check("<?xml version='1.0' encoding='EBCDIC'?><alert/>".to_owned(), Reason::InvalidEncoding, "1:1");
    check("\u{1}".to_owned(), Reason::InvalidXml, "1:1");
    check(String::new(), Reason::InvalidXml, "1:1");
    let bombs = alert("", &format!("<area><areaDesc/><polygon>{}</polygon></area>", "1,1 ".repeat(300_000)));
    assert_eq!(refusal(bombs).reason, Reason::TooLarge);
    assert_eq!(refusal([b'<', 0xFF, 0xFE]).reason, Reason::InvalidEncoding);
}

#[test]
fn declared_encodings_are_read() {
    let text = alert("<note>für 5 €</note>", "");
    let latin: Vec<u8> = text
        .replace("UTF-8", "ISO-8859-1")
        .chars()
        .map(|letter| if letter == '€' { 0x80 } else { u8::try_from(u32::from(letter)).expect("Latin") })
        .collect();
    let wide =
        |join: fn(u16) -> [u8; 2]| text.replace("UTF-8", "UTF-16").encode_utf16().flat_map(join).collect::<Vec<u8>>();
    let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
    for bytes in [
        text.clone().into_bytes(),
        marked(&[0xEF, 0xBB, 0xBF], text.as_bytes()),
        latin,
        wide(u16::to_le_bytes),
        marked(&[0xFE, 0xFF], &wide(u16::to_be_bytes)),
    ] {
        let draft = draft(&bytes);
        assert_eq!(draft.extra["note"], "für 5 €");
        assert_eq!((codes(&draft), &draft.raw), (vec![], &Bytes::from(bytes)));
    }
    assert_eq!(codes(&draft(text.replace("UTF-8", "utf-16"))), ["encoding_claim"]);
}

#[test]
fn alerts_inside_of_feeds() {
    let inner = alert("", "").split_once('\n').expect("a declaration").1.to_owned();
    let escaped = inner.replace('&', "&amp;").replace('<', "&lt;");
    let feed = |entries: &str| format!("<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:f</id>{entries}</feed>");
    let entry = |content: &str| {
        format!("<entry><id>urn:e</id><link href='urn:x'/><content type='text/xml'>{content}</content></entry>")
    };
    let both = fates(feed(&(entry(&inner) + &entry(&escaped))));
    assert_eq!(both.len(), 2);
    for fate in &both {
        let draft = fate.as_ref().expect("accepted");
        assert_eq!((draft.format, &draft.raw[..]), (Format::Cap, inner.as_bytes()));
    }
    let mixed = fates(feed(&(entry(&inner) + &entry("") + &entry(&inner.replace("Actual", "Real")))));
    let reasons: Vec<_> =
        mixed.iter().map(|fate| fate.as_ref().map(|_| ()).map_err(|refused| refused.rejection.reason)).collect();
    assert_eq!(reasons, [Ok(()), Err(Reason::InvalidEnum), Err(Reason::UnknownFormat)]);
    assert_eq!(refusal(feed(&entry("text"))).reason, Reason::UnknownFormat);
    let plain = draft(feed("<entry><title>Air Quality Alert</title><updated>2026-01-01T00:00:00Z</updated></entry>"));
    assert_eq!((plain.format, plain.sender.as_str(), codes(&plain)), (Format::Atom, "urn:f", vec!["id_missing"]));
    assert_eq!(plain.raw, "<entry><title>Air Quality Alert</title><updated>2026-01-01T00:00:00Z</updated></entry>");
    assert_eq!(plain.title.as_deref(), Some("Air Quality Alert"));
    assert_eq!(plain.segments[0].urgency, Urgency::Unknown);
    assert_eq!(refusal(feed("<entry><id>urn:e</id></entry>")).reason, Reason::MissingField);
}

#[test]
fn vtec_leads_to_threads() {
    let check = |vtec: &str, keys: &[&str], action: Action, closings: usize| {
        let text = alert("", &format!("<parameter><valueName>VTEC</valueName><value>{vtec}</value></parameter>"));
        let draft = draft(text);
        let found: Vec<_> = draft.thread_keys.iter().map(|key| (key.scheme, key.value.as_str())).collect();
        assert_eq!(found, keys.iter().map(|key| ("vtec", *key)).collect::<Vec<_>>());
        assert_eq!((draft.action, draft.closings.len()), (Some(action), closings));
        assert_eq!(draft.segments[0].ended, action == Action::End);
    };
    let flood = |step: &str| format!("/O.{step}.KLKN.FA.W.0018.260101T0000Z-260103T0315Z/");
    check(&flood("CON"), &["KLKN.FA.W.0018.2026"], Action::Update, 0);
    check(
        &format!("{}\n/00000.0.SM.000000T0000Z.000000T0000Z.000000T0000Z.OO/", flood("EXP")),
        &["KLKN.FA.W.0018.2026"],
        Action::End,
        0,
    );
    check(&flood("CAN"), &["KLKN.FA.W.0018.2026"], Action::Cancel, 0);
    let upgrade = flood("UPG") + " /O.NEW.KLKN.FF.W.0002.260101T0000Z-260103T0315Z/";
    check(&upgrade, &["KLKN.FF.W.0002.2026"], Action::Update, 1);
    let text = alert("", "<parameter><valueName>VTEC</valueName><value>none</value></parameter>");
    assert_eq!(codes(&draft(text)), ["vtec_unreadable"]);
}

#[test]
fn kinds_by_awareness_type_name_and_code() {
    let check = |event: &str, info: &str, category: Category, kind: &str| {
        let draft = draft(alert("", info).replace("Flood Warning", event));
        assert_eq!((draft.segments[0].category, draft.segments[0].kind.as_str()), (category, kind), "{event} {info}");
    };
    let awareness =
        |value: &str| format!("<parameter><valueName>awareness_type</valueName><value>{value}</value></parameter>");
    check("Groene waarschuwing", &awareness("10; Rain"), Category::Weather, "weather.rain");
    check(
        "Severe Thunderstorm Warning",
        &awareness("3; Thunderstorm"),
        Category::Weather,
        "weather.thunderstorm.severe",
    );
    check("Alerta", &awareness("9; avalanches"), Category::Landslide, "landslide.avalanche");
    check("Flash Flood Warning", &awareness("?"), Category::Flood, "flood.flash");
    check(
        "Alerta",
        "<eventCode><valueName>SAME</valueName><value>TOR</value></eventCode>",
        Category::Weather,
        "weather.tornado",
    );
    check("Alerta", "", Category::Weather, "weather");
}
