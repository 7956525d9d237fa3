//! `tidings simulate`: a seeded world, sent to the server or printed.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tidings_core::port::Clock;
use tidings_core::time::Timestamp;
use tidings_sim::World;

use crate::client::{Client, Needs, failure};
use crate::config::Global;
use crate::exit::Failure;
use crate::output;

/// Simulate a world of hazards and send what it says.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidings simulate --events-per-day 100000 --count 5000\n  tidings simulate --speed 60 --seed 7\n  tidings simulate --count 100 --print"
)]
pub struct Simulate {
    /// The same seed makes the same world
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// How much happens on a simulated day
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    events_per_day: u32,
    /// When the simulated world begins (RFC 3339); now by default
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// How many messages; without end by default
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Simulated seconds a second; 0 sends as fast as it goes
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    speed: f64,
    /// Print the messages, one a line, instead of sending them
    #[arg(long)]
    print: bool,
}

/// How the sent messages ended.
#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    accepted: u64,
    duplicates: u64,
    rejected: u64,
    is_interrupted: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: Option<f64> = text.parse().ok();
    factor.filter(|it| it.is_finite() && *it >= 0.0).ok_or_else(|| "write a number of at least 0".to_owned())
}

impl Simulate {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let start = match &self.start {
            Some(text) => Timestamp::parse(text)
                .map_err(|error| Failure::error(Failure::USAGE, format!("--start {text}: {error}")))?,
            None => tidings_adapters::clock::SystemClock.now(),
        };
        let mut world = World::new(self.seed, start, self.events_per_day);
        if self.print {
            return self.print_all(&mut world);
        }
        let client = Client::connect(global, Needs::Server).await?;
        let sent = self.send_all(&client, &mut world, start).await;
        client.close().await;
        let counts = sent?;
        output::line(&format!(
            "sent {}, accepted {}, duplicates {}, rejected {}",
            counts.sent, counts.accepted, counts.duplicates, counts.rejected
        ))?;
        Ok(if counts.is_interrupted { ExitCode::from(Failure::INTERRUPTED) } else { ExitCode::SUCCESS })
    }

    fn print_all(&self, world: &mut World) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        for _ in 0..self.count.unwrap_or(u64::MAX) {
            let message = world.next_message();
            out.write_all(&message.body)?;
            out.write_all(b"\n")?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn send_all(&self, client: &Client, world: &mut World, start: Timestamp) -> anyhow::Result<Counts> {
        let began = tokio::time::Instant::now();
        let mut counts = Counts::default();
        let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
        while self.count.is_none_or(|count| counts.sent < count) {
            let message = world.next_message();
            let due = if self.speed > 0.0 {
                let simulated =
                    Duration::from_millis(u64::try_from(message.at.millis_since(start)).unwrap_or_default());
                began + simulated.div_f64(self.speed)
            } else {
                began
            };
            tokio::select! {
                biased;
                _ = &mut stop => {
                    counts.is_interrupted = true;
                    break;
                }
                () = tokio::time::sleep_until(due) => {}
            }
            let (status, answer) =
                client.send("/v1/events", Some(message.media_type), None, message.body.to_vec()).await?;
            if !matches!(status.as_u16(), 202 | 415 | 422) {
                return Err(failure(status, &answer));
            }
            let count = |name: &str| answer.get(name).and_then(serde_json::Value::as_u64).unwrap_or_default();
            counts.sent += 1;
            counts.accepted += count("accepted");
            counts.duplicates += count("duplicates");
            counts.rejected += count("rejected") + u64::from(status.as_u16() == 415);
        }
        Ok(counts)
    }
}
