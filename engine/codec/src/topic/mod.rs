//! Topics of others, whose records are payments: a small TOML file says what is on one, and how it is read.
//! `docs/kafka.md` is its guide.

#[cfg(feature = "avro")]
mod avro;
mod file;
mod framing;

use std::borrow::Cow;

use self::framing::Framing;
pub use self::{
    file::{SourceError, SourceFile},
    framing::SchemaId,
};
use crate::{DecodeError, DocumentMapping, Zone};

/// How the records of a topic are read.
#[derive(Debug)]
pub struct Source {
    framing: Framing,
    /// What of a JSON document means what; `None` where records are events, messages or documents that say it themselves.
    pub mapping: Option<DocumentMapping>,
    /// Where times without an offset are at home. A mapping has its own.
    pub zone: Zone,
}

impl Source {
    /// What stands in a record, without its frame; of Avro, the same as JSON.
    ///
    /// # Errors
    /// When it is not framed as was said, or its schema is not at hand.
    pub fn unframe<'v>(&self, value: &'v [u8]) -> Result<Cow<'v, [u8]>, DecodeError> {
        self.framing.strip(value)
    }
}
