//! `tidings dlq`: what was set aside for a human.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::exit::Failure;
use crate::output::{self, Table, text};

/// Inspect, replay and discard dead letters.
#[derive(Debug, Args)]
pub struct Dlq {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List dead letters, newest first
    #[command(after_help = "Examples:\n  tidings dlq list\n  tidings dlq list --cause invalid_json --limit 10 --json")]
    List {
        /// Only of this cause, like invalid_json
        #[arg(long, value_name = "CODE")]
        cause: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        limit: u16,
        /// Print each as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Count them by cause
    #[command(after_help = "Example:\n  tidings dlq groups")]
    Groups {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "Example:\n  tidings dlq get dlq_01…")]
    Get {
        /// Its id
        id: String,
    },
    /// Print the bytes of one as they were received
    #[command(after_help = "Example:\n  tidings dlq raw dlq_01… > message.json")]
    Raw {
        /// Its id
        id: String,
    },
    /// Send one again, or all of a cause; ends with 8 where one was refused again
    #[command(
        after_help = "Examples:\n  tidings dlq replay dlq_01…\n  tidings dlq replay dlq_01… --body mended.json\n  tidings dlq replay --cause sender_not_permitted --dry-run"
    )]
    Replay {
        /// Its id
        #[arg(required_unless_present = "cause", conflicts_with = "cause")]
        id: Option<String>,
        /// Every parked one of this cause, at most 1,000 a call
        #[arg(long, value_name = "CODE")]
        cause: Option<String>,
        /// Send these bytes in its place; `-` is standard input
        #[arg(long, value_name = "FILE", conflicts_with = "cause")]
        body: Option<PathBuf>,
        /// Only say what would come of it
        #[arg(long)]
        dry_run: bool,
    },
    /// Give one up
    #[command(after_help = "Example:\n  tidings dlq discard dlq_01…")]
    Discard {
        /// Its id
        id: String,
    },
}

/// Where the ids are.
const LIST: &str = "see `tidings dlq list`";

impl Dlq {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, Needs::Store).await?;
        let done = self.action.run(&client, global.columns).await;
        client.close().await;
        done
    }
}

impl Action {
    async fn run(self, client: &Client, width: Option<usize>) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { cause, limit, json } => list(client, cause.as_deref(), limit, json, width).await?,
            Self::Groups { json } => groups(client, json, width).await?,
            Self::Get { id } => {
                let letter = client.ask(Method::GET, &format!("/v1/dead-letters/{id}"), None).await;
                output::json(&naming(letter, "dead letter", &id, LIST)?)?;
            }
            Self::Raw { id } => {
                let bytes = client.bytes(&format!("/v1/dead-letters/{id}/raw")).await;
                std::io::stdout().write_all(&naming(bytes, "dead letter", &id, LIST)?)?;
            }
            Self::Discard { id } => {
                let letter = client.ask(Method::POST, &format!("/v1/dead-letters/{id}:discard"), None).await;
                output::json(&naming(letter, "dead letter", &id, LIST)?)?;
            }
            Self::Replay { id: Some(id), body, dry_run, .. } => return replay(client, &id, body, dry_run).await,
            Self::Replay { id: None, cause, dry_run, .. } => return replay_all(client, cause, dry_run).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn replay(client: &Client, id: &str, body: Option<PathBuf>, dry_run: bool) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/dead-letters/{id}");
    let letter = naming(client.ask(Method::GET, &path, None).await, "dead letter", id, LIST)?;
    if text(&letter, "state") != "parked" {
        eprintln!("{id} was {} before", text(&letter, "state"));
    }
    let mut wish = Map::new();
    wish.insert("dry_run".to_owned(), dry_run.into());
    if let Some(file) = body {
        wish.insert("body".to_owned(), read(&file)?.into());
    }
    let answer = client.ask(Method::POST, &format!("{path}:replay"), Some(&Value::Object(wish))).await?;
    output::json(&answer)?;
    let is_taken = matches!(text(&answer, "outcome"), "accepted" | "duplicate");
    Ok(if is_taken { ExitCode::SUCCESS } else { ExitCode::from(Failure::PARTLY) })
}

fn read(file: &PathBuf) -> anyhow::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

async fn replay_all(client: &Client, cause: Option<String>, dry_run: bool) -> anyhow::Result<ExitCode> {
    let wish = json!({ "cause": cause, "dry_run": dry_run });
    let answer = client.ask(Method::POST, "/v1/dead-letters:replay", Some(&wish)).await?;
    output::json(&answer)?;
    let count = |name: &str| answer.pointer(&format!("/counts/{name}")).and_then(Value::as_u64).unwrap_or_default();
    let is_clean = count("rejected") + count("failed") == 0;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::from(Failure::PARTLY) })
}

async fn list(
    client: &Client,
    cause: Option<&str>,
    limit: u16,
    as_json: bool,
    width: Option<usize>,
) -> anyhow::Result<()> {
    let cause = cause.map(|cause| format!("&cause={cause}")).unwrap_or_default();
    let answer = client.ask(Method::GET, &format!("/v1/dead-letters?limit={limit}{cause}"), None).await?;
    let has_more = answer.get("next_cursor").is_some_and(|next| !next.is_null());
    let letters = output::data(answer);
    if letters.is_empty() {
        eprintln!("no dead letters");
        return Ok(());
    }
    let mut table = Table::new(&["ID", "STATE", "CAUSE", "RECEIVED", "DETAIL"]);
    for letter in &letters {
        if as_json {
            output::line(&letter.to_string())?;
            continue;
        }
        let detail = match text(letter, "pointer") {
            "" => text(letter, "detail").to_owned(),
            pointer => format!("{pointer}: {}", text(letter, "detail")),
        };
        table.row(&[
            text(letter, "id"),
            text(letter, "state"),
            text(letter, "code"),
            text(letter, "received"),
            &detail,
        ]);
    }
    if !as_json {
        table.print(width)?;
    }
    if has_more {
        eprintln!("there are more; --limit shows up to 1000, --cause those of one cause");
    }
    Ok(())
}

async fn groups(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let groups = output::data(client.ask(Method::GET, "/v1/dead-letters/groups", None).await?);
    if as_json {
        return output::json(&Value::Array(groups));
    }
    if groups.is_empty() {
        eprintln!("no dead letters");
        return Ok(());
    }
    let mut table = Table::new(&["PARKED", "TOTAL", "STAGE", "CAUSE", "SOURCE", "EXAMPLE", "DETAIL"]);
    for group in &groups {
        let count = |name: &str| group.get(name).and_then(Value::as_u64).unwrap_or_default().to_string();
        let [stage, code, source] = ["stage", "code", "source"].map(|name| text(group, name));
        let (example, detail) = (text(group, "example"), text(group, "detail"));
        table.row(&[&count("parked"), &count("total"), stage, code, source, example, detail]);
    }
    Ok(table.print(width)?)
}
