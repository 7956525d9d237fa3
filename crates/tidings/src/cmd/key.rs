//! `tidings key`: makes, lists and revokes API keys, with the server running or not.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value};

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::output::{self, Table, text};

/// Make, list and revoke API keys.
#[derive(Debug, Args)]
pub struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it, once, alone on stdout
    #[command(
        after_help = "Examples:\n  tidings key create --role viewer --user anna\n  tidings key create --role curator --issuer usgs\n  tidings key create --role admin --tenant public"
    )]
    Create(Create),
    /// List the keys of your tenant; the keys themselves are never shown again
    #[command(after_help = "Examples:\n  tidings key list\n  tidings key list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key for good; streams opened with it end
    #[command(after_help = "Example:\n  tidings key revoke key_01…")]
    Revoke {
        /// Its id, as `key list` shows it
        id: String,
    },
}

/// What the key is to be.
#[derive(Debug, Args)]
struct Create {
    /// What it may do
    #[arg(long)]
    role: RoleName,
    /// Whose data it opens
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Whose subscriptions and inbox it uses; a user of its own by default
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// An issuer it may speak for besides its own namespace; may be given several times
    #[arg(long, value_name = "NAME", num_args = 1..)]
    issuer: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    Admin,
    Curator,
    Viewer,
}

impl Key {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let needs = if matches!(self.action, Action::Create(_)) { Needs::Directory } else { Needs::Store };
        let client = Client::connect(global, needs).await?;
        let done = self.action.run(&client, global).await;
        client.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

impl Action {
    async fn run(self, client: &Client, global: &Global) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => {
                let answer = client.ask(Method::POST, "/v1/keys", Some(&create.body())).await?;
                output::line(text(&answer, "key"))?;
            }
            Self::List { json } => list(client, json, global.columns).await?,
            Self::Revoke { id } => {
                let revoked = client.ask(Method::DELETE, &format!("/v1/keys/{id}"), None).await;
                naming(revoked, "key", &id, "see `tidings key list`")?;
                eprintln!("revoked {id}");
            }
        }
        Ok(())
    }
}

impl Create {
    fn body(self) -> Value {
        let role = match self.role {
            RoleName::Admin => "admin",
            RoleName::Curator => "curator",
            RoleName::Viewer => "viewer",
        };
        let mut body = Map::new();
        body.insert("role".to_owned(), role.into());
        body.insert("tenant".to_owned(), self.tenant.into());
        body.extend(self.user.map(|user| ("user".to_owned(), Value::from(user))));
        if !self.issuer.is_empty() {
            body.insert("issuers".to_owned(), self.issuer.into());
        }
        Value::Object(body)
    }
}

async fn list(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let keys = output::data(client.ask(Method::GET, "/v1/keys", None).await?);
    if as_json {
        return output::json(&Value::Array(keys));
    }
    let mut table = Table::new(&["ID", "ROLE", "USER", "CREATED"]);
    for key in &keys {
        let user = Some(text(key, "user_name")).filter(|name| !name.is_empty()).unwrap_or(text(key, "user"));
        table.row(&[text(key, "id"), text(key, "role"), user, text(key, "created")]);
    }
    Ok(table.print(width)?)
}
