//! Very many sockets in a process of their own, so that neither side runs out of files, and what
//! both do is on one clock: how long it took from the first frame of an event to the last.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{machine, sockets};

/// Sockets that are opened at the same time.
const OPENED_AT_ONCE: usize = 128;
/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a crowd is to open.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wish {
    pub address: SocketAddr,
    /// One after the other, sockets use these keys in turn.
    pub keys: Vec<String>,
    pub sockets: usize,
    /// What each says first.
    pub subscribe: Value,
}

/// One event as a crowd heard it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Heard {
    /// From the first socket's frame to the last's.
    pub spread_ns: u64,
    /// The frame's bytes.
    pub bytes: usize,
}

/// A crowd as the measuring process sees it; gone when dropped.
#[derive(Debug)]
pub(super) struct Crowd {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// The crowd stays as long as this is open.
    _stdin: ChildStdin,
}

impl Crowd {
    /// Starts one, and waits until every socket follows.
    ///
    /// # Errors
    /// When sockets cannot be opened.
    pub(super) async fn gather(wish: &Wish) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("find the own program")?;
        let mut command = Command::new(program);
        command.args(["bench", "--sockets"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start the own program")?;
        let mut stdin = child.stdin.take().context("write to a crowd")?;
        let stdout = child.stdout.take().context("read from a crowd")?;
        let (heard, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // A receiver that is gone wants no more.
            lines.map(|line| heard.send(line)).all(|sent| sent.is_ok())
        });
        writeln!(stdin, "{}", serde_json::to_string(wish)?).context("write to a crowd")?;
        let mut crowd = Self { child, lines, _stdin: stdin };
        let ready = crowd.line().await?;
        anyhow::ensure!(ready == "ready", "a crowd said {ready}");
        Ok(crowd)
    }

    /// Waits until all have heard of an event.
    ///
    /// # Errors
    /// When some never do.
    pub(super) async fn heard(&mut self) -> anyhow::Result<Heard> {
        let line = self.line().await?;
        serde_json::from_str(&line).with_context(|| format!("a crowd said {line}"))
    }

    /// Its process.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        line.context("not all sockets heard of an event")?.context("a crowd ended")
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is a crowd: opens what standard input says, and prints each event that all have heard.
pub(super) async fn run() -> anyhow::Result<ExitCode> {
    machine::open_files();
    let mut lines = BufReader::new(std::io::stdin()).lines();
    let line = lines.next().context("nothing was asked for")??;
    let wish: Wish = serde_json::from_str(&line).context("read what to open")?;
    let count = Arc::new(Count { sockets: wish.sockets as u64, frames: AtomicU64::new(0), first: Mutex::default() });
    let opening = futures_util::stream::iter(0..wish.sockets)
        .map(|number| sockets::open(wish.address, &wish.keys[number % wish.keys.len()], &wish.subscribe))
        .buffer_unordered(OPENED_AT_ONCE);
    for mut socket in opening.try_collect::<Vec<_>>().await? {
        let count = count.clone();
        tokio::spawn(async move {
            while let Ok(text) = sockets::next_text(&mut socket).await {
                count.add(text.len());
            }
        });
    }
    println!("ready");
    let closed = tokio::task::spawn_blocking(move || lines.next());
    // Nothing more is said; its end is the sign to go.
    let _ = closed.await;
    Ok(ExitCode::SUCCESS)
}

/// Frames of all sockets, of which each event brings one to each.
struct Count {
    sockets: u64,
    frames: AtomicU64,
    first: Mutex<Option<Instant>>,
}

impl Count {
    fn add(&self, bytes: usize) {
        let now = Instant::now();
        let number = self.frames.fetch_add(1, Ordering::AcqRel) % self.sockets;
        let first = || self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if number == 0 {
            *first() = Some(now);
        }
        if number + 1 == self.sockets {
            let spread = first().map(|first| now.saturating_duration_since(first)).unwrap_or_default();
            let spread_ns = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX);
            println!("{}", serde_json::json!({ "spread_ns": spread_ns, "bytes": bytes }));
        }
    }
}
