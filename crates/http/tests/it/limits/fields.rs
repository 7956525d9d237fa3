//! Reads lists of RFC 9651, as strictly as it says, as far as the two fields use them.

use crate::app::Answer;

/// A text and its parameters, which are integers or texts.
#[derive(Debug)]
struct Item {
    name: String,
    parameters: Vec<(String, Bare)>,
}

#[derive(Debug, PartialEq)]
enum Bare {
    Integer(u64),
    Text(String),
}

/// `r` and `t` of one limit.
#[track_caller]
pub(super) fn left(answer: &Answer, limit: &str) -> (u64, u64) {
    (integer(answer, "ratelimit", limit, "r"), integer(answer, "ratelimit", limit, "t"))
}

/// `q` and `w` of one limit.
#[track_caller]
pub(super) fn policy(answer: &Answer, limit: &str) -> (u64, u64) {
    (integer(answer, "ratelimit-policy", limit, "q"), integer(answer, "ratelimit-policy", limit, "w"))
}

#[track_caller]
fn integer(answer: &Answer, field: &str, limit: &str, parameter: &str) -> u64 {
    let text = answer.header(field);
    let items = list(text);
    let item = items.iter().find(|item| item.name == limit);
    let item = item.unwrap_or_else(|| panic!("no {limit} in {field}: {text:?} of {}", answer.text));
    match item.parameters.iter().find(|(name, _)| name == parameter) {
        Some((_, Bare::Integer(number))) => *number,
        other => panic!("{parameter} of {limit} is {other:?} in {text:?}"),
    }
}

#[track_caller]
fn list(text: &str) -> Vec<Item> {
    let mut rest = text;
    let mut items: Vec<Item> = Vec::new();
    loop {
        let Bare::Text(name) = bare(&mut rest) else { panic!("not a text in {text:?}") };
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (key, after) = after.trim_start_matches(' ').split_once('=').expect("a value");
            assert!(key.bytes().all(|byte| byte.is_ascii_lowercase()), "{key:?} in {text:?}");
            rest = after;
            parameters.push((key.to_owned(), bare(&mut rest)));
        }
        assert!(items.iter().all(|item| item.name != name), "{name} twice in {text:?}");
        items.push(Item { name, parameters });
        if rest.is_empty() {
            return items;
        }
        rest = rest.trim_start_matches([' ', '\t']).strip_prefix(',').expect("a comma").trim_start_matches([' ', '\t']);
    }
}

#[track_caller]
fn bare(rest: &mut &str) -> Bare {
    if let Some(text) = rest.strip_prefix('"') {
        let (text, after) = text.split_once('"').expect("an end");
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\'), "{text:?}");
        *rest = after;
        return Bare::Text(text.to_owned());
    }
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    assert!((1..=15).contains(&digits.len()), "{digits:?} before {after:?}");
    *rest = after;
    Bare::Integer(digits.parse().expect("digits"))
}
