//! Starting: until the first event is accepted with many stored, after kill -9 and after a clean
//! stop; and memory when empty.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tidings_adapters::clock::SystemClock;
use tidings_core::port::Clock;

use super::crowd::{Crowd, Wish};
use super::http::Connection;
use super::row::{Figure, Goal, Row};
use super::{Place, Scale, events, product};

/// Events in one request.
const BATCH: u64 = 500;
/// Connections that fill the directory.
const CONNECTIONS: u64 = 4;
/// How often a process is started that does nothing.
const STARTS: u32 = 10;
/// How long an empty server is left alone.
const REST: Duration = Duration::from_secs(2);

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    let data = place.folder.join("data");
    let bare = bare_start()?;
    let mut rows = vec![idle(&data).await?];

    let began = Instant::now();
    let server = Server::start(&data).await?;
    fill(&server, scale.events).await?;
    eprintln!("{} events stored in {:.1} s", scale.events, began.elapsed().as_secs_f64());
    server.kill()?;
    let (journal_bytes, reading) = read_journal(&data.join("store"))?;
    let (server, first) = first_event(&data, "killed").await?;
    rows.push(Row {
        name: "start",
        what: format!("{} events stored, after kill -9, first accepted", scale.events),
        measured: Figure::Time(first),
        limit: Figure::Time(bare + reading),
        limit_is: format!("start a process, read the journal ({:.0} MB)", journal_bytes as f64 / 1e6),
        goal: Goal::Absolute(Figure::Time(Duration::from_secs(5))),
    });
    server.stop().await?;

    let (server, first) = first_event(&data, "stopped").await?;
    rows.push(Row {
        name: "start",
        what: format!("{} events stored, after a clean stop, first accepted", scale.events),
        measured: Figure::Time(first),
        limit: Figure::Time(bare),
        limit_is: "start a process that does nothing".to_owned(),
        goal: Goal::Absolute(Figure::Time(Duration::from_millis(100))),
    });
    server.stop().await?;
    Ok(rows)
}

/// Memory of a server that holds nothing, beside a process of the same program without a server.
async fn idle(data: &Path) -> anyhow::Result<Row> {
    let nobody: SocketAddr = ([127, 0, 0, 1], 9).into();
    let wish = Wish { address: nobody, keys: Vec::new(), sockets: 0, subscribe: json!({}) };
    let crowd = Crowd::gather(&wish).await?;
    let limit = product::resident_bytes(crowd.process())?;
    let server = Server::start(data).await?;
    tokio::time::sleep(REST).await;
    let measured = product::resident_bytes(server.child.id())?;
    server.stop().await?;
    Ok(Row {
        name: "start",
        what: "memory when empty".to_owned(),
        measured: Figure::Bytes(measured),
        limit: Figure::Bytes(limit),
        limit_is: "this program, doing nothing".to_owned(),
        goal: Goal::Absolute(Figure::Bytes(60_000_000)),
    })
}

/// A server in a process of its own; killed when dropped.
#[derive(Debug)]
struct Server {
    child: Child,
    address: SocketAddr,
    key: String,
}

impl Server {
    /// Starts one and waits until it listens.
    async fn start(data: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("find the own program")?);
        command.args(["--log", "error", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let data = data.to_owned();
        let starting = tokio::task::spawn_blocking(move || {
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("start a server")?;
            let stderr = child.stderr.take().context("read from a server")?;
            let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
            let address = lines.find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
            // Whatever it says later must not fill the pipe and block it.
            std::thread::spawn(move || lines.for_each(drop));
            let address = address.context("a server ended before it listened")?.parse().context("read an address")?;
            let key = std::fs::read_to_string(data.join("admin.key")).context("read the Admin key")?;
            anyhow::Ok(Self { child, address, key: key.trim().to_owned() })
        });
        starting.await.context("start a server")?
    }

    /// Kills it without warning.
    fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill a server")?;
        self.child.wait().context("wait for a server")?;
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    async fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("stop a server")?;
        let stopping = tokio::task::spawn_blocking(move || self.child.wait());
        stopping.await.context("stop a server")?.context("wait for a server")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server; how long until it has accepted an event.
async fn first_event(data: &Path, name: &str) -> anyhow::Result<(Server, Duration)> {
    let body = events::quake(name, 38.3, 142.4, SystemClock.now());
    let began = Instant::now();
    let server = Server::start(data).await?;
    let mut connection = Connection::open(server.address, &server.key, "application/json").await?;
    connection.post(&body).await?;
    Ok((server, began.elapsed()))
}

/// Posts so many events, 500 a request.
async fn fill(server: &Server, count: u64) -> anyhow::Result<()> {
    let posting = (0..CONNECTIONS).map(|first| {
        let (address, key) = (server.address, server.key.clone());
        tokio::spawn(async move {
            let mut connection = Connection::open(address, &key, "application/x-ndjson").await?;
            for batch in (first..count.div_ceil(BATCH)).step_by(CONNECTIONS as usize) {
                let mut body = Vec::new();
                for number in batch * BATCH..count.min((batch + 1) * BATCH) {
                    let (lat, lon) = events::place(number as usize);
                    body.extend(events::quake(&format!("stored-{number}"), lat, lon, SystemClock.now()));
                    body.push(b'\n');
                }
                connection.post(&body).await?;
            }
            anyhow::Ok(())
        })
    });
    for posted in posting.collect::<Vec<_>>() {
        posted.await.context("post")??;
    }
    Ok(())
}

/// The limit of any start: a process that prints its version.
fn bare_start() -> anyhow::Result<Duration> {
    let program = std::env::current_exe().context("find the own program")?;
    let began = Instant::now();
    for _ in 0..STARTS {
        let status = Command::new(&program).arg("version").stdout(Stdio::null()).status().context("start a process")?;
        anyhow::ensure!(status.success(), "a process that prints its version failed");
    }
    Ok(began.elapsed() / STARTS)
}

/// Reads what a start after a crash has to read; how much, and how long it takes.
fn read_journal(store: &Path) -> anyhow::Result<(u64, Duration)> {
    let began = Instant::now();
    let mut bytes = 0;
    for entry in std::fs::read_dir(store).context("list the store")? {
        let path = entry.context("list the store")?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            // Files of the journal are made longer than what is in them.
            let mut content = Vec::new();
            File::open(&path).and_then(|mut file| file.read_to_end(&mut content)).context("read the journal")?;
            bytes += content.len() as u64;
        }
    }
    Ok((bytes, began.elapsed()))
}
