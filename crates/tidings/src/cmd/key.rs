//! `tidings key`: makes API keys, with the server running or not.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::config::Global;

/// Make API keys.
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
        let Action::Create(create) = self.action;
        let role = match create.role {
            RoleName::Admin => "admin",
            RoleName::Curator => "curator",
            RoleName::Viewer => "viewer",
        };
        let mut body = Map::new();
        body.insert("role".to_owned(), role.into());
        body.insert("tenant".to_owned(), create.tenant.into());
        body.extend(create.user.map(|user| ("user".to_owned(), Value::from(user))));
        if !create.issuer.is_empty() {
            body.insert("issuers".to_owned(), create.issuer.into());
        }
        let client = Client::connect(global).await?;
        let answer = client.ask(Method::POST, "/v1/keys", Some(&Value::Object(body))).await;
        client.close().await;
        let answer = answer?;
        println!("{}", answer.get("key").and_then(Value::as_str).unwrap_or_default());
        Ok(ExitCode::SUCCESS)
    }
}
