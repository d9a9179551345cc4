//! Signed notes: C2SP signed-note v1.0.0 with Ed25519 (signature type 0x01), and the keys for them.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Checkpoint, Tree};

/// The most signatures that a note may carry; the standard asks readers to accept at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// The signature type of Ed25519.
const ED25519: u8 = 0x01;

/// Why a key or a note is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Key names are not empty and hold no white space, no control character and no `+`.
    #[error("a key name must not be empty nor hold spaces, control characters or '+'")]
    Name,
    /// Not `name+id+key` with an Ed25519 key whose id fits.
    #[error("not a verifier key: name+id+key is expected, with an Ed25519 key whose id fits")]
    Key,
    /// Not a text, an empty line and signature lines.
    #[error("not a signed note: a text, an empty line and signature lines are expected")]
    Malformed,
    /// No signature by the key.
    #[error("no signature by {0}")]
    Unsigned(String),
    /// A signature by the key that does not fit the text.
    #[error("the signature by {0} does not fit the text")]
    Signature(String),
}

/// A public key with its name. Written `name+hexid+base64`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(NoteError::Name);
        }
        let digest: [u8; 32] = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        Ok(Self { name: name.to_owned(), id: [a, b, c, d], key })
    }

    /// The key's name: the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key has signed. Signatures by other keys are ignored, as the standard says.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let end = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        if text.chars().any(|c| c < ' ' && c != '\n') || lines.split('\n').count() > SIGNATURES_MAX {
            return Err(NoteError::Malformed);
        }
        let mut signed = false;
        for line in lines.split('\n') {
            let (name, signature) =
                line.strip_prefix("— ").and_then(|l| l.split_once(' ')).ok_or(NoteError::Malformed)?;
            let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Malformed)?;
            let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
            if name != self.name || *id != self.id {
                continue;
            }
            let wrong = || NoteError::Signature(self.name.clone());
            let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
            self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| wrong())?;
            signed = true;
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned(self.name.clone())) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Key)?;
        let key = match bytes.split_first() {
            Some((&ED25519, key)) => key.try_into().map_err(|_| NoteError::Key)?,
            _ => return Err(NoteError::Key),
        };
        let key = Self::new(name, VerifyingKey::from_bytes(key).map_err(|_| NoteError::Key)?)?;
        // Written again it must be the same text: that checks the id and leaves no second spelling.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// A log's private key with its name. Wiped when dropped.
pub struct Signer {
    verifier: VerifierKey,
    key: SigningKey,
}

impl Signer {
    /// The signer of that name and secret. The seed comes from the caller, who keeps it safe.
    #[expect(clippy::needless_pass_by_value, reason = "the seed is consumed, and wiped here")]
    pub fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(&seed);
        Ok(Self { verifier: VerifierKey::new(name, key.verifying_key())?, key })
    }

    /// The public half, for whoever verifies.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// The log's checkpoint at the tree's present size, signed.
    ///
    /// A log must never sign two histories: the caller stores what it appended before it publishes this.
    pub fn checkpoint(&self, tree: &Tree) -> String {
        let origin = self.verifier.name.clone();
        self.sign(&Checkpoint { origin, size: tree.size(), root: tree.root() }.to_string())
    }

    /// `text`, which ends with a newline, as a note with one signature.
    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = self.verifier.id.to_vec();
        signature.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n— {} {}\n", self.verifier.name, STANDARD.encode(signature))
    }
}

impl fmt::Debug for Signer {
    /// The name and public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::from_seed("log.example/evidence", Zeroizing::new([3; 32])).unwrap()
    }

    /// The example in the documentation of Go's `golang.org/x/mod/sumdb/note`, where the format comes from.
    #[test]
    fn a_note_by_another_implementation_opens() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\
                    \n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let key: VerifierKey = key.parse().unwrap();
        assert!(key.open(note).unwrap().ends_with("your problem is.\n"));
    }

    #[test]
    fn a_note_opens_with_its_key_only() {
        let note = signer().sign("a text\n\nwith an empty line\n");
        assert_eq!(signer().verifier().open(&note).unwrap(), "a text\n\nwith an empty line\n");
        let other = Signer::from_seed("log.example/evidence", Zeroizing::new([4; 32])).unwrap();
        assert!(matches!(other.verifier().open(&note), Err(NoteError::Unsigned(_))));
        let changed = note.replace("a text", "b text");
        assert!(matches!(signer().verifier().open(&changed), Err(NoteError::Signature(_))));
    }

    #[test]
    fn other_signatures_are_ignored_and_limited() {
        let note = signer().sign("a text\n");
        let line = "— someone AAAAAAAA\n";
        assert!(signer().verifier().open(&format!("{note}{line}")).is_ok());
        let most = format!("{note}{}", line.repeat(SIGNATURES_MAX - 1));
        assert!(signer().verifier().open(&most).is_ok());
        let many = format!("{note}{}", line.repeat(SIGNATURES_MAX));
        assert_eq!(signer().verifier().open(&many), Err(NoteError::Malformed));
    }

    #[test]
    fn keys_have_one_spelling() {
        let text = signer().verifier().to_string();
        assert_eq!(text.parse::<VerifierKey>().unwrap(), signer().verifier());
        let renamed = text.replacen("log.", "log2.", 1);
        let padded = format!("{text}=");
        for bad in ["", "a", "a+b", "a b+00000000+AQ==", &renamed, &padded, &text.to_uppercase()] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_signer_shows_no_secret() {
        let shown = format!("{:?}", signer());
        assert!(shown.contains("log.example/evidence") && !shown.contains("0303030303"), "{shown}");
    }
}
