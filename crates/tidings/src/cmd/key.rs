//! `tidings key`: makes, lists, replaces and revokes API keys, with the server running or not.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tidings_core::permission::{Permission, RoleName};
use tidings_core::time::Timestamp;

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::output::{self, Table, text};
use crate::when;

/// Make, list, replace and revoke API keys.
#[derive(Debug, Args)]
pub struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it, once, alone on stdout
    #[command(
        after_help = "Examples:\n  tidings key create --role viewer --user anna\n  tidings key create --role curator --issuer usgs\n  tidings key create --role admin --tenant public\n  tidings key create --service-account usr_01…\n  tidings key create --role curator --scope events:write --expires 30d"
    )]
    Create(Create),
    /// List the keys of your tenant; the keys themselves are never shown again
    #[command(after_help = "Examples:\n  tidings key list\n  tidings key list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a key with the same rights; the old one goes on for a while
    #[command(after_help = "Examples:\n  tidings key rotate key_01…\n  tidings key rotate key_01… --overlap 1h")]
    Rotate {
        /// The id of the key to replace, as `key list` shows it
        id: String,
        /// How long the old key goes on, 30 days at most
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = when::span)]
        overlap: Duration,
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
    /// As what it acts: admin, curator, viewer, or a role of the tenant
    #[arg(long, required_unless_present = "service_account")]
    role: Option<RoleName>,
    /// A scope of its role that it holds, all of them by default; may be given several times
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<Permission>,
    /// What it is called, to tell it from others of its user
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// When it ends: a time, a date, or from now on `1h`, `30d`
    #[arg(long, value_name = "TIME", value_parser = when::to_come)]
    expires: Option<Timestamp>,
    /// Whose data it opens
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Whose subscriptions and inbox it uses; a user of its own by default
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The id of the service account it is for, in place of a user and a role
    #[arg(long, value_name = "ID", conflicts_with_all = ["user", "role"])]
    service_account: Option<String>,
    /// An issuer it may speak for besides its own namespace; may be given several times
    #[arg(long, value_name = "NAME", num_args = 1..)]
    issuer: Vec<String>,
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
            Self::Rotate { id, overlap } => {
                let body = json!({ "overlap_seconds": overlap.as_secs() });
                let made = client.ask(Method::POST, &format!("/v1/keys/{id}:rotate"), Some(&body)).await;
                let made = naming(made, "key", &id, "see `tidings key list`")?;
                output::line(text(&made, "key"))?;
                eprintln!("the key above takes the place of {id}, which ends in {} s at most", overlap.as_secs());
            }
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
        let mut body = Map::new();
        body.extend(self.role.map(|role| ("role".to_owned(), Value::from(role.as_str()))));
        body.extend(self.service_account.map(|id| ("service_account".to_owned(), Value::from(id))));
        body.insert("tenant".to_owned(), self.tenant.into());
        body.extend(self.user.map(|user| ("user".to_owned(), Value::from(user))));
        body.extend(self.name.map(|name| ("name".to_owned(), Value::from(name))));
        body.extend(self.expires.map(|expires| ("expires".to_owned(), Value::from(expires.to_string()))));
        if !self.scope.is_empty() {
            let scopes: Vec<&str> = self.scope.iter().map(|scope| scope.as_str()).collect();
            body.insert("scopes".to_owned(), scopes.into());
        }
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
    let mut table = Table::new(&["ID", "ROLE", "USER", "NAME", "CREATED", "EXPIRES", "LAST USED"]);
    for key in &keys {
        let user = Some(text(key, "user_name")).filter(|name| !name.is_empty()).unwrap_or(text(key, "user"));
        table.row(&[
            text(key, "id"),
            text(key, "role"),
            user,
            text(key, "name"),
            text(key, "created"),
            text(key, "expires"),
            text(key, "last_used"),
        ]);
    }
    Ok(table.print(width)?)
}
