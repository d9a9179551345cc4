//! People who may sign in, and their sessions. Passwords and tokens are stored hashed only.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::EventTime;
use sqlx::FromRow;

use super::{ENGINE, Entry, Store, StoreError, Tx};
use crate::{
    domain::{FailedSignIns, Permission, Roles},
    limits::{DEVICE_LIFE, DEVICES_PER_USER_MAX, SESSION_IDLE, SESSION_LIFE},
    stamp::Stamp,
};

/// A person who may sign in.
#[derive(Clone, Debug, Serialize, FromRow)]
pub struct User {
    /// The sign-in name.
    pub name: String,
    /// The password's hash (argon2id, PHC string).
    #[serde(skip)]
    pub password: String,
    /// Roles, comma-separated.
    pub roles: String,
    /// Whether the user may no longer sign in.
    pub disabled: bool,
    /// When.
    #[sqlx(try_from = "i64")]
    pub created_at: Stamp,
}

/// A session that is still good.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub user: String,
    /// With which roles, as they are now.
    pub roles: Roles,
    /// What every form must carry.
    pub csrf: String,
}

/// A session that begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The digest of its token.
    pub token_hash: String,
    /// Who.
    pub user: String,
    /// What every form must carry.
    pub csrf: String,
    /// The digest of the token by which the browser is known again, where it was not known yet.
    pub device_hash: Option<String>,
}

impl Store {
    /// A user by name.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM users WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// Those who can be given a case.
    pub async fn officers(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<User> = sqlx::query_as("SELECT * FROM users WHERE disabled = FALSE ORDER BY name")
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().filter(works_cases).map(|user| user.name).collect())
    }

    /// Make a user, or give one of that name a new password and roles. `by`: who does so.
    pub async fn put_user(
        &self,
        name: &str,
        password_hash: &str,
        roles: &Roles,
        by: &str,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query(
            "INSERT INTO users (name, password, roles, disabled, created_at) VALUES ($1, $2, $3, FALSE, $4)
             ON CONFLICT (name) DO UPDATE SET password = excluded.password, roles = excluded.roles, disabled = FALSE",
        )
        .bind(name)
        .bind(password_hash)
        .bind(roles.to_string())
        .bind(now.micros())
        .execute(tx.sql())
        .await?;
        // Whoever had the old password is signed out.
        sqlx::query("DELETE FROM sessions WHERE user_name = $1").bind(name).execute(tx.sql()).await?;
        sqlx::query("DELETE FROM demo_users WHERE name = $1").bind(name).execute(tx.sql()).await?;
        let entry =
            Entry { kind: Kind::Configuration, act: "put_user", actor: by, about: name, case_id: None };
        tx.leaf(entry, &json!({ "user": name, "roles": roles })).await?;
        tx.commit().await
    }

    /// Remember that these people are invented.
    pub async fn mark_demo_users(&self, names: &[&str], now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        for name in names {
            sqlx::query("INSERT INTO demo_users (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
                .bind(*name)
                .execute(tx.sql())
                .await?;
        }
        tx.commit().await
    }

    /// Let invented people sign in no more; how many there are.
    pub async fn disable_demo_users(&self, now: EventTime) -> Result<usize, StoreError> {
        let mut tx = self.begin(now).await?;
        let names: Vec<(String, bool)> = sqlx::query_as(
            "SELECT u.name, u.disabled FROM users u JOIN demo_users d ON d.name = u.name ORDER BY u.name",
        )
        .fetch_all(tx.sql())
        .await?;
        for (name, _) in names.iter().filter(|(_, disabled)| !disabled) {
            sqlx::query("UPDATE users SET disabled = TRUE WHERE name = $1")
                .bind(name)
                .execute(tx.sql())
                .await?;
            sqlx::query("DELETE FROM sessions WHERE user_name = $1").bind(name).execute(tx.sql()).await?;
            let entry = Entry {
                kind: Kind::Configuration,
                act: "disable_demo_user",
                actor: ENGINE,
                about: name,
                case_id: None,
            };
            tx.leaf(entry, &json!({ "user": name })).await?;
        }
        tx.commit().await?;
        Ok(names.len())
    }

    /// Write down the failed sign-ins of a period.
    pub async fn record_failed_sign_ins(
        &self,
        failed: &FailedSignIns,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        let about = "sign-in";
        let entry = Entry { kind: Kind::Act, act: "sign_ins_failed", actor: ENGINE, about, case_id: None };
        tx.leaf(entry, &json!({ "failed": failed })).await?;
        tx.commit().await
    }

    /// Whether somebody signed in from this browser before, not too long ago.
    pub async fn knows_device(
        &self,
        token_hash: &str,
        user: &str,
        now: EventTime,
    ) -> Result<bool, StoreError> {
        let known: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM devices WHERE token_hash = $1 AND user_name = $2 AND created_at > $3",
        )
        .bind(token_hash)
        .bind(user)
        .bind(now.minus(DEVICE_LIFE).micros())
        .fetch_one(&self.readers)
        .await?;
        Ok(known > 0)
    }

    /// Begin a session. Expired ones go at the same time.
    pub async fn add_session(&self, session: &NewSession, now: EventTime) -> Result<(), StoreError> {
        let NewSession { token_hash, user, csrf, device_hash } = session;
        let mut tx = self.begin(now).await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(now.micros())
            .execute(tx.sql())
            .await?;
        sqlx::query(
            "INSERT INTO sessions (token_hash, user_name, csrf, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $4, $5)",
        )
        .bind(token_hash)
        .bind(user)
        .bind(csrf)
        .bind(now.micros())
        .bind(now.plus(SESSION_LIFE).micros())
        .execute(tx.sql())
        .await?;
        if let Some(device_hash) = device_hash {
            tx.add_device(device_hash, user).await?;
        }
        let entry = Entry { kind: Kind::Act, act: "sign_in", actor: user, about: user, case_id: None };
        tx.leaf(entry, &json!({ "user": user, "new_browser": device_hash.is_some() })).await?;
        tx.commit().await
    }

    /// The session of a token, if it is still good; roles as the user has them now. `at_work`: the officer is, so
    /// the session is not idle.
    pub async fn session(
        &self,
        token_hash: &str,
        at_work: bool,
        now: EventTime,
    ) -> Result<Option<Session>, StoreError> {
        let row: Option<(String, String, String, i64)> = sqlx::query_as(
            "SELECT u.name, u.roles, s.csrf, s.seen_at FROM sessions s JOIN users u ON u.name = s.user_name
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND u.disabled = FALSE",
        )
        .bind(token_hash)
        .bind(now.micros())
        .bind(now.minus(SESSION_IDLE).micros())
        .fetch_optional(&self.readers)
        .await?;
        let Some((user, roles, csrf, seen_at)) = row else { return Ok(None) };
        let roles = roles.parse().map_err(|_| StoreError::Corrupt("role"))?;
        if at_work {
            // A disk that is full ends nobody's reading; the session only counts as idle for longer.
            if let Err(error) = self.touch_session(token_hash, seen_at, now).await {
                tracing::warn!(%error, "that a session is in use could not be written down");
            }
        }
        Ok(Some(Session { user, roles, csrf }))
    }

    /// Write down that a session is in use, once a minute at most: reading a page should not cost a commit.
    async fn touch_session(&self, token_hash: &str, seen_at: i64, now: EventTime) -> Result<(), StoreError> {
        if now.since(Stamp::from(seen_at).0) < sluice_model::Span::minutes(1) {
            return Ok(());
        }
        let mut tx = self.begin(now).await?;
        sqlx::query("UPDATE sessions SET seen_at = $2 WHERE token_hash = $1")
            .bind(token_hash)
            .bind(now.micros())
            .execute(tx.sql())
            .await?;
        tx.commit().await
    }

    /// End a session.
    pub async fn end_session(&self, token_hash: &str, user: &str, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(tx.sql()).await?;
        let entry = Entry { kind: Kind::Act, act: "sign_out", actor: user, about: user, case_id: None };
        tx.leaf(entry, &json!({ "user": user })).await?;
        tx.commit().await
    }
}

impl Tx<'_> {
    /// Know a browser again. Old ones are forgotten.
    async fn add_device(&mut self, token_hash: &str, user: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO devices (token_hash, user_name, created_at) VALUES ($1, $2, $3)")
            .bind(token_hash)
            .bind(user)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        sqlx::query(
            "DELETE FROM devices WHERE user_name = $1 AND (created_at <= $2 OR token_hash NOT IN (
                 SELECT token_hash FROM devices WHERE user_name = $1 ORDER BY created_at DESC, token_hash LIMIT $3))",
        )
        .bind(user)
        .bind(self.now.minus(DEVICE_LIFE).micros())
        .bind(DEVICES_PER_USER_MAX)
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Whether a case can be given to somebody.
    pub(crate) async fn can_take_cases(&mut self, name: &str) -> Result<bool, StoreError> {
        let user: Option<User> = sqlx::query_as("SELECT * FROM users WHERE name = $1 AND disabled = FALSE")
            .bind(name)
            .fetch_optional(self.sql())
            .await?;
        Ok(user.as_ref().is_some_and(works_cases))
    }
}

fn works_cases(user: &User) -> bool {
    user.roles.parse::<Roles>().is_ok_and(|roles| roles.allow(Permission::Triage))
}
