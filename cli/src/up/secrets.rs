//! Passwords, and the key that signs the evidence log.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;
use sluice_case_api::{Signer, Zeroizing};

use crate::failure::Failure;

/// The name that signs; it is in every checkpoint.
const SIGNER: &str = "sluice";
/// The secret that signs, in the data folder.
pub(super) const FILE: &str = "evidence.key";

/// A password that nobody has to remember: 96 random bits.
pub(super) fn password() -> Result<String, Failure> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(hex(&bytes))
}

/// The signer of the evidence: its secret is made at the first start and readable by its owner only.
pub(super) fn signer(path: &Path) -> Result<Signer, Failure> {
    let seed = match fs::read_to_string(path) {
        Ok(text) => parse(text.trim()).with_context(|| format!("{}: not a signing key", path.display()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
        Err(error) => {
            return Err(Failure::User(anyhow::Error::new(error).context(path.display().to_string())));
        }
    };
    Ok(Signer::from_seed(SIGNER, seed)?)
}

fn make(path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", hex(&*seed))?;
    file.sync_all()?;
    Ok(seed)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    if text.len() != 2 * seed.len() || !text.is_ascii() {
        return None;
    }
    for (byte, at) in seed.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(seed)
}
