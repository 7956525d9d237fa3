use proptest::prelude::*;

use super::*;

/// The tokens of a document in one line, or the fault and its place.
fn told(text: &str) -> String {
    let mut xml = Xml::new(text, &Limits::default());
    let mut told = String::new();
    loop {
        match xml.next() {
            Ok(Token::Open(tag)) => told.push_str(&format!("<{}", tag.name)),
            Ok(Token::Text(text)) => told.push_str(&format!("[{text}]")),
            Ok(Token::Close) => told.push('>'),
            Ok(Token::End) => return told,
            Err(rejection) => return format!("{} {}", rejection.pointer, rejection.reason.as_str()),
        }
    }
}

#[test]
fn tells_what_stands_there() {
    for (text, expected) in [
        ("<a/>", "<a>"),
        ("<?xml version='1.0'?>\n<!-- x --> <a><b k='v>' /> t </a > <!-- y -->", "<a<b>[ t ]>"),
        ("<a>x&lt;&#65;&#x42;\r\ny\rz</a>", "<a[x<AB\ny\nz]>"),
        ("<a><![CDATA[<&]]>]]</a>", "<a[<&][]]]>"),
        ("<a:b xmlns:a='u'><a:c/></a:b>", "<b<c>>"),
        ("<é>ü</é>", "<é[ü]>"),
        ("", ""),
        ("<a>", "1:4 invalid_xml"),
        ("<a><b></a>", "1:7 invalid_xml"),
        ("<a></a></a>", "1:8 invalid_xml"),
        ("<a>\n <b c></b></a>", "2:2 invalid_xml"),
        ("<a b='1'c='2'/>", "1:1 invalid_xml"),
        ("<a b='<'/>", "1:1 invalid_xml"),
        ("<a b='1/>", "1:6 invalid_xml"),
        ("<a>&nbsp;</a>", "1:4 invalid_xml"),
        ("<a>a & b</a>", "1:6 invalid_xml"),
        ("<a>&#0;</a>", "1:4 invalid_xml"),
        ("<a>&#xD800;</a>", "1:4 invalid_xml"),
        ("<a>1 < 2</a>", "1:6 invalid_xml"),
        ("<a><!-- </a>", "1:4 invalid_xml"),
        ("<a><![CDATA[ </a>", "1:4 invalid_xml"),
        ("<a><!x></a>", "1:4 invalid_xml"),
        ("<a><?x </a>", "1:4 invalid_xml"),
        ("x<a/>", "1:1 invalid_xml"),
        ("<a/>x", "1:5 invalid_xml"),
        ("<a", "1:1 invalid_xml"),
        ("<", "1:1 invalid_xml"),
        ("<!doctype a><a/>", "1:1 dtd_refused"),
        ("<1/>", "1:1 invalid_xml"),
        ("<a:b:c/>", "1:1 invalid_xml"),
        ("<:a/>", "1:1 invalid_xml"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn namespaces_are_resolved() {
    let text = "<cap:alert xmlns:cap='urn:oasis:names:tc:emergency:cap:1.2' xmlns='http://www.w3.org/2005/Atom'>\
                <a/><b xmlns=''><c/></b><cap:d/><e:f/><g xmlns='urn:g'/></cap:alert>";
    let mut xml = Xml::new(text, &Limits::default());
    let mut found = Vec::new();
    while let Ok(token) = xml.next() {
        match token {
            Token::Open(tag) => found.push(tag.namespace),
            Token::End => break,
            _ => {}
        }
    }
    use Namespace::{Atom, Cap, None, Other, Unbound};
    assert_eq!(found, [Cap, Atom, None, None, Cap, Unbound, Other]);
}

#[test]
fn limits_hold() {
    let deep = "<a>".repeat(65);
    assert_eq!(told(&deep), "1:193 too_deep");
    let many: String = (0..300).map(|number| format!(" xmlns:p{number}='u'")).collect();
    assert_eq!(told(&format!("<a{many}/>")), "1:1 too_large");
}

#[test]
fn text_is_whole_and_trimmed() {
    let text = |document: &str| {
        let mut xml = Xml::new(document, &Limits::default());
        xml.root().and_then(|_| xml.text()).map(Cow::into_owned).ok()
    };
    assert_eq!(text("<a> b c </a>").as_deref(), Some("b c"));
    assert_eq!(text("<a>\n b&amp;c <!-- x -->d<![CDATA[ e ]]></a>").as_deref(), Some("b&c d e"));
    assert_eq!(text("<a>1<b>2<c/></b>3</a>").as_deref(), Some("123"));
    assert_eq!(text("<a/>").as_deref(), Some(""));
    assert_eq!(text("<a>1<b></a>"), None);
}

/// The same tokens as the general crate tells them.
fn told_by_quick_xml(text: &str) -> Option<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut told = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => told.push_str(&format!("<{}", tag.local_name().into_inner())),
            Event::Empty(tag) => told.push_str(&format!("<{}>", tag.local_name().into_inner())),
            Event::End(_) => told.push('>'),
            Event::Eof => return Some(told),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "[<>/!?a-c:'\"= &;#x\\[\\]CDAT\\-\n]{0,60}") {
        let _ = told(&text);
        let mut xml = Xml::new(&text, &Limits::default());
        if xml.root().is_ok() {
            let _ = xml.text();
        }
    }

    #[test]
    fn elements_are_those_of_the_general_crate(text in "(<a>|</a>|<b/>|<p:c d='e'>|</p:c>|<!-- f -->|g| ){0,14}") {
        let text = format!("<a>{text}</a>");
        let ours = told(&text);
        if !ours.ends_with("invalid_xml") {
            let elements: String = ours.replace("[g]", "").replace("[ g]", "");
            let elements: String = elements.chars().filter(|letter| !matches!(letter, '[' | ']' | 'g' | ' ')).collect();
            prop_assert_eq!(Some(elements), told_by_quick_xml(&text));
        }
    }
}
