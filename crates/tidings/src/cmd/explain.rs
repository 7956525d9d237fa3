//! `tidings explain`: why an event was, or was not, told.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use crate::client::Client;
use crate::config::Global;

/// Say why an event was, or was not, told for a subscription.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidings explain evt_01… --subscription sub_01…")]
pub struct Explain {
    /// The event
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
        let client = Client::connect(global).await?;
        let explained = self.explain(&client).await;
        client.close().await;
        explained.map(|()| ExitCode::SUCCESS)
    }

    async fn explain(&self, client: &Client) -> anyhow::Result<()> {
        let subscriptions = match &self.subscription {
            Some(id) => vec![id.clone()],
            None => {
                let answer = client.ask(Method::GET, "/v1/subscriptions", None).await?;
                let data = answer.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
                data.iter().filter_map(|it| it.get("id")?.as_str().map(str::to_owned)).collect()
            }
        };
        if subscriptions.is_empty() {
            eprintln!("you have no subscriptions; make one with `tidings subscription create --filter …`");
        }
        for subscription in subscriptions {
            let path = format!("/v1/events/{}/explain?subscription={subscription}", self.event);
            let answer = client.ask(Method::GET, &path, None).await?;
            if self.json {
                println!("{answer}");
                continue;
            }
            let text =
                |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            println!("{subscription}: {} ({})", text(&answer, "summary"), text(&answer, "decision"));
            for condition in answer.get("conditions").and_then(Value::as_array).into_iter().flatten() {
                let held = condition.get("held").and_then(Value::as_bool).unwrap_or_default();
                let (pointer, expected, actual) =
                    (text(condition, "pointer"), text(condition, "expected"), text(condition, "actual"));
                println!("  {} {pointer}: {expected}; the event has {actual}", if held { "yes" } else { "no " });
            }
        }
        Ok(())
    }
}
