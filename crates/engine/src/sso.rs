//! Single sign-on: people show who they are at another provider, by OpenID Connect or as GitHub does it.
//!
//! A provider leads into one tenant. A login there is linked to an account only after proof of both: the
//! person is signed in here while they sign in there, or the account was only invited and the provider has
//! verified the address that the invitation went to.

mod provider;
mod flow;
mod person;
mod login;
mod foreign;

pub(crate) use flow::Pending;
pub use flow::{Begun, CallbackFault, Finished};
pub(crate) use foreign::{ApiProviders, ByForeignToken};
pub use foreign::{ApiTokens, TokenType};
pub(crate) use login::LoginRecord;
pub use login::LoginView;
pub(crate) use provider::ProviderRecord;
pub use provider::{NewProvider, ProviderKind, ProviderView};
