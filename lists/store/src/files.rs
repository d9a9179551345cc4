//! Files as they are given on a command line: a file, or a folder of a source's files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sluice_lists::import::{FILE_BYTES_MAX, Format, SourceFile};
use sluice_model::Hash256;

use crate::FileRecord;

/// A file with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name, without folders.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The file system.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// Beyond the limit.
    #[error("{path}: {bytes} bytes; the limit is {FILE_BYTES_MAX}")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// How large.
        bytes: u64,
    },
    /// A folder without any file in the format.
    #[error("{path}: no file in format {format} in this folder")]
    Nothing {
        /// Which.
        path: PathBuf,
        /// The format.
        format: Format,
    },
}

impl File {
    /// As the readers take it.
    pub fn as_source(&self) -> SourceFile<'_> {
        SourceFile { name: &self.name, bytes: &self.bytes }
    }

    /// What the history keeps of it.
    pub fn record(&self) -> FileRecord {
        let bytes = self.bytes.len() as u64;
        FileRecord { name: self.name.clone(), bytes, sha256: Hash256::of(&self.bytes) }
    }
}

/// The files that these paths name, in order; of a folder, those that the format takes.
pub fn read_files(paths: &[PathBuf], format: Format) -> Result<Vec<File>, FilesError> {
    let mut files = Vec::new();
    for path in paths {
        let error = |error| FilesError::Io { path: path.clone(), error };
        if !fs::metadata(path).map_err(error)?.is_dir() {
            files.push(read(path)?);
            continue;
        }
        let listing = fs::read_dir(path).map_err(error)?.collect::<Result<Vec<_>, _>>().map_err(error)?;
        let mut inside: Vec<PathBuf> = listing
            .iter()
            .map(fs::DirEntry::path)
            .filter(|p| p.is_file() && format.takes(&name_of(p)))
            .collect();
        if inside.is_empty() {
            return Err(FilesError::Nothing { path: path.clone(), format });
        }
        inside.sort();
        for path in inside {
            files.push(read(&path)?);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<File, FilesError> {
    let error = |error| FilesError::Io { path: path.to_owned(), error };
    let bytes = fs::metadata(path).map_err(error)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(FilesError::TooLarge { path: path.to_owned(), bytes });
    }
    Ok(File { name: name_of(path), bytes: fs::read(path).map_err(error)? })
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_the_files_of_the_format() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["SDN.CSV", "alt.csv", "readme.txt"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let files = read_files(&[folder.path().to_owned()], Format::OfacCsv).unwrap();
        assert_eq!(files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["SDN.CSV", "alt.csv"]);
        assert!(matches!(
            read_files(&[folder.path().to_owned()], Format::UnXml),
            Err(FilesError::Nothing { .. })
        ));
        let one = read_files(&[folder.path().join("readme.txt")], Format::Csv).unwrap();
        assert_eq!((one.len(), one[0].record().bytes), (1, 10));
        assert!(read_files(&[folder.path().join("absent")], Format::Csv).is_err());
    }
}
