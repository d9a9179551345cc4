//! A disk that is small enough to fill.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system of its own, with room for so much; gone when dropped.
pub struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, and said so, where this user may not mount.
    pub fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("left out: a full disk (only root mounts a small one)");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Take all the room that is left, but so many bytes.
    pub fn fill(&self, but: u64) -> PathBuf {
        let ballast = self.path().join("ballast");
        let mut file = fs::File::create(&ballast).unwrap();
        // The last write is the one that fails.
        let full = std::io::copy(&mut std::io::repeat(1), &mut file).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        let taken = file.metadata().unwrap().len();
        file.set_len(taken - but).unwrap();
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}
