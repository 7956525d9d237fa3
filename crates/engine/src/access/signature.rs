//! Signed requests: what the head of one claims, and whether its body bears that out.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidings_core::envelope::Coordinate;
use tidings_core::id::HookId;
use tidings_core::port::{HmacAlgorithm, HmacEncoding, HmacScheme, HookRecord, HookScheme, HookSecret};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

/// How far a request's time may be from ours, either way (Standard Webhooks 1.0 leaves it to the
/// receiver; its libraries take five minutes).
const TOLERANCE_MILLIS: i64 = 5 * 60 * 1_000;
/// Signatures that one request may have: a sender that replaces its secrets sends two.
const SIGNATURES_MAX: usize = 16;
/// Letters of the id of a message.
const ID_LENGTH_MAX: usize = 255;
/// Digits of a time in seconds.
const TIME_DIGITS_MAX: usize = 12;

/// What stands before a secret of Standard Webhooks.
pub(super) const STANDARD_PREFIX: &str = "whsec_";
/// Bytes of a secret of Standard Webhooks: 192 to 512 bits.
const STANDARD_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of other secrets.
const TEXT_BYTES: std::ops::RangeInclusive<usize> = 16..=512;

/// What the head of a request to an inbound webhook claims: cheap to find out, and nothing until
/// [`Engine::admit`](crate::Engine::admit) has seen the body.
#[derive(Debug)]
pub struct Claim {
    pub(super) hook: HookId,
    algorithm: hmac::Algorithm,
    encoded: Encoded,
    /// What is signed before the body.
    lead: String,
    signatures: Vec<Vec<u8>>,
    coordinate: Coordinate,
}

/// How the bytes of a secret are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoded {
    Standard,
    Text,
}

impl Claim {
    /// Reads the head of a request. `field` gives a header field by its name in lower case: its text where
    /// it is there exactly once. `None` where something that the scheme asks for is missing, doubled,
    /// malformed or too old: why is not for the sender to know.
    pub(super) fn read<'a>(hook: &HookRecord, now: Timestamp, field: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let id = hook.id;
        match &hook.scheme {
            HookScheme::Standard => {
                // With a dot in it, part of a body could pass for part of an id.
                let message = field("webhook-id").filter(|text| is_id(text) && !text.contains('.'))?;
                let time = field("webhook-timestamp").filter(|text| is_fresh(text, now))?;
                let listed: Vec<&str> = field("webhook-signature")?.split(' ').take(SIGNATURES_MAX + 1).collect();
                let of_ours = listed.iter().filter_map(|signature| signature.strip_prefix("v1,"));
                let signatures: Vec<_> = of_ours.filter_map(|signature| BASE64.decode(signature).ok()).collect();
                let is_read = (1..=SIGNATURES_MAX).contains(&signatures.len()) && listed.len() <= SIGNATURES_MAX;
                is_read.then(|| Self {
                    hook: id,
                    algorithm: hmac::HMAC_SHA256,
                    encoded: Encoded::Standard,
                    lead: format!("{message}.{time}."),
                    signatures,
                    coordinate: Coordinate::Key(format!("{id} {message}")),
                })
            }
            HookScheme::Github => {
                let delivery = field("x-github-delivery").filter(|text| is_id(text))?;
                let signature = hex(field("x-hub-signature-256")?.strip_prefix("sha256=")?)?;
                Some(Self {
                    hook: id,
                    algorithm: hmac::HMAC_SHA256,
                    encoded: Encoded::Text,
                    lead: String::new(),
                    signatures: vec![signature],
                    coordinate: Coordinate::Key(format!("{id} {delivery}")),
                })
            }
            HookScheme::Hmac(scheme) => Self::of_scheme(id, scheme, now, field),
        }
    }

    /// What is not signed is not believed, an `Idempotency-Key` neither: equal content that was signed at
    /// the same second, or without a time, is the same message.
    fn of_scheme<'a>(
        hook: HookId,
        scheme: &HmacScheme,
        now: Timestamp,
        field: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<Self> {
        let time = match &scheme.timestamp_header {
            Some(name) => Some(field(name).filter(|text| is_fresh(text, now))?),
            None => None,
        };
        let signature = field(&scheme.header)?.strip_prefix(scheme.prefix.as_deref().unwrap_or_default())?;
        let signature = match scheme.encoding {
            HmacEncoding::Hex => hex(signature)?,
            HmacEncoding::Base64 => BASE64.decode(signature).ok()?,
        };
        Some(Self {
            hook,
            algorithm: match scheme.algorithm {
                HmacAlgorithm::Sha256 => hmac::HMAC_SHA256,
                HmacAlgorithm::Sha512 => hmac::HMAC_SHA512,
            },
            encoded: Encoded::Text,
            lead: time.map(|time| format!("{time}.")).unwrap_or_default(),
            signatures: vec![signature],
            coordinate: Coordinate::Key(format!("{hook} {}", time.unwrap_or_default())),
        })
    }

    /// True where one of the secrets in force signed this body. Each is tried against each signature, and
    /// none in a time that tells how much of it is right.
    pub(super) fn holds(&self, secrets: &[HookSecret], body: &[u8], now: Timestamp) -> bool {
        let mut holds = false;
        for kept in secrets.iter().filter(|kept| kept.ends.is_none_or(|ends| ends > now)) {
            let Some(bytes) = self.encoded.bytes(&kept.secret) else { continue };
            let mut context = hmac::Context::with_key(&hmac::Key::new(self.algorithm, bytes.reveal()));
            context.update(self.lead.as_bytes());
            context.update(body);
            let right = context.sign();
            for signature in &self.signatures {
                holds |= constant_time::verify_slices_are_equal(right.as_ref(), signature).is_ok();
            }
        }
        holds
    }

    /// What tells this request from others: what its sender calls it, as far as that can be believed.
    pub fn coordinate(&self) -> &Coordinate {
        &self.coordinate
    }
}

impl Encoded {
    fn bytes(self, secret: &Secret<String>) -> Option<Secret<Vec<u8>>> {
        match self {
            Self::Text => Some(secret.reveal().clone().into_bytes().into()),
            Self::Standard => {
                let text = secret.reveal().strip_prefix(STANDARD_PREFIX)?;
                BASE64.decode(text).ok().map(Secret::new)
            }
        }
    }
}

/// What is wrong with a secret that a sender has drawn; the secret itself is not in it.
///
/// # Errors
/// What would be right.
pub(super) fn check_secret(scheme: &HookScheme, secret: &Secret<String>) -> Result<(), String> {
    if *scheme == HookScheme::Standard {
        let bytes = Encoded::Standard.bytes(secret).map(|bytes| bytes.reveal().len());
        let (least, most) = (STANDARD_BYTES.start(), STANDARD_BYTES.end());
        let is_right = bytes.is_some_and(|count| STANDARD_BYTES.contains(&count));
        return is_right.then_some(()).ok_or_else(|| {
            format!("`secret` must be `{STANDARD_PREFIX}` and {least} to {most} bytes as base64; leave it out to have one made")
        });
    }
    let text = secret.reveal();
    let is_right = TEXT_BYTES.contains(&text.len()) && !text.chars().any(char::is_control);
    let (least, most) = (TEXT_BYTES.start(), TEXT_BYTES.end());
    let detail = || format!("`secret` must be a text of {least} to {most} bytes; leave it out to have one made");
    is_right.then_some(()).ok_or_else(detail)
}

/// A new secret of the bytes drawn for it.
pub(super) fn secret_of(scheme: &HookScheme, drawn: &[u8]) -> Secret<String> {
    let text = BASE64.encode(drawn);
    if *scheme == HookScheme::Standard { format!("{STANDARD_PREFIX}{text}").into() } else { text.into() }
}

fn is_id(text: &str) -> bool {
    (1..=ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// True for Unix seconds close to now.
fn is_fresh(text: &str, now: Timestamp) -> bool {
    let is_number = (1..=TIME_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse::<i64>().ok().filter(|_| is_number);
    seconds.is_some_and(|seconds| (now.as_millis() - seconds * 1_000).abs() <= TOLERANCE_MILLIS)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests;
