//! `tidings serve`: runs the server until it is told to stop.

mod mock_sso;
mod transport;

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tidings_engine::IdentityError;
use tidings_http::Tls;
use tidings_http::limits::NamedRate;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use self::transport::Transport;
use crate::config::Global;
use crate::exit::Failure;
use crate::local::{self, Local};

/// The exit code for a supervisor to start again (EX_SOFTWARE of sysexits.h).
const STORE_FAILED: u8 = 70;
/// How long reads go on once the store has failed.
const READS_AFTER_FAILURE: std::time::Duration = std::time::Duration::from_secs(30);

/// Run the server.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidings serve\n  tidings serve --demo --seed 42\n  tidings serve --data /var/lib/tidings --listen 127.0.0.1:0\n  tidings serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem"
)]
pub struct Serve {
    /// Where to listen; port 0 picks one
    #[arg(long, env = "TIDINGS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    transport: Transport,
    /// Set a limit of what anyone may do in how long, like user-requests=1000/10; `/v1/meta` lists them
    #[arg(long, env = "TIDINGS_RATE", value_name = "NAME=N/SECONDS", num_args = 1.., value_delimiter = ',')]
    rate: Vec<NamedRate>,
    /// Feed simulated world events and show notices in the terminal
    #[arg(long)]
    demo: bool,
    /// The seed of the simulated world
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Let people sign in by mock providers, as whoever they say. Only for development on this machine
    #[arg(long, value_name = "KIND", value_parser = ["mock"])]
    sso: Option<String>,
    /// Skip every sync to disk: what was accepted is lost with the power. Only for tests that show this
    #[arg(long, hide = true)]
    unsafe_no_sync: bool,
}

impl Serve {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let storage = tidings_adapters::fjall::Options {
            sync: !self.unsafe_no_sync,
            ..tidings_adapters::fjall::Options::default()
        };
        let plain_http = self.transport.is_plain_http();
        if self.sso.is_some() && !self.listen.ip().to_canonical().is_loopback() {
            let message = format!(
                "with --sso mock anyone signs in as anyone, and others can reach {}: listen on 127.0.0.1, or set up a \
                 provider (PUT /v1/sso/providers/NAME)",
                self.listen
            );
            return Err(Failure::error(Failure::USAGE, message));
        }
        let mut reach = self.transport.open(self.listen)?;
        for rate in &self.rate {
            reach.http.rates.set(*rate);
        }
        let tls = reach.tls.clone();
        let mut server = local::start_reached(global, self.listen, storage, reach).await?;
        let server_file = global.server_file();
        fs::write(&server_file, server.commands_url()).with_context(|| format!("write {}", server_file.display()))?;
        // Before anyone can hear that it runs, and send one.
        let mut stopping = StopSignals::new()?;
        let renewing = renewing(tls)?;
        let _mock = match self.sso {
            Some(_) => Some(mock_sso::start(&server).await?),
            None => {
                mock_sso::forget(&server).await?;
                None
            }
        };
        greet(&server, global, plain_http).await;
        let demo = self.demo.then(|| super::demo::start(&server, self.seed));
        let code = tokio::select! {
            () = stopping.next() => ExitCode::SUCCESS,
            never = renewing => match never {},
            cause = server.failed() => {
                error!(code = "server_failed", "{cause:#}; reads go on for {} s", READS_AFTER_FAILURE.as_secs());
                tokio::select! {
                    () = tokio::time::sleep(READS_AFTER_FAILURE) => {}
                    () = stopping.next() => {}
                }
                ExitCode::from(STORE_FAILED)
            }
        };
        info!("stopping");
        if let Some(demo) = demo {
            demo.stop().await;
        }
        // The file only helps commands to find a running server; one that is left over is checked.
        let _ = fs::remove_file(&server_file);
        server.stop().await;
        Ok(code)
    }
}

/// Says where the server is and how to get in.
async fn greet(server: &Local, global: &Global, is_plain: bool) {
    eprintln!("listening on {}", server.url());
    if is_plain && !server.has_tls() && !server.address.ip().is_loopback() {
        eprintln!("this is plain HTTP, and others can reach it: keys and events can be read on their way");
    }
    if server.is_new_key {
        eprintln!("admin key {} (kept in {})", server.admin_key.reveal(), global.admin_key_file().display());
    }
    if let Err(error) = offer_links(server).await {
        // It runs all the same, and says why it takes nothing where that is so.
        warn!(code = "no_link", "no link to the page was made: {error}");
    }
}

/// Prints the links that work once.
async fn offer_links(server: &Local) -> Result<(), IdentityError> {
    if let Some(admin) = server.admin()
        && let Some(link) = server.engine().page_link(&admin).await?
    {
        let scheme = if server.has_tls() { "https" } else { "http" };
        let address = local::openable(server.address);
        eprintln!("open {scheme}://{address}/#ticket={} (once, within ten minutes)", link.reveal());
    }
    if let Some(link) = server.engine().first_admin_link().await? {
        let address = server.engine().public_url();
        eprintln!("make the first account {address}/account#first-admin={} (once, within a day)", link.reveal());
    }
    Ok(())
}

/// Looks at the TLS files at every SIGHUP, besides the looks that the server takes by itself.
fn renewing(tls: Option<Arc<Tls>>) -> anyhow::Result<impl Future<Output = Infallible>> {
    // Without TLS the signal means what it means to every process.
    let hangup = tls.is_some().then(|| signal(SignalKind::hangup())).transpose().context("listen for signals")?;
    Ok(async move {
        let (Some(tls), Some(mut hangup)) = (tls, hangup) else { return std::future::pending().await };
        while hangup.recv().await.is_some() {
            let tls = Arc::clone(&tls);
            if tokio::task::spawn_blocking(move || tls.reload_and_say()).await.is_err() {
                error!(code = "tls_not_renewed", "a look at the TLS files panicked");
            }
        }
        std::future::pending().await
    })
}

/// What tells a server to stop.
struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn new() -> anyhow::Result<Self> {
        let on = |kind| signal(kind).context("listen for signals");
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
