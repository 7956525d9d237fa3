//! `tidings tail`: follows events, or the inbox, as they come.

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::Value;

use crate::client::{Client, Needs, failure};
use crate::config::Global;
use crate::output::{self, text};

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
        let needs = if self.until_now { Needs::Store } else { Needs::Server };
        let client = Client::connect(global, needs).await?;
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
        if self.until_now && self.from.is_none() {
            eprintln!("this shows what comes in the next moments; --from 0 begins at the oldest kept");
        }
        let names = if self.inbox { names(client).await? } else { Names::new() };
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
                self.show(&String::from_utf8_lossy(&frame), &names)?;
            }
        }
    }

    fn show(&self, frame: &str, names: &Names) -> anyhow::Result<()> {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(data) = field("data") else { return Ok(()) };
        if self.json {
            return Ok(output::line(data)?);
        }
        let value: Value = serde_json::from_str(data).context("read a frame")?;
        match field("event").unwrap_or("event") {
            "event" => output::line(&format!(
                "{}  {:<8}  {:<13}  {}  {}",
                text(&value, "received"),
                text(&value, "severity"),
                text(&value, "category"),
                text(&value, "id"),
                text(&value, "title")
            ))?,
            "notification" => output::line(&format!(
                "{}  {:<8}  {:<6}  {}  {} ({}){}",
                text(&value, "created"),
                text(&value, "severity"),
                text(&value, "kind"),
                text(&value, "event_id"),
                text(&value, "title"),
                text(&value, "reason"),
                asked_by(&value, names)
            ))?,
            "gap" => eprintln!(
                "some of what came before is not kept here ({}); going on from the oldest kept",
                text(&value, "reason")
            ),
            "lag" => {
                eprintln!("{} behind, catching up", value.get("behind").and_then(Value::as_u64).unwrap_or_default())
            }
            other => eprintln!("{other}: {data}"),
        }
        Ok(())
    }
}

/// The names of the own subscriptions by id.
type Names = HashMap<String, String>;

async fn names(client: &Client) -> anyhow::Result<Names> {
    let own = output::data(client.ask(Method::GET, "/v1/subscriptions", None).await?);
    let named = own.iter().filter(|it| !text(it, "name").is_empty());
    Ok(named.map(|it| (text(it, "id").to_owned(), text(it, "name").to_owned())).collect())
}

/// For which subscriptions a notice came.
fn asked_by(notice: &Value, names: &Names) -> String {
    let ids = notice.get("subscriptions").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<&str> = ids.map(|id| names.get(id).map_or(id, String::as_str)).collect();
    if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) }
}
