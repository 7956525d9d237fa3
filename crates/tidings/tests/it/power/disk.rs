//! A disk in memory that forgets what was not synced. A file's sync keeps its content and not its
//! name; a name is kept by syncing the directory it stands in (POSIX promises no more).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use fuser::Errno;
use rand::RngExt;
use rand::rngs::StdRng;

use super::image::Image;

/// The number of the topmost directory.
pub const ROOT: u64 = 1;

/// Files and directories by number.
#[derive(Debug)]
pub struct Disk {
    nodes: BTreeMap<u64, Node>,
    last: u64,
    /// Without power nothing more is synced.
    is_off: bool,
}

/// One of them.
#[derive(Debug)]
pub enum Node {
    /// A file.
    File(Image),
    /// A directory.
    Folder(Folder),
}

/// Names as readers see them and as the disk has them.
#[derive(Debug, Default)]
pub struct Folder {
    now: BTreeMap<OsString, u64>,
    durable: BTreeMap<OsString, u64>,
    changes: Vec<Change>,
}

/// What one call did to the names of a directory, all of it at once.
type Change = Vec<(OsString, Option<u64>)>;

impl Folder {
    fn change(&mut self, change: Change) {
        apply(&mut self.now, &change);
        self.changes.push(change);
    }

    fn sync(&mut self) {
        self.changes.clear();
        self.durable.clone_from(&self.now);
    }

    fn lose_power(&mut self, early: Option<&mut StdRng>) {
        let changes = std::mem::take(&mut self.changes);
        if let Some(dice) = early {
            // Some file systems keep the order of changes, others do not.
            let in_order = dice.random_bool(0.5);
            let kept = dice.random_range(0..=changes.len());
            for (index, change) in changes.iter().enumerate() {
                if if in_order { index < kept } else { dice.random_bool(0.5) } {
                    apply(&mut self.durable, change);
                }
            }
        }
        self.now.clone_from(&self.durable);
    }
}

fn apply(names: &mut BTreeMap<OsString, u64>, change: &Change) {
    for (name, node) in change {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(ROOT, Node::Folder(Folder::default()))]), last: ROOT, is_off: false }
    }
}

impl Disk {
    /// A file or directory.
    pub fn node(&self, number: u64) -> Result<&Node, Errno> {
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    /// A file to change.
    pub fn file(&mut self, number: u64) -> Result<&mut Image, Errno> {
        match self.nodes.get_mut(&number) {
            Some(Node::File(image)) => Ok(image),
            Some(Node::Folder(_)) => Err(Errno::EISDIR),
            None => Err(Errno::ENOENT),
        }
    }

    fn folder(&mut self, number: u64) -> Result<&mut Folder, Errno> {
        match self.nodes.get_mut(&number) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(Errno::ENOTDIR),
            None => Err(Errno::ENOENT),
        }
    }

    /// The number behind a name.
    pub fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Errno> {
        match self.node(folder)? {
            Node::Folder(folder) => folder.now.get(name).copied().ok_or(Errno::ENOENT),
            Node::File(_) => Err(Errno::ENOTDIR),
        }
    }

    /// All names in a directory.
    pub fn names(&self, folder: u64) -> Result<Vec<(OsString, u64)>, Errno> {
        match self.node(folder)? {
            Node::Folder(folder) => Ok(folder.now.iter().map(|(name, node)| (name.clone(), *node)).collect()),
            Node::File(_) => Err(Errno::ENOTDIR),
        }
    }

    /// Puts a new file or directory under a name that is free.
    pub fn make(&mut self, folder: u64, name: &OsStr, node: Node) -> Result<u64, Errno> {
        if self.find(folder, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        let number = self.last + 1;
        self.folder(folder)?.change(vec![(name.to_owned(), Some(number))]);
        self.last = number;
        self.nodes.insert(number, node);
        Ok(number)
    }

    /// Takes a name away; whoever has the file open keeps it.
    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Errno> {
        let number = self.find(folder, name)?;
        if matches!(self.node(number)?, Node::Folder(inner) if !inner.now.is_empty()) {
            return Err(Errno::ENOTEMPTY);
        }
        self.folder(folder)?.change(vec![(name.to_owned(), None)]);
        Ok(())
    }

    /// Gives a file or directory another name in the same directory.
    pub fn rename(&mut self, folder: u64, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        let number = self.find(folder, from)?;
        if from != to {
            self.folder(folder)?.change(vec![(from.to_owned(), None), (to.to_owned(), Some(number))]);
        }
        Ok(())
    }

    /// A file's content, or a directory's names, are on the disk.
    pub fn sync(&mut self, number: u64) -> Result<(), Errno> {
        if self.is_off {
            return Err(Errno::EIO);
        }
        match self.nodes.get_mut(&number).ok_or(Errno::ENOENT)? {
            Node::File(image) => image.sync(),
            Node::Folder(folder) => folder.sync(),
        }
        Ok(())
    }

    /// From now on every sync fails.
    pub fn switch_off(&mut self) {
        self.is_off = true;
    }

    /// Forgets what was not synced, and is on again; with dice, the disk had already written some.
    pub fn lose_power(&mut self, mut early: Option<&mut StdRng>) {
        self.is_off = false;
        for node in self.nodes.values_mut() {
            match node {
                Node::File(image) => image.lose_power(early.as_deref_mut()),
                Node::Folder(folder) => folder.lose_power(early.as_deref_mut()),
            }
        }
        self.drop_unnamed();
    }

    /// Drops what no name leads to.
    fn drop_unnamed(&mut self) {
        let mut named = BTreeMap::new();
        let mut open = vec![ROOT];
        while let Some(number) = open.pop() {
            let Some(node) = self.nodes.remove(&number) else { continue };
            if let Node::Folder(folder) = &node {
                open.extend(folder.now.values());
            }
            named.insert(number, node);
        }
        self.nodes = named;
    }
}
