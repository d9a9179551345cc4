//! The file that says what comes from one sender.

use serde::Deserialize;
use sluice_model::without_values;
use toml::{Table, Value};

use super::{Format, Scheme, Webhook, signature};
use crate::{DocumentMapping, Mapping, MappingError};

/// A webhook, and where its secrets are: never in the file itself.
#[derive(Debug)]
pub struct WebhookFile {
    /// How what is sent is verified and read.
    pub webhook: Webhook,
    /// Where the secrets are, at least one.
    pub secrets: Vec<SecretSource>,
}

/// Where a secret is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretSource {
    /// In a variable of the environment.
    Env(String),
    /// In a file, whose last line end is no part of it.
    File(String),
}

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The file is not the TOML that it is to be. The message names the line and does not repeat it: it may be a secret.
    #[error("line {line}: {why}")]
    Toml {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// What is left of the file could not be written as a mapping.
    #[error("cannot be read: {0}")]
    Written(#[from] toml::ser::Error),
    /// Its mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Its signature cannot be verified as it says.
    #[error("[signature]: {0}")]
    Signature(String),
    /// No secret is named.
    #[error("`secrets` names no secret: give {{ env = \"NAME\" }} or {{ file = \"PATH\" }}")]
    NoSecret,
}

/// The part of the file that is not the mapping.
#[derive(Deserialize)]
struct About {
    #[serde(default)]
    secrets: Vec<SecretSource>,
    format: Option<KnownFormat>,
    signature: Option<signature::Written>,
}

/// A format that Sluice knows without a mapping.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KnownFormat {
    Ecommpay,
}

impl WebhookFile {
    /// What the text of a file says.
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        let about = toml::from_str(text).map_err(|error| unreadable(text, &error));
        let About { secrets, format, signature } = about?;
        if secrets.is_empty() {
            return Err(WebhookError::NoSecret);
        }
        let mut rest: Table = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        rest.retain(|name, _| !["secrets", "format", "signature"].contains(&name));
        let format = match (format, signature) {
            (Some(KnownFormat::Ecommpay), None) => known(&rest)?,
            (None, Some(written)) => {
                let scheme = Scheme::new(written).map_err(WebhookError::Signature)?;
                let mapped = DocumentMapping::new(&Mapping::parse(&toml::to_string(&rest)?)?)?;
                Format::Mapped(Box::new((scheme, mapped)))
            }
            _ => return Err(WebhookError::Signature("give either `format` or [signature]".into())),
        };
        Ok(Self { webhook: Webhook(format), secrets })
    }
}

fn unreadable(text: &str, error: &toml::de::Error) -> WebhookError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    WebhookError::Toml { line: before.matches('\n').count() + 1, why: without_values(error.message()) }
}

/// A format that is known has no mapping: whoever writes one expects that it is read.
fn known(rest: &Table) -> Result<Format, WebhookError> {
    match rest.iter().find(|(name, value)| *name != "description" || !matches!(value, Value::String(_))) {
        None => Ok(Format::Ecommpay),
        Some((name, _)) => Err(WebhookError::Signature(format!("`{name}` says nothing beside `format`"))),
    }
}
