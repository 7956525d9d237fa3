//! `tidings webhook`: ways in for senders that sign what they send.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tidings_core::permission::RoleName;
use tidings_core::port::HookName;
use tidings_core::time::Timestamp;

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::output::{self, Table, text};
use crate::when;

/// Make, list, show, replace the secrets of, and delete inbound webhooks.
#[derive(Debug, Args)]
pub struct Webhook {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an address for a sender that signs what it sends; a secret is printed only here
    #[command(
        after_help = "Examples:\n  tidings webhook create city-desk --kind standard\n  tidings webhook create ci --kind github --secret-file ci.secret\n  tidings webhook create scanner --kind hmac --header X-Signature --algorithm sha512 --encoding base64 --timestamp-header X-Time"
    )]
    Create(Box<Create>),
    /// List the inbound webhooks of your tenant; their secrets are never shown again
    #[command(after_help = "Examples:\n  tidings webhook list\n  tidings webhook list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one
    #[command(after_help = "Example:\n  tidings webhook get whk_01…")]
    Get {
        /// Its id, as `webhook list` shows it
        id: String,
    },
    /// Give one another secret; the one before goes on for a while
    #[command(
        after_help = "Examples:\n  tidings webhook rotate whk_01…\n  tidings webhook rotate whk_01… --overlap 1h --secret-file new.secret"
    )]
    Rotate {
        /// Its id, as `webhook list` shows it
        id: String,
        /// How long the old secret goes on, 30 days at most
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = when::span)]
        overlap: Duration,
        /// The file with the sender's own new secret, - for standard input; one is made by default
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Delete one for good: it lets nothing in any more
    #[command(after_help = "Example:\n  tidings webhook delete whk_01…")]
    Delete {
        /// Its id, as `webhook list` shows it
        id: String,
    },
}

/// How requests are signed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// As Standard Webhooks says
    Standard,
    /// As GitHub does: X-Hub-Signature-256
    Github,
    /// In a header field of your own
    Hmac,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    Sha256,
    Sha512,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Encoding {
    Hex,
    Base64,
}

/// What the webhook is to be.
#[derive(Debug, Args)]
struct Create {
    /// What it is called, which is part of the namespace it speaks in
    name: HookName,
    /// How requests are signed
    #[arg(long)]
    kind: Kind,
    /// The file with the sender's own secret, - for standard input; one is made by default
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Of kind hmac: the header field with the signature
    #[arg(long, value_name = "FIELD")]
    header: Option<String>,
    /// Of kind hmac: the hash, sha256 by default
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Of kind hmac: how the signature is written, hex by default
    #[arg(long)]
    encoding: Option<Encoding>,
    /// Of kind hmac: what stands before the signature
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Of kind hmac: the header field with the time, which is then signed too
    #[arg(long, value_name = "FIELD")]
    timestamp_header: Option<String>,
    /// The role that says which events it may publish, curator by default
    #[arg(long)]
    role: Option<RoleName>,
    /// An issuer it may speak for besides its own namespace; may be given several times
    #[arg(long, value_name = "NAME", num_args = 1..)]
    issuer: Vec<String>,
    /// When it ends: a time, a date, or from now on `1h`, `30d`
    #[arg(long, value_name = "TIME", value_parser = when::to_come)]
    expires: Option<Timestamp>,
}

impl Webhook {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, Needs::Store).await?;
        let done = self.action.run(&client, global).await;
        client.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }
}

const LIST: &str = "see `tidings webhook list`";

impl Action {
    async fn run(self, client: &Client, global: &Global) -> anyhow::Result<()> {
        let path = |id: &str| format!("/v1/inbound-webhooks/{id}");
        match self {
            Self::Create(create) => {
                let made = client.ask(Method::POST, "/v1/inbound-webhooks", Some(&create.body()?)).await?;
                output::json(&made)?;
                eprintln!("let its sender send to {}{}", client.url, text(&made, "path"));
            }
            Self::List { json } => list(client, json, global.columns).await?,
            Self::Get { id } => {
                let hook = client.ask(Method::GET, &path(&id), None).await;
                output::json(&naming(hook, "webhook", &id, LIST)?)?;
            }
            Self::Rotate { id, overlap, secret_file } => {
                let mut body = json!({ "overlap_seconds": overlap.as_secs() });
                if let Some(file) = secret_file {
                    body["secret"] = read_secret(&file)?.into();
                }
                let made = client.ask(Method::POST, &format!("{}:rotate", path(&id)), Some(&body)).await;
                output::json(&naming(made, "webhook", &id, LIST)?)?;
                eprintln!("the old secret of {id} ends in {} s", overlap.as_secs());
            }
            Self::Delete { id } => {
                let deleted = client.ask(Method::DELETE, &path(&id), None).await;
                naming(deleted, "webhook", &id, LIST)?;
                eprintln!("deleted {id}");
            }
        }
        Ok(())
    }
}

impl Create {
    fn body(self) -> anyhow::Result<Value> {
        let mut body = Map::new();
        body.insert("name".to_owned(), self.name.as_str().into());
        let word = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
        let texts = [
            ("kind", word(self.kind.to_possible_value())),
            ("secret", self.secret_file.as_deref().map(read_secret).transpose()?),
            ("header", self.header),
            ("algorithm", self.algorithm.and_then(|algorithm| word(algorithm.to_possible_value()))),
            ("encoding", self.encoding.and_then(|encoding| word(encoding.to_possible_value()))),
            ("prefix", self.prefix),
            ("timestamp_header", self.timestamp_header),
            ("role", self.role.map(|role| role.to_string())),
            ("expires", self.expires.map(|expires| expires.to_string())),
        ];
        body.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))));
        if !self.issuer.is_empty() {
            body.insert("issuers".to_owned(), self.issuer.into());
        }
        Ok(Value::Object(body))
    }
}

/// A secret never stands among the arguments, which others on the machine can see.
fn read_secret(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("read standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

async fn list(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let hooks = output::data(client.ask(Method::GET, "/v1/inbound-webhooks", None).await?);
    if as_json {
        return output::json(&Value::Array(hooks));
    }
    if hooks.is_empty() {
        eprintln!("there is none; make one with `tidings webhook create NAME --kind standard`");
        return Ok(());
    }
    let mut table = Table::new(&["ID", "NAME", "KIND", "ROLE", "SPEAKS AS", "CREATED", "EXPIRES", "LAST USED"]);
    for hook in &hooks {
        let cells =
            ["id", "name", "kind", "role", "speaks_as", "created", "expires", "last_used"].map(|name| text(hook, name));
        table.row(&cells);
    }
    Ok(table.print(width)?)
}
