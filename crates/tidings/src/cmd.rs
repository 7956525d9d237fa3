//! The commands.

mod serve;
mod demo;
mod ingest;
mod tail;
mod explain;
mod subscription;
mod dlq;
mod key;
mod role;
mod tenant;
mod webhook;
mod service_account;
mod audit;
mod simulate;
mod bench;
mod version;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Global;
use crate::exit::Failure;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Take in files, folders or standard input
    Ingest(ingest::Ingest),
    /// Follow events, or the own inbox, as they come
    Tail(tail::Tail),
    /// Say why an event was, or was not, told for a subscription
    Explain(explain::Explain),
    /// Make, list, show, pause and delete your subscriptions
    Subscription(subscription::Subscription),
    /// Inspect, replay and discard dead letters
    Dlq(dlq::Dlq),
    /// Make, list, replace and revoke API keys
    Key(key::Key),
    /// Make, list, show, change and delete the roles of your tenant
    Role(role::Role),
    /// Make, list, show, change, suspend, resume and delete tenants
    Tenant(tenant::Tenant),
    /// Make, list, show, disable, enable and delete service accounts
    ServiceAccount(service_account::ServiceAccount),
    /// Make, list, show, replace the secrets of, and delete inbound webhooks
    Webhook(webhook::Webhook),
    /// Read and verify the audit log of your tenant
    Audit(audit::Audit),
    /// Simulate a world of hazards and send what it says
    Simulate(simulate::Simulate),
    /// Measure how fast this machine does the main jobs, beside its own limits
    Bench(bench::Bench),
    /// Print the version
    Version,
}

/// Runs one command until it is done or interrupted.
pub async fn run(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    // These have something to finish then, and listen for it themselves.
    let ends_by_itself = matches!(command, Command::Serve(_) | Command::Simulate(_) | Command::Bench(_));
    tokio::select! {
        // It listens from its first poll on, so that comes before the command says anything.
        biased;
        Ok(()) = tokio::signal::ctrl_c(), if !ends_by_itself => Ok(ExitCode::from(Failure::INTERRUPTED)),
        ended = run_to_end(command, global) => ended,
    }
}

async fn run_to_end(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) => serve.run(global).await,
        Command::Ingest(ingest) => ingest.run(global).await,
        Command::Tail(tail) => tail.run(global).await,
        Command::Explain(explain) => explain.run(global).await,
        Command::Subscription(subscription) => subscription.run(global).await,
        Command::Dlq(dlq) => dlq.run(global).await,
        Command::Key(key) => key.run(global).await,
        Command::Role(role) => role.run(global).await,
        Command::Tenant(tenant) => tenant.run(global).await,
        Command::ServiceAccount(account) => account.run(global).await,
        Command::Webhook(webhook) => webhook.run(global).await,
        Command::Audit(audit) => audit.run(global).await,
        Command::Simulate(simulate) => simulate.run(global).await,
        Command::Bench(bench) => bench.run(global).await,
        Command::Version => Ok(version::run()),
    }
}
