//! `/v1/lists`, `/v1/screenings`: what is screened against, and what a name meets.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use sluice_model::{ListMatch, limits::NAME_CHARS_MAX};
use tokio::task::spawn_blocking;

use super::{Identity, Problem, page::Items};
use crate::{
    app::App,
    domain::Permission,
    limits::SCREENING_MATCHES_MAX,
    ports::{ActiveList, NameAnswer, PortError, Screening},
};

/// What a name met.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Screened {
    /// The name as asked.
    pub query: String,
    /// Whether any list is active. `off`: no match says nothing.
    pub screening: &'static str,
    /// Best first.
    #[schema(value_type = Vec<Object>)]
    pub matches: Vec<ListMatch>,
}

/// The active version of each list source. None: screening is off.
#[utoipa::path(get, path = "/v1/lists", tag = "lists", responses((status = 200, body = Items<ActiveList>)))]
pub async fn lists(State(app): State<Arc<App>>) -> Json<Items<ActiveList>> {
    Json(app.service.ports.catalogue.lists().into())
}

/// Screen a name against the active lists.
#[utoipa::path(post, path = "/v1/screenings", tag = "lists", request_body = Screening, responses(
    (status = 200, body = Screened),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn screen(
    State(app): State<Arc<App>>,
    identity: Identity,
    Json(screening): Json<Screening>,
) -> Result<Json<Screened>, Problem> {
    identity.need(Permission::Screen)?;
    Ok(Json(perform(&app, screening).await?))
}

/// Screen on a thread that may block.
pub async fn perform(app: &Arc<App>, mut screening: Screening) -> Result<Screened, Problem> {
    if screening.name.trim().is_empty() || screening.name.chars().count() > NAME_CHARS_MAX {
        let detail = format!("a name has 1 to {NAME_CHARS_MAX} characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    screening.limit = Some(screening.limit.unwrap_or(10).clamp(1, SCREENING_MATCHES_MAX));
    let query = screening.name.clone();
    let catalogue = Arc::clone(&app.service.ports.catalogue);
    let screened = spawn_blocking(move || {
        let on = !catalogue.lists().is_empty();
        let answer = if on { catalogue.screen(&screening)? } else { NameAnswer::Matches(Vec::new()) };
        Ok::<_, PortError>((on, answer))
    });
    let (on, answer) = screened.await.map_err(|error| Problem::internal(&error))??;
    let matches = match answer {
        NameAnswer::Matches(matches) => matches,
        NameAnswer::NotScreened(why) => {
            let detail = format!("the name cannot be screened whole, and is not clear: {why}");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    };
    Ok(Screened { query, screening: if on { "on" } else { "off" }, matches })
}
