//! Each attack by its name.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::super::claims::Claims;
use super::super::compact::{TOKEN_BYTES_MAX, claimed_issuer};
use super::super::error::TokenError;
use super::super::jwk::VerifyingKey;
use super::*;

fn verify(token: &str, keys: &KeySet) -> Result<Claims, TokenError> {
    access().verify(token, keys, now())
}

fn encode(text: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// A token of a key with this header is refused for this reason, though its signature is right.
fn check_header(name: &str, value: Value, expected: TokenError) {
    let key = edwards();
    let refused = verify(&token(&key, &header_with(&key, name, value.clone()), &claims()), &keys_of(&[&key]));
    assert_eq!(refused, Err(expected), "{name}: {value}");
}

fn check_claim(name: &str, value: Value, expected: Result<(), TokenError>) {
    let key = edwards();
    let outcome = verify(&token(&key, &header(&key), &claims_with(name, value.clone())), &keys_of(&[&key]));
    assert_eq!(outcome.map(drop), expected, "{name}: {value}");
}

#[test]
fn a_good_token_says_what_was_signed() {
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let key = key(algorithm);
        let found = verify(&token(&key, &header(&key), &claims()), &keys_of(&[&key])).expect("good");
        assert_eq!(found.subject, "usr_1");
        assert_eq!(found.audiences, [AUDIENCE]);
        assert_eq!(found.scopes, ["events:read", "events:write"]);
        assert_eq!(found.tenant.expect("a tenant").as_str(), "acme");
        assert_eq!(found.roles, ["curator"]);
        assert_eq!((found.issued, found.expires), (now(), after(600)));
        assert_eq!(found.key, key.id());
        assert!(found.others.is_empty());
    }
}

#[test]
fn unsigned_tokens_are_refused() {
    let key = edwards();
    for name in ["none", "None", "NONE", "nOnE", ""] {
        check_header("alg", json!(name), TokenError::Unsigned);
        let unsigned = format!("{}.{}.", encode(json!({"alg": name}).to_string()), encode(claims().to_string()));
        assert_eq!(verify(&unsigned, &keys_of(&[&key])), Err(TokenError::Unsigned));
    }
    // A right header with nothing for a signature.
    let good = token(&key, &header(&key), &claims());
    let stripped = &good[..=good.rfind('.').expect("a dot")];
    assert_eq!(verify(stripped, &keys_of(&[&key])), Err(TokenError::Signature));
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    // HS256 with the text of the public key as secret, the classic confusion.
    let key = edwards();
    for secret in [key.public().to_string(), key.public()["x"].as_str().expect("x").to_owned()] {
        let header = json!({"alg": "HS256", "kid": key.id(), "typ": "at+jwt"});
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());
        assert_eq!(verify(&format!("{signed}.{}", encode(tag)), &keys_of(&[&key])), Err(TokenError::Algorithm));
    }
}

#[test]
fn another_algorithm_than_that_of_the_key_is_refused() {
    for name in ["ES256", "RS256", "PS256", "HS256", "EDDSA", "eddsa", "Ed25519", "EdDSA ", "ES256K", "x"] {
        check_header("alg", json!(name), TokenError::Algorithm);
    }
    check_header("alg", json!(1), TokenError::Header);
    check_header("alg", json!(["EdDSA"]), TokenError::Header);
    // With a key of the other algorithm beside it, and `kid` naming the wrong one.
    let (edwards, elliptic) = (edwards(), key(SigningAlgorithm::Es256));
    let header = json!({"alg": "ES256", "kid": edwards.id(), "typ": "at+jwt"});
    let refused = verify(&token(&elliptic, &header, &claims()), &keys_of(&[&edwards, &elliptic]));
    assert_eq!(refused, Err(TokenError::Algorithm));
}

#[test]
fn keys_and_addresses_in_the_header_are_refused() {
    let attacker = edwards();
    check_header("jwk", attacker.public().clone(), TokenError::EmbeddedKey);
    check_header("jku", json!("https://evil.example/jwks.json"), TokenError::EmbeddedKey);
    check_header("x5u", json!("https://evil.example/cert.pem"), TokenError::EmbeddedKey);
    check_header("x5c", json!(["MIIB"]), TokenError::EmbeddedKey);
    check_header("jwk", json!(null), TokenError::EmbeddedKey);
    // Signed by the embedded key itself, under the name of ours.
    let ours = edwards();
    let mut header = header(&ours);
    header["jwk"] = attacker.public().clone();
    assert_eq!(verify(&token(&attacker, &header, &claims()), &keys_of(&[&ours])), Err(TokenError::EmbeddedKey));
}

#[test]
fn extensions_are_refused() {
    check_header("crit", json!(["exp"]), TokenError::Critical);
    check_header("crit", json!([]), TokenError::Critical);
    check_header("b64", json!(false), TokenError::Unencoded);
    check_header("b64", json!(true), TokenError::Unencoded);
    check_header("zip", json!("DEF"), TokenError::Encrypted);
    check_header("enc", json!("A256GCM"), TokenError::Encrypted);
}

#[test]
fn other_kinds_of_tokens_are_refused() {
    for kind in ["JWT", "jwt", "at", "at+jwt ", "dpop+jwt", "logout+jwt", "secevent+jwt", "text/at+jwt", ""] {
        check_header("typ", json!(kind), TokenError::Type);
    }
    check_header("typ", json!(7), TokenError::Header);
    check_header("cty", json!("JWT"), TokenError::Nested);
    check_header("cty", json!("application/jwt"), TokenError::Nested);
    let key = edwards();
    let keys = keys_of(&[&key]);
    for kind in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verify(&token(&key, &header_with(&key, "typ", json!(kind)), &claims()), &keys).is_ok(), "{kind}");
    }
    let untyped = json!({"alg": "EdDSA", "kid": key.id()});
    assert_eq!(verify(&token(&key, &untyped, &claims()), &keys), Err(TokenError::Type));
    // And an access token is no ID token, for the same issuer and audience.
    let id = Profile::ours(Kind::Id, ISSUER, AUDIENCE);
    assert_eq!(id.verify(&token(&key, &header(&key), &claims()), &keys, now()), Err(TokenError::Type));
    assert!(id.verify(&token(&key, &untyped, &claims()), &keys, now()).is_ok());
}

#[test]
fn the_key_is_the_one_that_the_token_names() {
    let (ours, other) = (edwards(), edwards());
    let anonymous = json!({"alg": "EdDSA", "typ": "at+jwt"});
    let signed = token(&ours, &header(&ours), &claims());
    assert_eq!(verify(&signed, &keys_of(&[&other])), Err(TokenError::UnknownKey));
    assert_eq!(verify(&signed, &KeySet::default()), Err(TokenError::UnknownKey));
    assert_eq!(verify(&token(&other, &header(&ours), &claims()), &keys_of(&[&ours])), Err(TokenError::Signature));
    let signed = token(&ours, &anonymous, &claims());
    assert!(verify(&signed, &keys_of(&[&ours])).is_ok());
    assert!(verify(&signed, &keys_of(&[&ours, &key(SigningAlgorithm::Es256)])).is_ok());
    assert_eq!(verify(&signed, &keys_of(&[&ours, &other])), Err(TokenError::AmbiguousKey));
    assert_eq!(verify(&signed, &KeySet::default()), Err(TokenError::UnknownKey));
    for hostile in ["../../dev/null", "' or 1=1 --", "\0", ""] {
        check_header("kid", json!(hostile), TokenError::UnknownKey);
    }
    check_header("kid", json!(null), TokenError::Header);
}

#[test]
fn only_one_spelling_of_a_token_is_taken() {
    let key = edwards();
    let keys = keys_of(&[&key]);
    let good = token(&key, &header(&key), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    assert!(verify(&good, &keys).is_ok());
    for (text, expected) in [
        (String::new(), TokenError::NotCompact),
        (".".into(), TokenError::NotCompact),
        ("..".into(), TokenError::Header),
        (format!("{good}."), TokenError::NotCompact),
        (format!("{}.{}", parts[0], parts[1]), TokenError::NotCompact),
        (format!("{good}.a.b"), TokenError::Encrypted),
        (format!("{good}="), TokenError::Encoding),
        (format!("{good}=="), TokenError::Encoding),
        (format!("{good}A"), TokenError::Signature),
        (format!("{good}AAA"), TokenError::Encoding),
        (format!(" {good}"), TokenError::Encoding),
        (format!("{good}\n"), TokenError::Encoding),
        (good.replacen('.', "\n.", 1), TokenError::Encoding),
        (format!("{}..{}", parts[0], parts[2]), TokenError::Signature),
        (format!("{}+.{}.{}", parts[0], parts[1], parts[2]), TokenError::Encoding),
        (
            json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string(),
            TokenError::NotCompact,
        ),
    ] {
        assert_eq!(verify(&text, &keys), Err(expected), "{text:.80}");
    }
    // 64 bytes leave four unused bits in the last letter: every other value of them is refused.
    let (front, _) = good.split_at(good.len() - 1);
    let spellings = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let taken = spellings.iter().filter(|it| verify(&format!("{front}{}", **it as char), &keys).is_ok()).count();
    assert_eq!(taken, 1);
}

#[test]
fn members_named_twice_are_refused() {
    let key = edwards();
    let keys = keys_of(&[&key]);
    let twice = format!(r#"{{"alg":"EdDSA","alg":"EdDSA","kid":"{}","typ":"at+jwt"}}"#, key.id());
    let signed = key.sign_text(&twice, &claims().to_string()).expect("signs");
    assert_eq!(verify(&signed, &keys), Err(TokenError::Header));
    let text = claims().to_string();
    let twice = format!(r#"{},"sub":"admin"}}"#, &text[..text.len() - 1]);
    let signed = key.sign_text(&header(&key).to_string(), &twice).expect("signs");
    assert_eq!(verify(&signed, &keys), Err(TokenError::Claims));
    for payload in ["", "[]", "null", "{}x", "\"a\"", "{\"a\":1e400}", "\u{feff}{}"] {
        let signed = key.sign_text(&header(&key).to_string(), payload).expect("signs");
        assert_eq!(verify(&signed, &keys), Err(TokenError::Claims), "{payload}");
    }
    for text in ["", "[]", "null", "{", "{}", r#"{"typ":"at+jwt"}"#] {
        let signed = key.sign_text(text, &claims().to_string()).expect("signs");
        assert_eq!(verify(&signed, &keys), Err(TokenError::Header), "{text}");
    }
}

#[test]
fn oversized_tokens_are_refused_before_they_are_read() {
    let key = edwards();
    let keys = keys_of(&[&key]);
    let padded = |bytes: usize| token(&key, &header(&key), &claims_with("pad", json!("x".repeat(bytes))));
    let overhead = padded(0).len();
    let fitting = padded((TOKEN_BYTES_MAX - overhead) / 4 * 3 - 8);
    assert!(fitting.len() <= TOKEN_BYTES_MAX && fitting.len() > TOKEN_BYTES_MAX - 40, "{}", fitting.len());
    assert!(verify(&fitting, &keys).is_ok());
    assert_eq!(verify(&padded(TOKEN_BYTES_MAX), &keys), Err(TokenError::TooLong));
    assert_eq!(verify(&"a".repeat(10_000_000), &keys), Err(TokenError::TooLong));
    let deep = format!(r#"{{"iss":{}{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
    let signed = key.sign_text(&header(&key).to_string(), &deep).expect("signs");
    assert_eq!(verify(&signed, &keys), Err(TokenError::Claims));
}

#[test]
fn a_token_of_another_issuer_or_for_another_audience_is_refused() {
    for issuer in ["https://tidings.example/", "https://TIDINGS.example", "http://tidings.example", "x"] {
        check_claim("iss", json!(issuer), Err(TokenError::Issuer));
    }
    check_claim("iss", json!(null), Err(TokenError::Missing("iss")));
    check_claim("iss", json!([ISSUER]), Err(TokenError::Claims));
    check_claim("aud", json!("https://tidings.example"), Err(TokenError::Audience));
    check_claim("aud", json!(["a", "b"]), Err(TokenError::Audience));
    check_claim("aud", json!([]), Err(TokenError::Audience));
    check_claim("aud", json!([AUDIENCE, 1]), Err(TokenError::Claims));
    check_claim("aud", json!({"a": AUDIENCE}), Err(TokenError::Claims));
    check_claim("aud", json!(null), Err(TokenError::Missing("aud")));
    check_claim("aud", json!(["a", AUDIENCE]), Ok(()));
}

#[test]
fn claims_that_a_kind_requires_must_be_there() {
    for name in ["sub", "exp", "iat", "jti", "client_id"] {
        check_claim(name, json!(null), Err(TokenError::Missing(name)));
    }
    for name in ["sub", "jti", "client_id", "tenant", "grant", "azp", "nonce"] {
        check_claim(name, json!(""), Err(TokenError::Claims));
        check_claim(name, json!(1), Err(TokenError::Claims));
    }
    check_claim("tenant", json!("../acme"), Err(TokenError::Claims));
    check_claim("roles", json!("admin"), Err(TokenError::Claims));
    check_claim("scope", json!(["events:read"]), Err(TokenError::Claims));
    check_claim("scope", json!(""), Ok(()));
}

#[test]
fn times_are_judged_with_a_skew_of_sixty_seconds() {
    for wrong in [json!("1795435200"), json!(-1), json!(1e300), json!(-0.5), json!(true), json!(i64::MAX)] {
        for name in ["exp", "iat", "nbf"] {
            check_claim(name, wrong.clone(), Err(TokenError::Claims));
        }
    }
    check_claim("nbf", json!(NOON + 60), Ok(()));
    check_claim("nbf", json!(NOON + 61), Err(TokenError::NotYetValid));
    check_claim("iat", json!(NOON + 60), Ok(()));
    check_claim("iat", json!(NOON as f64 + 59.5), Ok(()));
    check_claim("iat", json!(NOON + 61), Err(TokenError::IssuedAhead));
    check_claim("iat", json!(NOON + 600 - 24 * 3_600), Ok(()));
    check_claim("iat", json!(NOON + 599 - 24 * 3_600), Err(TokenError::Lifetime));
    check_claim("exp", json!(NOON), Err(TokenError::Lifetime));
    check_claim("exp", json!(NOON - 59), Err(TokenError::Lifetime));
    check_claim("exp", json!(NOON - 60), Err(TokenError::Expired));
    check_claim("exp", json!(253_402_300_799_i64), Err(TokenError::Lifetime));
    let key = edwards();
    let (signed, keys) = (token(&key, &header(&key), &claims()), keys_of(&[&key]));
    assert!(access().verify(&signed, &keys, after(659)).is_ok());
    assert_eq!(access().verify(&signed, &keys, after(660)), Err(TokenError::Expired));
    let short = access().with_lifetime_max(Duration::from_secs(599));
    assert_eq!(short.verify(&signed, &keys, now()), Err(TokenError::Lifetime));
}

#[test]
fn an_id_token_answers_the_request_of_this_client() {
    let key = edwards();
    let keys = keys_of(&[&key]);
    let profile = Profile::foreign(Kind::Id, ISSUER, AUDIENCE).with_nonce("n-1");
    let check = |name: &str, value: Value, expected: Result<(), TokenError>| {
        let mut claims = claims_with("nonce", json!("n-1"));
        claims[name] = value;
        let signed = token(&key, &header_with(&key, "typ", json!("JWT")), &claims);
        assert_eq!(profile.verify(&signed, &keys, now()).map(drop), expected, "{name}");
    };
    check("nonce", json!("n-1"), Ok(()));
    check("nonce", json!("n-2"), Err(TokenError::Nonce));
    check("azp", json!(AUDIENCE), Ok(()));
    check("azp", json!("other"), Err(TokenError::Audience));
}

#[test]
fn a_foreign_issuer_gives_no_tenant_and_no_role() {
    let key = edwards();
    let profile = Profile::foreign(Kind::Access, ISSUER, AUDIENCE);
    let mut claims = claims();
    claims["tenant"] = json!("Not A Tenant");
    let found = profile.verify(&token(&key, &header(&key), &claims), &keys_of(&[&key]), now()).expect("good");
    assert_eq!((found.tenant, found.grant), (None, None));
    assert!(found.roles.is_empty());
    assert_eq!(found.others["roles"], json!(["curator"]));
}

#[test]
fn a_shared_secret_has_its_own_algorithm_only() {
    let secret = [7; 32];
    let shared = VerifyingKey::shared_secret(Some("s".into()), &secret).expect("long enough");
    let keys = KeySet::of(vec![shared]).expect("a set");
    let sign = |algorithm: &str| {
        let header = json!({"alg": algorithm, "kid": "s", "typ": "at+jwt"});
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        format!("{signed}.{}", encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes())))
    };
    assert!(verify(&sign("HS256"), &keys).is_ok());
    assert_eq!(verify(&sign("HS512"), &keys), Err(TokenError::Algorithm));
    let good = sign("HS256");
    let truncated = &good[..good.len() - 22];
    assert!(matches!(verify(truncated, &keys), Err(TokenError::Signature | TokenError::Encoding)));
}

#[test]
fn names_and_texts_of_refusals_hold_no_token() {
    assert_eq!(TokenError::Missing("exp").name(), "missing_claim");
    assert_eq!(TokenError::Missing("exp").to_string(), "the claim `exp` is missing");
    let key = edwards();
    let signed = token(&key, &header(&key), &claims());
    let other = verify(&signed, &keys_of(&[&edwards()])).expect_err("another key");
    let shown = format!("{other} {other:?} {}", other.name());
    assert_eq!(shown, "no key for this token UnknownKey unknown_key");
}

#[test]
fn the_claimed_issuer_is_read_from_tokens_of_good_form_only() {
    let key = edwards();
    let signed = token(&key, &header(&key), &claims());
    assert_eq!(claimed_issuer(&signed).as_deref(), Ok(ISSUER));
    let unsigned = format!("{}.e30.", encode(r#"{"alg":"none"}"#));
    assert_eq!(claimed_issuer(&unsigned), Err(TokenError::Unsigned));
}
