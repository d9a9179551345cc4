//! People who may sign in, their sessions, and the keys of services.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::Span;

use super::{ENGINE, Service};
use crate::{
    domain::{FailedSignIns, Roles},
    store::{ApiKey, Entry, NewSession, Session, StoreError, User},
};

/// That a session is in use is written down so often at most: reading a page should not cost a commit.
const SESSION_NOTED_EVERY: Span = Span::minutes(1);

impl Service {
    pub(crate) async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.store.user(name).await
    }

    /// Those who can be given a case.
    pub(crate) async fn officers(&self) -> Result<Vec<String>, StoreError> {
        let users = self.store.active_users().await?;
        Ok(users.into_iter().filter(|user| user.roles().work_cases()).map(|user| user.name).collect())
    }

    /// Make a user, or give one of that name a new password and roles. `by`: who does so.
    pub(crate) async fn put_user(
        &self,
        name: &str,
        password_hash: &str,
        roles: &Roles,
        by: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.put_user(name, password_hash, roles).await?;
        // Whoever had the old password is signed out.
        tx.end_sessions_of(name).await?;
        tx.leaf(configured("put_user", by, name), &json!({ "user": name, "roles": roles })).await?;
        tx.commit().await
    }

    /// Remember that these people are invented.
    pub(crate) async fn mark_demo_users(&self, names: &[&str]) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        for name in names {
            tx.add_demo_user(name).await?;
        }
        tx.commit().await
    }

    /// Let invented people sign in no more; how many there are.
    pub(crate) async fn disable_demo_users(&self) -> Result<usize, StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        let names = tx.demo_users().await?;
        for (name, _) in names.iter().filter(|(_, disabled)| !disabled) {
            tx.disable_user(name).await?;
            tx.end_sessions_of(name).await?;
            tx.leaf(configured("disable_demo_user", ENGINE, name), &json!({ "user": name })).await?;
        }
        tx.commit().await?;
        Ok(names.len())
    }

    /// Write down the failed sign-ins of a period.
    pub(crate) async fn record_failed_sign_ins(&self, failed: &FailedSignIns) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.leaf(done("sign_ins_failed", ENGINE, "sign-in"), &json!({ "failed": failed })).await?;
        tx.commit().await
    }

    /// Whether somebody signed in from this browser before, not too long ago.
    pub(crate) async fn knows_device(&self, token_hash: &str, user: &str) -> Result<bool, StoreError> {
        self.store.knows_device(token_hash, user, self.now()).await
    }

    pub(crate) async fn begin_session(&self, session: &NewSession) -> Result<(), StoreError> {
        let user = session.user.as_str();
        let mut tx = self.store.begin(self.now()).await?;
        tx.add_session(session).await?;
        if let Some(device_hash) = &session.device_hash {
            tx.add_device(device_hash, user).await?;
        }
        let said = json!({ "user": user, "new_browser": session.device_hash.is_some() });
        tx.leaf(done("sign_in", user, user), &said).await?;
        tx.commit().await
    }

    /// The session of a token, if it is still good. `at_work`: the officer is, so the session is not idle.
    pub(crate) async fn session(
        &self,
        token_hash: &str,
        at_work: bool,
    ) -> Result<Option<Session>, StoreError> {
        let session = self.store.session(token_hash, self.now()).await?;
        if let Some(session) = session.as_ref().filter(|_| at_work)
            // A disk that is full ends nobody's reading; the session only counts as idle for longer.
            && let Err(error) = self.touch_session(token_hash, session).await
        {
            tracing::warn!(%error, "that a session is in use could not be written down");
        }
        Ok(session)
    }

    async fn touch_session(&self, token_hash: &str, session: &Session) -> Result<(), StoreError> {
        let now = self.now();
        if now.since(session.seen_at.0) < SESSION_NOTED_EVERY {
            return Ok(());
        }
        let mut tx = self.store.begin(now).await?;
        tx.touch_session(token_hash).await?;
        tx.commit().await
    }

    pub(crate) async fn end_session(&self, token_hash: &str, user: &str) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.end_session(token_hash).await?;
        tx.leaf(done("sign_out", user, user), &json!({ "user": user })).await?;
        tx.commit().await
    }

    /// A key that is not revoked.
    pub(crate) async fn api_key(&self, key_id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.store.api_key(key_id).await
    }

    /// Keep a new key's hash.
    pub(crate) async fn add_api_key(
        &self,
        key_id: &str,
        key_hash: &str,
        name: &str,
        roles: &Roles,
        by: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.add_api_key(key_id, key_hash, name, roles).await?;
        let said = json!({ "key_id": key_id, "name": name, "roles": roles });
        tx.leaf(configured("add_api_key", by, key_id), &said).await?;
        tx.commit().await
    }

    /// Refuse a key from now on; whether there was one.
    pub(crate) async fn revoke_api_key(&self, key_id: &str, by: &str) -> Result<bool, StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        if !tx.revoke_api_key(key_id).await? {
            return Ok(false);
        }
        tx.leaf(configured("revoke_api_key", by, key_id), &json!({ "key_id": key_id })).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Let go of the store, once nothing is asked any more.
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}

/// Something that was configured.
const fn configured<'a>(act: &'a str, actor: &'a str, about: &'a str) -> Entry<'a> {
    Entry { kind: Kind::Configuration, act, actor, about, case_id: None }
}

/// Something that somebody did.
const fn done<'a>(act: &'a str, actor: &'a str, about: &'a str) -> Entry<'a> {
    Entry { kind: Kind::Act, act, actor, about, case_id: None }
}
