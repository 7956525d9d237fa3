//! People: accounts with passwords and second factors, browsers' sessions, and links that work once.
//!
//! An account is one person on the whole server; what they may do is said by each tenant that they are a
//! member of. Every secret is drawn here, shown once, and kept as its hash.

mod password;
mod second_factor;
mod account;
mod member;
mod session;
mod link;
mod leaving;
mod sign_in;
mod mail;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_core::id::fingerprint;
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::secret::Secret;

use crate::access::Closed;
use crate::engine::Engine;
use crate::records::WriteFault;
use crate::subscriptions::Fault;

pub(crate) use account::{AccountRecord, account_key, normal_email};
pub use account::{AccountView, EmailError};
pub use link::Redeemed;
pub(crate) use member::{MemberRecord, member_key};
pub use member::{MemberState, MemberView, NewMember};
pub use second_factor::Enrollment;
pub(crate) use session::Opening;
pub use session::{Browser, Entered, SESSION_IDLE, SESSION_LONGEST, SessionView};
pub(crate) use session::{Opener, SessionRecord, session_key};
pub use sign_in::SignIn;

/// Why something about an account was not done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Email, password or code is wrong, or there is no such account: which of them, nobody is told.
    #[error("that is not a known email address with its password")]
    Refused,
    /// The password is right, and the account asks for a code besides.
    #[error("this account asks for a code besides the password")]
    CodeNeeded,
    /// The account is in no tenant, or not in the one asked for.
    #[error("this account belongs to no tenant that it could enter")]
    NoTenant,
    /// The link was used, has ended, or never was.
    #[error("this link was used already, or is too old")]
    LinkGone,
    /// What was written is wrong, all faults at once.
    #[error("it has {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// The one who asks may not: why.
    #[error("{0}")]
    NotPermitted(String),
    /// There is no such thing, or it is another's.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// It is already so, or something else stands against it: what.
    #[error("{0}")]
    Conflict(String),
    /// Too many passwords are being looked at; ask again in a moment.
    #[error("too many people sign in at once")]
    Busy,
    /// The tenant that they would enter is suspended or closed.
    #[error("the tenant is not served")]
    NotServed(Closed),
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl IdentityError {
    pub(crate) fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault { pointer: pointer.to_owned(), code, detail: detail.into() }])
    }
}

impl From<WriteFault> for IdentityError {
    fn from(fault: WriteFault) -> Self {
        match fault {
            WriteFault::Conflict => Self::Conflict("it was changed meanwhile; look at it and ask again".to_owned()),
            WriteFault::Store(fault) => Self::Port(fault),
        }
    }
}

/// 256 bits that nobody can guess, as text for links and cookies.
pub(crate) fn draw_secret(engine: &Engine) -> Secret<String> {
    let mut bits = [0; 32];
    engine.ports.randomness.fill(&mut bits);
    Secret::new(URL_SAFE_NO_PAD.encode(bits))
}

/// What a secret is found by. Secrets hold 256 random bits, so a slow hash would add nothing, and half of
/// a SHA-256 is as hard to find another secret for.
pub(crate) fn hash_of(kind: Shelf, secret: &str) -> [u8; 16] {
    fingerprint(&[kind.as_str().as_bytes(), secret.as_bytes()])
}

/// The record that a secret opens.
pub(crate) fn key_of_secret(shelf: Shelf, secret: &str) -> RecordKey {
    RecordKey::new(Fence::Server, shelf, hex(&hash_of(shelf, secret)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
