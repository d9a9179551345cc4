//! One process, one folder.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::LogError;

const FILE: &str = "lock";

/// Holds a folder for this process. The operating system lets go of it when the process ends, however it ends.
pub(super) struct FolderLock(#[expect(dead_code, reason = "held, not read")] File);

impl FolderLock {
    pub(super) fn take(folder: &Path) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        let file = File::create(&path).map_err(|error| LogError::file(folder, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LogError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(LogError::file(folder, &error)),
        }
    }
}
