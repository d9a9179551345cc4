//! Who asks. Sign-in is another's business: whoever mounts the routes says here whom it found.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

/// The principal behind a request, as a request extension. What belongs to a caller (an `Idempotency-Key`) is kept apart
/// by it; where nobody says, all are one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caller(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
