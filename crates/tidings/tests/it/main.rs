//! The binary and the repository from outside.

mod dependencies;
mod server;
mod sso;
mod power;
mod recordings;
mod cli;
mod exit;
mod crash;
mod broad;
mod erasure;
mod bench;
mod transport;
