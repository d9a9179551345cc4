//! A file before its first row: what encoding it has, how its lines end, what parts its columns, and which of its
//! lines is the header. All of it is in the file's head, which is read once; the rest is read as it comes.

use std::io::{self, Chain, Cursor, Read};

use ::csv::{ReaderBuilder, StringRecord};
use encoding_rs::Encoding;
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::{Mapping, MappingError};

/// In how much of a file the header must end, in bytes of UTF-8.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many lines may come before the header: the bank's name, the account, the period.
const PREAMBLE_LINES_MAX: usize = 100;
/// What parts columns, where neither the mapping nor the file says it.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// A file as UTF-8, with lines that end with a line feed.
pub(super) struct Text<R> {
    inner: Chain<Cursor<Vec<u8>>, DecodeReaderBytes<R, Vec<u8>>>,
    /// Whether lines end with a carriage return alone.
    ends_with_returns: bool,
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        if self.ends_with_returns {
            out[..read].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        Ok(read)
    }
}

/// Where a file's header is, and what parts its columns.
pub(super) struct Header {
    /// How many records come before it.
    pub records_before: usize,
    pub delimiter: u8,
}

/// The file as text, and its header: the first line that has every column that the mapping names.
pub(super) fn open<R: Read>(mapping: &Mapping, reader: R) -> Result<(Text<R>, Header), MappingError> {
    let unread = |error: io::Error| MappingError::Header(error.to_string());
    let mut decoded = decoder(mapping.encoding, reader);
    let mut head = Vec::new();
    let mut limited = decoded.by_ref().take(HEAD_BYTES_MAX as u64);
    limited.read_to_end(&mut head).map_err(unread)?;
    let ends_with_returns = head.contains(&b'\r') && !head.contains(&b'\n');
    let mut text = head.clone();
    if ends_with_returns {
        text.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    let header = find(mapping, &text)?;
    Ok((Text { inner: Cursor::new(head).chain(decoded), ends_with_returns }, header))
}

/// A byte order mark says more than the mapping.
fn decoder<R: Read>(encoding: Option<&'static Encoding>, reader: R) -> DecodeReaderBytes<R, Vec<u8>> {
    let mut builder = DecodeReaderBytesBuilder::new();
    builder.encoding(encoding.filter(|encoding| *encoding != encoding_rs::UTF_8));
    builder.bom_override(true).utf8_passthru(encoding.is_none()).strip_bom(true).build(reader)
}

fn find(mapping: &Mapping, head: &[u8]) -> Result<Header, MappingError> {
    let wanted: Vec<&str> = mapping.columns().collect();
    let said = mapping.delimiter.or_else(|| said_by(head));
    let delimiters = said.map_or_else(|| DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    // What comes nearest tells the user what the file has.
    let mut nearest: Option<(usize, StringRecord)> = None;
    let mut is_unreadable = false;
    for delimiter in delimiters {
        let mut records =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(head);
        for (records_before, record) in records.records().take(PREAMBLE_LINES_MAX + 1).enumerate() {
            let Ok(columns) = record else {
                is_unreadable = true;
                continue;
            };
            let has = |wanted: &&&str| columns.iter().any(|column| column.trim() == **wanted);
            let found = wanted.iter().filter(has).count();
            if found == wanted.len() {
                return Ok(Header { records_before, delimiter });
            }
            if nearest.as_ref().is_none_or(|(most, _)| found > *most) {
                nearest = Some((found, columns));
            }
        }
    }
    let Some(missing) = wanted.first() else {
        return Err(MappingError::Header("the file is empty".into()));
    };
    match nearest {
        Some((1.., header)) => {
            let has = |wanted: &&&str| header.iter().any(|column| column.trim() == **wanted);
            let missing = wanted.iter().find(|wanted| !has(wanted)).unwrap_or(missing);
            Err(MappingError::NoColumn {
                column: (*missing).to_owned(),
                header: header.iter().map(str::trim).collect::<Vec<_>>().join(", "),
            })
        }
        _ if is_unreadable => Err(MappingError::Header(
            "it is not UTF-8, and the mapping does not say what `encoding` the file has".into(),
        )),
        // A line without any of the columns may be a row, which is nobody's to repeat.
        _ => Err(MappingError::Header(format!(
            "none of the first lines has a column that the mapping reads, such as `{missing}`"
        ))),
    }
}

/// What parts columns by a first line such as `sep=;`.
fn said_by(head: &[u8]) -> Option<u8> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line.split_at_checked(4)? {
        (name, [delimiter]) if name.eq_ignore_ascii_case(b"sep=") => Some(*delimiter),
        _ => None,
    }
}
