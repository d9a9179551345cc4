//! A document seen through a mapping: each JSON pointer that the mapping names is a column, and the document a row.

use std::fmt;

use ::csv::{ByteRecord, StringRecord};
use sluice_model::PaymentEvent;

use super::Document;
use crate::{
    DecodeError, Mapping, MappingError, accept,
    csv::{Bound, Origin},
};

/// A mapping whose columns are JSON pointers.
pub struct DocumentMapping {
    pointers: Vec<String>,
    bound: Bound,
}

impl fmt::Debug for DocumentMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentMapping").field("pointers", &self.pointers).finish_non_exhaustive()
    }
}

impl DocumentMapping {
    /// Take the columns of a mapping as pointers.
    ///
    /// # Errors
    /// When it reads what only a table has.
    pub fn new(mapping: &Mapping) -> Result<Self, MappingError> {
        if mapping.keep_unmapped {
            return Err(MappingError::NoColumns("keep_unmapped"));
        }
        if mapping.fields.iter().any(|(_, source)| matches!(source.origin, Origin::Line)) {
            return Err(MappingError::NoColumns("line"));
        }
        let mut pointers: Vec<String> = mapping.columns().map(str::to_owned).collect();
        pointers.sort_unstable();
        pointers.dedup();
        if let Some(name) = pointers.iter().find(|name| !name.starts_with('/')) {
            return Err(MappingError::NotAPointer(name.clone()));
        }
        let bound = Bound::new(&mapping.clone().with_decimal_point(), &StringRecord::from(pointers.clone()))?;
        Ok(Self { pointers, bound })
    }

    /// The event that a document tells of; nothing where the mapping's filters leave it out.
    ///
    /// # Errors
    /// When it is no JSON, or no event.
    pub fn read(&self, body: &[u8]) -> Result<Option<PaymentEvent>, DecodeError> {
        let document = Document::parse(body)?;
        let values: Vec<_> = self.pointers.iter().map(|pointer| document.pointer(pointer)).collect();
        let texts = values.iter().map(|value| value.and_then(Document::text).unwrap_or_default());
        let row: ByteRecord = texts.map(|text| text.into_owned().into_bytes()).collect();
        if !self.bound.admits(&row) {
            return Ok(None);
        }
        let mut places = self.pointers.iter().zip(values);
        if let Some((pointer, _)) = places.find(|(_, value)| value.is_some_and(Document::is_composite)) {
            let why = format!("{pointer}: is a list or an object; a mapping reads single values");
            return Err(DecodeError::malformed(why));
        }
        let event = self.bound.read(&row, 1).map_err(DecodeError::malformed)?;
        accept(event).map(Some)
    }
}
