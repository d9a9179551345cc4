//! Evidence that a third party can check without trusting whoever runs Sluice: a Merkle log (RFC 6962), signed
//! checkpoints (C2SP signed-note and tlog-checkpoint), and bundles that verify offline.
//!
//! From a record to a verified bundle:
//!
//! ```
//! use sluice_evidence::{Body, Bundle, Kind, Leaf, Plan, Salt, Signer, Tree, Zeroizing, verify};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = Signer::from_seed("evidence.example", Zeroizing::new([7; 32]))?;
//! let mut tree = Tree::new();
//! let mut nodes = Vec::new(); // the caller's storage: position → hash
//!
//! let body = Body::new(&serde_json::json!({"act": "freeze", "officer": "mlo"}), Salt([1; 16]))?;
//! let leaf = Leaf::new(Kind::Act, "act-1", "2026-11-20T08:30:00Z".parse()?, &body);
//! let index = tree.append(leaf.hash(), |_position, hash| nodes.push(hash));
//! let checkpoint = signer.checkpoint(&tree);
//!
//! let mut bundle = Bundle::new("case-1", checkpoint, &signer);
//! let plan = Plan::inclusion(index, tree.size()).ok_or("no such leaf")?;
//! bundle.record(index, leaf, Some(body), plan.path(&nodes[..])?);
//! let bytes = bundle.seal(&signer)?;
//!
//! assert!(verify(&bytes, Some(&signer.verifier())).holds());
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant.** No clock, random source, file or socket: seeds, salts and times come from the caller. What is
//! stored, and where, is the caller's business; this crate names the node hashes to store ([`Tree::append`]) and
//! those that a proof needs ([`Plan::positions`]).
//!
//! **Invariant.** A leaf holds no personal data: it commits to a body, field by field, under a random salt, so
//! that erasing a field (or the body) later breaks no proof.

#![warn(unreachable_pub)]

mod bundle;
mod canonical;
mod checkpoint;
mod contributing;
pub mod merkle;
mod note;
mod record;
mod stretch;
mod verify;

pub use bundle::{BUNDLE_BYTES_MAX, Bundle, BundleError, Proved};
pub use canonical::canonical;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use contributing::Contributing;
pub use merkle::{MissingNode, Nodes, Plan, Tree};
pub use note::{NoteError, SIGNATURES_MAX, Signer, VerifierKey};
pub use record::{Body, BodyError, Kind, Leaf, Salt};
pub use stretch::{Expanded, LoggedRecord, Stretch};
pub use verify::{Check, Report, Trust, verify};
/// Wipes what it holds when it is dropped: how seeds are handed in.
pub use zeroize::Zeroizing;
