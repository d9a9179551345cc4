//! Signing in and out.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{digest, password};
use crate::{
    app::App,
    limits::{NAME_BYTES_MAX, SESSION_LIFE},
    store::{StoreError, random},
};

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name or password are wrong; which of them is not said.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many failures.
    #[error("too many failed sign-ins for this name: wait a quarter of an hour")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new session.
#[derive(Debug)]
pub struct SignedIn {
    /// For the cookie. Only its digest is stored.
    pub token: String,
    /// For every form.
    pub csrf: String,
}

/// A hash that no password has: checking it makes an unknown name cost as much as a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2x1aWNlbm9ib2R5$4nmLS2YTQ3ZCMpUoB5pTkLnPvJ7ELU+AsFlzr2dZ0hY";

/// Begin a session for whoever knows the password.
pub async fn sign_in(app: &App, name: &str, password: String) -> Result<SignedIn, SignInError> {
    let now = app.now();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(SignInError::Wrong);
    }
    if !app.limiter.attempt(name, now) {
        app.metrics.sign_ins.with_label_values(&["limited"]).inc();
        return Err(SignInError::TooMany);
    }
    let user = app.store.user(name).await?.filter(|user| !user.disabled);
    let stored = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password.clone());
    let good = {
        let _turn = app.hashing.acquire().await;
        let verified = tokio::task::spawn_blocking(move || password::verify(&password, &stored)).await;
        verified.unwrap_or(false) && user.is_some()
    };
    if !good {
        app.metrics.sign_ins.with_label_values(&["wrong"]).inc();
        // A name that is nobody's may be a password typed in the wrong field: it is not written down.
        let known = user.as_ref().map_or("unknown", |user| user.name.as_str());
        app.store.record_failed_sign_in(known, now).await?;
        return Err(SignInError::Wrong);
    }
    app.limiter.forgive(name);
    let token = URL_SAFE_NO_PAD.encode(random::<32>()?);
    let csrf = URL_SAFE_NO_PAD.encode(random::<32>()?);
    app.store.add_session(&digest(&token), name, &csrf, now.plus(SESSION_LIFE), now).await?;
    app.metrics.sign_ins.with_label_values(&["ok"]).inc();
    Ok(SignedIn { token, csrf })
}

/// End the session of a token.
pub async fn sign_out(app: &App, token: &str, user: &str) -> Result<(), StoreError> {
    app.store.end_session(&digest(token), user, app.now()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_costs_what_a_real_one_does() {
        let nobody = argon2::PasswordHash::new(NOBODY).unwrap();
        let real = password::hash("correct horse battery").unwrap();
        let real = argon2::PasswordHash::new(&real).unwrap();
        assert_eq!(nobody.params, real.params);
        assert_eq!(nobody.algorithm, real.algorithm);
        assert!(!password::verify("", NOBODY));
    }
}
