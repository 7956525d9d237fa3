//! `tidings version`: what was built.

use std::process::ExitCode;

/// Prints the version on stdout.
pub fn run() -> ExitCode {
    println!("tidings {} (embedded profile)", env!("CARGO_PKG_VERSION"));
    ExitCode::SUCCESS
}
