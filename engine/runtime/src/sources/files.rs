//! The files that describe topics, and the schemas beside them.

use std::{collections::BTreeMap, fs, path::Path};

use sluice_codec::topic::{SchemaId, SourceError, SourceFile};

use crate::{
    RuntimeError,
    limits::NAMED_FILE_BYTES_MAX,
    named_files::{self, NamedFile, failed},
};

/// Why a file does not describe a topic.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("its schemas in {folder}: {why}")]
    Schemas { folder: String, why: String },
}

/// The topics that a folder describes, by name.
pub(super) fn read(folder: &Path) -> Result<Vec<(String, SourceFile)>, RuntimeError> {
    let files = named_files::read(folder)?.into_iter().map(|NamedFile { name, path, text }| {
        let schemas = |schemas: &str| {
            schemas_in(&folder.join(schemas))
                .map_err(|why| Reason::Schemas { folder: schemas.to_owned(), why })
        };
        let file =
            SourceFile::parse(&text, schemas).map_err(|reason: Reason| failed(&path, reason.to_string()))?;
        Ok((name, file))
    });
    files.collect()
}

/// The texts of the schemas of a folder: `NUMBER.avsc`.
fn schemas_in(folder: &Path) -> Result<BTreeMap<SchemaId, String>, String> {
    let mut schemas = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|extension| extension != "avsc") {
            continue;
        }
        let named = |why: String| format!("{}: {why}", path.display());
        let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        let id = id.ok_or_else(|| named("its name is to be the schema's number".into()))?;
        let about = fs::metadata(&path).map_err(|error| named(error.to_string()))?;
        if about.len() > NAMED_FILE_BYTES_MAX {
            return Err(named(format!("larger than {NAMED_FILE_BYTES_MAX} bytes")));
        }
        schemas.insert(id, fs::read_to_string(&path).map_err(|error| named(error.to_string()))?);
    }
    Ok(schemas)
}
