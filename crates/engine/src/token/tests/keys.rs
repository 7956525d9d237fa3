//! Keys and sets of them.

use serde_json::json;

use super::super::algorithm::Algorithm;
use super::super::error::KeyError;
use super::super::jwk::VerifyingKey;
use super::*;

fn parse(key: &Value) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::parse(key.to_string().as_bytes())
}

fn parse_set(keys: &[Value]) -> Result<KeySet, KeyError> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}

/// A public key of ours with one member replaced, or left out where the value is null.
fn check(algorithm: SigningAlgorithm, name: &str, value: Value, expected: Result<Algorithm, KeyError>) {
    let mut public = key(algorithm).public().clone();
    if value.is_null() {
        public.as_object_mut().expect("an object").remove(name);
    } else {
        public[name] = value.clone();
    }
    assert_eq!(parse(&public).map(|key| key.algorithm()), expected, "{name}: {value}");
}

#[test]
fn a_key_has_one_algorithm() {
    use SigningAlgorithm::{EdDsa, Es256};
    check(EdDsa, "alg", json!(null), Ok(Algorithm::EdDsa));
    check(EdDsa, "alg", json!("Ed25519"), Ok(Algorithm::Ed25519));
    check(Es256, "alg", json!(null), Ok(Algorithm::Es256));
    for name in ["HS256", "ES256", "RS256", "none", "eddsa", ""] {
        check(EdDsa, "alg", json!(name), Err(KeyError::Unsupported));
    }
    for name in ["ES384", "EdDSA", "HS256", "ECDH-ES"] {
        check(Es256, "alg", json!(name), Err(KeyError::Unsupported));
    }
    check(Es256, "crv", json!("P-384"), Err(KeyError::Unsupported));
    check(Es256, "crv", json!("secp256k1"), Err(KeyError::Unsupported));
    check(EdDsa, "crv", json!("X25519"), Err(KeyError::Unsupported));
    check(EdDsa, "kty", json!("EC"), Err(KeyError::Unsupported));
    check(EdDsa, "alg", json!(1), Err(KeyError::Form));
}

#[test]
fn keys_for_something_else_are_not_used() {
    use SigningAlgorithm::EdDsa;
    check(EdDsa, "use", json!(null), Ok(Algorithm::EdDsa));
    check(EdDsa, "use", json!("enc"), Err(KeyError::Purpose));
    check(EdDsa, "use", json!("SIG"), Err(KeyError::Purpose));
    check(EdDsa, "key_ops", json!(["verify"]), Ok(Algorithm::EdDsa));
    check(EdDsa, "key_ops", json!(["sign"]), Err(KeyError::Purpose));
    check(EdDsa, "key_ops", json!([]), Err(KeyError::Purpose));
    check(EdDsa, "key_ops", json!("verify"), Err(KeyError::Form));
}

#[test]
fn weak_and_broken_keys_are_refused() {
    use SigningAlgorithm::{EdDsa, Es256};
    check(EdDsa, "x", json!("AAAA"), Err(KeyError::Form));
    check(EdDsa, "x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="), Err(KeyError::Form));
    check(Es256, "y", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Err(KeyError::Weak));
    check(Es256, "y", json!(null), Err(KeyError::Form));
    let rsa = |n: &[u8], e: &str| {
        use base64::Engine;
        let n = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(n);
        parse(&json!({"kty": "RSA", "n": n, "e": e})).map(|key| key.algorithm())
    };
    assert_eq!(rsa(&[0xff; 256], "AQAB"), Ok(Algorithm::Rs256));
    assert_eq!(rsa(&[0xff; 255], "AQAB"), Err(KeyError::Weak), "2040 bits");
    assert_eq!(rsa(&[&[0x7f][..], &[0xff; 255]].concat(), "AQAB"), Err(KeyError::Weak), "2047 bits");
    assert_eq!(rsa(&[0xff; 1_025], "AQAB"), Err(KeyError::Weak), "8200 bits");
    assert_eq!(rsa(&[&[0][..], &[0xff; 256]].concat(), "AQAB"), Err(KeyError::Form), "a leading zero");
    assert_eq!(rsa(&[0xfe; 256], "AQAB"), Err(KeyError::Weak), "an even modulus");
    for exponent in ["AQ", "Aw", "EQ", "AQAA", "AQAAAAAAAAAB"] {
        assert_eq!(rsa(&[0xff; 256], exponent), Err(KeyError::Weak), "{exponent}");
    }
    assert_eq!(VerifyingKey::shared_secret(None, &[1; 31]).map(drop), Err(KeyError::Weak));
    assert_eq!(VerifyingKey::shared_secret(None, &[1; 32]).map(drop), Ok(()));
}

#[test]
fn a_set_with_private_members_is_refused() {
    let good = edwards().public().clone();
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut leaked = key(SigningAlgorithm::Es256).public().clone();
        leaked[name] = json!("AAAA");
        assert_eq!(parse_set(&[good.clone(), leaked]).map(drop), Err(KeyError::Private), "{name}");
    }
    let secret = json!({"kty": "oct", "k": "AAAA", "alg": "HS256"});
    assert_eq!(parse_set(&[good, secret]).map(drop), Err(KeyError::Private));
}

#[test]
fn a_set_skips_what_it_does_not_know_and_has_bounds() {
    let good = edwards().public().clone();
    let unknown = [
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
        json!({"kty": 5}),
        json!({}),
    ];
    let mixed: Vec<Value> = unknown.iter().cloned().chain([good.clone()]).collect();
    assert_eq!(parse_set(&mixed).expect("a set").keys().len(), 1);
    assert_eq!(parse_set(&unknown).expect("a set").keys().len(), 0);
    let mut same_id = edwards().public().clone();
    same_id["kid"] = good["kid"].clone();
    assert_eq!(parse_set(&[good.clone(), same_id.clone()]).map(drop), Err(KeyError::DuplicateId));
    same_id["use"] = json!("enc");
    assert_eq!(parse_set(&[good.clone(), same_id]).expect("only one verifies").keys().len(), 1);
    assert_eq!(parse_set(&vec![json!({}); 65]).map(drop), Err(KeyError::TooLarge));
    assert_eq!(parse_set(&[json!({"x": "a".repeat(300_000)})]).map(drop), Err(KeyError::TooLarge));
    assert_eq!(parse_set(&[json!(1)]).map(drop), Err(KeyError::Form));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(KeySet::parse(text.as_bytes()).map(drop), Err(KeyError::Form), "{text}");
    }
    let mut long_id = good;
    long_id["kid"] = json!("k".repeat(257));
    assert_eq!(parse(&long_id).map(drop), Err(KeyError::TooLarge));
}
