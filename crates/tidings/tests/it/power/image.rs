//! What a file holds, by pages; what was never written is zero and takes no room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;

/// Bytes of a page, the unit in which a kernel writes back.
const PAGE: u64 = 4_096;
/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

type Page = [u8; PAGE as usize];

/// The content of a file.
#[derive(Debug, Clone, Default)]
struct Content {
    pages: BTreeMap<u64, Arc<Page>>,
    length: u64,
}

/// A file as its readers see it and as the disk has it.
#[derive(Debug, Default)]
pub struct Image {
    now: Content,
    durable: Content,
    /// Pages that differ.
    dirty: BTreeSet<u64>,
}

impl Image {
    /// Bytes that a reader sees.
    pub fn length(&self) -> u64 {
        self.now.length
    }

    /// Up to `size` bytes from `offset`.
    pub fn read(&self, offset: u64, size: u64) -> Vec<u8> {
        let end = self.now.length.min(offset.saturating_add(size));
        let mut bytes = Vec::with_capacity(end.saturating_sub(offset) as usize);
        let mut at = offset;
        while at < end {
            let (page, from, to) = within_page(at, end);
            match self.now.pages.get(&page) {
                Some(content) => bytes.extend_from_slice(&content[from..to]),
                None => bytes.resize(bytes.len() + to - from, 0),
            }
            at += (to - from) as u64;
        }
        bytes
    }

    /// Writes at `offset`, lengthening the file where needed.
    pub fn write(&mut self, offset: u64, mut bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        let mut at = offset;
        while at < end {
            let (page, from, to) = within_page(at, end);
            let content = self.now.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE as usize]));
            let (head, rest) = bytes.split_at(to - from);
            Arc::make_mut(content)[from..to].copy_from_slice(head);
            self.dirty.insert(page);
            bytes = rest;
            at += (to - from) as u64;
        }
        self.now.length = self.now.length.max(end);
    }

    /// Shortens the file, or lengthens it by zeros.
    pub fn set_length(&mut self, length: u64) {
        let gone = self.now.cut(length);
        self.dirty.extend(gone);
    }

    /// What was written is on the disk.
    pub fn sync(&mut self) {
        for page in std::mem::take(&mut self.dirty) {
            match self.now.pages.get(&page) {
                Some(content) => self.durable.pages.insert(page, Arc::clone(content)),
                None => self.durable.pages.remove(&page),
            };
        }
        self.durable.length = self.now.length;
    }

    /// Forgets what was not synced; with dice, the disk had already written some of it.
    pub fn lose_power(&mut self, early: Option<&mut StdRng>) {
        if let Some(dice) = early {
            self.write_some(dice);
        }
        self.dirty.clear();
        self.now = self.durable.clone();
    }

    /// Length and pages go to the disk in any order, and a page sector by sector.
    fn write_some(&mut self, dice: &mut StdRng) {
        let (old, new) = (self.durable.length, self.now.length);
        let length = if dice.random_bool(0.5) { old } else { dice.random_range(old.min(new)..=old.max(new)) };
        // A file is shortened in one step.
        let length = if new < old && length != old { new } else { length };
        for page in self.dirty.iter().filter(|page| **page * PAGE < new) {
            let nothing = Arc::new([0; PAGE as usize]);
            let written = self.now.pages.get(page).unwrap_or(&nothing);
            let sectors = if dice.random_bool(0.5) { u8::MAX } else { dice.random() };
            let on_disk = self.durable.pages.entry(*page).or_insert_with(|| Arc::clone(&nothing));
            let parts = Arc::make_mut(on_disk).chunks_mut(SECTOR).zip(written.chunks(SECTOR)).enumerate();
            for (_, (on_disk, written)) in parts.filter(|(sector, _)| sectors >> sector & 1 == 1) {
                on_disk.copy_from_slice(written);
            }
        }
        self.durable.cut(length);
    }
}

impl Content {
    /// Sets the length; which pages changed by it.
    fn cut(&mut self, length: u64) -> Vec<u64> {
        let mut gone: Vec<u64> = self.pages.split_off(&length.div_ceil(PAGE)).into_keys().collect();
        let (last, rest) = (length / PAGE, (length % PAGE) as usize);
        if let Some(content) = self.pages.get_mut(&last).filter(|_| length < self.length) {
            Arc::make_mut(content)[rest..].fill(0);
            gone.push(last);
        }
        self.length = length;
        gone
    }
}

/// The page of `at`, and which of its bytes lie between `at` and `end`.
fn within_page(at: u64, end: u64) -> (u64, usize, usize) {
    let (page, from) = (at / PAGE, at % PAGE);
    (page, from as usize, (end - page * PAGE).min(PAGE) as usize)
}
