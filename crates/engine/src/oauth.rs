//! The authorization server for our own API: OAuth 2 (RFC 6749 as RFC 9700 tightens it) and OpenID
//! Connect Core.
//!
//! A *grant* is what one consent has given one client. Every token names its grant, and is worth what the
//! grant is worth at that moment: nothing once the grant has ended, the client is gone, or the person may
//! no longer enter the tenant.

mod scopes;
mod parameters;
mod redirect;
mod keys;
mod client;
mod grant;
mod authorize;
mod consent;
mod exchange;
mod refresh;
mod device;
mod tokens;

use tidings_core::port::PortError;

use crate::records::WriteFault;

pub use authorize::Step;
pub use client::{ClientChange, ClientDraft, ClientView, GrantType, NewSecret};
pub use consent::ConsentView;
pub use device::{DeviceBegun, DeviceView};
pub use exchange::{Issued, TokenRequest};
pub use parameters::Parameters;
pub use scopes::{Scope, Scopes, ScopesError};
pub use tokens::{TokenView, UserInfo};

pub(crate) use authorize::CodeRecord;
pub(crate) use client::{ClientAt, ClientRecord};
pub(crate) use device::{DeviceOf, DeviceRecord};
pub(crate) use grant::{GrantRecord, grant_key, permissions_of};
pub(crate) use keys::Tokens;

/// How long an access token lives, in milliseconds: 10 minutes.
pub const ACCESS_LIFETIME: i64 = 10 * 60 * 1_000;
/// A refresh token that is not used for so long ends with its grant, in milliseconds: 30 days.
pub const REFRESH_IDLE: i64 = 30 * 24 * 60 * 60 * 1_000;
/// A grant ends after so long however it is used, in milliseconds: 180 days.
pub const GRANT_LONGEST: i64 = 6 * REFRESH_IDLE;
/// How long an authorization code waits for its client, in milliseconds.
pub const CODE_LIFETIME: i64 = 60 * 1_000;

/// Why a client gets no token, as RFC 6749, section 5.2, and its extensions name it.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// What the client is told: a registered code, and a sentence for its developer.
    #[error("{code}: {detail}")]
    Fault {
        /// Like `invalid_grant`.
        code: &'static str,
        /// What was wrong; it never repeats what was sent.
        detail: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl OAuthError {
    pub(crate) const fn of(code: &'static str, detail: &'static str) -> Self {
        Self::Fault { code, detail }
    }

    pub(crate) const fn client() -> Self {
        Self::of("invalid_client", "this is no client of ours with its secret")
    }

    pub(crate) const fn grant() -> Self {
        Self::of("invalid_grant", "the code or token was used, has ended, never was, or is another client's")
    }
}

impl From<WriteFault> for OAuthError {
    fn from(fault: WriteFault) -> Self {
        match fault {
            WriteFault::Conflict => Self::grant(),
            WriteFault::Store(fault) => Self::Port(fault),
        }
    }
}
