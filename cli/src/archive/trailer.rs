//! The end of the file: a frame that zstd decoders skip, with the SHA-256 of all before it. A file that was cut has none, and
//! one of whose bytes any is another does not fit it.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use sha2::{Digest as _, Sha256};
use sluice_model::Hash256;

/// A skippable frame of zstd (RFC 8878, section 3.1.2): one of sixteen numbers, then how long it is.
const HEAD: [u8; 8] = [0x5a, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
/// How long it is, with its head.
const BYTES: usize = HEAD.len() + 32;
/// How much is hashed at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The end of a file whose other bytes have that hash.
pub(super) fn of(hash: Hash256) -> [u8; BYTES] {
    let mut trailer = [0; BYTES];
    trailer[..HEAD.len()].copy_from_slice(&HEAD);
    trailer[HEAD.len()..].copy_from_slice(&hash.0);
    trailer
}

/// How many bytes stand before the end, and whether they are those that were written; `None` where there is no end.
pub(super) fn check(file: &mut File) -> io::Result<Option<(u64, bool)>> {
    let Some(content) = file.metadata()?.len().checked_sub(BYTES as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(content))?;
    let mut trailer = [0; BYTES];
    file.read_exact(&mut trailer)?;
    if trailer[..HEAD.len()] != HEAD {
        return Ok(None);
    }
    file.rewind()?;
    let hash = hash(file.take(content))?;
    file.rewind()?;
    Ok(Some((content, trailer == of(hash))))
}

/// The hash of all that is read.
pub(super) fn hash(mut from: impl io::Read) -> io::Result<Hash256> {
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok(Hash256(hasher.finalize().into())),
            read => hasher.update(&chunk[..read]),
        }
    }
}
