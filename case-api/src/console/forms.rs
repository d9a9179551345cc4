//! What forms share: the session's token, without which nothing is done; a token of their own, by which a form that is sent
//! twice is one act; and the word by which the page after an act says what was done.

use serde::Deserialize;
use sluice_model::Hash256;

use super::error::PageError;
use crate::{
    api::Identity,
    app::App,
    service::{Claim, ClaimOutcome, StoreError, random},
};

/// What the page after an act is asked to say: `?done=`.
#[derive(Deserialize, Default)]
pub(crate) struct Flash {
    #[serde(default)]
    pub done: String,
}

/// An error unless a page of this session made the form.
pub(crate) fn check_made(identity: &Identity, csrf: &str) -> Result<(), PageError> {
    if identity.made(csrf) { Ok(()) } else { Err(PageError::foreign_form()) }
}

/// A form's own token: sent twice, it is one act.
pub(crate) fn once() -> Result<String, StoreError> {
    Ok(hex::encode(random::<16>()?))
}

/// The claim of a form with that token. `parts`: what it asks for.
pub(crate) fn claim(once: &str, parts: &[&str], identity: &Identity) -> Claim {
    let fingerprint = Hash256::of_parts(parts.iter().map(|part| part.as_bytes())).to_string();
    Claim { actor: identity.actor.name.clone(), key: format!("form:{once}"), fingerprint }
}

/// Do what a form asks; nothing, and `None`, where the same form was sent before. One that is refused may be sent again.
///
/// # Errors
/// The outer: the store failed. The inner: the act was refused.
pub(crate) async fn do_once<T, E>(
    app: &App,
    claim: &Claim,
    act: impl Future<Output = Result<T, E>>,
) -> Result<Result<Option<T>, E>, StoreError> {
    let (claimed, _turn) = app.service.claim(claim).await?;
    let ClaimOutcome::Run = claimed else { return Ok(Ok(None)) };
    match act.await {
        Ok(done) => Ok(Ok(Some(done))),
        Err(refused) => {
            app.service.disclaim(claim).await?;
            Ok(Err(refused))
        }
    }
}
