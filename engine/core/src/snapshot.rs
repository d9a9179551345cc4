//! The frame of a snapshot: format, content, checksum. A torn or foreign one is refused, never half read.

use serde::{Serialize, de::DeserializeOwned};
use sluice_model::Hash256;

use crate::Offset;

/// How a state is written. Raised whenever the meaning of any stage's state changes; the one before is still read, so that
/// an upgrade does not replay the log (`engine/core/tests/formats`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Payments without what they counted with.
    V9,
    /// The one that is written.
    V10,
}

impl Format {
    /// The one that is written.
    pub const CURRENT: Self = Self::V10;

    const ALL: [Self; 2] = [Self::V9, Self::V10];

    const fn number(self) -> u32 {
        match self {
            Self::V9 => 9,
            Self::V10 => 10,
        }
    }
}

/// Says what the bytes are.
const MAGIC: &[u8; 8] = b"sluicess";
/// Magic, format, offset, digest.
const HEADER: usize = 8 + 4 + 8 + 32;
/// The zstd level: the fastest that still halves the size.
const LEVEL: i32 = 1;

/// Why a snapshot cannot be taken or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Shorter than a header, or not ours.
    #[error("not a snapshot")]
    NotASnapshot,
    /// Of another engine's format.
    #[error("snapshot format {0}, and this engine reads {first} to {last}", first = Format::ALL[0].number(), last = Format::CURRENT.number())]
    OtherFormat(u32),
    /// The bytes are not those that were written.
    #[error("snapshot is torn or altered")]
    Torn,
    /// It stands for records that are not committed.
    #[error("snapshot of offset {offset}, beyond what is committed ({committed})")]
    OfTheFuture {
        /// What it stands for.
        offset: Offset,
        /// Every record before this has had its effect.
        committed: Offset,
    },
    /// The records that follow it are gone.
    #[error("snapshot of offset {offset}, and the log begins at {begins_at}")]
    TooOld {
        /// What it stands for.
        offset: Offset,
        /// The first offset that there is.
        begins_at: Offset,
    },
    /// The state cannot be written or read back.
    #[error("snapshot state: {0}")]
    State(#[from] postcard::Error),
    /// Compression failed.
    #[error("snapshot compression: {0}")]
    Compression(#[from] std::io::Error),
    /// A rule set in the snapshot does not compile in this engine.
    #[error("a rule set in the snapshot does not compile")]
    Rules,
}

/// A state as bytes, unframed.
pub(crate) fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>, SnapshotError> {
    Ok(postcard::to_stdvec(state)?)
}

/// The state that unframed bytes stand for.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SnapshotError> {
    Ok(postcard::from_bytes(bytes)?)
}

/// Frame a state's bytes with the offset before which every record has been applied.
pub(crate) fn frame(offset: Offset, state: &[u8]) -> Result<Vec<u8>, SnapshotError> {
    let body = zstd::bulk::compress(state, LEVEL)?;
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&Format::CURRENT.number().to_be_bytes());
    bytes.extend_from_slice(&offset.to_be_bytes());
    bytes.extend_from_slice(&digest(Format::CURRENT, offset, &body).0);
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// The offset, the format and the state's bytes in a frame, if it is whole and of a format that is read.
pub(crate) fn unframe(bytes: &[u8]) -> Result<(Offset, Format, Vec<u8>), SnapshotError> {
    let mut rest = bytes;
    if take::<8>(&mut rest)? != *MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let number = u32::from_be_bytes(take(&mut rest)?);
    let format = Format::ALL.into_iter().find(|format| format.number() == number);
    let format = format.ok_or(SnapshotError::OtherFormat(number))?;
    let offset = Offset::from_be_bytes(take(&mut rest)?);
    if take::<32>(&mut rest)? != digest(format, offset, rest).0 {
        return Err(SnapshotError::Torn);
    }
    Ok((offset, format, zstd::stream::decode_all(rest)?))
}

fn digest(format: Format, offset: Offset, body: &[u8]) -> Hash256 {
    let (number, offset) = (format.number().to_be_bytes(), offset.to_be_bytes());
    Hash256::of_parts([number.as_slice(), offset.as_slice(), body])
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SnapshotError> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(SnapshotError::NotASnapshot)?;
    *rest = left;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_snapshot_is_refused_wherever_it_is_cut_or_flipped() {
        let whole = frame(17, &[7; 500]).unwrap();
        assert_eq!(unframe(&whole).unwrap(), (17, Format::CURRENT, vec![7; 500]));
        for at in 0..whole.len() {
            assert!(unframe(&whole[..at]).is_err(), "cut at {at}");
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(unframe(&flipped).is_err(), "flipped at {at}");
        }
    }
}
