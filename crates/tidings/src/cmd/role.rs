//! `tidings role`: the roles of a tenant.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tidings_core::permission::{Permission, RoleName};

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::output::{self, Table, text};

/// Make, list, show, change and delete the roles of your tenant.
#[derive(Debug, Args)]
pub struct Role {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the roles: those that every tenant has, then yours by name
    #[command(after_help = "Examples:\n  tidings role list\n  tidings role list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "Example:\n  tidings role get flood-desk")]
    Get {
        /// What it is called
        name: RoleName,
    },
    /// Make one: some scopes, over some of the events
    #[command(
        after_help = "Examples:\n  tidings role create reader --scope events:read\n  tidings role create curator-of-kenya --scope events:read events:write --sees 'country = KE' --publishes 'country = KE'"
    )]
    Create(Written),
    /// Change one: what is given replaces what it says; what hangs on it follows at once
    #[command(after_help = "Example:\n  tidings role edit curator-of-kenya --sees 'country in (KE, UG)'")]
    Edit(Written),
    /// Delete one that no key acts as
    #[command(after_help = "Example:\n  tidings role delete flood-desk")]
    Delete {
        /// What it is called
        name: RoleName,
    },
}

/// What the role says.
#[derive(Debug, Args)]
struct Written {
    /// What it is called: lower-case letters, digits and hyphens
    name: RoleName,
    /// A scope that it holds; may be given several times
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<Permission>,
    /// The events that it sees, as a filter; all by default
    #[arg(long, value_name = "FILTER")]
    sees: Option<String>,
    /// The events that it may publish, as a filter; any by default
    #[arg(long, value_name = "FILTER")]
    publishes: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl Role {
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
            Self::List { json } => list(client, json, global.columns).await,
            Self::Get { name } => output::json(&get(client, &name).await?),
            Self::Create(written) => {
                let made = client.ask(Method::PUT, &path(&written.name), Some(&written.over(Map::new()))).await?;
                output::json(&made)
            }
            Self::Edit(written) => {
                let Value::Object(mut before) = get(client, &written.name).await? else { return Ok(()) };
                let revision = before.remove("revision").and_then(|revision| revision.as_u64()).unwrap_or_default();
                before.retain(|member, _| ["scopes", "sees", "publishes", "description"].contains(&member.as_str()));
                let (path, body) = (path(&written.name), written.over(before));
                output::json(&client.change(Method::PUT, &path, revision, Some(&body)).await?)
            }
            Self::Delete { name } => {
                let revision = get(client, &name).await?["revision"].as_u64().unwrap_or_default();
                client.change(Method::DELETE, &path(&name), revision, None).await?;
                eprintln!("deleted {name}");
                Ok(())
            }
        }
    }
}

impl Written {
    /// The role's body: what is given over what was there.
    fn over(self, mut members: Map<String, Value>) -> Value {
        if !self.scope.is_empty() {
            let scopes: Vec<&str> = self.scope.iter().map(|scope| scope.as_str()).collect();
            members.insert("scopes".to_owned(), json!(scopes));
        }
        let texts = [("sees", self.sees), ("publishes", self.publishes), ("description", self.description)];
        members.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))));
        Value::Object(members)
    }
}

fn path(name: &RoleName) -> String {
    format!("/v1/roles/{name}")
}

async fn get(client: &Client, name: &RoleName) -> anyhow::Result<Value> {
    let role = client.ask(Method::GET, &path(name), None).await;
    naming(role, "role", name.as_str(), "see `tidings role list`")
}

async fn list(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let roles = output::data(client.ask(Method::GET, "/v1/roles", None).await?);
    if as_json {
        return output::json(&Value::Array(roles));
    }
    let mut table = Table::new(&["NAME", "SCOPES", "SEES", "PUBLISHES"]);
    for role in &roles {
        let scopes: Vec<&str> = role["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let [sees, publishes] =
            ["sees", "publishes"].map(|name| role.get(name).map_or_else(String::new, Value::to_string));
        table.row(&[text(role, "name"), &scopes.join(" "), &sees, &publishes]);
    }
    Ok(table.print(width)?)
}
