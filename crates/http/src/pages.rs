//! Page cursors: opaque, signed, and good for the question they were given for.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_core::id::fingerprint;
use tidings_core::position::Position;
use tidings_core::time::Timestamp;

use crate::error::{self, ApiError};

/// Bytes of a cursor before its signature: question, time, position.
const BODY: usize = 16 + 8 + 16;
/// Bytes of the signature that are kept.
const TAG: usize = 16;

/// Signs and checks page cursors.
pub(crate) struct PageSigner(hmac::Key);

impl std::fmt::Debug for PageSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageSigner(***)")
    }
}

/// What a list was asked, as far as the next page must be asked the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question([u8; 16]);

impl Question {
    /// The question made of these parts.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        Self(fingerprint(&parts))
    }
}

impl PageSigner {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The cursor after an item.
    pub(crate) fn sign(&self, question: Question, (time, position): (Timestamp, Position)) -> String {
        let mut bytes = Vec::with_capacity(BODY + TAG);
        bytes.extend_from_slice(&question.0);
        bytes.extend_from_slice(&time.as_millis().to_be_bytes());
        bytes.extend_from_slice(&position.to_key());
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend_from_slice(&tag.as_ref()[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The item that a cursor stands after.
    ///
    /// # Errors
    /// When we did not make it, or for another question.
    pub(crate) fn check(&self, question: Question, cursor: &str) -> Result<(Timestamp, Position), ApiError> {
        let fault = |detail| ApiError::new(&error::BAD_CURSOR).detail(detail);
        let forged = || fault("this is not a page cursor of this server; start again without `cursor`");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| forged())?;
        let (body, tag) = bytes.split_at_checked(BODY).filter(|(_, tag)| tag.len() == TAG).ok_or_else(forged)?;
        let expected = hmac::sign(&self.0, body);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..TAG], tag).map_err(|_| forged())?;
        if body[..16] != question.0 {
            return Err(fault("this cursor belongs to other parameters; repeat those of the first page"));
        }
        let (mut time, mut key) = ([0; 8], [0; 16]);
        time.copy_from_slice(&body[16..24]);
        key.copy_from_slice(&body[24..]);
        Ok((Timestamp::from_millis(i64::from_be_bytes(time)), Position::from_key(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_question_only() {
        let signer = PageSigner::new(b"secret");
        let (mine, other) = (Question::of(&["a"]), Question::of(&["b"]));
        let item = (Timestamp::from_millis(5), Position::start(1).plus(9));
        let cursor = signer.sign(mine, item);
        assert_eq!(signer.check(mine, &cursor).expect("is ours"), item);
        assert!(signer.check(other, &cursor).is_err());
        assert!(PageSigner::new(b"other").check(mine, &cursor).is_err());
        assert!(signer.check(mine, "").is_err() && signer.check(mine, &cursor[1..]).is_err());
    }
}
