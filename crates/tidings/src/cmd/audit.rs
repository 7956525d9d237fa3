//! `tidings audit`: who changed what, and whether the log still is what was written.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;
use tidings_core::audit::{AuditEntry, ChainEnd};

use crate::client::{Client, Needs};
use crate::config::Global;
use crate::exit::Failure;
use crate::output::{self, Table};

/// Entries asked for at once.
const PAGE: usize = 1_000;

/// Read and verify the audit log of your tenant.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List entries, oldest first
    #[command(after_help = "Examples:\n  tidings audit list\n  tidings audit list --after 1200")]
    List {
        /// Only entries with numbers above this
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: u64,
    },
    /// Print every entry as JSON, one a line
    #[command(after_help = "Example:\n  tidings audit export > audit.ndjson")]
    Export,
    /// Check that no entry was altered, left out or put in since it was written
    #[command(
        after_help = "It prints where the log ends. Who keeps that line elsewhere sees later whether the log was cut off.\n\nExamples:\n  tidings audit verify\n  tidings audit verify --expect 1200:9f86d081884c7d65…"
    )]
    Verify {
        /// An end that an earlier run printed, which must still be in the log
        #[arg(long, value_name = "NUMBER:HASH", value_parser = end)]
        expect: Option<ChainEnd>,
    },
}

fn end(text: &str) -> Result<ChainEnd, String> {
    let read = text.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash)));
    match read {
        Some((number, hash)) if hash.len() == 64 => Ok(ChainEnd { number, hash: hash.to_owned() }),
        _ => Err("write a number, a colon and 64 digits, as `tidings audit verify` prints them".to_owned()),
    }
}

impl Audit {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, Needs::Store).await?;
        let done = self.action.run(&client, global).await;
        client.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

impl Action {
    async fn run(self, client: &Client, global: &Global) -> anyhow::Result<()> {
        match self {
            Self::List { after } => list(client, after, global.columns).await,
            Self::Export => {
                each_page(client, 0, |entries| {
                    entries.iter().try_for_each(|entry| Ok(output::line(&serde_json::to_string(entry)?)?))
                })
                .await
            }
            Self::Verify { expect } => verify(client, expect).await,
        }
    }
}

/// Every page above a number, in order.
async fn each_page(
    client: &Client,
    mut after: u64,
    mut take: impl FnMut(&[AuditEntry]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    loop {
        let mut answer = client.ask(Method::GET, &format!("/v1/audit?after={after}&limit={PAGE}"), None).await?;
        let entries: Vec<AuditEntry> = serde_json::from_value(answer["data"].take()).context("read the audit log")?;
        take(&entries)?;
        match answer.get("next_after").and_then(Value::as_u64) {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

async fn list(client: &Client, after: u64, width: Option<usize>) -> anyhow::Result<()> {
    let mut table = Table::new(&["NUMBER", "AT", "ACTION", "TARGET", "OUTCOME", "TIMES", "BY"]);
    each_page(client, after, |entries| {
        for entry in entries {
            let by = entry.actor.as_ref().map(|actor| actor.user.to_string()).unwrap_or_default();
            let outcome = serde_json::to_value(entry.outcome).context("name the outcome")?;
            let times = entry.times.map(|times| times.to_string()).unwrap_or_default();
            table.row(&[
                &entry.number.to_string(),
                &entry.at.to_string(),
                &entry.action,
                &entry.target,
                outcome.as_str().unwrap_or_default(),
                &times,
                &by,
            ]);
        }
        Ok(())
    })
    .await?;
    Ok(table.print(width)?)
}

async fn verify(client: &Client, expect: Option<ChainEnd>) -> anyhow::Result<()> {
    let mut at = ChainEnd::default();
    let mut is_expected_there = expect.is_none();
    let failed = |what: String| Failure::error(Failure::FAILED, what);
    each_page(client, 0, |entries| {
        is_expected_there |= expect.as_ref().is_some_and(|expect| {
            entries.iter().any(|entry| entry.number == expect.number && entry.hash == expect.hash)
        });
        at = at.clone().verify(entries).map_err(|broken| failed(format!("the audit log does not hold: {broken}")))?;
        Ok(())
    })
    .await?;
    if let Some(expect) = expect.filter(|_| !is_expected_there) {
        let what = format!("entry {} with that hash is gone: the log was cut off or replaced", expect.number);
        return Err(failed(what));
    }
    output::line(&format!("{}:{}", at.number, at.hash))?;
    eprintln!(
        "{} entries hold together; keep the line above elsewhere to see later whether any are cut off",
        at.number
    );
    Ok(())
}
