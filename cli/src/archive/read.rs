//! Reading an archive that may be anything: whole first, then entry by entry as the manifest says, and nothing else.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use sluice_model::Hash256;
use tar::{Archive, Entry};

use super::{
    MANIFEST, Manifest, Part, failed, folder_of,
    manifest::{MANIFEST_BYTES_MAX, ManifestError},
    trailer,
};
use crate::failure::Failure;

/// How much is copied at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// An archive whose bytes are those that were written.
pub(crate) struct Whole {
    file: File,
    content: u64,
}

/// Open an archive and look whether it is whole.
pub(crate) fn check(path: &Path) -> Result<Whole, Failure> {
    let mut file = File::open(path).map_err(failed(path))?;
    match trailer::check(&mut file).map_err(failed(path))? {
        Some((content, true)) => Ok(Whole { file, content }),
        Some((_, false)) => Err(bad(path, "it is damaged: its bytes are not those that were written")),
        None => Err(bad(path, "it is no backup of Sluice, or was cut short: its end is missing")),
    }
}

/// Make the files of an archive in an empty folder, each on disk when this returns.
pub(crate) fn extract(path: &Path, whole: Whole, into: &Path) -> Result<Manifest, Failure> {
    let content = BufReader::new(whole.file.take(whole.content));
    let decoder = zstd::Decoder::with_buffer(content).map_err(|_| bad(path, NOT_OURS))?;
    let mut archive = Archive::new(decoder);
    // Raw: no entry that changes the meaning of the next is followed.
    let mut entries = archive.entries().map_err(|_| bad(path, NOT_OURS))?.raw(true);
    let mut next = || match entries.next() {
        Some(Ok(entry)) => Ok(entry),
        Some(Err(_)) | None => {
            Err(bad(path, "it ends before all that its manifest names, or is no tar archive"))
        }
    };
    let first = next().map_err(|_| bad(path, NOT_OURS))?;
    let manifest = manifest(path, first)?;
    room(path, &manifest, into)?;
    for (number, part) in (1..).zip(&manifest.parts) {
        put(part, next()?, into).map_err(|error| error.failure(path, number, into))?;
    }
    if entries.next().is_some() {
        return Err(bad(path, "it holds more than its manifest names"));
    }
    Ok(manifest)
}

const NOT_OURS: &str = "it is no backup of Sluice";

fn manifest(path: &Path, mut entry: Entry<'_, impl Read>) -> Result<Manifest, Failure> {
    if !is_file(&entry, MANIFEST) || entry.size() > MANIFEST_BYTES_MAX {
        return Err(bad(path, NOT_OURS));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(|_| bad(path, NOT_OURS))?;
    Manifest::read(&bytes).map_err(|error| match error {
        ManifestError::Newer { .. } => Failure::user(format!("{}: {error}", path.display())),
        _ => bad(path, &error.to_string()),
    })
}

/// A part that is larger than what the disk has is refused before anything of it is written.
fn room(path: &Path, manifest: &Manifest, into: &Path) -> Result<(), Failure> {
    let disk = rustix::fs::statvfs(into).map_err(|error| failed(into)(error.into()))?;
    let (needed, left) = (manifest.bytes(), disk.f_bavail.saturating_mul(disk.f_frsize));
    if needed <= left {
        return Ok(());
    }
    Err(Failure::user(format!(
        "{}: what it holds takes {needed} bytes, and {left} are left on the disk of {}",
        path.display(),
        folder_of(into).display()
    )))
}

/// Why a part was not put in its place.
enum PutError {
    /// The entry is another than the manifest says.
    Other(&'static str),
    /// The file could not be written.
    Write(io::Error),
}

impl PutError {
    fn failure(self, path: &Path, number: usize, into: &Path) -> Failure {
        match self {
            Self::Other(what) => bad(path, &format!("part {number} {what}")),
            Self::Write(error) => failed(folder_of(into))(error),
        }
    }
}

/// Make a part's file from the entry that has to be it.
fn put(part: &Part, mut entry: Entry<'_, impl Read>, into: &Path) -> Result<(), PutError> {
    if !is_file(&entry, &part.path) {
        return Err(PutError::Other("is another than its manifest names, or no plain file"));
    }
    if entry.size() != part.bytes {
        return Err(PutError::Other("is not as large as its manifest says"));
    }
    let path = into.join(&part.path);
    fs::create_dir_all(folder_of(&path)).map_err(PutError::Write)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(PutError::Write)?;
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        let read = entry.read(&mut chunk).map_err(|_| PutError::Other("cannot be read"))?;
        if read == 0 {
            break;
        }
        hasher.update(&chunk[..read]);
        file.write_all(&chunk[..read]).map_err(PutError::Write)?;
    }
    if Hash256(hasher.finalize().into()) != part.sha256 {
        return Err(PutError::Other("does not have the hash that its manifest says"));
    }
    file.sync_all().map_err(PutError::Write)
}

fn is_file(entry: &Entry<'_, impl Read>, path: &str) -> bool {
    entry.header().entry_type().is_file() && *entry.path_bytes() == *path.as_bytes()
}

/// A failed check of the archive.
fn bad(path: &Path, what: &str) -> Failure {
    Failure::Finding(format!("{}: {what}; nothing was restored", path.display()))
}
