//! The journal of a store that is closed.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Empties the journal of a closed store whose tables hold all of it. fjall would read it to the end at
/// the next open, up to 64 MB and one item after the other, only to find each in a table.
///
/// Tables were synced when they were written, so a power cut leaves the journal as it was or empty, and
/// both open alike. With several journals one may be kept for a reason, so they are left alone.
pub(super) fn empty(store_dir: &Path) -> io::Result<()> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(store_dir)? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            journals.push(path);
        }
    }
    let [journal] = journals.as_slice() else { return Ok(()) };
    let file = OpenOptions::new().write(true).open(journal)?;
    file.set_len(0)?;
    file.sync_all()
}
