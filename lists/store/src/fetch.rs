//! One file from its official address: only if it changed, tried again when the server fails, never larger than
//! the limit.

use std::{io, time::Duration};

use backon::{BlockingRetryable, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use ureq::{
    Agent,
    http::{HeaderMap, header},
};

use crate::config::Fetch;

/// What a server said of a file, to ask next time whether it changed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// As it was when the validators were given.
    Unchanged,
    /// A file.
    Changed { bytes: Vec<u8>, validators: Validators },
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server answered with a refusal.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// Beyond the configured limit.
    #[error("{url}: larger than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// The connection failed, was cut, or took too long.
    #[error("{url}: {error}")]
    Transport {
        /// The address.
        url: String,
        /// What happened.
        error: Box<ureq::Error>,
    },
}

impl FetchError {
    /// Whether another attempt may do better.
    fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::TooLarge { .. } => false,
            Self::Transport { .. } => true,
        }
    }
}

/// A client with the configured limits.
pub(crate) struct Client<'a> {
    agent: Agent,
    limits: &'a Fetch,
}

impl<'a> Client<'a> {
    pub(crate) fn new(limits: &'a Fetch) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(limits.timeout_seconds)))
            .http_status_as_error(false)
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), limits }
    }

    /// Fetch a file, if it is not what the validators say.
    pub(crate) fn get(&self, url: &str, known: &Validators) -> Result<Fetched, FetchError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(self.limits.pause_milliseconds))
            .with_max_times(self.limits.attempts - 1);
        (|| self.attempt(url, known)).retry(pauses).when(FetchError::is_passing).call()
    }

    fn attempt(&self, url: &str, known: &Validators) -> Result<Fetched, FetchError> {
        let mut request = self.agent.get(url);
        if let Some(etag) = &known.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = &known.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        let failed = |error: ureq::Error| match error {
            ureq::Error::BodyExceedsLimit(limit) => FetchError::TooLarge { url: url.to_owned(), limit },
            error => FetchError::Transport { url: url.to_owned(), error: Box::new(error) },
        };
        let mut response = request.call().map_err(failed)?;
        match response.status().as_u16() {
            304 => Ok(Fetched::Unchanged),
            200 => {
                let expected = response.body().content_length();
                let body = response.body_mut().with_config().limit(self.limits.bytes_max);
                let bytes = body.read_to_vec().map_err(failed)?;
                if expected.is_some_and(|length| length != bytes.len() as u64)
                    && !is_encoded(response.headers())
                {
                    let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was cut");
                    return Err(failed(ureq::Error::Io(cut)));
                }
                Ok(Fetched::Changed { bytes, validators: validators(response.headers()) })
            }
            status => Err(FetchError::Status { url: url.to_owned(), status }),
        }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_ENCODING)
}

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) }
}
