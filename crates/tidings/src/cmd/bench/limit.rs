//! What the machine does with no product around it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use super::times::Times;

/// Appends so many bytes to a file that grows and syncs it, again and again; how long each took.
///
/// # Errors
/// When the disk fails.
pub(super) async fn append_and_sync(folder: &Path, bytes: usize, count: usize) -> anyhow::Result<Times> {
    let path = folder.join("limit");
    let appending = tokio::task::spawn_blocking(move || -> std::io::Result<Times> {
        let mut file = File::create(&path)?;
        file.sync_all()?;
        let content = vec![b'x'; bytes];
        let mut times = Times::new();
        for _ in 0..count {
            let began = Instant::now();
            file.write_all(&content)?;
            file.sync_data()?;
            times.add(began.elapsed());
        }
        std::fs::remove_file(&path)?;
        Ok(times)
    });
    appending.await.context("append to a file")?.context("append to a file")
}
