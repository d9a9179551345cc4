//! What forms share: a token of their own, by which a form that is sent twice is one act.

use sluice_model::Hash256;

use crate::{
    api::Identity,
    service::{Claim, StoreError, random},
};

/// A form's own token: sent twice, it is one act.
pub fn once() -> Result<String, StoreError> {
    Ok(hex::encode(random::<16>()?))
}

/// The claim of a form with that token. `parts`: what it asks for.
pub fn claim(once: &str, parts: &[&str], identity: &Identity) -> Claim {
    let fingerprint = Hash256::of_parts(parts.iter().map(|part| part.as_bytes())).to_string();
    Claim { actor: identity.actor.name.clone(), key: format!("form:{once}"), fingerprint }
}
