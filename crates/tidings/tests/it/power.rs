//! A file system whose power can be cut.

mod image;
mod disk;
mod mount;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fuser::{BackgroundSession, Config, Session};
use rand::rngs::StdRng;
use tempfile::TempDir;

use disk::Disk;
use mount::Mounted;

/// A disk in memory, mounted; unmounted when dropped.
#[derive(Debug)]
pub struct PowerDisk {
    disk: Arc<Mutex<Disk>>,
    session: Option<BackgroundSession>,
    at: TempDir,
}

impl PowerDisk {
    /// An empty one, mounted; `None`, with the reason printed, where the machine cannot mount. With
    /// `TIDINGS_TEST_STRICT` in the environment it must be able to.
    pub fn mount() -> Option<Self> {
        let disk = Arc::new(Mutex::new(Disk::default()));
        let at = tempfile::tempdir().expect("a temporary folder");
        match mount(&disk, at.path()) {
            Ok(session) => Some(Self { disk, session: Some(session), at }),
            Err(error) if std::env::var_os("TIDINGS_TEST_STRICT").is_none() => {
                println!("skipped: no file system can be mounted here through /dev/fuse: {error}");
                None
            }
            Err(error) => panic!("a file system must be mounted through /dev/fuse: {error}"),
        }
    }

    /// A directory on it that is not there yet.
    pub fn data(&self) -> PathBuf {
        self.at.path().join("data")
    }

    /// Cuts the power: every sync fails from now on. What uses it must be killed before [`Self::cut`].
    pub fn switch_off(&self) {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).switch_off();
    }

    /// Cuts the power, if it is not off, and gives it back; nothing may be open. What was not synced is gone; with
    /// dice, the disk had already written some of it.
    pub fn cut(&mut self, early: Option<&mut StdRng>) {
        if let Some(session) = self.session.take() {
            match session.umount_and_join() {
                // What the kernel says to whoever serves a file system that was just unmounted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                done => done.expect("everything on it was closed"),
            }
        }
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).lose_power(early);
        self.session = Some(mount(&self.disk, self.at.path()).expect("it was mounted before"));
    }
}

impl Drop for PowerDisk {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // Where a file is still open the test has failed already.
            let _ = session.umount_and_join();
        }
    }
}

fn mount(disk: &Arc<Mutex<Disk>>, at: &Path) -> io::Result<BackgroundSession> {
    Session::new(Mounted::new(Arc::clone(disk)), at, &Config::default())?.spawn()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::Write;

    use super::*;

    #[test]
    fn only_what_was_synced_outlives_a_power_cut() {
        let Some(mut disk) = PowerDisk::mount() else { return };
        let data = disk.data();
        let sync = |path: &Path| File::open(path).and_then(|it| it.sync_all()).expect("it can be synced");
        fs::create_dir(&data).unwrap();
        sync(data.parent().unwrap());
        let mut kept = File::create(data.join("kept")).unwrap();
        kept.write_all(&[7; 10_000]).unwrap();
        kept.sync_data().unwrap();
        sync(&data);
        kept.write_all(b"and more").unwrap();
        File::create(data.join("content only")).unwrap().sync_all().unwrap();
        fs::rename(data.join("kept"), data.join("renamed")).unwrap();
        drop(kept);
        disk.cut(None);
        let names: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["kept"]);
        assert_eq!(fs::read(data.join("kept")).unwrap(), [7; 10_000]);

        let shorter = OpenOptions::new().write(true).open(data.join("kept")).unwrap();
        shorter.set_len(5_000).unwrap();
        shorter.set_len(6_000).unwrap();
        shorter.sync_all().unwrap();
        drop(shorter);
        disk.cut(None);
        let bytes = fs::read(data.join("kept")).unwrap();
        assert_eq!((bytes.len(), &bytes[4_999..5_001]), (6_000, &[7, 0][..]));
        fs::remove_dir_all(&data).unwrap();
    }
}
