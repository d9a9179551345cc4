//! What an `Idempotency-Key` is, whose it is, and which request it names. Where answers are kept is each service's
//! own business: with what the request did, in one transaction.

use axum::http::HeaderMap;
use sluice_model::{Hash256, Span};

/// The header.
pub const HEADER: &str = "idempotency-key";
/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;
/// How long an answer is given again for its key.
pub const LIFE: Span = Span::days(1);

/// A caller and its key: another caller's key of the same text is another key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Scoped {
    /// Whose key it is.
    pub caller: String,
    /// The key.
    pub key: String,
}

impl Scoped {
    /// A caller's key.
    pub fn new(caller: impl Into<String>, key: impl Into<String>) -> Self {
        Self { caller: caller.into(), key: key.into() }
    }
}

/// A header that is no key: empty, too long, or not of visible ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoKey;

/// The key of a request, if it has one.
pub fn key(headers: &HeaderMap) -> Result<Option<&str>, NoKey> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    key.map(Some).ok_or(NoKey)
}

/// What distinguishes a request from another under the same key.
pub fn fingerprint(path: &str, body: &[u8]) -> Hash256 {
    Hash256::of_parts([path.as_bytes(), body])
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters() {
        let of = |value: &[u8]| {
            let headers =
                HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())]);
            key(&headers).map(|key| key.map(str::to_owned))
        };
        assert_eq!(key(&HeaderMap::new()), Ok(None));
        let longest = "k".repeat(KEY_BYTES_MAX);
        assert_eq!(of(longest.as_bytes()), Ok(Some(longest)));
        for bad in [Vec::new(), "é".into(), vec![b'k'; KEY_BYTES_MAX + 1]] {
            assert_eq!(of(&bad), Err(NoKey));
        }
    }

    #[test]
    fn a_request_is_its_path_and_its_body() {
        assert_eq!(fingerprint("/a", b"b"), fingerprint("/a", b"b"));
        assert_ne!(fingerprint("/a", b"b"), fingerprint("/ab", b""));
        assert_ne!(fingerprint("/a", b"b"), fingerprint("/b", b"b"));
    }
}
