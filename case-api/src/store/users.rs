//! People who may sign in, and their sessions. Passwords and tokens are stored hashed only.

use serde::Serialize;
use sluice_model::EventTime;
use sqlx::FromRow;

use super::{Store, StoreError, Tx, sql::query};
use crate::{
    domain::Roles,
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
    /// When it was last in use.
    pub seen_at: Stamp,
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

impl User {
    /// What they are here for; nothing where their roles cannot be read.
    pub fn roles(&self) -> Roles {
        self.roles.parse().unwrap_or_default()
    }
}

impl Store {
    /// A user by name.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(query("SELECT * FROM users WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut self.read().await?)
            .await?)
    }

    /// Those who may sign in, by name.
    pub async fn active_users(&self) -> Result<Vec<User>, StoreError> {
        Ok(query("SELECT * FROM users WHERE disabled = FALSE ORDER BY name")
            .fetch_all(&mut self.read().await?)
            .await?)
    }

    /// Whether somebody signed in from this browser before, not too long ago.
    pub async fn knows_device(
        &self,
        token_hash: &str,
        user: &str,
        now: EventTime,
    ) -> Result<bool, StoreError> {
        let known: i64 = query(
            "SELECT COUNT(*) FROM devices WHERE token_hash = $1 AND user_name = $2 AND created_at > $3",
        )
        .bind(token_hash)
        .bind(user)
        .bind(now.minus(DEVICE_LIFE).micros())
        .value(&mut self.read().await?)
        .await?;
        Ok(known > 0)
    }

    /// The session of a token, if it is still good; roles as the user has them now.
    pub async fn session(&self, token_hash: &str, now: EventTime) -> Result<Option<Session>, StoreError> {
        let row: Option<(String, String, String, i64)> = query(
            "SELECT u.name, u.roles, s.csrf, s.seen_at FROM sessions s JOIN users u ON u.name = s.user_name
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND u.disabled = FALSE",
        )
        .bind(token_hash)
        .bind(now.micros())
        .bind(now.minus(SESSION_IDLE).micros())
        .fetch_optional(&mut self.read().await?)
        .await?;
        let Some((user, roles, csrf, seen_at)) = row else { return Ok(None) };
        let roles = roles.parse().map_err(|_| StoreError::Corrupt("role"))?;
        Ok(Some(Session { user, roles, csrf, seen_at: Stamp::from(seen_at) }))
    }
}

impl Tx<'_> {
    /// Keep a user, in the place of one of that name, who may have been invented.
    pub(crate) async fn put_user(
        &mut self,
        name: &str,
        password_hash: &str,
        roles: &Roles,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO users (name, password, roles, disabled, created_at) VALUES ($1, $2, $3, FALSE, $4)
             ON CONFLICT (name) DO UPDATE SET password = excluded.password, roles = excluded.roles, disabled = FALSE,
               invented = FALSE",
        )
        .bind(name)
        .bind(password_hash)
        .bind(roles.to_string())
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// End every session of a user.
    pub(crate) async fn end_sessions_of(&mut self, name: &str) -> Result<(), StoreError> {
        query("DELETE FROM sessions WHERE user_name = $1").bind(name).execute(self.sql()).await?;
        Ok(())
    }

    /// Invented people, each with whether they may sign in no more.
    pub(crate) async fn demo_users(&mut self) -> Result<Vec<(String, bool)>, StoreError> {
        Ok(query("SELECT name, disabled FROM users WHERE invented = TRUE ORDER BY name")
            .fetch_all(self.sql())
            .await?)
    }

    /// Remember that somebody is invented.
    pub(crate) async fn add_demo_user(&mut self, name: &str) -> Result<(), StoreError> {
        query("UPDATE users SET invented = TRUE WHERE name = $1").bind(name).execute(self.sql()).await?;
        Ok(())
    }

    /// Let somebody sign in no more.
    pub(crate) async fn disable_user(&mut self, name: &str) -> Result<(), StoreError> {
        query("UPDATE users SET disabled = TRUE WHERE name = $1").bind(name).execute(self.sql()).await?;
        Ok(())
    }

    /// Keep a session. Expired ones go at the same time.
    pub(crate) async fn add_session(
        &mut self,
        NewSession { token_hash, user, csrf, .. }: &NewSession,
    ) -> Result<(), StoreError> {
        query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        query(
            "INSERT INTO sessions (token_hash, user_name, csrf, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $4, $5)",
        )
        .bind(token_hash)
        .bind(user)
        .bind(csrf)
        .bind(self.now.micros())
        .bind(self.now.plus(SESSION_LIFE).micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// A session is in use.
    pub(crate) async fn touch_session(&mut self, token_hash: &str) -> Result<(), StoreError> {
        query("UPDATE sessions SET seen_at = $2 WHERE token_hash = $1")
            .bind(token_hash)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    pub(crate) async fn end_session(&mut self, token_hash: &str) -> Result<(), StoreError> {
        query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(self.sql()).await?;
        Ok(())
    }

    /// Know a browser again. Old ones are forgotten.
    pub(crate) async fn add_device(&mut self, token_hash: &str, user: &str) -> Result<(), StoreError> {
        query("INSERT INTO devices (token_hash, user_name, created_at) VALUES ($1, $2, $3)")
            .bind(token_hash)
            .bind(user)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        query(
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

    /// One of those who may sign in.
    pub(crate) async fn active_user(&mut self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(query("SELECT * FROM users WHERE name = $1 AND disabled = FALSE")
            .bind(name)
            .fetch_optional(self.sql())
            .await?)
    }
}
