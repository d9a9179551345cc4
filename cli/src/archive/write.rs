//! Writing an archive: under another name, and under its own once it is whole and on disk.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::Path,
};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use sluice_model::Hash256;
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use super::{MANIFEST, Manifest, Part, failed, folder_of, trailer};
use crate::failure::Failure;

/// How hard it is compressed: the level at which a disk is still what is waited for.
const LEVEL: i32 = 3;

/// Put the parts that stand in a folder into a file that is not there yet. How large it became.
pub(crate) fn write(folder: &Path, manifest: &Manifest, out: &Path) -> Result<u64, Failure> {
    let beside = folder_of(out);
    let file = NamedTempFile::with_prefix_in(".sluice-backup-", beside).map_err(failed(beside))?;
    let bytes = fill(file.as_file(), folder, manifest).map_err(failed(out))?;
    file.persist_noclobber(out).map_err(|error| failed(out)(error.error))?;
    // The name itself must outlive a power cut.
    File::open(beside).and_then(|folder| folder.sync_all()).map_err(failed(beside))?;
    Ok(bytes)
}

fn fill(file: &File, folder: &Path, manifest: &Manifest) -> io::Result<u64> {
    let mut hashed = Hashed { to: BufWriter::new(file), hasher: Sha256::new(), bytes: 0 };
    let mut encoder = zstd::Encoder::new(&mut hashed, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut tar = Builder::new(encoder);
    let json = serde_json::to_vec(manifest)?;
    tar.append(&header(MANIFEST, json.len() as u64)?, &*json)?;
    for part in &manifest.parts {
        tar.append(&header(&part.path, part.bytes)?, File::open(folder.join(&part.path))?.take(part.bytes))?;
    }
    tar.into_inner()?.finish()?;
    let Hashed { mut to, hasher, bytes } = hashed;
    let trailer = trailer::of(Hash256(hasher.finalize().into()));
    to.write_all(&trailer)?;
    to.flush()?;
    file.sync_all()?;
    Ok(bytes + trailer.len() as u64)
}

/// A plain header: whatever needs an extension is refused here, and by whoever reads.
fn header(path: &str, bytes: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_cksum();
    Ok(header)
}

/// Hashes and counts what is written.
struct Hashed<W> {
    to: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Part {
    /// The part that a file of a folder is.
    pub(crate) fn of(folder: &Path, path: String) -> Result<Self, Failure> {
        let file = folder.join(&path);
        let read = || {
            let opened = File::open(&file)?;
            io::Result::Ok((opened.metadata()?.len(), trailer::hash(opened)?))
        };
        let (bytes, sha256) =
            read().with_context(|| file.display().to_string()).map_err(Failure::Internal)?;
        Ok(Self { path, bytes, sha256 })
    }
}
