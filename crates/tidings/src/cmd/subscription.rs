//! `tidings subscription`: what you want to be told.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::exit::Failure;
use crate::output::{self, Table, text};
use crate::when;

/// Make, list, show, pause and delete your subscriptions.
#[derive(Debug, Args)]
pub struct Subscription {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List your subscriptions
    #[command(after_help = "Examples:\n  tidings subscription list\n  tidings subscription list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "Example:\n  tidings subscription get sub_01…")]
    Get {
        /// Its id
        id: String,
    },
    /// Make one
    #[command(
        after_help = "Examples:\n  tidings subscription create --filter 'category = earthquake and magnitude >= 5'\n  tidings subscription create --name Home --filter 'near(43.1, 12.5, 50 km)' --updates escalations\n  tidings subscription create --name Everything --filter 'all()'"
    )]
    Create(Create),
    /// Tell nothing new until a time; cancels and ends of what was told still come
    #[command(
        after_help = "Examples:\n  tidings subscription pause sub_01… --until 8h\n  tidings subscription pause sub_01… --until 2027-01-01"
    )]
    Pause {
        /// Its id
        id: String,
        /// Until when: a span (8h, 7d), a date, or an RFC 3339 time
        #[arg(long, value_name = "TIME", value_parser = when::to_come)]
        until: tidings_core::time::Timestamp,
    },
    /// End a pause
    #[command(after_help = "Example:\n  tidings subscription resume sub_01…")]
    Resume {
        /// Its id
        id: String,
    },
    /// Delete one
    #[command(after_help = "Example:\n  tidings subscription delete sub_01…")]
    Delete {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// What to tell, as text or JSON
    #[arg(long, value_name = "FILTER")]
    filter: String,
    /// What to call it
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Which changes to tell
    #[arg(long, value_name = "POLICY", value_parser = ["first", "escalations", "until_cancelled", "all"])]
    updates: Option<String>,
    /// Tell exercises and tests too
    #[arg(long)]
    include_drills: bool,
}

/// Where the ids are.
const LIST: &str = "see `tidings subscription list`";

impl Subscription {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let needs = if matches!(self.action, Action::Create(_)) { Needs::Directory } else { Needs::Store };
        let body = match &self.action {
            Action::Create(create) => create.body()?,
            _ => Value::Null,
        };
        let client = Client::connect(global, needs).await?;
        let done = self.action.run(&client, &body, global.columns).await;
        client.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

impl Action {
    async fn run(self, client: &Client, body: &Value, width: Option<usize>) -> anyhow::Result<()> {
        let (method, id, change) = match self {
            Self::List { json } => return list(client, json, width).await,
            Self::Create(_) => {
                return output::json(&client.ask(Method::POST, "/v1/subscriptions", Some(body)).await?);
            }
            Self::Get { id } => (Method::GET, id, None),
            Self::Pause { id, until } => (Method::PATCH, id, Some(json!({ "paused_until": until }))),
            Self::Resume { id } => (Method::PATCH, id, Some(json!({ "paused_until": null }))),
            Self::Delete { id } => (Method::DELETE, id, None),
        };
        let is_deleted = method == Method::DELETE;
        let answer = client.ask(method, &format!("/v1/subscriptions/{id}"), change.as_ref()).await;
        let answer = naming(answer, "subscription", &id, LIST)?;
        if is_deleted {
            eprintln!("deleted {id}");
            return Ok(());
        }
        output::json(&answer)
    }
}

impl Create {
    fn body(&self) -> anyhow::Result<Value> {
        if self.filter.trim().is_empty() {
            let message = "the filter is empty; write --filter 'all()' to be told of everything";
            return Err(Failure::error(Failure::USAGE, message));
        }
        let is_json = self.filter.trim_start().starts_with('{');
        let filter = if is_json {
            let read = serde_json::from_str(&self.filter);
            read.map_err(|error| Failure::error(Failure::USAGE, format!("read --filter as JSON: {error}")))?
        } else {
            Value::String(self.filter.clone())
        };
        let mut body = Map::new();
        body.insert("filter".to_owned(), filter);
        body.extend(self.name.clone().map(|name| ("name".to_owned(), name.into())));
        body.extend(self.updates.clone().map(|updates| ("updates".to_owned(), updates.into())));
        body.insert("include_drills".to_owned(), self.include_drills.into());
        Ok(Value::Object(body))
    }
}

async fn list(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let answer = client.ask(Method::GET, "/v1/subscriptions", None).await.context("list your subscriptions")?;
    let subscriptions = output::data(answer);
    if as_json {
        return output::json(&Value::Array(subscriptions));
    }
    if subscriptions.is_empty() {
        eprintln!("you have no subscriptions; make one with `tidings subscription create --filter …`");
        return Ok(());
    }
    let mut table = Table::new(&["ID", "NAME", "PAUSED UNTIL", "FILTER"]);
    for it in &subscriptions {
        table.row(&[text(it, "id"), text(it, "name"), text(it, "paused_until"), text(it, "filter_text")]);
    }
    Ok(table.print(width)?)
}
