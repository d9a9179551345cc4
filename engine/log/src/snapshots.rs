//! Where snapshots of state that is derived from a log are kept. They only save time: whoever reads one checks
//! that it is whole, and goes back to an older one, or to the log, when it is not.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{LogError, Offset};

/// Keeps snapshots by name and by the offset before which every record has been applied.
pub trait Snapshots: Send + Sync {
    /// Keep a snapshot; durable when this returns.
    fn put(&self, name: &str, offset: Offset, bytes: Vec<u8>) -> Result<(), LogError>;

    /// The offsets of which there is a snapshot, newest first.
    fn offsets(&self, name: &str) -> Result<Vec<Offset>, LogError>;

    /// The bytes of a snapshot, as whole as the store has them.
    fn get(&self, name: &str, offset: Offset) -> Result<Vec<u8>, LogError>;

    /// Forget all but the newest `keep`.
    fn prune(&self, name: &str, keep: usize) -> Result<(), LogError>;
}

/// Snapshots as files, each under its offset: `<folder>/<name>/<offset>.snapshot`.
#[derive(Debug)]
pub struct FileSnapshots {
    folder: PathBuf,
}

const EXTENSION: &str = "snapshot";

impl FileSnapshots {
    /// Snapshots in a folder, which is made when the first is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The file of a snapshot, there or not.
    pub fn path(&self, name: &str, offset: Offset) -> PathBuf {
        self.folder.join(name).join(file_name(offset))
    }

    /// Forget the snapshots of offsets beyond this one, of a future that is not on the log. How many there were.
    pub fn forget_beyond(&self, name: &str, offset: Offset) -> Result<usize, LogError> {
        let beyond: Vec<Offset> = self.offsets(name)?.into_iter().filter(|of| *of > offset).collect();
        for of in &beyond {
            fs::remove_file(self.path(name, *of)).map_err(|error| self.failed(&error))?;
        }
        Ok(beyond.len())
    }

    fn failed(&self, error: &io::Error) -> LogError {
        LogError::file(&self.folder, error)
    }
}

impl Snapshots for FileSnapshots {
    fn put(&self, name: &str, offset: Offset, bytes: Vec<u8>) -> Result<(), LogError> {
        write_whole(&self.path(name, offset), &bytes).map_err(|error| self.failed(&error))
    }

    fn offsets(&self, name: &str) -> Result<Vec<Offset>, LogError> {
        let entries = match fs::read_dir(self.folder.join(name)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(&error)),
        };
        let mut offsets: Vec<Offset> =
            entries.filter_map(|entry| offset_of(entry.ok()?.file_name().to_str()?)).collect();
        offsets.sort_unstable_by(|a, b| b.cmp(a));
        Ok(offsets)
    }

    fn get(&self, name: &str, offset: Offset) -> Result<Vec<u8>, LogError> {
        fs::read(self.path(name, offset)).map_err(|error| self.failed(&error))
    }

    fn prune(&self, name: &str, keep: usize) -> Result<(), LogError> {
        for offset in self.offsets(name)?.into_iter().skip(keep) {
            fs::remove_file(self.path(name, offset)).map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }
}

/// The name of the snapshot of an offset.
pub(crate) fn file_name(offset: Offset) -> String {
    format!("{offset:020}.{EXTENSION}")
}

/// The offset that a snapshot's name says; `None` for any other name.
pub(crate) fn offset_of(file_name: &str) -> Option<Offset> {
    file_name.strip_suffix(EXTENSION)?.strip_suffix('.')?.parse().ok()
}

/// A file that is there whole under its name or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name itself must outlive a power cut.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_found_newest_first_and_the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = FileSnapshots::new(folder.path());
        assert!(snapshots.offsets("engine").unwrap().is_empty());
        fs::write(folder.path().join("file"), b"").unwrap();
        assert!(snapshots.offsets("file").is_err(), "a folder that cannot be read is not an empty one");
        for offset in [9, 100, 20] {
            snapshots.put("engine", offset, offset.to_string().into_bytes()).unwrap();
        }
        // A write that a crash cut short has another name.
        fs::write(folder.path().join("engine/00000000000000000300.partial"), b"3").unwrap();
        assert_eq!(snapshots.offsets("engine").unwrap(), [100, 20, 9]);
        assert_eq!(snapshots.get("engine", 20).unwrap(), b"20");
        assert!(snapshots.offsets("other").unwrap().is_empty());

        assert_eq!(snapshots.forget_beyond("engine", 100).unwrap(), 0);
        assert_eq!(snapshots.forget_beyond("engine", 99).unwrap(), 1);
        assert_eq!(snapshots.offsets("engine").unwrap(), [20, 9]);
        snapshots.put("engine", 100, b"100".to_vec()).unwrap();

        snapshots.prune("engine", 2).unwrap();
        assert_eq!(snapshots.offsets("engine").unwrap(), [100, 20]);
    }
}
