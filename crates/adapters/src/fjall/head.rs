//! `DIR/head`: the number of the last commit that was synced, written after each sync and not
//! itself synced. An open that finds fewer commits than this has lost some.
//!
//! Two slots of 16 bytes take turns, so that a torn write leaves the one before it: the number,
//! a zero word, and the CRC-32C of both, all big-endian.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const SLOT: usize = 16;

/// What an open finds in `DIR/head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no such file.
    Missing,
    /// No slot holds a number that its checksum agrees with.
    Torn,
    /// The greatest number that a slot holds.
    Commit(u64),
}

/// The open file.
#[derive(Debug)]
pub(super) struct Head {
    file: File,
}

impl Head {
    /// Opens or makes the file, and says what was in it.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Found)> {
        let is_there = path.try_exists()?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut slots = [0; 2 * SLOT];
        let mut length = 0;
        while length < slots.len() {
            match file.read_at(&mut slots[length..], length as u64)? {
                0 => break,
                count => length += count,
            }
        }
        let found = if is_there { read(&slots[..length]) } else { Found::Missing };
        Ok((Self { file }, found))
    }

    /// Notes that this commit is synced.
    pub(super) fn note(&self, commit: u64) -> io::Result<()> {
        self.file.write_all_at(&slot(commit), commit % 2 * SLOT as u64)
    }
}

fn slot(commit: u64) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&commit.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[..12]);
    bytes[12..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Found {
    let (slots, _) = bytes.as_chunks::<SLOT>();
    let numbers = slots.iter().map(|bytes| u64::from_be_bytes(*bytes.first_chunk().expect("a slot has 16 bytes")));
    let valid = numbers.zip(slots).filter(|(commit, bytes)| slot(*commit) == **bytes).map(|(commit, _)| commit);
    valid.max().map_or(Found::Torn, Found::Commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        let (head, found) = Head::open(&path).unwrap();
        assert_eq!(found, Found::Missing);
        for commit in 1..=7 {
            head.note(commit).unwrap();
        }
        assert_eq!(Head::open(&path).unwrap().1, Found::Commit(7));
        head.file.write_all_at(&[0xff; 5], SLOT as u64).unwrap();
        assert_eq!(Head::open(&path).unwrap().1, Found::Commit(6));
        head.file.set_len(3).unwrap();
        assert_eq!(Head::open(&path).unwrap().1, Found::Torn);
    }
}
