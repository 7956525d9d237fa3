//! How a command ends: one line, cause by cause, and a code that scripts can tell apart.

use std::process::ExitCode;

/// A failure with the exit code that stands for its kind (UX section 8).
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What happened and what to do.
    pub message: String,
}

impl Failure {
    /// What was asked for does not hold, or could not be done.
    pub const FAILED: u8 = 1;
    /// Wrong arguments.
    pub const USAGE: u8 = 2;
    /// There is no such thing.
    pub const NOT_FOUND: u8 = 3;
    /// Not allowed.
    pub const NOT_ALLOWED: u8 = 4;
    /// Changed meanwhile.
    pub const CONFLICT: u8 = 5;
    /// Too fast.
    pub const RATE_LIMITED: u8 = 6;
    /// Nobody answers.
    pub const UNREACHABLE: u8 = 7;
    /// Some of it was refused.
    pub const PARTLY: u8 = 8;
    /// Interrupted by a person.
    pub const INTERRUPTED: u8 = 130;

    /// A failure of one kind.
    pub fn error(code: u8, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { code, message: message.into() })
    }
}

/// Prints a failure to stderr and gives its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let of_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|it| it.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(of_pipe) {
        // Whoever read the output has read enough, like `head`.
        return ExitCode::SUCCESS;
    }
    eprintln!("tidings: {error:#}");
    let code = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()).map_or(1, |failure| failure.code);
    ExitCode::from(code)
}
