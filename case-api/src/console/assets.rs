//! Files that pages name: the style, htmx and the icon. In the binary, named by their content, cached for good.

use axum::{
    Router,
    http::{HeaderName, header},
    routing::get,
};

/// The style's path. The version in it changes with the crate's, and so outlives no release.
pub(crate) const STYLE: &str = concat!("/assets/style-", env!("CARGO_PKG_VERSION"), ".css");
/// htmx (0BSD; licence beside the file).
pub(crate) const HTMX: &str = "/assets/htmx-2.0.11.min.js";

type Asset = ([(HeaderName, &'static str); 2], &'static str);

const fn asset(kind: &'static str, cache: &'static str, text: &'static str) -> Asset {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], text)
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    const FOREVER: &str = "public, max-age=31536000, immutable";
    // The style changes while a release is being made: it is looked at again.
    const CHECKED: &str = "public, no-cache";
    let style = asset("text/css; charset=utf-8", CHECKED, include_str!("../../assets/style.css"));
    let htmx =
        asset("text/javascript; charset=utf-8", FOREVER, include_str!("../../assets/htmx-2.0.11.min.js"));
    let icon = asset("image/svg+xml", CHECKED, include_str!("../../assets/icon.svg"));
    Router::new()
        .route(STYLE, get(async move || style))
        .route(HTMX, get(async move || htmx))
        .route("/assets/icon.svg", get(async move || icon))
}
