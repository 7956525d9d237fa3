use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What serde_json makes of a text is what we make of it, refusals included.
fn agree(text: &str) {
    let ours = Parser::document(text, 64);
    let theirs = serde_json::from_str::<Value>(text);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours.into_value(), theirs, "{text}"),
        (Err(ours), Ok(_)) => assert_eq!(ours.reason, Reason::DuplicateKey, "{text}: {ours}"),
        (Err(_), Err(_)) => {}
        (Ok(ours), Err(theirs)) => panic!("{text}: {ours:?} but {theirs}"),
    }
}

fn refused(text: &str, reason: Reason, pointer: &str) {
    let rejection = Parser::document(text, 8).expect_err(text);
    assert_eq!((rejection.reason, rejection.pointer.as_str()), (reason, pointer), "{text}: {rejection}");
}

#[test]
fn agrees_with_serde_json() {
    for text in [
        "",
        " ",
        "{}",
        "[]",
        "[1,2.5,-0,0,-0.0,1e3,1E-3,12345678901234567890,-9223372036854775808,123456789012345678901234567890]",
        r#"{"a":"b\n\"\\\/\u00e9\ud83d\ude00","":[{}],"long name of it":"eight characters and \t more"}"#,
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e999",
        "NaN",
        "[Infinity]",
        "[1,]",
        "[1 2]",
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        "{a:1}",
        "tru",
        "truex",
        "\"a\nb\"",
        "\"abc",
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\u12""#,
        r#""\x""#,
        "{} {}",
        "\"été\"",
        "[[[[[[[[[[]]]]]]]]]]",
    ] {
        agree(text);
    }
}

#[test]
fn says_where() {
    refused("{\n \"a\": tru }", Reason::InvalidJson, "2:7");
    refused(r#"{"a":1,"a":2}"#, Reason::DuplicateKey, "/a");
    refused(r#"[{"x":"[{"},{"b/c":{"d":[0,{"e":1,"f":2,"e":3}]}}]"#, Reason::DuplicateKey, "/1/b~1c/d/1/e");
    refused(r#"{"a":[[[[[[[[0]]]]]]]]}"#, Reason::TooDeep, "/a/0/0/0/0/0/0/0");
    let many: Vec<String> = (0..100).chain([70]).map(|n| format!("\"k{n}\":0")).collect();
    refused(&format!("{{{}}}", many.join(",")), Reason::DuplicateKey, "/k70");
}

proptest! {
    #[test]
    fn agrees_on_anything(text in r#"[\[\]{}",:0-9eE+.\-\\unltrfasé \n]{0,24}"#) {
        agree(&text);
    }

    #[test]
    fn agrees_on_strings(text in any::<String>()) {
        agree(&serde_json::to_string(&text).expect("a string has JSON"));
        agree(&format!("\"{text}\""));
    }

    #[test]
    fn agrees_on_numbers(number in proptest::num::f64::NORMAL | proptest::num::f64::ZERO, whole in any::<i64>()) {
        // serde_json without `float_roundtrip` may be off by the last bit, so the standard library judges.
        let text = format!("[{number},{number:e},{whole}]");
        let Ok(Node::List(read)) = Parser::document(&text, 64) else { panic!("{text}") };
        prop_assert_eq!(read[0].as_number(), Some(number));
        prop_assert_eq!(read[1].as_number(), Some(number));
        prop_assert_eq!(&read[2], &Node::Number(whole.into()));
    }
}
