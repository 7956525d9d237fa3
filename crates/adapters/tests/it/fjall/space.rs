//! A full disk: refused for as long as it is full, and then it goes on. Needs root to mount a small
//! file system.

use std::path::{Path, PathBuf};
use std::process::Command;

use tidings_adapters::fjall::{FjallStore, Options};
use tidings_core::id::TenantId;
use tidings_core::port::{EventLog, EventStore, Ledger, PortError, Retry};
use tidings_testkit::sample;

use super::{commit, open};

/// Says why a test cannot run; where it must, as in `.ci/run`, that is a failure.
fn skip(why: &str) {
    assert!(std::env::var_os("TIDINGS_TEST_STRICT").is_none(), "cannot run: {why}");
    println!("skipped: {why}");
}

/// A file system in memory, gone with this.
struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// `None`, and a line saying why, where it cannot be made.
    fn mount(megabytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let tried = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        match tried {
            Ok(output) if output.status.success() => Some(Self { dir }),
            Ok(output) => {
                skip(&format!("mount a small file system: {}", String::from_utf8_lossy(&output.stderr).trim()));
                None
            }
            Err(error) => {
                skip(&format!("run mount: {error}"));
                None
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn grow(&self, megabytes: u32) {
        let options = format!("remount,size={megabytes}m");
        let grown = Command::new("mount").args(["-o", &options]).arg(self.dir.path()).status();
        assert!(grown.is_ok_and(|status| status.success()), "grow {}", self.dir.path().display());
    }

    fn fill(&self, megabytes: usize) -> PathBuf {
        let ballast = self.dir.path().join("ballast");
        std::fs::write(&ballast, vec![1; megabytes << 20]).unwrap();
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.dir.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "unmount {}", self.dir.path().display());
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_resumes() {
    let Some(disk) = SmallDisk::mount(96) else { return };
    let options = Options { reserve_bytes: 16 << 20, ..Options::default() };
    let store = FjallStore::open(&disk.path(), options.clone()).unwrap();
    commit(&store, 0..10).await;
    let ballast = disk.fill(76);
    // The last answer of the file system is believed for a moment.
    let (number, fault) = commit_until_refused(&store, 10, 1).await;
    assert!(fault.what.starts_with("no space: "), "{fault}");
    assert_eq!(fault.retry, Retry::Later);
    assert_eq!(store.head().offset, number, "a refused commit takes no position");
    assert!(store.event(&TenantId::public(), sample::event_id(number)).await.unwrap().is_none());
    assert!(store.event(&TenantId::public(), sample::event_id(3)).await.unwrap().is_some(), "reads go on");
    assert!(!store.is_broken());
    std::fs::remove_file(ballast).unwrap();
    commit(&store, number..number + 5).await;
    drop(store);
    let store = FjallStore::open(&disk.path(), options).unwrap();
    assert_eq!(store.head().offset, number + 5);
}

/// Without the reserve the journal itself hits the end of the disk: from then on nothing is taken.
#[tokio::test]
async fn a_failed_commit_ends_writing_for_good() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    let dir = tempfile::tempdir().unwrap();
    commit(&open(dir.path()), 0..10).await;
    let journal = dir.path().join("store/0.jnl");
    let small = disk.dir.path().join("journal");
    // Without what is only set aside at its end, which would not fit.
    let mut content = std::fs::read(&journal).unwrap();
    content.truncate(content.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    std::fs::write(&small, content).unwrap();
    let Some(_bound) = Bound::over(&journal, &small) else { return };

    let store = open(dir.path());
    let tenant = TenantId::public();
    let (number, fault) = commit_until_refused(&store, 10, 100).await;
    assert!(number > 10, "the first commit was refused, which says nothing of a journal that fills");
    assert_eq!(fault.retry, Retry::Never, "{fault}");
    assert!(store.is_broken());
    let head = store.head();
    assert_eq!(head.offset, number);
    disk.grow(64);
    let fault = store.commit(sample::commit_of(head, &tenant, number..number + 1)).await.unwrap_err();
    assert_eq!(fault.retry, Retry::Never, "{fault}");
    assert!(store.event(&tenant, sample::event_id(3)).await.unwrap().is_some(), "reads go on");
    assert!(store.event(&tenant, sample::event_id(number)).await.unwrap().is_none());
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.head().offset, number, "what was accepted is there, and what was refused is not");
    commit(&store, number..number + 5).await;
}

/// How often a commit is tried on a disk that will be full.
const TRIES: u64 = 20_000;

/// Commits `step` events at a time, from `number` on, until that is refused: the first number that was, and why.
async fn commit_until_refused(store: &FjallStore, mut number: u64, step: u64) -> (u64, PortError) {
    for _ in 0..TRIES {
        let commit = sample::commit_of(store.head(), &TenantId::public(), number..number + step);
        match store.commit(commit).await {
            Ok(()) => number += step,
            Err(fault) => return (number, fault),
        }
    }
    panic!("a full disk took {number} events");
}

/// One file mounted over another.
struct Bound(PathBuf);

impl Bound {
    fn over(target: &Path, source: &Path) -> Option<Self> {
        let tried = Command::new("mount").arg("--bind").args([source, target]).status();
        let is_bound = tried.is_ok_and(|status| status.success());
        if !is_bound {
            skip("mount one file over another");
        }
        is_bound.then(|| Self(target.to_owned()))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "unmount {}", self.0.display());
    }
}
