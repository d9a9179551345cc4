//! How much disk and memory is left: said at the start, measured while it runs, and not ready when it is nearly nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use prometheus::{
    IntGauge,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::failure::Failure;

/// Below this, a start warns: some hours of events of a small company.
const DISK_LOW_BYTES: u64 = 1024 * MIB;
/// Below this, nothing starts, and what runs is not ready: what a checkpoint and a snapshot need to end well.
const DISK_LEAST_BYTES: u64 = 16 * MIB;
/// Below this, a start warns: a list of a million names takes about as much.
const MEMORY_LOW_BYTES: u64 = 512 * MIB;
/// Below this, nothing starts, and what runs is not ready: the next large request may end the process.
const MEMORY_LEAST_BYTES: u64 = 48 * MIB;
const MIB: u64 = 1024 * 1024;

/// Measures what is left.
#[derive(Clone)]
pub(super) struct Room {
    data: PathBuf,
    disk: IntGauge,
    memory: IntGauge,
}

/// What is left, in bytes; `None` where the machine does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Space {
    disk: Option<u64>,
    memory: Option<u64>,
}

impl Room {
    /// Look at a start: a warning where it is little, a refusal where it is nearly nothing.
    pub(super) fn look(data: &Path) -> Result<Self, Failure> {
        let gauge = |name, help| IntGauge::new(name, help);
        let room = Self {
            data: data.to_owned(),
            disk: gauge("sluice_disk_left_bytes", "Bytes left on the disk of the data folder")?,
            memory: gauge("sluice_memory_left_bytes", "Bytes of memory that the process may still take")?,
        };
        let left = room.left();
        if let Some(why) = left.too_little(data) {
            return Err(Failure::user(format!("nothing was started: {why}")));
        }
        for warning in left.little(data) {
            tracing::warn!("{warning}");
        }
        Ok(room)
    }

    /// Why the process cannot go on for long, if it cannot.
    pub(super) fn not_ready(&self) -> Option<String> {
        self.left().too_little(&self.data)
    }

    fn left(&self) -> Space {
        let disk = rustix::fs::statvfs(&self.data).ok();
        Space { disk: disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)), memory: memory() }
    }
}

impl Collector for Room {
    fn desc(&self) -> Vec<&Desc> {
        [self.disk.desc(), self.memory.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let left = self.left();
        [told(&self.disk, left.disk), told(&self.memory, left.memory)].concat()
    }
}

/// What the machine does not say is left out: a number would be read as room.
fn told(gauge: &IntGauge, left: Option<u64>) -> Vec<MetricFamily> {
    gauge.set(i64::try_from(left.unwrap_or_default()).unwrap_or(i64::MAX));
    let mut families = gauge.collect();
    if left.is_none() {
        families.iter_mut().for_each(|family| family.set_metric(Vec::new()));
    }
    families
}

impl Space {
    fn too_little(self, data: &Path) -> Option<String> {
        let short = |left: Option<u64>, least| left.filter(|left| *left < least);
        let disk = short(self.disk, DISK_LEAST_BYTES).map(|left| {
            let (data, left, least) = (data.display(), left / MIB, DISK_LEAST_BYTES / MIB);
            format!(
                "{left} MiB are left on the disk of {data}, and {least} MiB are the least; free some space"
            )
        });
        let memory = || {
            short(self.memory, MEMORY_LEAST_BYTES).map(|left| {
                let (left, least) = (left / MIB, MEMORY_LEAST_BYTES / MIB);
                format!("{left} MiB of memory are left, and {least} MiB are the least; give the process more")
            })
        };
        disk.or_else(memory)
    }

    fn little(self, data: &Path) -> Vec<String> {
        let disk = self.disk.filter(|left| *left < DISK_LOW_BYTES);
        let memory = self.memory.filter(|left| *left < MEMORY_LOW_BYTES);
        let disk =
            disk.map(|left| format!("only {} MiB are left on the disk of {}", left / MIB, data.display()));
        let memory = memory.map(|left| format!("only {} MiB of memory are left", left / MIB));
        disk.into_iter().chain(memory).collect()
    }
}

/// What the machine has left, or what the limit of this process's control group leaves it, whichever is less.
fn memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let group = group();
    match (machine, group) {
        (Some(machine), Some(group)) => Some(machine.min(group)),
        (machine, group) => machine.or(group),
    }
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What a control group (version 2) leaves: containers have one.
fn group() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // In a container its own group is mounted as the root.
    let folders = [Path::new("/sys/fs/cgroup").join(path), PathBuf::from("/sys/fs/cgroup")];
    let read = |folder: &Path, file| fs::read_to_string(folder.join(file)).ok();
    let (folder, max) = folders.iter().find_map(|folder| Some((folder, read(folder, "memory.max")?)))?;
    of_group(&max, &read(folder, "memory.current")?, &read(folder, "memory.stat").unwrap_or_default())
}

/// The limit, less what is taken, plus the cached files that would be let go.
fn of_group(max: &str, current: &str, stat: &str) -> Option<u64> {
    let (max, current) = (max.trim().parse::<u64>().ok()?, current.trim().parse::<u64>().ok()?);
    let cached = ["inactive_file ", "active_file "]
        .iter()
        .filter_map(|name| stat.lines().find_map(|line| line.strip_prefix(name))?.trim().parse::<u64>().ok());
    Some(max.saturating_sub(current.saturating_sub(cached.sum())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   24105 kB\n"), Some(24_105 * 1024));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
        assert_eq!(of_group("max\n", "5\n", ""), None, "no limit");
        assert_eq!(of_group("100\n", "60\n", "anon 5\ninactive_file 20\nactive_file 10\n"), Some(70));
        assert_eq!(of_group("100\n", "120\n", ""), Some(0));
        assert!(memory().is_some_and(|left| left > 0));
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let gauge = IntGauge::new("left_bytes", "Left").unwrap();
        assert_eq!(told(&gauge, Some(7))[0].get_metric().len(), 1);
        assert!(told(&gauge, None)[0].get_metric().is_empty());
    }

    #[test]
    fn little_is_said_and_nearly_nothing_is_refused() {
        let left = |disk, memory| Space { disk: Some(disk), memory: Some(memory) };
        let data = Path::new("data");
        let plenty = left(DISK_LOW_BYTES, MEMORY_LOW_BYTES);
        assert_eq!((plenty.too_little(data), plenty.little(data)), (None, Vec::new()));
        let low = left(DISK_LEAST_BYTES, MEMORY_LEAST_BYTES);
        assert_eq!((low.too_little(data), low.little(data).len()), (None, 2));
        let disk = left(DISK_LEAST_BYTES - 1, MEMORY_LOW_BYTES).too_little(data).unwrap();
        assert!(disk.contains("15 MiB are left on the disk of data"), "{disk}");
        let memory = left(DISK_LOW_BYTES, MEMORY_LEAST_BYTES - 1).too_little(data).unwrap();
        assert!(memory.contains("47 MiB of memory"), "{memory}");
        let unknown = Space { disk: None, memory: None };
        assert_eq!((unknown.too_little(data), unknown.little(data)), (None, Vec::new()));
    }
}
