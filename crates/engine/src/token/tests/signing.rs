//! What we sign is what is verified, and nothing else is.

use proptest::prelude::*;
use serde_json::json;

use super::super::error::{KeyError, TokenError};
use super::super::issue::{IdToken, at_hash};
use super::*;

#[test]
fn an_issued_access_token_is_one_of_rfc_9068() {
    let tenant: TenantId = "acme".parse().expect("a name");
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let key = key(algorithm);
        let issued = access_token("tok_1", "usr_1", &tenant).issue(&key, now().plus_millis(999)).expect("signs");
        let found = access().verify(&issued, &keys_of(&[&key]), now()).expect("good");
        assert_eq!((found.issued, found.expires), (now(), after(600)), "whole seconds");
        assert_eq!(found.client.as_deref(), Some("cli"));
        assert_eq!(found.id.as_deref(), Some("tok_1"));
        assert_eq!(found.grant.as_deref(), Some("grt_1"));
        assert_eq!(found.tenant, Some(tenant.clone()));
        assert_eq!(found.roles, ["viewer"]);
    }
}

#[test]
fn an_issued_id_token_answers_its_request() {
    let key = edwards();
    let id = IdToken {
        issuer: ISSUER,
        subject: "usr_1",
        client: "web",
        nonce: Some("n-1"),
        authenticated: after(-30),
        access_token: Some("abc"),
        grant: None,
        lifetime: Duration::from_secs(300),
    };
    let issued = id.issue(&key, now()).expect("signs");
    let profile = Profile::ours(Kind::Id, ISSUER, "web");
    let found = profile.clone().with_nonce("n-1").verify(&issued, &keys_of(&[&key]), now()).expect("good");
    assert_eq!(found.authenticated, Some(after(-30)));
    assert_eq!(found.others["at_hash"], at_hash(SigningAlgorithm::EdDsa, "abc"));
    let other = profile.with_nonce("n-2");
    assert_eq!(other.verify(&issued, &keys_of(&[&key]), now()), Err(TokenError::Nonce));
    // And it opens no API.
    let api = Profile::ours(Kind::Access, ISSUER, "web");
    assert_eq!(api.verify(&issued, &keys_of(&[&key]), now()), Err(TokenError::Type));
}

#[test]
fn the_hash_of_an_access_token_is_that_of_openid_connect() {
    // OpenID Connect Core, appendix A.4: access token and `at_hash` of an example with SHA-256.
    assert_eq!(
        at_hash(SigningAlgorithm::Es256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
}

#[test]
fn a_stored_key_is_the_same_key() {
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let key = key(algorithm);
        let stored = key.to_stored().expect("writes");
        let text = serde_json::to_string(&stored).expect("JSON");
        let again = SigningKey::from_stored(&serde_json::from_str(&text).expect("JSON")).expect("reads");
        assert_eq!(again.public(), key.public());
        let signed = token(&again, &header(&key), &claims());
        assert!(access().verify(&signed, &keys_of(&[&key]), now()).is_ok());
        let private = text.split('"').nth(7).expect("the key");
        assert!(private.len() > 60 && !format!("{stored:?} {key:?}").contains(private));
        // Under the other algorithm's name it is refused.
        let swapped = text.replace("EdDSA", "-").replace("ES256", "EdDSA").replace('-', "ES256");
        let swapped = serde_json::from_str(&swapped).expect("JSON");
        assert_eq!(SigningKey::from_stored(&swapped).map(drop), Err(KeyError::Stored));
    }
    let broken = serde_json::from_value(json!({"algorithm": "EdDSA", "pkcs8": "AAAA"})).expect("JSON");
    assert_eq!(SigningKey::from_stored(&broken).map(drop), Err(KeyError::Stored));
}

#[test]
fn a_published_key_has_no_private_member() {
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let key = key(algorithm);
        let names: Vec<&String> = key.public().as_object().expect("an object").keys().collect();
        assert!(names.iter().all(|name| ["alg", "crv", "kid", "kty", "use", "x", "y"].contains(&name.as_str())));
        assert_eq!(key.verifying().expect("a key").thumbprint(), key.id());
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let key = key(algorithm);
        let (keys, good) = (keys_of(&[&key]), token(&key, &header(&key), &claims()));
        for index in 0..good.len() {
            for bit in 0..7 {
                let mut bytes = good.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let altered = String::from_utf8(bytes).expect("ASCII");
                assert!(access().verify(&altered, &keys, now()).is_err(), "byte {index}, bit {bit}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_signed_is_what_is_verified(
        subject in "\\PC{1,40}", id in "\\PC{1,40}", tenant in "[a-z0-9-]{1,20}", client in "\\PC{1,20}",
        scopes in proptest::collection::vec("[!#-\\[\\]-~]{1,12}", 0..5),
        roles in proptest::collection::vec("\\PC{0,12}", 0..4),
        lifetime in 1_u64..86_400, is_edwards in any::<bool>(),
    ) {
        let key = key(if is_edwards { SigningAlgorithm::EdDsa } else { SigningAlgorithm::Es256 });
        let tenant: TenantId = tenant.parse().expect("a name");
        let (scopes, roles): (Vec<&str>, Vec<&str>) =
            (scopes.iter().map(String::as_str).collect(), roles.iter().map(String::as_str).collect());
        let asked = AccessToken {
            client: &client, scopes: &scopes, roles: &roles, lifetime: Duration::from_secs(lifetime),
            ..access_token(&id, &subject, &tenant)
        };
        let found = access().verify(&asked.issue(&key, now()).expect("signs"), &keys_of(&[&key]), now()).expect("good");
        prop_assert_eq!(found.subject, subject);
        prop_assert_eq!(found.id, Some(id));
        prop_assert_eq!(found.client, Some(client));
        prop_assert_eq!(found.tenant, Some(tenant));
        prop_assert_eq!(found.scopes, scopes);
        prop_assert_eq!(found.roles, roles);
        prop_assert_eq!(found.expires, after(lifetime as i64));
    }

    #[test]
    fn no_text_is_taken_and_none_panics(text in "\\PC{0,200}", parts in "[A-Za-z0-9_.-]{0,400}") {
        let keys = keys_of(&[&edwards()]);
        prop_assert!(access().verify(&text, &keys, now()).is_err());
        prop_assert!(access().verify(&parts, &keys, now()).is_err());
    }
}
