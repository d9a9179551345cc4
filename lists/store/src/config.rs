//! The configuration of `update`: which sources, in which format, from where. The documented default is the file
//! that is embedded.

use serde::Deserialize;
use sluice_lists::{import::Format, is_source_name};

/// The default configuration, with its explanations.
pub const DEFAULT_CONFIG: &str = include_str!("sources.toml");

/// What to fetch, and how.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Limits of each request.
    pub fetch: Fetch,
    /// The sources.
    #[serde(rename = "source", default)]
    pub sources: Vec<Source>,
}

/// Limits of each request.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// How long one request may take.
    pub timeout_seconds: u64,
    /// A larger file is refused.
    pub bytes_max: u64,
    /// How often a request is tried in all.
    pub attempts: usize,
    /// The pause before the second attempt; it doubles each time.
    pub pause_milliseconds: u64,
}

/// One source.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The source's name.
    pub name: String,
    /// The files' format.
    pub format: Format,
    /// Whether it is fetched when no source is named.
    pub enabled: bool,
    /// The files' addresses; each address ends with the file's name.
    pub urls: Vec<String>,
}

/// Why a configuration is none. All faults at once.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or not these fields.
    #[error("the configuration of list sources cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// Values that make no sense.
    #[error("the configuration of list sources: {}", .0.join("; "))]
    Values(Vec<String>),
}

impl Config {
    /// Read a configuration.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        let mut faults = Vec::new();
        for (i, source) in config.sources.iter().enumerate() {
            let name = &source.name;
            if !is_source_name(name) {
                faults.push(format!("{name:?} cannot name a source"));
            }
            if config.sources[..i].iter().any(|s| s.name == *name) {
                faults.push(format!("source {name} stands twice"));
            }
            if source.urls.is_empty() {
                faults.push(format!("source {name} has no address"));
            }
            let other =
                source.urls.iter().find(|url| !["https://", "http://"].iter().any(|s| url.starts_with(s)));
            if let Some(url) = other {
                faults.push(format!("source {name}: {url} is no http address"));
            }
        }
        if config.fetch.attempts == 0 {
            faults.push("attempts is at least 1".to_owned());
        }
        if faults.is_empty() { Ok(config) } else { Err(ConfigError::Values(faults)) }
    }

    /// The documented default.
    pub fn embedded() -> Result<Self, ConfigError> {
        Self::parse(DEFAULT_CONFIG)
    }

    /// The sources to fetch: one by its name, or all that are enabled.
    pub fn chosen<'a>(&'a self, name: Option<&'a str>) -> impl Iterator<Item = &'a Source> {
        self.sources.iter().filter(move |s| name.map_or(s.enabled, |name| s.name == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_holds() {
        let config = Config::embedded().unwrap();
        assert!(config.chosen(None).count() >= 3);
        assert_eq!(config.chosen(Some("un")).count(), 1);
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let text = "[fetch]\ntimeout_seconds=1\nbytes_max=1\nattempts=0\npause_milliseconds=1\n\
            [[source]]\nname='A'\nformat='csv'\nenabled=true\nurls=['file:///x']\n";
        let Err(ConfigError::Values(faults)) = Config::parse(text) else { panic!("refused") };
        assert_eq!(faults.len(), 3);
        assert!(Config::parse("[fetch]\nsurprise=1").is_err());
    }
}
