//! The binary and the repository from outside.

mod dependencies;
mod server;
mod recordings;
mod crash;
