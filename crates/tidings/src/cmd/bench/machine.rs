//! What was measured on: without it the figures mean nothing.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

/// The machine, the disk and the build.
#[derive(Debug)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    folder: PathBuf,
    file_system: String,
    load: String,
    is_debug: bool,
}

impl Machine {
    /// Looks around; what this system does not tell is `unknown`.
    pub(super) fn look(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let known = |text: Option<&str>| text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned());
        let cpus = read("/proc/cpuinfo");
        let model = cpus.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1));
        Self {
            cpu: known(model),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: known(read("/proc/sys/kernel/osrelease").lines().next()),
            file_system: file_system(&read("/proc/self/mounts"), &folder),
            load: known(read("/proc/loadavg").split(' ').next().filter(|load| !load.is_empty())),
            folder,
            is_debug: cfg!(debug_assertions),
        }
    }

    /// Says what makes the figures worthless.
    pub(super) fn warn(&self) {
        if self.is_debug {
            eprintln!("WARNING: a debug build; its figures say nothing. Build with --release");
        }
        if matches!(self.file_system.as_str(), "tmpfs" | "ramfs") {
            eprintln!("WARNING: {} is in memory; choose a disk with --data", self.folder.display());
        }
        if self.load.parse().is_ok_and(|load: f64| load > 0.5) {
            eprintln!("WARNING: the machine is busy with other work (load {}); rates will be low", self.load);
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu, "cores": self.cores, "kernel": self.kernel, "folder": self.folder,
            "file_system": self.file_system, "load_before": self.load, "build": self.build(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    fn build(&self) -> &'static str {
        if self.is_debug { "debug" } else { "release" }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cpu, cores, kernel, folder, file_system, load, .. } = self;
        let (version, build, folder) = (env!("CARGO_PKG_VERSION"), self.build(), folder.display());
        writeln!(f, "tidings {version}, {build} build, on {cpu}, {cores} cores, kernel {kernel}, load {load} before")?;
        write!(f, "files in {folder} ({file_system})")
    }
}

/// The kind of the file system that a folder is on, of the mount nearest above it.
fn file_system(mounts: &str, folder: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| folder.starts_with(point));
    // Of two mounts on one point the later hides the earlier.
    let nearest = above.max_by_key(|(point, _)| point.len());
    nearest.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}

/// Raises the limit of open files as far as this process may, and says how many that is.
pub(super) fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    now.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/disk xfs rw 0 0";
        let of = |folder: &str| file_system(mounts, Path::new(folder));
        assert_eq!(of("/var/lib"), "ext4");
        assert_eq!(of("/tmp/x"), "tmpfs");
        assert_eq!(of("/tmp/disk/x"), "xfs");
        assert_eq!(of("/tmpx"), "ext4");
    }
}
