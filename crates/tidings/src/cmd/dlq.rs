//! `tidings dlq`: what was set aside for a human.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use crate::client::Client;
use crate::config::Global;

/// Inspect, replay and discard dead letters.
#[derive(Debug, Args)]
pub struct Dlq {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List dead letters, newest first
    List {
        /// Only of this cause, like invalid_json
        #[arg(long, value_name = "CODE")]
        cause: Option<String>,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Count them by cause
    Groups,
    /// Show one
    Get {
        /// Its id
        id: String,
    },
    /// Print the bytes of one as they were received
    Raw {
        /// Its id
        id: String,
    },
    /// Send one again
    Replay {
        /// Its id
        id: String,
    },
    /// Give one up
    Discard {
        /// Its id
        id: String,
    },
}

impl Dlq {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global).await?;
        let done = self.action.run(&client).await;
        client.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

impl Action {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let get = |path: String| async move { client.ask(Method::GET, &path, None).await };
        let act = |path: String| async move { client.ask(Method::POST, &path, None).await };
        let shown = match self {
            Self::List { cause, json } => return list(client, cause.as_deref(), json).await,
            Self::Groups => get("/v1/dead-letters/groups".to_owned()).await?,
            Self::Get { id } => get(format!("/v1/dead-letters/{id}")).await?,
            Self::Replay { id } => act(format!("/v1/dead-letters/{id}:replay")).await?,
            Self::Discard { id } => act(format!("/v1/dead-letters/{id}:discard")).await?,
            Self::Raw { id } => {
                let bytes = client.bytes(&format!("/v1/dead-letters/{id}/raw")).await?;
                std::io::stdout().write_all(&bytes)?;
                return Ok(());
            }
        };
        println!("{}", serde_json::to_string_pretty(&shown)?);
        Ok(())
    }
}

async fn list(client: &Client, cause: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let cause = cause.map(|cause| format!("&cause={cause}")).unwrap_or_default();
    let answer = client.ask(Method::GET, &format!("/v1/dead-letters?limit=1000{cause}"), None).await?;
    let letters = answer.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    if letters.is_empty() {
        eprintln!("no dead letters");
    }
    for letter in letters {
        if as_json {
            println!("{letter}");
            continue;
        }
        let text = |name: &str| letter.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        println!(
            "{}  {}  {}  {:<9} {} {}: {}",
            text("id"),
            text("received"),
            text("state"),
            text("stage"),
            text("code"),
            text("pointer"),
            text("detail")
        );
    }
    Ok(())
}
