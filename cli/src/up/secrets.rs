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

/// A password that nobody has to remember: 96 random bits.
pub(super) fn password() -> Result<String, Failure> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(hex(&bytes))
}

/// The signer of the evidence: its secret is made at the first start and readable by its owner only.
pub(super) fn signer(path: &Path) -> Result<Signer, Failure> {
    match read(path)? {
        Some(signer) => Ok(signer),
        None => Ok(Signer::from_seed(SIGNER, make(path)?)?),
    }
}

/// The signer whose secret is in a file, where there is one.
pub(crate) fn read(path: &Path) -> Result<Option<Signer>, Failure> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => {
            let seed = parse(text.trim()).with_context(|| format!("{}: not a signing key", path.display()));
            Ok(Some(Signer::from_seed(SIGNER, seed.map_err(Failure::User)?)?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::User(anyhow::Error::new(error).context(path.display().to_string()))),
    }
}

/// A signer whose secret is kept nowhere: for whoever reads evidence and signs nothing.
pub(crate) fn of_nobody() -> Result<Signer, Failure> {
    Ok(Signer::from_seed(SIGNER, seed()?)?)
}

fn seed() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(seed)
}

fn make(path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let seed = seed()?;
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
