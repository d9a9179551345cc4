//! Bundles: everything that a third party needs to check a case offline, in one canonical encoding.
//!
//! `{"content":{…},"seal":"…"}`: compact JSON with sorted keys. The seal is a signed note over the hash of the
//! content's bytes, so that every byte of the file is covered: by the hash, by the signature, or by the rule
//! that a bundle is refused unless encoding it again gives the same bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sluice_model::Hash256;

use crate::{Body, Expanded, Leaf, Report, Signer, VerifierKey, verify};

/// The largest bundle that is read.
pub const BUNDLE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The encoding's name and version.
pub(crate) const FORMAT: &str = "sluice-evidence-bundle/v1";

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

    /// A bundle that verifies, for looking into; else what does not hold.
    pub fn open(bytes: &[u8], key: Option<&VerifierKey>) -> Result<Self, Box<Report>> {
        let report = verify(bytes, key);
        verify::read(bytes).ok().filter(|_| report.holds()).map(|(bundle, _)| bundle).ok_or(Box::new(report))
    }

    /// The case.
    pub fn case_id(&self) -> &str {
        &self.case_id
    }

    /// The records with their proofs.
    pub fn records(&self) -> &[Proved] {
        &self.records
    }

    /// The log records brought along.
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
