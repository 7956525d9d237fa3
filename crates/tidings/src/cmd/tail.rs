//! `tidings tail`: follows events, or the inbox, as they come.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use futures_util::StreamExt;
use serde_json::Value;

use crate::client::{Client, failure};
use crate::config::Global;

/// Follow events, or the own inbox, as they come.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidings tail\n  tidings tail --filter 'severity >= Severe and country = IT'\n  tidings tail --inbox --from 0 --until-now --json"
)]
pub struct Tail {
    /// Which events, as text or JSON; all by default
    #[arg(long, value_name = "FILTER", conflicts_with = "inbox")]
    filter: Option<String>,
    /// Follow the own inbox instead
    #[arg(long)]
    inbox: bool,
    /// Begin after this cursor; 0 is the oldest kept; by default now
    #[arg(long, value_name = "CURSOR")]
    from: Option<String>,
    /// End when everything that is there now has been shown
    #[arg(long)]
    until_now: bool,
    /// Print each as one line of JSON
    #[arg(long)]
    json: bool,
}

/// With `--until-now`, this long without anything new means that all of it was shown.
const QUIET: std::time::Duration = std::time::Duration::from_millis(1_500);

impl Tail {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global).await?;
        let followed = self.follow(&client).await;
        client.close().await;
        followed.map(|()| ExitCode::SUCCESS)
    }

    async fn follow(&self, client: &Client) -> anyhow::Result<()> {
        let mut query: Vec<(&str, &str)> = Vec::new();
        match &self.filter {
            _ if self.inbox => query.push(("inbox", "true")),
            Some(filter) => query.push(("filter", filter)),
            None => query.push(("filter", "{}")),
        }
        query.extend(self.from.as_deref().map(|cursor| ("after", cursor)));
        let answer = client.stream("/v1/stream", &query).await?;
        if !answer.status().is_success() {
            let status = answer.status();
            let problem = answer.json().await.unwrap_or(Value::Null);
            return Err(failure(status, &problem));
        }
        eprintln!("following {} from {}", client.url, self.from.as_deref().unwrap_or("now"));
        let mut stream = answer.bytes_stream();
        let mut text = Vec::new();
        loop {
            let chunk = if self.until_now {
                match tokio::time::timeout(QUIET, stream.next()).await {
                    Ok(chunk) => chunk,
                    Err(_) => return Ok(()),
                }
            } else {
                stream.next().await
            };
            let Some(chunk) = chunk else { return Ok(()) };
            text.extend_from_slice(&chunk.context("read the stream")?);
            while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = text.drain(..end + 2).collect();
                self.show(&String::from_utf8_lossy(&frame))?;
            }
        }
    }

    fn show(&self, frame: &str) -> anyhow::Result<()> {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(data) = field("data") else { return Ok(()) };
        let kind = field("event").unwrap_or("event");
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{data}")?;
            return Ok(());
        }
        let value: Value = serde_json::from_str(data).context("read a frame")?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        match kind {
            "event" => writeln!(
                out,
                "{} {:<9} {:<14} {}",
                text("received"),
                text("severity"),
                text("category"),
                text("title")
            )?,
            "notification" => {
                writeln!(
                    out,
                    "{} {:<9} {:<7} {} ({})",
                    text("created"),
                    text("severity"),
                    text("kind"),
                    text("title"),
                    text("reason")
                )?;
            }
            other => eprintln!("{other}: {data}"),
        }
        Ok(())
    }
}
