//! Tidings: takes in what happens in the world and tells those who asked to know.

mod config;
mod wire;
mod logging;
mod client;
mod local;
mod exit;
mod output;
mod when;
mod cmd;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes in what happens in the world and tells those who asked to know.
#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  tidings serve --demo\n  tidings ingest alerts/*.xml\n  tidings subscription create --filter 'category = earthquake and magnitude >= 5'\n  tidings tail --filter 'severity >= Severe'"
)]
struct Arguments {
    #[command(flatten)]
    global: config::Global,
    #[command(subcommand)]
    command: cmd::Command,
}

fn main() -> ExitCode {
    // Nothing else installs one, and whoever needs it later finds it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    logging::start(&arguments.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&anyhow::Error::new(error).context("start the runtime")),
    };
    let ended = runtime.block_on(cmd::run(arguments.command, &arguments.global));
    // A background read may still be under way; nothing is lost by leaving it.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match ended {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
