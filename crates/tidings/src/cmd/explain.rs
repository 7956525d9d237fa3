//! `tidings explain`: why an event was, or was not, told.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use crate::client::{Client, Needs, naming};
use crate::config::Global;
use crate::output::{self, text};

/// Say why an event was, or was not, told for a subscription.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidings explain evt_01…\n  tidings explain evt_01… --subscription sub_01… --json")]
pub struct Explain {
    /// The event, as `tidings tail` shows it
    #[arg(value_name = "EVENT")]
    event: String,
    /// The subscription; every one of your own by default
    #[arg(long, value_name = "SUBSCRIPTION")]
    subscription: Option<String>,
    /// Print the answers as JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let client = Client::connect(global, Needs::Store).await?;
        let explained = self.explain(&client).await;
        client.close().await;
        explained.map(|()| ExitCode::SUCCESS)
    }

    async fn explain(&self, client: &Client) -> anyhow::Result<()> {
        let own = output::data(client.ask(Method::GET, "/v1/subscriptions", None).await?);
        let name_of = |id: &str| {
            let found = own.iter().find(|it| text(it, "id") == id);
            found.map(|it| text(it, "name")).filter(|name| !name.is_empty())
        };
        let wanted: Vec<&str> = match &self.subscription {
            Some(id) => vec![id],
            None => own.iter().map(|it| text(it, "id")).collect(),
        };
        let event = client.ask(Method::GET, &format!("/v1/events/{}", self.event), None).await;
        naming(event, "event", &self.event, "`tidings tail --from 0 --until-now` shows those that are kept")?;
        if wanted.is_empty() {
            eprintln!("you have no subscriptions; make one with `tidings subscription create --filter …`");
        }
        for id in wanted {
            let path = format!("/v1/events/{}/explain?subscription={id}", self.event);
            let answer = client.ask(Method::GET, &path, None).await;
            let answer = naming(answer, "subscription", id, "see `tidings subscription list`")?;
            if self.json {
                output::line(&answer.to_string())?;
            } else {
                show(&answer, name_of(id).map_or_else(|| id.to_owned(), |name| format!("{name} ({id})")))?;
            }
        }
        Ok(())
    }
}

fn show(answer: &Value, subscription: String) -> std::io::Result<()> {
    output::line(&format!("{subscription}: {} ({})", text(answer, "summary"), text(answer, "decision")))?;
    for condition in answer.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let held = condition.get("held").and_then(Value::as_bool).unwrap_or_default();
        let [pointer, expected, actual] = ["pointer", "expected", "actual"].map(|name| text(condition, name));
        let held = if held { "yes" } else { "no " };
        output::line(&format!("  {held} {pointer}: {expected}; the event has {actual}"))?;
    }
    Ok(())
}
