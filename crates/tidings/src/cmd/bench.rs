//! `tidings bench`: how fast this machine does the main jobs, each beside what it does with no
//! product around it.

mod row;
mod table;
mod machine;
mod times;
mod events;
mod product;
mod limit;
mod http;
mod sockets;
mod crowd;
mod accept;
mod post;
mod broad;
mod fanout;
mod latency;
mod intake;
mod start;
mod tenants;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::config::Global;
use crate::exit::Failure;

use machine::Machine;
use row::Row;

/// Measure how fast this machine does the main jobs, beside its own limits.
#[derive(Debug, Args)]
#[command(
    after_help = "Files go into a new folder in DIR of --data, which is removed at the end; put DIR on the disk that the\nserver is to use.\n\nExamples:\n  tidings bench\n  tidings bench --quick\n  tidings bench --log warn --row accept --row post --data /var/lib/tidings\n  tidings bench --row start --events 200000 -o json"
)]
pub struct Bench {
    /// Only this row; may be given more than once
    #[arg(long = "row", value_name = "NAME")]
    rows: Vec<Name>,
    /// Small sizes: shows that it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// How many events are stored before `start`
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// How many people hear of one event in `broad`
    #[arg(long, value_name = "N")]
    recipients: Option<u64>,
    /// How to print
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    output: Form,
    /// Be the clients of `fanout`: what to open is read from standard input
    #[arg(long, hide = true)]
    sockets: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Documents to events, without storage
    Intake,
    /// Events made durable for 1, 16 and 256 callers
    Accept,
    /// One event a request over 64 connections
    Post,
    /// From a request to a frame on a socket
    Latency,
    /// One event to all sockets
    Fanout,
    /// One event to very many people
    Broad,
    /// Starting with many events stored, and memory when empty
    Start,
    /// An event among very many tenants, beside one of a single tenant
    Tenants,
}

impl Name {
    fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Accept => "accept",
            Self::Post => "post",
            Self::Latency => "latency",
            Self::Fanout => "fanout",
            Self::Broad => "broad",
            Self::Start => "start",
            Self::Tenants => "tenants",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// For programs
    Json,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Batches of 500 documents.
    intake_batches: usize,
    /// Events for one caller; 16 and 256 callers bring more.
    accepts: usize,
    /// Requests over all connections.
    posts: usize,
    /// Sockets of one person each, and how long events come.
    latency_sockets: usize,
    latency_seconds: u64,
    /// Sockets that all hear every event.
    fanout_sockets: [usize; 2],
    /// Frames over all sockets.
    fanout_frames: usize,
    /// People who hear of one event.
    recipients: u64,
    /// Events to one person, with nothing beside.
    narrow_events: usize,
    /// Events stored before a start.
    events: u64,
    /// Tenants with a key and a subscription each.
    tenants: usize,
    /// Events over all of them, and of the one beside.
    tenant_events: usize,
}

impl Scale {
    const FULL: Self = Self {
        intake_batches: 100,
        accepts: 500,
        posts: 20_000,
        latency_sockets: 1_000,
        latency_seconds: 20,
        fanout_sockets: [1_000, 10_000],
        fanout_frames: 200_000,
        recipients: 1_000_000,
        narrow_events: 500,
        events: 1_000_000,
        tenants: 10_000,
        tenant_events: 40_000,
    };
    const QUICK: Self = Self {
        intake_batches: 2,
        accepts: 20,
        posts: 256,
        latency_sockets: 20,
        latency_seconds: 1,
        fanout_sockets: [20, 100],
        fanout_frames: 1_000,
        recipients: 12_000,
        narrow_events: 20,
        events: 2_000,
        tenants: 20,
        tenant_events: 400,
    };
}

impl Bench {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        if self.sockets {
            return crowd::run().await;
        }
        let mut scale = if self.quick { Scale::QUICK } else { Scale::FULL };
        scale.events = self.events.unwrap_or(scale.events);
        scale.recipients = self.recipients.unwrap_or(scale.recipients);
        let folder = Folder::make(&global.data)?;
        let machine = Machine::look(&folder.path);
        machine.warn();
        let rows = tokio::select! {
            rows = self.measure(&scale, &folder, global) => rows?,
            _ = tokio::signal::ctrl_c() => {
                return Err(Failure::error(Failure::INTERRUPTED, "stopped; nothing was printed"));
            }
        };
        match self.output {
            Form::Table => table::print(&machine, &rows),
            Form::Json => table::print_json(&machine, &rows),
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn measure(&self, scale: &Scale, folder: &Folder, global: &Global) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for name in Name::value_variants() {
            if !self.rows.is_empty() && !self.rows.contains(name) {
                continue;
            }
            eprintln!("measuring {}", name.as_str());
            let place = Place { folder: folder.path.join(name.as_str()), global: global.clone() };
            std::fs::create_dir(&place.folder).with_context(|| format!("make {}", place.folder.display()))?;
            let measured = match name {
                Name::Intake => intake::measure(scale).await,
                Name::Accept => accept::measure(scale, &place).await,
                Name::Post => post::measure(scale, &place).await,
                Name::Latency => latency::measure(scale, &place).await,
                Name::Fanout => fanout::measure(scale, &place).await,
                Name::Broad => broad::measure(scale, &place).await,
                Name::Start => start::measure(scale, &place).await,
                Name::Tenants => tenants::measure(scale, &place).await,
            };
            rows.extend(measured.with_context(|| format!("measure {}", name.as_str()))?);
            // What one row left on the disk must not slow the next.
            std::fs::remove_dir_all(&place.folder).with_context(|| format!("remove {}", place.folder.display()))?;
        }
        Ok(rows)
    }
}

/// Where one row may put files, and what every command was given.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    global: Global,
}

/// A folder of our own, removed with everything in it when dropped.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// The folder above, where it was made too.
    made: Option<PathBuf>,
}

impl Folder {
    fn make(data: &std::path::Path) -> anyhow::Result<Self> {
        let made = (!data.exists()).then(|| data.to_owned());
        let path = data.join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Self { path, made })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is seen by its name, and nobody waits for us here.
        let _ = std::fs::remove_dir_all(&self.path);
        if let Some(made) = &self.made {
            let _ = std::fs::remove_dir(made);
        }
    }
}
