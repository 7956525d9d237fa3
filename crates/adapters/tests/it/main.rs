//! Adapters against the contract suites of their ports, and each against its own promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contracts;
mod fjall;
