//! The binary and the repository from outside.

mod dependencies;
