//! Who asks, as the runtime knows it.

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use sluice_case_api::{Identity, Via};
use sluice_runtime::Caller;

/// Have the runtime know who asks: sign-in has found it by then.
pub(super) fn with_callers(ingest: Router) -> Router {
    async fn name(mut request: Request, next: Next) -> Response {
        if let Some(Identity { actor, .. }) = request.extensions().get() {
            let kind = match actor.via {
                Via::Session => "person",
                Via::Key => "key",
            };
            let caller = Caller(format!("{kind}:{}", actor.name));
            request.extensions_mut().insert(caller);
        }
        next.run(request).await
    }
    ingest.layer(middleware::from_fn(name))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{body::Body, routing::get};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn the_runtime_knows_who_asks() {
        let caller_seen = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&caller_seen);
        let router = with_callers(Router::new().route(
            "/",
            get(async move |request: Request| {
                *seen.lock().unwrap() = request.extensions().get::<Caller>().cloned();
            }),
        ));
        for (via, caller) in [(Via::Session, "person:mei"), (Via::Key, "key:mei")] {
            let roles = sluice_case_api::domain::Roles::new([]);
            let actor = sluice_case_api::Actor { name: "mei".into(), roles, via };
            let mut request = Request::get("/").body(Body::empty()).unwrap();
            request.extensions_mut().insert(Identity { actor, csrf: String::new(), token: String::new() });
            router.clone().oneshot(request).await.unwrap();
            assert_eq!(*caller_seen.lock().unwrap(), Some(Caller(caller.into())));
        }
    }
}
