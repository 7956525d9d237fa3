//! Free space: asked before each commit, because fjall never recovers from a full disk.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tidings_core::port::{PortError, Retry};

/// For so long an answer of the file system is believed.
const BELIEVED: Duration = Duration::from_millis(50);
/// What a commit costs at most, in bytes of disk for one of its rows: once in the journal, once in
/// a table, once while compacting.
const COPIES: u64 = 3;

/// Keeps a reserve free on the file system of a directory.
#[derive(Debug)]
pub(super) struct Space {
    dir: PathBuf,
    reserve_bytes: u64,
    asked: Option<Instant>,
    free_bytes: u64,
}

impl Space {
    pub(super) fn new(dir: PathBuf, reserve_bytes: u64) -> Self {
        Self { dir, reserve_bytes, asked: None, free_bytes: 0 }
    }

    /// Sets `bytes` aside, or says that space is short.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), PortError> {
        let needed = bytes.saturating_mul(COPIES);
        let is_fresh = self.asked.is_some_and(|asked| asked.elapsed() < BELIEVED);
        // Refusing takes a fresh answer, so that intake resumes as soon as there is space.
        if !is_fresh || self.free_bytes < self.reserve_bytes.saturating_add(needed) {
            self.free_bytes = self.ask()?;
            self.asked = Some(Instant::now());
        }
        if self.free_bytes < self.reserve_bytes.saturating_add(needed) {
            let (free, reserve) = (self.free_bytes >> 20, self.reserve_bytes >> 20);
            let what = format!(
                "no space: {} has {free} MiB free, of which {reserve} MiB are kept in reserve; free some, and it goes on",
                self.dir.display()
            );
            return Err(PortError { what, retry: Retry::Later, source: None });
        }
        self.free_bytes -= needed;
        Ok(())
    }

    fn ask(&self) -> Result<u64, PortError> {
        let answer = rustix::fs::statvfs(&self.dir).map_err(|error| PortError::later("ask for free space", error))?;
        Ok(answer.f_bavail.saturating_mul(answer.f_frsize))
    }
}
