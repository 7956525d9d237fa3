//! Vectors that others published, and every way of bending a signed request.

use tidings_core::id::{TenantId, UserId};
use tidings_core::permission::Role;
use tidings_core::principal::Issuers;

use super::*;

/// The vector of the libraries of Standard Webhooks 1.0.
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STANDARD: [(&str, &str); 3] = [
    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    ("webhook-timestamp", "1614265330"),
    ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
];
const STANDARD_BODY: &str = r#"{"test": 2432232314}"#;
const STANDARD_SECONDS: i64 = 1_614_265_330;

/// The example of GitHub's documentation, "Validating webhook deliveries".
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB: [(&str, &str); 2] = [
    ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
    ("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
];
const GITHUB_BODY: &str = "Hello, World!";

fn hook(scheme: HookScheme, secrets: &[&str]) -> HookRecord {
    let at = Timestamp::from_millis(0);
    let secrets = secrets.iter().map(|text| HookSecret { secret: (*text).to_owned().into(), ends: None });
    HookRecord {
        id: HookId::derived(&[b"1"]),
        tenant: TenantId::default_tenant(),
        user: UserId::derived(&[b"1"]),
        name: "scanner".parse().unwrap(),
        namespace: "own:ann/scanner".to_owned(),
        scheme,
        secrets: secrets.collect(),
        role: Role::Curator.into(),
        issuers: Issuers::Only(vec![]),
        created: at,
        updated: at,
        expires: None,
    }
}

/// Whether a request at that second is let in. A field that is there twice is none that can be read.
fn lets_in(hook: &HookRecord, fields: &[(&str, &str)], body: &str, seconds: i64) -> bool {
    let now = Timestamp::from_millis(seconds * 1_000);
    let claim = Claim::read(hook, now, |name| {
        let mut found = fields.iter().filter(|(field, _)| *field == name).map(|(_, text)| *text);
        found.next().filter(|_| found.next().is_none())
    });
    claim.is_some_and(|claim| claim.holds(&hook.secrets, body.as_bytes(), now))
}

/// The fields with one of them changed.
fn with<'a>(fields: &[(&'a str, &'a str)], name: &str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(field, value)| (*field, if *field == name { text } else { *value })).collect()
}

#[test]
fn the_vector_of_standard_webhooks_is_let_in_for_five_minutes_and_nothing_near_it() {
    let hook = hook(HookScheme::Standard, &[STANDARD_SECRET]);
    let at = |seconds| lets_in(&hook, &STANDARD, STANDARD_BODY, seconds);
    for seconds in [0, 300, -300] {
        assert!(at(STANDARD_SECONDS + seconds), "{seconds}");
    }
    for seconds in [301, -301, 3_600, -STANDARD_SECONDS] {
        assert!(!at(STANDARD_SECONDS + seconds), "{seconds}");
    }
    let check = |fields: &[(&str, &str)], body: &str| {
        assert!(!lets_in(&hook, fields, body, STANDARD_SECONDS), "{fields:?} {body}");
    };
    check(&STANDARD, r#"{"test": 2432232315}"#);
    check(&STANDARD, r#"{"test":2432232314}"#);
    check(&STANDARD, "");
    for (name, text) in [
        ("webhook-id", "msg_other"),
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek "),
        ("webhook-id", ""),
        // The same bytes are signed, cut elsewhere.
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330"),
        ("webhook-timestamp", "1614265331"),
        ("webhook-timestamp", "+1614265330"),
        ("webhook-timestamp", " 1614265330"),
        ("webhook-timestamp", "1614265330.0"),
        ("webhook-timestamp", "99999999999999999999"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", ""),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,g0hM9SsE"),
        ("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        // Another kind of signature, and a hash in another form.
        ("webhook-signature", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1,83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1"),
        ("webhook-signature", "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="),
    ] {
        check(&with(&STANDARD, name, text), STANDARD_BODY);
    }
    for (index, _) in STANDARD.iter().enumerate() {
        let mut fields = STANDARD.to_vec();
        fields.push(fields[index]);
        check(&fields, STANDARD_BODY);
        check(&[&STANDARD[..index], &STANDARD[index + 1..]].concat(), STANDARD_BODY);
    }
}

#[test]
fn the_same_bytes_cut_at_another_dot_are_another_message_that_nobody_signed() {
    let hook = hook(HookScheme::Standard, &[STANDARD_SECRET]);
    // Of `msg_a.1614265330.1614265331.x`.
    let signature = ("webhook-signature", "v1,hSqyUpKdI72cgCIvS87vyCmwTmf2PMbkqFxbtxk/suU=");
    let whole = [("webhook-id", "msg_a"), ("webhook-timestamp", "1614265330"), signature];
    assert!(lets_in(&hook, &whole, "1614265331.x", STANDARD_SECONDS));
    let bent = [("webhook-id", "msg_a.1614265330"), ("webhook-timestamp", "1614265331"), signature];
    assert!(!lets_in(&hook, &bent, "x", STANDARD_SECONDS));
}

#[test]
fn one_of_several_signatures_is_enough_and_very_many_are_not_read() {
    let right = STANDARD[2].1;
    let wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let hook = hook(HookScheme::Standard, &["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STANDARD_SECRET]);
    let check = |text: &str, expected: bool| {
        let fields = with(&STANDARD, "webhook-signature", text);
        assert_eq!(lets_in(&hook, &fields, STANDARD_BODY, STANDARD_SECONDS), expected, "{text}");
    };
    check(&format!("{wrong} {right}"), true);
    check(&format!("v1a,x {right} v9,?"), true);
    check(&format!("{}{right}", format!("{wrong} ").repeat(15)), true);
    check(&format!("{}{right}", format!("{wrong} ").repeat(16)), false);
    check(&format!("{right}{}", " v9,x".repeat(16)), false);
    check(wrong, false);
}

#[test]
fn the_example_of_github_is_let_in_and_nothing_near_it() {
    let hook = hook(HookScheme::Github, &[GITHUB_SECRET]);
    let check = |fields: &[(&str, &str)], body: &str, expected: bool| {
        assert_eq!(lets_in(&hook, fields, body, 0), expected, "{fields:?} {body}");
    };
    check(&GITHUB, GITHUB_BODY, true);
    check(&GITHUB, "Hello, World?", false);
    check(&GITHUB[..1], GITHUB_BODY, false);
    check(&GITHUB[1..], GITHUB_BODY, false);
    check(&[GITHUB[0], GITHUB[1], GITHUB[1]], GITHUB_BODY, false);
    let digits = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    for text in [
        digits.to_owned(),
        format!("sha512={digits}"),
        format!("sha1={digits}"),
        format!("sha256={}", &digits[..62]),
        format!("sha256={digits}0"),
        format!("sha256={digits}00"),
        format!("sha256= {digits}"),
        "sha256=".to_owned(),
    ] {
        check(&with(&GITHUB, "x-hub-signature-256", &text), GITHUB_BODY, false);
    }
    // What GitHub also sends, and what is not asked for: HMAC-SHA1.
    let old = [GITHUB[0], ("x-hub-signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")];
    check(&old, GITHUB_BODY, false);
}

/// Signatures of "Hello, World!" with GitHub's example secret, made with Python's `hmac`.
#[test]
fn other_signatures_are_read_as_their_scheme_says_and_in_no_other_way() {
    let scheme = |algorithm, encoding, prefix: Option<&str>, timed: bool| {
        HookScheme::Hmac(HmacScheme {
            header: "x-signature".to_owned(),
            algorithm,
            encoding,
            prefix: prefix.map(str::to_owned),
            timestamp_header: timed.then(|| "x-time".to_owned()),
        })
    };
    let (plain, timed) = (PLAIN, TIMED);
    let schemes = [
        (scheme(HmacAlgorithm::Sha256, HmacEncoding::Hex, None, false), plain[0]),
        (scheme(HmacAlgorithm::Sha512, HmacEncoding::Hex, None, false), plain[1]),
        (scheme(HmacAlgorithm::Sha256, HmacEncoding::Base64, None, false), plain[2]),
        (scheme(HmacAlgorithm::Sha512, HmacEncoding::Base64, None, false), plain[3]),
        (scheme(HmacAlgorithm::Sha256, HmacEncoding::Hex, Some("v0="), true), timed),
    ];
    let seconds = STANDARD_SECONDS;
    for (index, (scheme, _)) in schemes.iter().enumerate() {
        let hook = hook(scheme.clone(), &[GITHUB_SECRET]);
        for (other, (_, text)) in schemes.iter().enumerate() {
            let fields = [("x-signature", *text), ("x-time", "1614265330")];
            assert_eq!(lets_in(&hook, &fields, GITHUB_BODY, seconds), index == other, "{scheme:?} {text}");
        }
    }
    let hook = hook(schemes[4].0.clone(), &[GITHUB_SECRET]);
    let at = |time: &str, now| lets_in(&hook, &[("x-signature", timed), ("x-time", time)], GITHUB_BODY, now);
    assert!(at("1614265330", seconds + 300));
    assert!(!at("1614265330", seconds + 301) && !at("1614265331", seconds) && !at("", seconds));
    assert!(!lets_in(&hook, &[("x-signature", timed)], GITHUB_BODY, seconds), "without its time");
}

const PLAIN: [&str; 4] = [
    "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "11ed355a617e98134e842012a7944ccf59c10256cb182357bd7e3a42013ff07c376f8c14cf5cc1923da20b51d64256b2fb8ebbf100aa67a61326f61fea8111bc",
    "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=",
    "Ee01WmF+mBNOhCASp5RMz1nBAlbLGCNXvX46QgE/8Hw3b4wUz1zBkj2iC1HWQlay+4678QCqZ6YTJvYf6oERvA==",
];
const TIMED: &str = "v0=f37376a318b83773050e9e3ac8c6d599d2254e4f69edd75a1419cb54dc7264f3";

#[test]
fn a_replaced_secret_ends_when_it_says_and_another_one_never_fits() {
    let mut hook = hook(HookScheme::Standard, &["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STANDARD_SECRET]);
    let is_in = |hook: &HookRecord| lets_in(hook, &STANDARD, STANDARD_BODY, STANDARD_SECONDS);
    assert!(is_in(&hook));
    hook.secrets[1].ends = Some(Timestamp::from_millis(STANDARD_SECONDS * 1_000 + 1));
    assert!(is_in(&hook));
    hook.secrets[1].ends = Some(Timestamp::from_millis(STANDARD_SECONDS * 1_000));
    assert!(!is_in(&hook));
    hook.secrets.pop();
    assert!(!is_in(&hook));
    hook.secrets.clear();
    assert!(!is_in(&hook));
}

#[test]
fn secrets_that_are_guessed_too_easily_are_refused() {
    let generic = HookScheme::Github;
    let check = |scheme: &HookScheme, text: &str, expected: bool| {
        assert_eq!(check_secret(scheme, &text.to_owned().into()).is_ok(), expected, "{text}");
    };
    check(&HookScheme::Standard, STANDARD_SECRET, true);
    check(&generic, GITHUB_SECRET, true);
    for text in ["", "whsec_", "whsec_AAAA", &STANDARD_SECRET[6..], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*"] {
        check(&HookScheme::Standard, text, false);
    }
    for text in ["", "short", "sixteen\nbytes-----", &"x".repeat(513)] {
        check(&generic, text, false);
    }
    for scheme in [HookScheme::Standard, generic] {
        check(&scheme, secret_of(&scheme, &[7; 32]).reveal(), true);
    }
}

#[test]
fn what_is_claimed_twice_is_the_same_and_what_hooks_claim_is_not() {
    let coordinate = |hook: &HookRecord, fields: &[(&str, &str)]| {
        let now = Timestamp::from_millis(STANDARD_SECONDS * 1_000);
        let field = |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, text)| *text);
        Claim::read(hook, now, field).expect("a claim").coordinate().clone()
    };
    let one = hook(HookScheme::Standard, &[STANDARD_SECRET]);
    let other = HookRecord { id: HookId::derived(&[b"2"]), ..one.clone() };
    assert_eq!(coordinate(&one, &STANDARD), coordinate(&one, &with(&STANDARD, "webhook-timestamp", "1614265331")));
    assert_ne!(coordinate(&one, &STANDARD), coordinate(&one, &with(&STANDARD, "webhook-id", "msg_other")));
    assert_ne!(coordinate(&one, &STANDARD), coordinate(&other, &STANDARD));
}
