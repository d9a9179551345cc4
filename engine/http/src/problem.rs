//! Problem details (RFC 9457): the one shape of every refusal over HTTP.

use std::borrow::Cow;

use axum::{
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;
use sluice_model::without_values;

/// The media type.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, for programs and people. It holds no personal data.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    /// Members of this problem alone.
    members: Vec<(&'static str, Value)>,
    /// In seconds.
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of that status. `code`: a stable word for programs; `detail`: what happened here, and what to do about
    /// it.
    pub fn coded(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), members: Vec::new(), retry_after: None }
    }

    /// The request itself is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::coded(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Nothing of that id.
    pub fn not_found(what: &str) -> Self {
        Self::coded(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// The role does not allow it.
    pub fn forbidden() -> Self {
        Self::coded(StatusCode::FORBIDDEN, "not_allowed", "your role does not allow this")
    }

    /// Something of ours failed. What it was goes to the log, not to whoever asked.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::failed()
    }

    /// The same where the log says already what failed.
    pub fn failed() -> Self {
        Self::coded(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something failed here; the log says what")
    }

    /// With when to come back, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// With another detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// With a member of its own.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// The stable word for programs.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What happened.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // The status says what kind of problem it is.
        map.serialize_entry("type", "about:blank")?;
        map.serialize_entry("title", self.status.canonical_reason().unwrap_or("Error"))?;
        map.serialize_entry("status", &self.status.as_u16())?;
        map.serialize_entry("code", &self.code)?;
        if !self.detail.is_empty() {
            map.serialize_entry("detail", &self.detail)?;
        }
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What the library says of a request may repeat it.
macro_rules! from_rejections {
    ($($rejection:ty),+) => {
        $(impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                Self::coded(rejection.status(), "bad_request", without_values(&rejection.body_text()))
            }
        })+
    };
}
from_rejections!(JsonRejection, QueryRejection);

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::coded(rejection.status(), "bad_request", "a part of the path is not what belongs there")
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    //! The schema of a problem, for documents.

    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{KnownFormat, Object, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
    };

    use super::Problem;

    impl PartialSchema for Problem {
        fn schema() -> RefOr<Schema> {
            let text = |description: &str| {
                ObjectBuilder::new().schema_type(Type::String).description(Some(description)).build()
            };
            let status = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                .minimum(Some(0))
                .description(Some("The HTTP status."))
                .build();
            let object: Object = ObjectBuilder::new()
                .description(Some("What went wrong, for programs and people."))
                .property("type", text("`about:blank`: the status says what kind of problem it is."))
                .required("type")
                .property("title", text("The status in words."))
                .required("title")
                .property("status", status)
                .required("status")
                .property(
                    "code",
                    text("A stable word for programs: `not_found`, `same_person`, `disk_full`."),
                )
                .required("code")
                .property("detail", text("What happened here, and what to do about it."))
                .build();
            object.into()
        }
    }

    impl ToSchema for Problem {}
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn sent(problem: Problem) -> (u16, Vec<(String, String)>, String) {
        let (parts, body) = problem.into_response().into_parts();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_problem_says_what_it_has_and_no_more() {
        let kind = ("content-type".to_owned(), PROBLEM_JSON.to_owned());
        let bare = Problem::coded(StatusCode::NOT_FOUND, "not_found", "");
        let body = r#"{"type":"about:blank","title":"Not Found","status":404,"code":"not_found"}"#;
        assert_eq!(sent(bare).await, (404, vec![kind.clone()], body.to_owned()));

        let full = Problem::coded(StatusCode::SERVICE_UNAVAILABLE, "busy", "later").retry_after(3);
        let full = full.with("accepted", 2);
        let body = r#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"busy","detail":"later","accepted":2}"#;
        let headers = vec![kind, ("retry-after".to_owned(), "3".to_owned())];
        assert_eq!(sent(full).await, (503, headers, body.to_owned()));
    }
}
