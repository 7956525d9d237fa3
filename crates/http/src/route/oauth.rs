//! The authorization server: what it says of itself, its clients, and how they come by tokens.

mod discovery;
mod clients;
mod authorize;
mod token;
mod device;

use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    let parts = [
        discovery::operations(),
        clients::operations(),
        authorize::operations(),
        token::operations(),
        device::operations(),
    ];
    parts.into_iter().flatten().collect()
}
