//! From a source's files to a list version: one reader for each format, one set of rules for all of them.
//!
//! A reader turns each record into an [`Entry`] and reports what it could not use by file and line. What would
//! make a half-read list look whole (a file cut short, rows that point to entries that are not there) becomes a
//! [`Doubt`]: the caller keeps the previous version unless a person accepts.

mod eu_xml;
mod json;
mod ofac_advanced;
mod ofac_csv;
mod ofac_remarks;
mod ofac_xml;
mod opensanctions;
mod own;
mod pep_csv;
mod table;
mod text;
mod uk_csv;
mod un_xml;
mod vocabulary;
mod xml;

use std::{collections::HashMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sluice_model::limits::{ID_BYTES_MAX, NAME_CHARS_MAX};

use crate::{Entry, ListVersion, PartialDate, VersionError, is_source_name};

pub use text::TextFile;

/// The largest file that is read, in bytes; OpenSanctions' largest collection in CSV has 400 MB.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// The longest line of a list or record of a table, in bytes; the longest real ones have 20 KB.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// The most names one entry may have; the longest real list of aliases has about 300.
pub const NAMES_PER_ENTRY_MAX: usize = 5_000;
/// The most entries one version may have; OpenSanctions' whole collection has about 2 million.
pub const ENTRIES_MAX: usize = 5_000_000;
/// The most odd lines that are listed; a file with more is no list.
pub const SKIPPED_MAX: usize = 200_000;
/// More odd records than this share of all make a list doubtful, in percent.
pub const ODD_PERCENT_MAX: usize = 10;
/// More aliases and addresses of entries that are not there than this share make a set doubtful, in percent:
/// a set of files from different days has some, a set with a primary file cut in half has half.
pub const DANGLING_PERCENT_MAX: usize = 25;
/// A version with fewer entries or names than the active one by more than this share is doubtful, in percent.
pub const SHRINK_PERCENT_MAX: usize = 10;

/// The formats that are read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Format {
    /// OFAC's SDN or non-SDN files in CSV: primary, alternate names, addresses, comments.
    OfacCsv,
    /// OFAC's lists in plain XML (`sdn.xml`).
    OfacXml,
    /// OFAC's lists in advanced XML (`sdn_advanced.xml`).
    OfacAdvancedXml,
    /// The United Nations' consolidated list in XML.
    UnXml,
    /// The European Union's consolidated list in XML 1.1.
    EuXml,
    /// The UK Sanctions List, or OFSI's consolidated list, as a table.
    UkCsv,
    /// OpenSanctions' FollowTheMoney entities, an object a line.
    OpenSanctionsFtm,
    /// OpenSanctions' table of targets (`targets.simple.csv`).
    OpenSanctionsCsv,
    /// A list of one's own as a table.
    Csv,
    /// A list of one's own in JSON.
    Json,
    /// Members of parliaments, as EveryPolitician publishes them.
    PepCsv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::OfacCsv,
        Self::OfacXml,
        Self::OfacAdvancedXml,
        Self::UnXml,
        Self::EuXml,
        Self::UkCsv,
        Self::OpenSanctionsFtm,
        Self::OpenSanctionsCsv,
        Self::PepCsv,
        Self::Csv,
        Self::Json,
    ];

    /// The name on the command line and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OfacCsv => "ofac-csv",
            Self::OfacXml => "ofac-xml",
            Self::OfacAdvancedXml => "ofac-advanced-xml",
            Self::UnXml => "un-xml",
            Self::EuXml => "eu-xml",
            Self::UkCsv => "uk-csv",
            Self::OpenSanctionsFtm => "opensanctions-ftm",
            Self::OpenSanctionsCsv => "opensanctions-csv",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::PepCsv => "pep-csv",
        }
    }

    /// Whether a file of a folder belongs to a source in this format, by its name.
    pub fn takes(self, file_name: &str) -> bool {
        let name = file_name.to_ascii_lowercase();
        match self {
            Self::OfacCsv => ofac_csv::Part::of(&name).is_some(),
            Self::OfacXml | Self::OfacAdvancedXml | Self::UnXml | Self::EuXml => name.ends_with(".xml"),
            Self::Csv | Self::PepCsv | Self::UkCsv | Self::OpenSanctionsCsv => {
                [".csv", ".tsv"].iter().any(|end| name.ends_with(end))
            }
            Self::Json | Self::OpenSanctionsFtm => {
                [".json", ".ndjson", ".jsonl"].iter().any(|end| name.ends_with(end))
            }
        }
    }
}

/// One file of a source, as it came.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// The file's name, without folders.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What to import, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The files' format.
    pub format: Format,
    /// The version's source; `None`: named by the file set.
    pub source: Option<&'a str>,
    /// The files' encoding by its WHATWG label (`windows-1252`, `big5`); `None`: detected.
    pub encoding: Option<&'a str>,
    /// The source's files.
    pub files: &'a [SourceFile<'a>],
}

/// A source's files, read.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    /// What the files say.
    pub version: ListVersion,
    /// When the source published it, where it says so.
    pub published: Option<PartialDate>,
    /// What was not used, by file and line.
    pub skipped: Vec<Skipped>,
    /// What speaks against trusting the version without a person.
    pub doubts: Vec<Doubt>,
}

/// A line, or a part of one, that was not used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Skipped {
    /// The file's name.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A sign that a file is not the whole list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// The file ends in the middle of a record.
    #[error("{file}:{line}: the file is cut short: {reason}")]
    Truncated {
        /// The file's name.
        file: String,
        /// Where it ends.
        line: u64,
        /// How that shows.
        reason: &'static str,
    },
    /// The encoding was guessed, and what came out reads as no text does.
    #[error(
        "{file}:{line}: not in Windows-1252, as it was taken to be: say which encoding it is in (--encoding)"
    )]
    Encoding {
        /// The file's name.
        file: String,
        /// Where it first shows.
        line: u64,
    },
    /// Many rows belong to entries that are not there.
    #[error("{file}: {dangling} of {rows} rows belong to entries that are not in the primary file")]
    Dangling {
        /// The file's name.
        file: String,
        /// How many.
        dangling: usize,
        /// Of how many.
        rows: usize,
    },
    /// Many records could not be used.
    #[error("{odd} of {records} records could not be used")]
    Odd {
        /// How many.
        odd: usize,
        /// Of how many.
        records: usize,
    },
    /// The new version is much smaller than the active one.
    #[error("the active version has {before} {what}, this one {after}")]
    Shrunk {
        /// `entries` or `names`.
        what: &'static str,
        /// In the active version.
        before: usize,
        /// In the new one.
        after: usize,
    },
}

/// Why no version could be made at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The format's name is unknown.
    #[error("unknown format {0:?}; known are {known}", known = known_formats())]
    Format(String),
    /// The encoding's label is unknown.
    #[error("unknown encoding {0:?}; labels are those of the WHATWG Encoding Standard, such as windows-1252")]
    Encoding(String),
    /// No file of the set that the format needs.
    #[error("{0}")]
    Files(String),
    /// A file that the format's reader cannot make sense of, or will not.
    #[error("{file}:{line}: {reason}")]
    Malformed {
        /// The file's name.
        file: String,
        /// Counted from 1.
        line: u64,
        /// Why.
        reason: String,
    },
    /// The files were read and hold no entry.
    #[error("no entry in {0}: is it in this format?")]
    Empty(String),
    /// Beyond a named limit.
    #[error("{0}")]
    Limit(String),
    /// The entries make no version.
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// Read a source's files into a version.
pub fn import(request: &Request<'_>) -> Result<Import, ImportError> {
    if let Some(source) = request.source.filter(|s| !is_source_name(s)) {
        return Err(VersionError::Source(source.to_owned()).into());
    }
    let files =
        request.files.iter().map(|f| TextFile::decode(f, request.encoding)).collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() {
        return Err(ImportError::Files(format!("no file in format {}", request.format)));
    }
    let misread = files.iter().filter_map(|file| Some((file.name.to_owned(), file.misread()?)));
    let doubts = misread.map(|(file, line)| Doubt::Encoding { file, line }).collect();
    let mut sink = Sink { doubts, ..Sink::default() };
    let named = match request.format {
        Format::OfacCsv => ofac_csv::read(&files, &mut sink)?,
        Format::OfacXml => ofac_xml::read(&files, &mut sink)?,
        Format::OfacAdvancedXml => ofac_advanced::read(&files, &mut sink)?,
        Format::UnXml => un_xml::read(&files, &mut sink)?,
        Format::EuXml => eu_xml::read(&files, &mut sink)?,
        Format::UkCsv => uk_csv::read(&files, &mut sink)?,
        Format::OpenSanctionsFtm => opensanctions::read_ftm(&files, &mut sink)?,
        Format::OpenSanctionsCsv => opensanctions::read_csv(&files, &mut sink)?,
        Format::Csv => own::read_csv(&files, request.source, &mut sink)?,
        Format::Json => own::read_json(&files, request.source, &mut sink)?,
        Format::PepCsv => pep_csv::read(&files, &mut sink)?,
    };
    sink.finish(request.source.map_or(named, str::to_owned), &files)
}

impl Import {
    /// The doubts, with those that a comparison with the active version raises.
    pub fn doubts_beside(&self, active: Option<&ListVersion>) -> Vec<Doubt> {
        let mut doubts = self.doubts.clone();
        if let Some(active) = active {
            let pairs = [
                ("entries", active.entries().len(), self.version.entries().len()),
                ("names", active.name_count(), self.version.name_count()),
            ];
            doubts.extend(
                pairs
                    .into_iter()
                    .filter(|(_, before, after)| after * 100 < before * (100 - SHRINK_PERCENT_MAX))
                    .map(|(what, before, after)| Doubt::Shrunk { what, before, after }),
            );
        }
        doubts
    }
}

/// Where readers put what they find.
#[derive(Default)]
pub(crate) struct Sink {
    entries: Vec<Entry>,
    /// Where each entry stands in `entries`, and the line it was read from.
    by_id: HashMap<String, (usize, u64)>,
    published: Option<PartialDate>,
    skipped: Vec<Skipped>,
    doubts: Vec<Doubt>,
    records: usize,
    odd_records: usize,
}

impl Sink {
    /// Take an entry in; one that cannot stand on a list is skipped.
    pub(crate) fn entry(&mut self, file: &str, line: u64, mut entry: Entry) -> Result<(), ImportError> {
        self.records += 1;
        entry.names.retain(|n| !n.text.is_empty());
        if let Some(reason) = self.refusal(&entry) {
            return self.odd_record(file, line, reason);
        }
        if self.entries.len() == ENTRIES_MAX {
            return Err(ImportError::Limit(format!("more than {ENTRIES_MAX} entries in one list")));
        }
        self.by_id.insert(entry.id.clone(), (self.entries.len(), line));
        self.entries.push(entry);
        Ok(())
    }

    /// The entry that has been taken in under this id.
    pub(crate) fn entry_mut(&mut self, id: &str) -> Option<&mut Entry> {
        let (at, _) = self.by_id.get(id)?;
        self.entries.get_mut(*at)
    }

    /// A whole record that could not be used.
    pub(crate) fn odd(
        &mut self,
        file: &str,
        line: u64,
        reason: impl Into<String>,
    ) -> Result<(), ImportError> {
        self.records += 1;
        self.odd_record(file, line, reason.into())
    }

    /// A part of a record, or of another file of the set, that could not be used.
    pub(crate) fn skip(
        &mut self,
        file: &str,
        line: u64,
        reason: impl Into<String>,
    ) -> Result<(), ImportError> {
        if self.skipped.len() == SKIPPED_MAX {
            return Err(ImportError::Limit(format!(
                "{file}:{line}: more than {SKIPPED_MAX} lines cannot be used"
            )));
        }
        self.skipped.push(Skipped { file: file.to_owned(), line, reason: reason.into() });
        Ok(())
    }

    /// A sign that the list is not whole.
    pub(crate) fn doubt(&mut self, doubt: Doubt) {
        self.doubts.push(doubt);
    }

    /// When the source published the list.
    pub(crate) fn published(&mut self, date: Option<PartialDate>) {
        self.published = date.or(self.published);
    }

    fn odd_record(&mut self, file: &str, line: u64, reason: String) -> Result<(), ImportError> {
        self.odd_records += 1;
        self.skip(file, line, reason)
    }

    fn refusal(&self, entry: &Entry) -> Option<String> {
        let longest = entry.names.iter().map(|n| n.text.chars().count()).max().unwrap_or(0);
        if entry.id.is_empty() || entry.id.len() > ID_BYTES_MAX {
            Some(format!("an id has 1 to {ID_BYTES_MAX} bytes, this one {}", entry.id.len()))
        } else if let Some((_, line)) = self.by_id.get(&entry.id) {
            Some(format!("id {} stands already on line {line}", entry.id))
        } else if entry.names.iter().all(|n| n.text.is_empty()) {
            Some(format!("entry {} has no name", entry.id))
        } else if longest > NAME_CHARS_MAX {
            Some(format!(
                "entry {} has a name of {longest} characters; the limit is {NAME_CHARS_MAX}",
                entry.id
            ))
        } else if entry.names.len() > NAMES_PER_ENTRY_MAX {
            Some(format!("entry {} has more than {NAMES_PER_ENTRY_MAX} names", entry.id))
        } else {
            None
        }
    }

    fn finish(mut self, source: String, files: &[TextFile<'_>]) -> Result<Import, ImportError> {
        if self.entries.is_empty() {
            let names: Vec<&str> = files.iter().map(|f| f.name).collect();
            return Err(ImportError::Empty(names.join(", ")));
        }
        if self.odd_records * 100 > self.records * ODD_PERCENT_MAX {
            self.doubts.push(Doubt::Odd { odd: self.odd_records, records: self.records });
        }
        for entry in &mut self.entries {
            // The best names first; names of one quality stay in the source's order.
            entry.names.sort_by_key(|n| n.quality);
            vocabulary::add_bics(entry);
        }
        let version = ListVersion::new(source, self.entries)?;
        Ok(Import { version, published: self.published, skipped: self.skipped, doubts: self.doubts })
    }
}

fn known_formats() -> String {
    Format::ALL.map(Format::name).join(", ")
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = ImportError;

    fn from_str(text: &str) -> Result<Self, ImportError> {
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| ImportError::Format(text.to_owned()))
    }
}

impl TryFrom<String> for Format {
    type Error = ImportError;

    fn try_from(text: String) -> Result<Self, ImportError> {
        text.parse()
    }
}

impl From<Format> for String {
    fn from(format: Format) -> Self {
        format.name().to_owned()
    }
}
