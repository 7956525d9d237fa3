//! Names that outlive a power cut. Syncing a file keeps what it holds; the name it stands under is
//! kept by syncing the directory (POSIX promises no more), and fjall leaves some of that to us.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Makes a directory and those above it that are missing. Its own name is made durable even where
/// it was there: one who made it may have been killed before doing so.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    let missing = dir.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty() && !above.exists()).count();
    fs::create_dir_all(dir)?;
    for made in dir.ancestors().take(missing + 1) {
        match made.parent().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above }) {
            None => break,
            Some(above) => match sync_dir(above) {
                // Whoever may pass through a directory but not read it cannot sync it either.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                done => done?,
            },
        }
    }
    Ok(())
}

/// Makes the names of a store's keyspaces durable, which fjall does not, and the store's own.
pub(super) fn sync_store(store_dir: &Path) -> io::Result<()> {
    let above = store_dir.parent().map(Path::to_owned);
    let folders: [Option<PathBuf>; 3] = [Some(store_dir.join("keyspaces")), Some(store_dir.to_owned()), above];
    folders.iter().flatten().try_for_each(|folder| sync_dir(folder))
}

/// Makes the names in a directory durable.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
