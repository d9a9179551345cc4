//! What is signed, as a text with places in it: `{timestamp}.{body}`.

/// A piece of what is signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// As it stands in the mapping.
    Literal(String),
    /// The timestamp as it came.
    Timestamp,
    /// The body, byte for byte.
    Body,
}

impl Piece {
    /// The bytes that are signed.
    pub(super) fn bytes<'a>(&'a self, timestamp: &'a str, body: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Literal(text) => text.as_bytes(),
            Self::Timestamp => timestamp.as_bytes(),
            Self::Body => body,
        }
    }
}

/// The pieces of a text, or what is wrong with it.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        pieces.push(match place {
            "body" => Piece::Body,
            "timestamp" => Piece::Timestamp,
            _ => return Err("`signs` has a place that is neither {body} nor {timestamp}".into()),
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}
