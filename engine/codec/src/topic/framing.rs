//! What stands before a value on a topic whose schemas are in a registry: a zero, and the number of its schema.

use std::borrow::Cow;

use crate::DecodeError;

/// The number of a schema in its registry.
pub type SchemaId = u32;

/// How a value is wrapped.
#[derive(Debug)]
pub(super) enum Framing {
    /// It is not.
    Bare,
    /// JSON behind the number of its schema.
    Json,
    /// Avro behind the number of its schema.
    #[cfg(feature = "avro")]
    Avro(super::avro::Schemas),
}

impl Framing {
    pub(super) fn strip<'v>(&self, value: &'v [u8]) -> Result<Cow<'v, [u8]>, DecodeError> {
        match self {
            Self::Bare => Ok(Cow::Borrowed(value)),
            Self::Json => Ok(Cow::Borrowed(framed(value)?.1)),
            #[cfg(feature = "avro")]
            Self::Avro(schemas) => {
                let (id, datum) = framed(value)?;
                Ok(Cow::Owned(schemas.json(id, datum)?))
            }
        }
    }
}

/// A value's schema, and the value: Confluent's wire format.
fn framed(value: &[u8]) -> Result<(SchemaId, &[u8]), DecodeError> {
    match value.split_first_chunk() {
        Some((&[0, a, b, c, d], framed)) => Ok((SchemaId::from_be_bytes([a, b, c, d]), framed)),
        _ => {
            Err(DecodeError::malformed("the record does not begin with a zero and the number of its schema"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_zero_and_four_bytes() {
        assert_eq!(framed(b"\0\0\0\x01\x02{}"), Ok((258, b"{}".as_slice())));
        assert_eq!(framed(b"\0\0\0\0\x01"), Ok((1, b"".as_slice())));
        for other in [b"".as_slice(), b"\0\0\0\x01", b"{\"a\":1}", b"\x01\0\0\0\x01{}"] {
            assert!(framed(other).is_err(), "{other:?}");
        }
    }
}
