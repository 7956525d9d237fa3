//! The disk as the kernel sees it (FUSE).

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::disk::{Disk, Folder, Node};
use super::image::Image;

/// The kernel is the only one that changes the disk, so it may remember for long.
const REMEMBERED: Duration = Duration::from_secs(3_600);
const GENERATION: Generation = Generation(0);
/// What a sync of a file takes, so that a cut may fall into one.
const SYNC_TAKES: Duration = Duration::from_millis(1);
/// Blocks of 4 KiB that are said to be free: 64 GiB.
const FREE_BLOCKS: u64 = 16 << 20;

/// A mounted disk.
pub struct Mounted {
    disk: Arc<Mutex<Disk>>,
    /// Names as they were when a directory was opened, so that removing some skips none.
    listings: Mutex<HashMap<u64, Vec<(OsString, u64)>>>,
}

impl Mounted {
    pub fn new(disk: Arc<Mutex<Disk>>) -> Self {
        Self { disk, listings: Mutex::default() }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listings(&self) -> MutexGuard<'_, HashMap<u64, Vec<(OsString, u64)>>> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, parent: INodeNo, name: &OsStr, node: Node) -> Result<FileAttr, Errno> {
        let mut disk = self.disk();
        let number = disk.make(parent.0, name, node)?;
        attributes(&disk, number)
    }
}

fn attributes(disk: &Disk, number: u64) -> Result<FileAttr, Errno> {
    let (kind, perm, size) = match disk.node(number)? {
        Node::File(image) => (FileType::RegularFile, 0o600, image.length()),
        Node::Folder(_) => (FileType::Directory, 0o700, 0),
    };
    Ok(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4_096,
        flags: 0,
    })
}

fn settle(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn show(made: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match made {
        Ok(attributes) => reply.entry(&REMEMBERED, &attributes, GENERATION),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        show(disk.find(parent.0, name).and_then(|number| attributes(&disk, number)), reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(&self.disk(), ino.0) {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let set = size.map_or(Ok(()), |size| disk.file(ino.0).map(|image| image.set_length(size)));
        match set.and_then(|()| attributes(&disk, ino.0)) {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        show(self.make(parent, name, Node::Folder(Folder::default())), reply);
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        match self.make(parent, name, Node::File(Image::default())) {
            Ok(made) => reply.created(&REMEMBERED, &made, GENERATION, FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        settle(self.disk().remove(parent.0, name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        settle(self.disk().remove(parent.0, name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if parent != new_parent || !flags.is_empty() {
            // Nothing that is tested here moves files between directories.
            return reply.error(Errno::EXDEV);
        }
        settle(self.disk().rename(parent.0, name, new_name), reply);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().file(ino.0) {
            Ok(image) => reply.data(&image.read(offset, u64::from(size))),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.disk().file(ino.0) {
            Ok(image) => {
                image.write(offset, data);
                reply.written(data.len() as u32);
            }
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok(); // closing a file syncs nothing
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        std::thread::sleep(SYNC_TAKES);
        settle(self.disk().sync(ino.0), reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        settle(self.disk().sync(ino.0), reply);
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.disk().names(ino.0) {
            Ok(names) => {
                let mut listings = self.listings();
                let handle = listings.keys().max().unwrap_or(&0) + 1;
                listings.insert(handle, names);
                reply.opened(FileHandle(handle), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, fh: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let (disk, listings) = (self.disk(), self.listings());
        let names = listings.get(&fh.0).into_iter().flatten();
        for (index, (name, number)) in (1..).zip(names).skip(offset as usize) {
            let kind = match disk.node(*number) {
                Ok(Node::Folder(_)) => FileType::Directory,
                Ok(Node::File(_)) | Err(_) => FileType::RegularFile,
            };
            if reply.add(INodeNo(*number), index, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, fh: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.listings().remove(&fh.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(2 * FREE_BLOCKS, FREE_BLOCKS, FREE_BLOCKS, FREE_BLOCKS, FREE_BLOCKS, 4_096, 255, 4_096);
    }
}
