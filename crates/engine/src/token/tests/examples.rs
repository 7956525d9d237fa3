//! The examples of the standards.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::super::compact;
use super::super::error::TokenError;
use super::super::jwk::VerifyingKey;
use super::super::sign::{SigningKey, StoredKey};
use super::KeySet;

/// The payload of RFC 7515, appendix A.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// The signature is right, and with any other last byte it is not.
fn check(key: VerifyingKey, token: &str, payload: &[u8]) {
    let keys = KeySet::of(vec![key]).expect("a set");
    assert_eq!(compact::open(token, &keys).expect("good").payload, payload);
    let dot = token.rfind('.').expect("a dot");
    let mut signature = BASE64_URL_SAFE_NO_PAD.decode(&token[dot + 1..]).expect("base64");
    *signature.last_mut().expect("not empty") ^= 1;
    let other = format!("{}.{}", &token[..dot], BASE64_URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(compact::open(&other, &keys).expect_err("altered"), TokenError::Signature);
}

fn joe() -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(JOE).expect("base64")
}

#[test]
fn rfc_7515_a_1_hs256() {
    let secret = BASE64_URL_SAFE_NO_PAD
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .expect("base64");
    let key = VerifyingKey::shared_secret(None, &secret).expect("long enough");
    let token = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    check(key, &token, &joe());
}

#[test]
fn rfc_7515_a_2_rs256() {
    let n = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-p",
        "CgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg",
        "665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR",
        "WyuXpoQ",
    );
    let key = VerifyingKey::parse(json!({"kty": "RSA", "n": n, "e": "AQAB"}).to_string().as_bytes()).expect("a key");
    let signature = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7",
        "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12",
        "jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUP",
        "QGe77Rw",
    );
    check(key, &format!("eyJhbGciOiJSUzI1NiJ9.{JOE}.{signature}"), &joe());
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = json!({
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let key = VerifyingKey::parse(key.to_string().as_bytes()).expect("a key");
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    check(key, &format!("eyJhbGciOiJFUzI1NiJ9.{JOE}.{signature}"), &joe());
}

#[test]
fn rfc_7515_a_5_unsecured() {
    let token = format!("eyJhbGciOiJub25lIn0.{JOE}.");
    assert_eq!(compact::open(&token, &KeySet::default()).expect_err("unsigned"), TokenError::Unsigned);
}

#[test]
fn rfc_7638_thumbprint() {
    let n = concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn",
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM",
        "QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz",
        "KnqDKgw",
    );
    let key = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let key = VerifyingKey::parse(key.to_string().as_bytes()).expect("a key");
    assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn rfc_8037_a_4_and_a_5_ed25519() {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let key = VerifyingKey::parse(key.to_string().as_bytes()).expect("a key");
    let token = concat!(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
    check(key, token, b"Example of Ed25519 signing");
    // Ed25519 is deterministic: our own signature over the same text is the same one.
    let seed = BASE64_URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64");
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let pkcs8 = BASE64_STANDARD.encode([&prefix[..], &seed].concat());
    let stored: StoredKey =
        serde_json::from_value(json!({"algorithm": "EdDSA", "pkcs8": pkcs8})).expect("a stored key");
    let signing = SigningKey::from_stored(&stored).expect("a key");
    assert_eq!(signing.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let signed = signing.sign_text(r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing");
    assert_eq!(signed.as_deref(), Ok(token));
}
