//! `tidings subscription`: what you want to be told.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::config::Global;

/// Make, list, show, pause and delete your subscriptions.
#[derive(Debug, Args)]
pub struct Subscription {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List your subscriptions
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    Get {
        /// Its id
        id: String,
    },
    /// Make one
    #[command(
        after_help = "Examples:\n  tidings subscription create --filter 'category = earthquake and magnitude >= 5'\n  tidings subscription create --name Home --filter 'near(43.1, 12.5, 50 km)' --updates escalations"
    )]
    Create(Create),
    /// Tell nothing new until a time; cancels and ends of what was told still come
    Pause {
        /// Its id
        id: String,
        /// Until when (RFC 3339)
        #[arg(long, value_name = "TIME")]
        until: String,
    },
    /// End a pause
    Resume {
        /// Its id
        id: String,
    },
    /// Delete one
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
    /// Which changes to tell: first, escalations, until_cancelled, all
    #[arg(long, value_name = "POLICY")]
    updates: Option<String>,
    /// Tell exercises and tests too
    #[arg(long)]
    include_drills: bool,
}

impl Subscription {
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
        match self {
            Self::List { json } => list(client, json).await,
            Self::Get { id } => print(&client.ask(Method::GET, &path(&id), None).await?),
            Self::Create(create) => print(&client.ask(Method::POST, "/v1/subscriptions", Some(&create.body()?)).await?),
            Self::Pause { id, until } => {
                let patch = json!({"paused_until": until});
                print(&client.ask(Method::PATCH, &path(&id), Some(&patch)).await?)
            }
            Self::Resume { id } => {
                let patch = json!({"paused_until": null});
                print(&client.ask(Method::PATCH, &path(&id), Some(&patch)).await?)
            }
            Self::Delete { id } => {
                client.ask(Method::DELETE, &path(&id), None).await?;
                eprintln!("deleted {id}");
                Ok(())
            }
        }
    }
}

impl Create {
    fn body(self) -> anyhow::Result<Value> {
        let is_json = self.filter.trim_start().starts_with('{');
        let filter = if is_json {
            serde_json::from_str(&self.filter).context("read --filter as JSON")?
        } else {
            Value::String(self.filter)
        };
        let mut body = Map::new();
        body.insert("filter".to_owned(), filter);
        body.extend(self.name.map(|name| ("name".to_owned(), name.into())));
        body.extend(self.updates.map(|updates| ("updates".to_owned(), updates.into())));
        body.insert("include_drills".to_owned(), self.include_drills.into());
        Ok(Value::Object(body))
    }
}

fn path(id: &str) -> String {
    format!("/v1/subscriptions/{id}")
}

fn print(value: &Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

async fn list(client: &Client, as_json: bool) -> anyhow::Result<()> {
    let answer = client.ask(Method::GET, "/v1/subscriptions", None).await?;
    let subscriptions = answer.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    if as_json {
        return print(&Value::Array(subscriptions));
    }
    if subscriptions.is_empty() {
        eprintln!("you have no subscriptions; make one with `tidings subscription create --filter …`");
    }
    for it in subscriptions {
        let text = |name: &str| it.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        println!("{}  {}  {}", text("id"), text("name"), text("filter_text"));
    }
    Ok(())
}
