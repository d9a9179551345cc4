//! Opening the case side, and the one router that serves it.

use std::sync::Arc;

use axum::{Router, middleware};
use sluice_evidence::Signer;
use sluice_http::{body, metrics::Registry};
use sluice_model::{Control, RuleFile};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api,
    app::App,
    auth::{self, PasswordError},
    console,
    domain::Roles,
    metrics::Metrics,
    ports::Ports,
    service::{IntakeCounts, Service, WorkError},
    store::{Database, Store, StoreError},
    work,
};

/// Why the case side did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error("the case store cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// A metric's name is taken.
    #[error("a metric cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What may be chosen.
#[derive(Default)]
pub struct Options {
    /// Cookies for HTTPS only: set it wherever TLS ends in front.
    pub secure_cookies: bool,
    /// Where metrics are registered; the runtime's are beside them.
    pub registry: Registry,
    /// Whether other processes serve the same database: one at a time does the work behind the pages then.
    pub is_shared: bool,
}

/// The case side: cases, API, console.
#[derive(Clone)]
pub struct CaseApi {
    app: Arc<App>,
}

impl CaseApi {
    /// Open the store and be ready to serve. `signer` signs the evidence log's checkpoints.
    pub async fn open(
        database: Database<'_>,
        signer: Signer,
        ports: Ports,
        options: Options,
    ) -> Result<Self, OpenError> {
        let store = Store::open(database, signer).await?;
        let metrics = Metrics::new(options.registry)?;
        let service = Service::new(store, ports, metrics, options.is_shared)?;
        let app = App::new(service, options.secure_cookies);
        Ok(Self { app: Arc::new(app) })
    }

    /// Make a user, or give an existing one a new password and roles. `by`: who does so.
    pub async fn put_user(
        &self,
        name: &str,
        password: &str,
        roles: Roles,
        by: &str,
    ) -> Result<(), PasswordError> {
        auth::check_new_password(password)?;
        let password = password.to_owned();
        let hash = tokio::task::spawn_blocking(move || auth::hash_password(&password))
            .await
            .map_err(|_| PasswordError::Hashing)??;
        self.app.service.put_user(name, &hash, &roles, by).await?;
        Ok(())
    }

    /// Whether there is a user of that name.
    pub async fn has_user(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.app.service.user(name).await?.is_some())
    }

    /// A key that lives as long as this process and is stored nowhere.
    pub fn memory_key(&self, name: &str, roles: Roles) -> Result<String, StoreError> {
        self.app.auth.keys.add(name, roles)
    }

    /// A key whose digest is stored. Shown once.
    pub async fn add_key(&self, name: &str, roles: Roles, by: &str) -> Result<String, StoreError> {
        let (id, key) = auth::new_key()?;
        self.app.service.add_api_key(&id, &auth::digest(&key), name, &roles, by).await?;
        Ok(key)
    }

    /// Refuse a stored key from now on; whether there was one. `key_id`: what is between the underscores.
    pub async fn revoke_key(&self, key_id: &str, by: &str) -> Result<bool, StoreError> {
        self.app.service.revoke_api_key(key_id, by).await
    }

    /// Remember a rule set that is in force without having been proposed here: a folder's (`folder`), or the shipped
    /// one (`shipped`). `files`: cases included; `rules`: how many there are.
    pub async fn record_rules(
        &self,
        origin: &str,
        files: &[RuleFile],
        rules: usize,
    ) -> Result<(), StoreError> {
        self.app.service.record_rules(origin, files, rules).await
    }

    /// The hash of the newest set that came into force from this origin.
    pub async fn last_rules_from(&self, origin: &str) -> Result<Option<String>, StoreError> {
        self.app.service.last_rules_from(origin).await
    }

    /// Write down which list versions are in force, a leaf for each that is another one than the last time.
    pub async fn record_lists(&self) -> Result<usize, StoreError> {
        self.app.service.record_lists().await
    }

    /// Write down that less is configured than is in force: `what` would lose so much. `order`: what an approval by two
    /// persons orders; without it there is nothing to approve.
    pub async fn configuration_is_less(
        &self,
        what: &str,
        lost: &[String],
        order: Option<&Control>,
    ) -> Result<(), StoreError> {
        self.app.service.configuration_is_less(what, lost, order).await
    }

    /// Write down that what is configured is not less any more, if it was.
    pub async fn configuration_is_whole(&self, what: &str) -> Result<(), StoreError> {
        self.app.service.configuration_is_whole(what).await
    }

    /// Say that these people are invented: they sign in to a demonstration only.
    pub async fn mark_demo_people(&self, names: &[&str]) -> Result<(), StoreError> {
        self.app.service.mark_demo_users(names).await
    }

    /// End the sessions of the invented people, and let them sign in no more; how many there are.
    pub async fn disable_demo_people(&self) -> Result<usize, StoreError> {
        self.app.service.disable_demo_users().await
    }

    /// Remember that whoever started the process confirmed its clock. `against`: what spoke against it.
    pub async fn record_accepted_clock(&self, against: &str) -> Result<(), StoreError> {
        self.app.service.record_accepted_clock(against).await
    }

    /// Whether this process does the work behind the pages: of several over one database, one does at a time.
    pub async fn leads(&self) -> Result<bool, WorkError> {
        self.app.service.leads().await
    }

    /// See approved rules one step further on their way into force.
    pub async fn advance(&self) -> Result<(), WorkError> {
        self.app.service.advance().await
    }

    /// Take in at most one batch of every feed; what it brought.
    pub async fn consume(&self) -> Result<IntakeCounts, WorkError> {
        self.app.service.consume().await
    }

    /// Deliver the control records that wait.
    pub async fn deliver(&self) -> Result<(), WorkError> {
        self.app.service.deliver().await
    }

    /// Write down what was counted in memory for long enough: failed sign-ins.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        self.app.auth.record_failures(&self.app.service, false).await
    }

    /// Consume and deliver until `stop` is ready.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        work::run(Arc::clone(&self.app), stop).await;
    }

    /// Let go of the store, once nothing is asked any more.
    pub async fn close(&self) {
        self.app.service.close().await;
    }

    /// Everything over HTTP: the API, the console, and `ingest` (the runtime's routes) for those who may ingest, or mend
    /// what could not be taken in.
    pub fn router(&self, ingest: Router) -> Router {
        // Called once; a second router has the first one's letters.
        let _ = self.app.ingest.set(ingest.clone());
        let ingest =
            ingest.layer(middleware::from_fn_with_state(Arc::clone(&self.app), api::dead_letters::gate));
        api::router(&self.app)
            .merge(console::router(&self.app))
            .merge(ingest)
            .fallback(console::not_found_page)
            .method_not_allowed_fallback(api::method_not_allowed)
            .layer(middleware::from_fn_with_state(Arc::clone(&self.app), api::authenticate))
            .layer(body::limit())
            .layer(CatchPanicLayer::custom(api::panicked))
            .layer(middleware::from_fn(api::finish))
    }
}
