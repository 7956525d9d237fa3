//! The authorization server: what it says of itself, its clients, and how they come by tokens.

mod discovery;
mod clients;
mod authorize;
mod token;

use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    let parts = [discovery::operations(), clients::operations(), authorize::operations(), token::operations()];
    parts.into_iter().flatten().collect()
}
