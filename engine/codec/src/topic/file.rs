//! The file that says what is on a topic.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

use super::{SchemaId, Source, framing::Framing};
use crate::{DocumentMapping, Mapping, MappingError, UnknownZone, Zone};

/// A topic, and how what is on it is read.
#[derive(Debug)]
pub struct SourceFile {
    /// The topic's name.
    pub topic: String,
    /// How its records are read.
    pub source: Source,
}

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file is not the TOML that it is to be; the message names line and key.
    #[error("cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// What is left of the file could not be written as a mapping.
    #[error("cannot be read: {0}")]
    Written(#[from] toml::ser::Error),
    /// Its mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// There is no such zone.
    #[error("`zone` is {0}")]
    Zone(#[from] UnknownZone),
    /// A zone beside a mapping, which has its own.
    #[error("`zone` beside [fields] says nothing: give the times of the mapping a zone")]
    TwoZones,
    /// A schema that cannot be read.
    #[error("schema {id}: {why}")]
    Schema {
        /// Its number.
        id: SchemaId,
        /// What is wrong with it.
        why: String,
    },
    /// Avro without a schema.
    #[error("Avro is read by its schemas: `schemas` names the folder with a file NUMBER.avsc for each")]
    NoSchemas,
    /// Avro in a build that cannot read it.
    #[error("this build reads no Avro: it is made with the feature `avro`")]
    NoAvro,
}

/// The part of the file that is not the mapping.
#[derive(Deserialize)]
struct About {
    topic: String,
    framing: Option<Framed>,
    schemas: Option<String>,
    zone: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Framed {
    ConfluentJson,
    ConfluentAvro,
}

impl SourceFile {
    /// What the text of a file says. `schemas`: the texts of the Avro schemas in the folder that it names, by number.
    ///
    /// # Errors
    /// When it says too little, too much or nonsense.
    pub fn parse<E: From<SourceError>>(
        text: &str,
        schemas: impl FnOnce(&str) -> Result<BTreeMap<SchemaId, String>, E>,
    ) -> Result<Self, E> {
        let About { topic, framing, schemas: folder, zone } =
            toml::from_str(text).map_err(SourceError::from)?;
        let mut rest: Table = toml::from_str(text).map_err(SourceError::from)?;
        rest.retain(|name, _| !["topic", "framing", "schemas", "zone", "description"].contains(&name));
        let mapping = if rest.is_empty() { None } else { Some(mapping(&rest)?) };
        if zone.is_some() && mapping.is_some() {
            return Err(SourceError::TwoZones.into());
        }
        let framing = match framing {
            None => Framing::Bare,
            Some(Framed::ConfluentJson) => Framing::Json,
            Some(Framed::ConfluentAvro) => avro(schemas(&folder.ok_or(SourceError::NoSchemas)?)?)?,
        };
        let zone =
            zone.map_or_else(|| Ok(Zone::default()), |name| name.parse()).map_err(SourceError::from)?;
        Ok(Self { topic, source: Source { framing, mapping, zone } })
    }
}

fn mapping(rest: &Table) -> Result<DocumentMapping, SourceError> {
    Ok(DocumentMapping::new(&Mapping::parse(&toml::to_string(rest)?)?)?)
}

#[cfg(feature = "avro")]
fn avro(schemas: BTreeMap<SchemaId, String>) -> Result<Framing, SourceError> {
    if schemas.is_empty() {
        return Err(SourceError::NoSchemas);
    }
    super::avro::Schemas::parse(&schemas).map(Framing::Avro)
}

#[cfg(not(feature = "avro"))]
fn avro(_: BTreeMap<SchemaId, String>) -> Result<Framing, SourceError> {
    Err(SourceError::NoAvro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SourceFile, SourceError> {
        SourceFile::parse(text, |_| Ok(BTreeMap::from([(7, "{\"type\":\"strin\"}".to_owned())])))
    }

    #[test]
    fn a_topic_is_enough_for_what_says_itself_what_it_is() {
        let file = parse("topic = \"bank.payments\"\ndescription = \"pacs.008\"").unwrap();
        assert_eq!(file.topic, "bank.payments");
        assert!(file.source.mapping.is_none());
        assert_eq!(file.source.unframe(b"<Document/>").unwrap().as_ref(), b"<Document/>");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let fields = "[fields]\nevent_id = \"/id\"\noccurred_at = \"/at\"\n";
        assert!(parse(&format!("topic = \"t\"\nframing = \"confluent-json\"\n{fields}")).is_ok());
        for (text, reason) in [
            (fields.to_owned(), "missing field `topic`"),
            (format!("topic = \"t\"\nzone = \"Asia/Hong_Kong\"\n{fields}"), "says nothing"),
            ("topic = \"t\"\nzone = \"Asia/Hongkong2\"".into(), "`zone` is no zone"),
            ("topic = \"t\"\nframing = \"confluent-protobuf\"".into(), "unknown variant"),
            ("topic = \"t\"\nframing = \"confluent-avro\"".into(), "names the folder"),
            ("topic = \"t\"\nfieldz = 1".into(), "fieldz"),
            ("topic = \"t\"\n[fields]\nevent_id = \"id\"\noccurred_at = \"/at\"".into(), "no JSON pointer"),
            #[cfg(feature = "avro")]
            ("topic = \"t\"\nframing = \"confluent-avro\"\nschemas = \"s\"".into(), "schema 7: "),
        ] {
            let refused = parse(&text).unwrap_err().to_string();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
