//! Bundles: everything that a third party needs to check a case offline, in one canonical encoding.
//!
//! `{"content":{…},"seal":"…"}`: compact JSON with sorted keys. The seal is a signed note over the hash of the
//! content's bytes, so that every byte of the file is covered: by the hash, by the signature, or by the rule
//! that a bundle is refused unless encoding it again gives the same bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sluice_model::Hash256;

use crate::{Body, Expanded, Leaf, Signer};

/// The largest bundle that is read.
pub const BUNDLE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The encoding's name and version.
const FORMAT: &str = "sluice-evidence-bundle/v1";

/// Why a bundle was not made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something in it has no JSON form.
    #[error("the bundle has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// It would not be read again.
    #[error("the bundle is {0} bytes long, and {BUNDLE_BYTES_MAX} is the limit")]
    TooLarge(usize),
}

/// A case's evidence, not sealed yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    // In the order of the canonical encoding: by name.
    pub(crate) case_id: String,
    pub(crate) checkpoint: String,
    pub(crate) format: String,
    pub(crate) records: Vec<Proved>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stretches: Vec<Expanded>,
    pub(crate) vkey: String,
}

/// A record with the proof that the log holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proved {
    // In the order of the canonical encoding: by name.
    /// The body, unless it is erased or withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The leaf's index in the log.
    pub index: u64,
    /// The leaf.
    pub leaf: Leaf,
    /// The hashes from the leaf up to the checkpoint's root.
    pub path: Vec<Hash256>,
}

impl Bundle {
    /// An empty bundle for a case, against a checkpoint that `signer` has signed: every proof in the bundle
    /// is against that checkpoint's size.
    pub fn new(case_id: impl Into<String>, checkpoint: impl Into<String>, signer: &Signer) -> Self {
        Self {
            case_id: case_id.into(),
            checkpoint: checkpoint.into(),
            format: FORMAT.to_owned(),
            records: Vec::new(),
            stretches: Vec::new(),
            vkey: signer.verifier().to_string(),
        }
    }

    /// Add a record: its leaf, its body unless erased, and its path at the checkpoint's size.
    pub fn record(&mut self, index: u64, leaf: Leaf, body: Option<Body>, path: Vec<Hash256>) {
        self.records.push(Proved { body, index, leaf, path });
    }

    /// Add the records behind a [`Stretch`](crate::Stretch) that some record names in its field `events`: with
    /// them, an alert can be evaluated again.
    pub fn stretch(&mut self, expanded: Expanded) {
        self.stretches.push(expanded);
    }

    /// The bundle's bytes, sealed.
    pub fn seal(&self, signer: &Signer) -> Result<Vec<u8>, BundleError> {
        let content = serde_json::to_string(self)?;
        let seal = signer.sign(&seal_text(&content));
        let bytes = serde_json::to_vec(&Sealed { content: RawValue::from_string(content)?, seal })?;
        if bytes.len() > BUNDLE_BYTES_MAX { Err(BundleError::TooLarge(bytes.len())) } else { Ok(bytes) }
    }

    /// The case.
    pub fn case_id(&self) -> &str {
        &self.case_id
    }

    /// The records with their proofs.
    pub fn records(&self) -> &[Proved] {
        &self.records
    }

    /// The log records that are included.
    pub fn stretches(&self) -> &[Expanded] {
        &self.stretches
    }
}

/// A bundle as it travels.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    pub(crate) content: Box<RawValue>,
    pub(crate) seal: String,
}

/// What a seal signs. Its first line is no log's origin, so that a seal never passes for a checkpoint.
pub(crate) fn seal_text(content: &str) -> String {
    format!("{FORMAT}\nsha256:{}\n", Hash256::of(content.as_bytes()))
}

/// The bundle, if the bytes are its one canonical encoding.
pub(crate) fn read(bytes: &[u8]) -> Result<(Bundle, Sealed), String> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(format!("{} bytes, and {BUNDLE_BYTES_MAX} is the limit", bytes.len()));
    }
    let unreadable = |error: serde_json::Error| format!("not an evidence bundle: {}", place(&error));
    let sealed: Sealed = serde_json::from_slice(bytes).map_err(unreadable)?;
    let bundle: Bundle = serde_json::from_str(sealed.content.get()).map_err(unreadable)?;
    if bundle.format != FORMAT {
        return Err(format!("not a bundle of format {FORMAT}"));
    }
    if !encodes_to(&bundle, sealed.content.get().as_bytes()) || !encodes_to(&sealed, bytes) {
        return Err("not in the canonical encoding: encoded again it gives other bytes".to_owned());
    }
    Ok((bundle, sealed))
}

/// Whether `value` as JSON is `bytes`, compared while it is written.
fn encodes_to<T: Serialize>(value: &T, bytes: &[u8]) -> bool {
    struct Expected<'a>(&'a [u8]);
    impl std::io::Write for Expected<'_> {
        fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.strip_prefix(part).ok_or(std::io::ErrorKind::InvalidData)?;
            Ok(part.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut expected = Expected(bytes);
    serde_json::to_writer(&mut expected, value).is_ok() && expected.0.is_empty()
}

/// What a parser found wrong, without the values it read: a bundle holds personal data.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "a field is unknown, missing or of the wrong form",
        serde_json::error::Category::Io => "it cannot be read",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    /// Not even by whoever holds the key: one content has one hash.
    #[test]
    fn a_bundle_in_another_encoding_is_refused_whoever_sealed_it() {
        let signer = Signer::from_seed("evidence.example", Zeroizing::new([7; 32])).unwrap();
        let bundle = Bundle::new("case-5", "a checkpoint", &signer);
        let sealed = String::from_utf8(bundle.seal(&signer).unwrap()).unwrap();
        let refusal = |bytes: &[u8]| read(bytes).err().unwrap_or_default();
        assert_eq!(refusal(sealed.as_bytes()), "");
        for loose in [sealed.replacen('{', "{ ", 1), format!("{sealed}\n")] {
            assert!(refusal(loose.as_bytes()).contains("canonical"), "{loose}");
        }
        let content = serde_json::to_string(&bundle).unwrap().replacen('{', "{ ", 1);
        let seal = signer.sign(&seal_text(&content));
        let sealed = Sealed { content: RawValue::from_string(content).unwrap(), seal };
        let bytes = serde_json::to_vec(&sealed).unwrap();
        assert!(refusal(&bytes).contains("canonical"));
    }
}
