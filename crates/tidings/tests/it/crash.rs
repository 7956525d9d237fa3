//! kill -9 and power loss at random moments under load: what was answered is there after the
//! restart, and what a run without faults tells of the recovered log is told exactly once.

mod load;
mod replay;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::json;

use crate::power::PowerDisk;
use crate::server::{self, Server};
use load::{Publisher, Subscriber};
use replay::Replayed;

/// How often a server is killed.
const KILLS: u32 = 100;
/// How often the power is cut.
const CUTS: u32 = 20;
/// How often a first start is cut off, each time 20 ms later.
const FIRST_STARTS: u64 = 12;
/// Clients that post at the same time.
const PUBLISHERS: u32 = 4;
/// How often a server is stopped as it should be, right before the power goes.
const CLEAN_STOPS: u32 = 4;
/// How long such a stop may take.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// A server lives this long at most under load.
const LIFE_MS_MAX: u64 = 250;
/// How often the last notice is asked for, 25 ms apart.
const LOOKS: u32 = 1_200;

/// What a harness finds.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Something was answered and is gone.
    #[error("lost: {0}")]
    Lost(String),
    /// The server or the store does not start again.
    #[error("refused: {0}")]
    Refused(String),
    /// Anything else that must not be.
    #[error("wrong: {0}")]
    Wrong(String),
}

/// A server that dies again and again, and its clients.
struct Harness {
    data: PathBuf,
    flags: &'static [&'static str],
    dice: StdRng,
    publishers: Vec<Publisher>,
    subscribers: Vec<Subscriber>,
}

impl Harness {
    fn new(data: PathBuf, seed: u64) -> Self {
        let publishers = (0..PUBLISHERS).map(|name| Publisher::new(name, seed)).collect();
        Self { data, flags: &[], dice: StdRng::seed_from_u64(seed), publishers, subscribers: Vec::new() }
    }

    /// Starts the server and compares what it has with what clients were answered.
    async fn start(&mut self) -> Result<Arc<Server>, Fault> {
        let server = Arc::new(Server::start(&self.data, self.flags).map_err(Fault::Refused)?);
        for id in self.publishers.iter_mut().flat_map(|it| std::mem::take(&mut it.fresh)) {
            let answer = server.ask(Method::GET, &format!("/v1/events/{id}"), &server.key, None).await;
            if !matches!(answer, Some((200, _))) {
                return Err(Fault::Lost(format!("{id} was accepted and is gone: {answer:?}")));
            }
        }
        for subscriber in &mut self.subscribers {
            subscriber.check(&server).await?;
        }
        if self.subscribers.is_empty() {
            let everything = json!({"filter": {"all": []}, "updates": "all"});
            let answer = server.ask(Method::POST, "/v1/subscriptions", &server.key, Some(&everything)).await;
            if !matches!(answer, Some((201, _))) {
                return Err(Fault::Wrong(format!("the first subscription was answered {answer:?}")));
            }
            for (name, seed) in [("ann", 1), ("bob", 2)] {
                self.subscribers.push(Subscriber::new(name, seed, &server).await?);
            }
        }
        Ok(server)
    }

    /// One life under load, until `die` ends the server.
    async fn live(&mut self, die: impl FnOnce(&Server)) -> Result<(), Fault> {
        let server = self.start().await?;
        let mut clients = tokio::task::JoinSet::new();
        for mut publisher in self.publishers.drain(..) {
            let server = server.clone();
            clients.spawn(async move {
                let done = publisher.run(server).await;
                done.map(|()| (Some(publisher), None))
            });
        }
        for mut subscriber in self.subscribers.drain(..) {
            let server = server.clone();
            clients.spawn(async move {
                let done = subscriber.run(server).await;
                done.map(|()| (None, Some(subscriber)))
            });
        }
        tokio::time::sleep(Duration::from_millis(self.dice.random_range(1..LIFE_MS_MAX))).await;
        tokio::task::block_in_place(|| die(&server));
        while let Some(client) = clients.join_next().await {
            let (publisher, subscriber) = client.expect("a client never panics")?;
            self.publishers.extend(publisher);
            self.subscribers.extend(subscriber);
        }
        Ok(())
    }

    /// A start that is cut off after so many milliseconds.
    fn be_stillborn(&self, life_ms: u64) {
        let mut child = server::spawn(&self.data, self.flags);
        std::thread::sleep(Duration::from_millis(life_ms));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().expect("it is ours");
    }

    /// Starts a last time, sends again what was not answered, and waits until all is told.
    async fn finish(&mut self) -> Result<(), Fault> {
        let server = self.start().await?;
        for publisher in &mut self.publishers {
            publisher.repeat(&server).await?;
        }
        post_and_hear(&server, "the last one").await.map(drop)
    }

    async fn compare(&self) -> Result<Replayed, Fault> {
        let accepted: BTreeSet<String> = self.publishers.iter().flat_map(|it| it.accepted.values().cloned()).collect();
        let replayed = replay::compare(&self.data, &accepted).await?;
        println!("{} accepted; {replayed:?}", accepted.len());
        Ok(replayed)
    }
}

/// Posts an event and waits until the first subscriber, of everything, is told; its id.
async fn post_and_hear(server: &Server, name: &str) -> Result<String, Fault> {
    let event = json!({"id": name, "category": "other", "title": name, "severity": "Extreme"});
    let answer = server.ask(Method::POST, "/v1/events", &server.key, Some(&event)).await;
    let Some((202, answer)) = answer else { return Err(Fault::Wrong(format!("{name} was answered {answer:?}"))) };
    let id = &answer["results"][0]["id"];
    for _ in 0..LOOKS {
        let newest = server.ask(Method::GET, "/v1/notifications?limit=1", &server.key, None).await;
        if newest.is_some_and(|(_, newest)| newest["data"][0]["event_id"] == *id) {
            return Ok(id.as_str().unwrap_or_default().to_owned());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Err(Fault::Wrong(format!("{name} is not told")))
}

/// Kills a server without warning, again and again.
async fn kill_again_and_again(data: &Path) -> Result<Replayed, Fault> {
    let mut harness = Harness::new(data.join("data"), 42);
    for cycle in 0..KILLS {
        if cycle % 10 == 0 {
            let life = harness.dice.random_range(1..300);
            harness.be_stillborn(life);
        }
        harness.live(Server::kill).await?;
    }
    harness.finish().await?;
    harness.compare().await
}

/// Cuts the power again and again: under load, after a kill, while the server stops or starts. With
/// `early`, the disk has sometimes written a part of what was not synced.
async fn cut_again_and_again(
    disk: &mut PowerDisk,
    flags: &'static [&'static str],
    early: bool,
) -> Result<Replayed, Fault> {
    let mut harness = Harness::new(disk.data(), 43);
    harness.flags = flags;
    for cycle in 0..CUTS {
        let cut = |server: &Server| {
            disk.switch_off();
            server.kill();
        };
        match cycle % 8 {
            // What a killed server leaves may not be on the disk yet when the next one reads it.
            1 | 5 => {
                harness.live(Server::kill).await?;
                harness.live(cut).await?;
            }
            2 | 6 => {
                let patience = Duration::from_millis(harness.dice.random_range(0..400));
                harness.live(|server| server.stop(patience)).await?;
            }
            7 => {
                harness.live(Server::kill).await?;
                let life = harness.dice.random_range(1..400);
                harness.be_stillborn(life);
            }
            _ => harness.live(cut).await?,
        }
        let keeps_some = early && cycle % 8 > 4;
        disk.cut(keeps_some.then_some(&mut harness.dice));
    }
    harness.finish().await?;
    disk.cut(None);
    harness.compare().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_and_tells_once() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let replayed = kill_again_and_again(data.path()).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(replayed.entries > KILLS as usize, "the load was too small to show anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_and_tells_once() {
    let Some(mut disk) = PowerDisk::mount() else { return };
    let replayed = cut_again_and_again(&mut disk, &[], true).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(replayed.entries > CUTS as usize, "the load was too small to show anything");
}

/// A killed server leaves what the disk does not have yet. The next one must not show it before.
async fn show_and_cut(disk: &mut PowerDisk) -> Result<(), Fault> {
    let mut harness = Harness::new(disk.data(), 44);
    harness.start().await?.kill();
    harness.flags = &["--unsafe-no-sync"];
    let server = harness.start().await?;
    let id = post_and_hear(&server, "not synced").await?;
    server.kill();
    harness.flags = &[];
    harness.publishers[0].fresh.push(id.clone());
    harness.start().await?.kill();
    disk.cut(None);
    harness.publishers[0].fresh.push(id);
    harness.start().await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_restart_shows_outlives_a_power_cut() {
    let Some(mut disk) = PowerDisk::mount() else { return };
    show_and_cut(&mut disk).await.unwrap_or_else(|fault| panic!("{fault}"));
}

/// A clean stop leaves an empty journal, so its tables alone must hold everything.
async fn stop_and_cut(disk: &mut PowerDisk) -> Result<Replayed, Fault> {
    let mut harness = Harness::new(disk.data(), 46);
    for _ in 0..CLEAN_STOPS {
        harness.live(|server| server.stop(STOP_PATIENCE)).await?;
        disk.cut(None);
    }
    harness.finish().await?;
    disk.cut(None);
    harness.compare().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_clean_stop_leaves_outlives_a_power_cut() {
    let Some(mut disk) = PowerDisk::mount() else { return };
    let replayed = stop_and_cut(&mut disk).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(replayed.entries > CLEAN_STOPS as usize, "the load was too small to show anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_is_cut_off_is_begun_again() {
    for round in 0..FIRST_STARTS {
        let Some(mut disk) = PowerDisk::mount() else { return };
        let mut harness = Harness::new(disk.data(), 45 + round);
        harness.be_stillborn(20 + round * 20);
        disk.cut((round % 3 > 0).then_some(&mut harness.dice));
        harness.start().await.unwrap_or_else(|fault| panic!("round {round}: {fault}")).kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_sync_a_power_cut_loses_what_was_accepted() {
    let Some(mut disk) = PowerDisk::mount() else { return };
    // Half a store would be refused; the loss itself shows where nothing was written early.
    let fault = cut_again_and_again(&mut disk, &["--unsafe-no-sync"], false).await.expect_err("nothing was synced");
    assert!(matches!(fault, Fault::Lost(_)), "{fault}");
}
