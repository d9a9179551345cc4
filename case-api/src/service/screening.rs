//! What a name meets on the active lists.

use std::sync::Arc;

use serde::Serialize;
use sluice_model::{ListMatch, limits::NAME_CHARS_MAX};
use tokio::task::spawn_blocking;

use super::{ActError, Service};
use crate::{
    limits::SCREENING_MATCHES_MAX,
    ports::{NameAnswer, PortError, Screening},
};

/// Matches that are returned where nobody says how many.
const MATCHES_DEFAULT: usize = 10;

/// What a name met.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ScreeningAnswer {
    /// The name as asked.
    pub query: String,
    /// Whether any list is active. `off`: no match says nothing.
    pub screening: &'static str,
    /// Best first.
    #[schema(value_type = Vec<Object>)]
    pub matches: Vec<ListMatch>,
}

impl Service {
    /// Screen a name. One that cannot be screened whole is not clear.
    pub(crate) async fn screen(&self, mut screening: Screening) -> Result<ScreeningAnswer, ActError> {
        if screening.name.trim().is_empty() || screening.name.chars().count() > NAME_CHARS_MAX {
            return Err(ActError::NotScreened(format!("a name has 1 to {NAME_CHARS_MAX} characters")));
        }
        let limit = screening.limit.unwrap_or(MATCHES_DEFAULT).clamp(1, SCREENING_MATCHES_MAX);
        screening.limit = Some(limit);
        let query = screening.name.clone();
        let catalogue = Arc::clone(&self.ports.catalogue);
        let screened = spawn_blocking(move || {
            let on = !catalogue.lists().is_empty();
            let answer = if on { catalogue.screen(&screening)? } else { NameAnswer::Matches(Vec::new()) };
            Ok::<_, PortError>((on, answer))
        });
        match screened.await?? {
            (on, NameAnswer::Matches(matches)) => {
                Ok(ScreeningAnswer { query, screening: if on { "on" } else { "off" }, matches })
            }
            (_, NameAnswer::NotScreened(why)) => Err(ActError::NotScreened(format!(
                "the name cannot be screened whole, and is not clear: {why}"
            ))),
        }
    }
}
