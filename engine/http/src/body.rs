//! Bodies of requests, within the limit of one.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::DefaultBodyLimit,
    http::StatusCode,
};
use sluice_model::limits::{BODY_BYTES_MAX, Bytes as Said};

use crate::Problem;

/// The layer by which extractors read no larger body.
pub fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(BODY_BYTES_MAX)
}

/// The whole of a body.
pub async fn whole(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        let detail = format!("the body is larger than {}", Said(BODY_BYTES_MAX));
        Problem::coded(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_has_a_limit() {
        let most = vec![b' '; BODY_BYTES_MAX];
        assert_eq!(whole(Body::from(most.clone())).await.unwrap().len(), BODY_BYTES_MAX);
        let problem = whole(Body::from([most, vec![b' ']].concat())).await.unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.detail()), (413, "the body is larger than 8 MiB"));
    }
}
