//! API keys: `slk_<id>_<secret>`. The id finds the row, the secret (256 bits) is compared by its digest.

use std::{collections::HashMap, sync::RwLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Auth, digest, same};
use crate::{
    domain::{Actor, Roles, Via},
    service::{Service, StoreError, random},
};

/// Why a key is not good. One reason for all, so that nobody learns which part was wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// Unknown, revoked or malformed.
    #[error("the API key is not known here")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A fresh key: the id under which it is stored, and the key itself, to be shown once.
pub(crate) fn new_key() -> Result<(String, String), StoreError> {
    let id = hex::encode(random::<6>()?);
    let key = format!("slk_{id}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    Ok((id, key))
}

/// Keys that live as long as the process and are stored nowhere.
#[derive(Default)]
pub(crate) struct MemoryKeys {
    by_id: RwLock<HashMap<String, (String, Actor)>>,
}

impl MemoryKeys {
    pub(crate) fn add(&self, name: &str, roles: Roles) -> Result<String, StoreError> {
        let (id, key) = new_key()?;
        let actor = Actor { name: name.to_owned(), roles, via: Via::Key };
        let mut by_id = self.by_id.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        by_id.insert(id, (digest(&key), actor));
        Ok(key)
    }

    fn get(&self, id: &str) -> Option<(String, Actor)> {
        self.by_id.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(id).cloned()
    }
}

impl Auth {
    /// Whose key it is.
    pub(crate) async fn check_key(&self, service: &Service, key: &str) -> Result<Actor, KeyError> {
        let id = key.strip_prefix("slk_").and_then(|rest| rest.split_once('_')).map(|(id, _)| id);
        let id = id.ok_or(KeyError::Unknown)?;
        let (stored, actor) = match self.keys.get(id) {
            Some(found) => found,
            None => {
                let row = service.api_key(id).await?.ok_or(KeyError::Unknown)?;
                let roles = row.roles.parse().map_err(|_| StoreError::Corrupt("role"))?;
                (row.key_hash, Actor { name: row.name, roles, via: Via::Key })
            }
        };
        if same(&stored, &digest(key)) { Ok(actor) } else { Err(KeyError::Unknown) }
    }
}
