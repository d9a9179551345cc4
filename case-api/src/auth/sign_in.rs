//! Signing in and out.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Auth, Origin, digest, password};
use crate::{
    limits::NAME_BYTES_MAX,
    service::{NewSession, Service, StoreError, random},
};

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name or password are wrong; which of them is not said.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many failures from there.
    #[error(
        "too many failed sign-ins from here: wait a quarter of an hour, or use a browser that you signed in with before"
    )]
    TooMany,
    /// Too many sign in at this moment.
    #[error("too many people sign in at this moment: try again in a few seconds")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new session.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// For the cookie. Only its digest is stored.
    pub token: String,
    /// For every form.
    pub csrf: String,
    /// For the cookie of a browser that was not known yet. Only its digest is stored.
    pub device: Option<String>,
}

/// A hash that no password has: checking it makes an unknown name cost as much as a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2x1aWNlbm9ib2R5$4nmLS2YTQ3ZCMpUoB5pTkLnPvJ7ELU+AsFlzr2dZ0hY";

/// From where somebody signs in, as the request says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whence {
    /// The address of the connection.
    pub address: Option<IpAddr>,
    /// The token that a sign-in left in this browser.
    pub device: Option<String>,
}

impl Auth {
    /// Begin a session for whoever knows the password.
    pub(crate) async fn sign_in(
        &self,
        service: &Service,
        name: &str,
        password: String,
        whence: &Whence,
    ) -> Result<SignedIn, SignInError> {
        let now = service.now();
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(SignInError::Wrong);
        }
        let device =
            whence.device.as_ref().filter(|token| token.len() <= NAME_BYTES_MAX).map(|token| digest(token));
        let known = match &device {
            Some(device) => service.knows_device(device, name).await?,
            None => false,
        };
        let origin = match device {
            Some(device) if known => Origin::Device(device),
            _ => Origin::of(whence.address),
        };
        if !self.limiter.attempt(name, &origin, now) {
            service.metrics.sign_ins.with_label_values(&["limited"]).inc();
            self.failed.limited(&origin, now);
            return Err(SignInError::TooMany);
        }
        let user = service.user(name).await?.filter(|user| !user.disabled);
        let stored = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password.clone());
        let good = {
            // Strangers wait for each other, never those who signed in here before for them.
            let turns = if known { &self.hashing } else { &self.hashing_for_strangers };
            let Some(_turn) = turns.take().await else {
                self.limiter.forgive(name, &origin);
                service.metrics.sign_ins.with_label_values(&["limited"]).inc();
                self.failed.limited(&origin, now);
                return Err(SignInError::Busy);
            };
            let verified = tokio::task::spawn_blocking(move || password::verify(&password, &stored)).await;
            verified.unwrap_or(false) && user.is_some()
        };
        if !good {
            service.metrics.sign_ins.with_label_values(&["wrong"]).inc();
            self.failed.wrong(user.as_ref().map(|user| user.name.as_str()), &origin, now);
            return Err(SignInError::Wrong);
        }
        self.limiter.forgive(name, &origin);
        let token = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let csrf = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let device = match &origin {
            Origin::Device(_) => None,
            Origin::Address(_) => Some(URL_SAFE_NO_PAD.encode(random::<32>()?)),
        };
        let session = NewSession {
            token_hash: digest(&token),
            user: name.to_owned(),
            csrf: csrf.clone(),
            device_hash: device.as_deref().map(digest),
        };
        service.begin_session(&session).await?;
        service.metrics.sign_ins.with_label_values(&["ok"]).inc();
        Ok(SignedIn { token, csrf, device })
    }

    /// Write down the failed sign-ins of a period that is over; with `all`, of the one that runs too.
    pub(crate) async fn record_failures(&self, service: &Service, all: bool) -> Result<(), StoreError> {
        let now = service.now();
        match self.failed.take(now, all) {
            Some(failed) => service.record_failed_sign_ins(&failed).await,
            None => Ok(()),
        }
    }

    /// End the session of a token.
    pub(crate) async fn sign_out(
        &self,
        service: &Service,
        token: &str,
        user: &str,
    ) -> Result<(), StoreError> {
        service.end_session(&digest(token), user).await
    }
}

/// Turns at hashing a password, with a bounded queue.
pub(crate) struct Turns {
    free: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Turns {
    /// So many at once, and so many who wait.
    pub(crate) fn new(at_once: usize, waiting_max: usize) -> Self {
        Self { free: Semaphore::new(at_once), waiting: AtomicUsize::new(0), waiting_max }
    }

    /// A turn; `None` where too many wait already.
    async fn take(&self) -> Option<SemaphorePermit<'_>> {
        /// Counts down also where whoever waited went away.
        struct Waits<'a>(&'a AtomicUsize);
        impl Drop for Waits<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waits = Waits(&self.waiting);
        if before >= self.waiting_max {
            return None;
        }
        self.free.acquire().await.ok()
    }
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
