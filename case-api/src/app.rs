//! What every handler shares.

use std::sync::{Arc, OnceLock};

use axum::Router;
use sluice_model::EventTime;

use crate::{auth::Auth, service::Service};

/// What requests are served from: who is asking, and what is done for them.
pub(crate) struct App {
    pub(crate) service: Arc<Service>,
    pub(crate) auth: Auth,
    /// The runtime's routes, without sign-in.
    pub(crate) ingest: OnceLock<Router>,
    /// Whether cookies are for HTTPS only.
    pub(crate) secure_cookies: bool,
}

impl App {
    pub(crate) fn new(service: Service, secure_cookies: bool) -> Self {
        let service = Arc::new(service);
        Self { service, auth: Auth::default(), ingest: OnceLock::new(), secure_cookies }
    }

    pub(crate) fn now(&self) -> EventTime {
        self.service.now()
    }
}
