//! `tidings ingest`: takes in files, folders or standard input.
//!
//! Without a clock of its own it sends to the server. With `--clock data` it opens the data
//! directory itself, and its clock shows the greatest time that a sender has put on a message so
//! far, so recordings are judged as they would have been when they were new.

mod documents;
mod clock;
mod tally;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tidings_core::decode::decode;
use tidings_core::envelope::{Coordinate, Envelope, Limits};
use tidings_core::id::TenantId;
use tidings_core::principal::{Authority, Issuers};

use crate::client::{Client, Needs};
use crate::config::Global;
use crate::exit::Failure;
use crate::wire;

use clock::DataClock;
use documents::{Document, documents};
use tally::Tally;

/// Documents sent at once.
const DOCUMENTS_AT_ONCE: usize = 256;
/// Bytes sent at once.
const BYTES_AT_ONCE: usize = 8 << 20;

/// Take in files, folders or standard input.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidings ingest alert.xml\n  tidings ingest --clock data recordings/\n  curl -s https://example.org/feed.json | tidings ingest -"
)]
pub struct Ingest {
    /// Files and folders; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Which clock the pipeline runs on
    #[arg(long, default_value = "system")]
    clock: ClockName,
    /// Into which tenant, with `--clock data`; otherwise the key's tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: TenantId,
    /// The media type of every document; by default it is read from the bytes
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockName {
    /// This machine's
    System,
    /// The greatest time a sender has put on a message so far
    Data,
}

impl Ingest {
    /// Runs it.
    pub async fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let mut tally = Tally::new(std::io::stderr().is_terminal());
        match self.clock {
            ClockName::System => self.send(global, &mut tally).await?,
            ClockName::Data => self.replay(global, &mut tally).await?,
        }
        tally.print(self.json)?;
        Ok(if tally.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(Failure::PARTLY) })
    }

    /// To the server, a document a request.
    async fn send(&self, global: &Global, tally: &mut Tally) -> anyhow::Result<()> {
        let client = Client::connect(global, Needs::Directory).await?;
        let sent = self.send_all(&client, tally).await;
        client.close().await;
        sent
    }

    async fn send_all(&self, client: &Client, tally: &mut Tally) -> anyhow::Result<()> {
        for document in documents(&self.paths, self.media_type.as_deref()) {
            let document = document?;
            let media_type = document.media_type.clone();
            let id = request_id(&document);
            let (status, answer) =
                client.send("/v1/events", media_type.as_deref(), Some(&id), document.bytes.to_vec()).await?;
            if !matches!(status.as_u16(), 202 | 422) {
                return Err(crate::client::failure(status, &answer));
            }
            tally.count_answer(&document, &answer);
        }
        Ok(())
    }

    /// Into the directory itself, on the data's clock.
    async fn replay(&self, global: &Global, tally: &mut Tally) -> anyhow::Result<()> {
        if !global.data.join("store").is_dir() {
            eprintln!("making a new store in {}", global.data.display());
        }
        let clock = Arc::new(DataClock::default());
        let embedded =
            wire::open(&global.data, Some(clock.clone()), tidings_adapters::fjall::Options::default()).await?;
        let replayed = self.replay_all(&embedded.engine, &clock, tally).await;
        embedded.engine.decided(embedded.engine.head()).await;
        embedded.close().await;
        replayed
    }

    async fn replay_all(
        &self,
        engine: &tidings_engine::Engine,
        clock: &DataClock,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let mut waiting: Vec<(Document, Envelope)> = Vec::new();
        let mut bytes = 0;
        for document in documents(&self.paths, self.media_type.as_deref()) {
            let envelope = self.envelope(document?, clock);
            bytes += envelope.1.bytes.len();
            waiting.push(envelope);
            if waiting.len() >= DOCUMENTS_AT_ONCE || bytes >= BYTES_AT_ONCE {
                publish(engine, &mut waiting, tally).await?;
                bytes = 0;
            }
        }
        publish(engine, &mut waiting, tally).await
    }

    /// An envelope as of the data's clock, which the document itself may have turned.
    fn envelope(&self, document: Document, clock: &DataClock) -> (Document, Envelope) {
        let mut envelope = Envelope {
            bytes: document.bytes.clone(),
            media_type: document.media_type.clone(),
            headers: Vec::new(),
            source: "ingest".to_owned(),
            tenant: self.tenant.clone(),
            authority: Authority {
                namespace: "own:ingest".to_owned(),
                issuers: Issuers::All,
                may_publish: true,
                says_only: None,
            },
            coordinate: Coordinate::Document,
            first_item: 0,
            received: clock.shown(),
            correlation_id: request_id(&document),
        };
        let drafts = decode(std::slice::from_ref(&envelope), &Limits::default());
        let drafts = drafts.items().iter().filter_map(|item| item.fate.as_ref().ok());
        let greatest = drafts.filter_map(|draft| draft.sent.or(draft.updated).or(draft.occurred)).max();
        envelope.received = clock.turn(greatest);
        (document, envelope)
    }
}

/// Names a document in logs, events and dead letters: `ingest-alerts.ndjson-3`.
fn request_id(document: &Document) -> String {
    let file: String = document.file.chars().rev().take(90).collect::<Vec<_>>().into_iter().rev().collect();
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    format!("ingest-{}-{}", file.chars().map(plain).collect::<String>(), document.number)
}

async fn publish(
    engine: &tidings_engine::Engine,
    waiting: &mut Vec<(Document, Envelope)>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let (documents, envelopes): (Vec<Document>, Vec<Envelope>) = std::mem::take(waiting).into_iter().unzip();
    let outcomes = engine.publish(envelopes).await?;
    for (document, outcomes) in documents.iter().zip(outcomes) {
        tally.count(document, &outcomes);
    }
    Ok(())
}
