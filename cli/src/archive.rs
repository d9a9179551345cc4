//! The file that a backup is: a tar archive in one zstd frame, then a frame that decoders skip, with the SHA-256 of all
//! before it. `zstd -dc FILE | tar -x` reads it. Its first entry is a manifest; the others are what the manifest names, in its
//! order, and nothing else.

mod manifest;
mod read;
mod trailer;
mod write;

use std::{io, path::Path};

pub(crate) use self::{
    manifest::{FORMAT, Manifest, Part},
    read::{check, extract},
    write::write,
};
use crate::failure::Failure;

/// The name of the first entry.
const MANIFEST: &str = "manifest.json";

/// A failure of the file system: what a path says, and a disk without room, are the user's to mend.
pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> Failure {
    use io::ErrorKind::*;
    move |error| {
        let theirs = [
            NotFound,
            PermissionDenied,
            AlreadyExists,
            NotADirectory,
            InvalidInput,
            CrossesDevices,
            ResourceBusy,
            StorageFull,
            QuotaExceeded,
        ]
        .contains(&error.kind());
        let error = anyhow::Error::new(error).context(path.display().to_string());
        if theirs { Failure::User(error) } else { Failure::Internal(error) }
    }
}

/// The folder in which a path is.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
