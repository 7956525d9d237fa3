//! `tidings tenant`: the tenants of a server, for its operator.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tidings_core::id::TenantId;

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::exit::Failure;
use crate::output::{self, Table, text};

/// How often `delete --wait` looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often at most: an hour.
const LOOKS_MAX: usize = 14_400;

/// Make, list, show, change, suspend, resume and delete tenants.
#[derive(Debug, Args)]
pub struct Tenant {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a tenant; `key create --tenant` makes keys for it
    #[command(
        after_help = "Examples:\n  tidings tenant create acme --name 'Acme Ltd'\n  tidings tenant create acme --quota events_per_day=100000 storage_bytes=1000000000 --reads public"
    )]
    Create(Written),
    /// List every tenant
    #[command(after_help = "Examples:\n  tidings tenant list\n  tidings tenant list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one; an erased one with the proof
    #[command(after_help = "Example:\n  tidings tenant show acme")]
    Show {
        /// Its id
        id: TenantId,
    },
    /// Change one: what is given replaces what it says
    #[command(after_help = "Example:\n  tidings tenant edit acme --contact ops@acme.example --quota streams=none")]
    Edit(Written),
    /// Stop serving one until it is resumed; its data stays
    #[command(after_help = "Example:\n  tidings tenant suspend acme --reason 'the trial has ended'")]
    Suspend {
        /// Its id
        id: TenantId,
        /// What its people are told
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Serve a suspended one again
    #[command(after_help = "Example:\n  tidings tenant resume acme")]
    Resume {
        /// Its id
        id: TenantId,
    },
    /// Close one for good and erase everything of it; needs --yes
    #[command(
        after_help = "Examples:\n  tidings tenant delete acme --dry-run\n  tidings tenant delete acme --yes --wait"
    )]
    Delete {
        /// Its id
        id: TenantId,
        /// Only count what would be erased
        #[arg(long)]
        dry_run: bool,
        /// Do it
        #[arg(long)]
        yes: bool,
        /// Wait until nothing is left, and print the proof
        #[arg(long)]
        wait: bool,
    },
}

/// What the tenant says.
#[derive(Debug, Args)]
struct Written {
    /// Its id: lower-case letters, digits and hyphens
    id: TenantId,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where its logo is, an https:// address
    #[arg(long, value_name = "URL")]
    logo: Option<String>,
    /// The color of its buttons and links
    #[arg(long, value_name = "#RRGGBB")]
    color: Option<String>,
    /// Whom its people ask
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// How much it may have: events_per_day, subscriptions, streams, storage_bytes; `none` for no limit
    #[arg(long, value_name = "NAME=N", num_args = 1.., value_parser = quota)]
    quota: Vec<(String, Option<u64>)>,
    /// How much its users may do together: requests, bytes, events; `none` for what every tenant may
    #[arg(long, value_name = "NAME=N/SECONDS", num_args = 1.., value_parser = rate)]
    rate: Vec<(String, Value)>,
    /// Tenants whose events it sees besides its own; public by default
    #[arg(long, value_name = "TENANT", num_args = 0..)]
    reads: Option<Vec<TenantId>>,
}

fn quota(text: &str) -> Result<(String, Option<u64>), String> {
    let (name, number) = text.split_once('=').ok_or("write NAME=N, like streams=100")?;
    let number = match number {
        "none" => None,
        number => Some(number.parse().map_err(|_| "write a whole number, or none for no limit")?),
    };
    Ok((name.to_owned(), number))
}

fn rate(text: &str) -> Result<(String, Value), String> {
    let wanted = "write NAME=N/SECONDS, like requests=1000/10";
    let (name, rate) = text.split_once('=').ok_or(wanted)?;
    if rate == "none" {
        return Ok((name.to_owned(), Value::Null));
    }
    let (quota, seconds) = rate.split_once('/').ok_or(wanted)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wanted.to_owned());
    Ok((name.to_owned(), json!({ "quota": number(quota)?, "window_seconds": number(seconds)? })))
}

impl Tenant {
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
            Self::Create(written) => {
                let mut body = Map::from_iter([("id".to_owned(), json!(written.id))]);
                body.extend(written.members());
                output::json(&client.ask(Method::POST, "/v1/tenants", Some(&Value::Object(body))).await?)
            }
            Self::List { json } => list(client, json, global.columns).await,
            Self::Show { id } => output::json(&get(client, &id).await?),
            Self::Edit(written) => {
                let (path, revision) = (path(&written.id), revision(&get(client, &written.id).await?));
                let body = Value::Object(written.members());
                output::json(&client.change(Method::PATCH, &path, revision, Some(&body)).await?)
            }
            Self::Suspend { id, reason } => act(client, &id, "suspend", json!({ "reason": reason })).await,
            Self::Resume { id } => act(client, &id, "resume", json!({})).await,
            Self::Delete { id, dry_run: true, .. } => {
                let found = client.ask(Method::DELETE, &format!("{}?dry_run=true", path(&id)), None).await;
                output::json(&naming(found, "tenant", id.as_str(), LIST)?)
            }
            Self::Delete { id, yes: false, .. } => {
                let message = format!(
                    "everything of tenant {id} would be erased for good; see how much with --dry-run, and do it with --yes"
                );
                Err(Failure::error(Failure::USAGE, message))
            }
            Self::Delete { id, wait, .. } => delete(client, &id, wait).await,
        }
    }
}

impl Written {
    fn members(self) -> Map<String, Value> {
        let mut members = Map::new();
        let branding = [
            ("display_name", self.name),
            ("logo_url", self.logo),
            ("accent_color", self.color),
            ("contact", self.contact),
        ];
        let branding = branding.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))));
        let branding: Map<String, Value> = branding.collect();
        let quotas: Map<String, Value> = self.quota.into_iter().map(|(name, count)| (name, json!(count))).collect();
        let rates: Map<String, Value> = self.rate.into_iter().collect();
        for (name, part) in [("branding", branding), ("quotas", quotas), ("rates", rates)] {
            if !part.is_empty() {
                members.insert(name.to_owned(), Value::Object(part));
            }
        }
        members.extend(self.reads.map(|reads| ("reads".to_owned(), json!(reads))));
        members
    }
}

/// What to look at when there is no such tenant.
const LIST: &str = "see `tidings tenant list`";

fn path(id: &TenantId) -> String {
    format!("/v1/tenants/{id}")
}

fn revision(tenant: &Value) -> u64 {
    tenant["revision"].as_u64().unwrap_or_default()
}

async fn get(client: &Client, id: &TenantId) -> anyhow::Result<Value> {
    naming(client.ask(Method::GET, &path(id), None).await, "tenant", id.as_str(), LIST)
}

async fn act(client: &Client, id: &TenantId, verb: &str, body: Value) -> anyhow::Result<()> {
    let done = client.ask(Method::POST, &format!("{}:{verb}", path(id)), Some(&body)).await;
    output::json(&naming(done, "tenant", id.as_str(), LIST)?)
}

/// Deletes one. A server of our own ends with the command; it goes on with the next start.
async fn delete(client: &Client, id: &TenantId, wait: bool) -> anyhow::Result<()> {
    let before = get(client, id).await?;
    if !["erasing", "erased"].contains(&text(&before, "state")) {
        client.change(Method::DELETE, &path(id), revision(&before), None).await?;
    }
    if !wait {
        eprintln!(
            "tenant {id} is closed and being erased; `tidings tenant show {id}` shows the proof once that is done"
        );
        return Ok(());
    }
    for _ in 0..LOOKS_MAX {
        let tenant = get(client, id).await?;
        if text(&tenant, "state") == "erased" {
            return output::json(&tenant);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::error(Failure::UNREACHABLE, format!("tenant {id} is still being erased; the server's log says more")))
}

async fn list(client: &Client, as_json: bool, width: Option<usize>) -> anyhow::Result<()> {
    let tenants = output::data(client.ask(Method::GET, "/v1/tenants", None).await?);
    if as_json {
        return output::json(&Value::Array(tenants));
    }
    let mut table = Table::new(&["ID", "STATE", "NAME", "CREATED", "READS"]);
    for tenant in &tenants {
        let reads: Vec<&str> = tenant["reads"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let name = text(&tenant["branding"], "display_name");
        table.row(&[text(tenant, "id"), text(tenant, "state"), name, text(tenant, "created"), &reads.join(" ")]);
    }
    Ok(table.print(width)?)
}
