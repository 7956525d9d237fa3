//! `tidings service-account`: users without a person, that hold keys.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::RoleName;

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::output::{self, Table, text};

/// Make, list, show, disable, enable and delete service accounts.
#[derive(Debug, Args)]
pub struct ServiceAccount {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make one; `key create --service-account` makes keys for it
    #[command(
        after_help = "Examples:\n  tidings service-account create scanner --role curator\n  tidings service-account create reports --role viewer --description 'Weekly report'"
    )]
    Create {
        /// What it is called: 1 to 64 letters, digits and ._-+@
        name: String,
        /// As what its keys act: admin, curator, viewer, or a role of the tenant
        #[arg(long)]
        role: RoleName,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List the service accounts of your tenant
    #[command(after_help = "Examples:\n  tidings service-account list\n  tidings service-account list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "Example:\n  tidings service-account get usr_01…")]
    Get {
        /// Its id, as `service-account list` shows it
        id: String,
    },
    /// Let its keys open nothing for the time being; streams opened with them end
    #[command(after_help = "Example:\n  tidings service-account disable usr_01…")]
    Disable {
        /// Its id, as `service-account list` shows it
        id: String,
    },
    /// Let its keys open again what they did
    #[command(after_help = "Example:\n  tidings service-account enable usr_01…")]
    Enable {
        /// Its id, as `service-account list` shows it
        id: String,
    },
    /// Delete one with its keys and its subscriptions
    #[command(after_help = "Example:\n  tidings service-account delete usr_01…")]
    Delete {
        /// Its id, as `service-account list` shows it
        id: String,
    },
}

impl ServiceAccount {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, Needs::Store).await?;
        let done = self.action.run(&client, global).await;
        client.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

const PATH: &str = "/v1/service-accounts";

impl Action {
    async fn run(self, client: &Client, global: &Global) -> anyhow::Result<()> {
        match self {
            Self::Create { name, role, description } => {
                let body = json!({ "name": name, "role": role.as_str(), "description": description });
                output::json(&client.ask(Method::POST, PATH, Some(&body)).await?)
            }
            Self::List { json } => list(client, json, global.columns).await,
            Self::Get { id } => output::json(&ask(client, Method::GET, &id, "").await?),
            Self::Disable { id } => output::json(&ask(client, Method::POST, &id, ":disable").await?),
            Self::Enable { id } => output::json(&ask(client, Method::POST, &id, ":enable").await?),
            Self::Delete { id } => {
                ask(client, Method::DELETE, &id, "").await?;
                eprintln!("deleted {id} with its keys");
                Ok(())
            }
        }
    }
}

async fn ask(client: &Client, method: Method, id: &str, verb: &str) -> anyhow::Result<Value> {
    let answer = client.ask(method, &format!("{PATH}/{id}{verb}"), None).await;
    naming(answer, "service account", id, "see `tidings service-account list`")
}

async fn list(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let accounts = output::data(client.ask(Method::GET, PATH, None).await?);
    if as_json {
        return output::json(&Value::Array(accounts));
    }
    if accounts.is_empty() {
        eprintln!("there is none; make one with `tidings service-account create NAME --role ROLE`");
        return Ok(());
    }
    let mut table = Table::new(&["ID", "NAME", "ROLE", "STATE", "CREATED", "DESCRIPTION"]);
    for account in &accounts {
        let state = if account["enabled"] == true { "enabled" } else { "disabled" };
        let [id, name, role, created, description] =
            ["id", "name", "role", "created", "description"].map(|name| text(account, name));
        table.row(&[id, name, role, state, created, description]);
    }
    Ok(table.print(width)?)
}
