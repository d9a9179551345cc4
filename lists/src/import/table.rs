//! Tables with a header: columns are found by name, in any order; rows that do not fit are odd.

use super::{Doubt, ImportError, RECORD_BYTES_MAX, Sink, TextFile, text::some};

/// The header stands among the first lines; a report's date or title may stand above it.
const HEADER_LINE_MAX: usize = 5;

/// How a table is laid out.
pub(super) struct Layout<'a> {
    /// A column without which a line is not the header; any of these names.
    pub required: &'a [&'a str],
    /// A program writes it and ends its last line: without that, the file was cut.
    pub ends_with_newline: bool,
}

/// One row: texts by column.
pub(super) struct Row<'a> {
    columns: &'a [String],
    fields: &'a csv::StringRecord,
    /// The line it begins on.
    pub line: u64,
}

impl Row<'_> {
    /// The text in the first column with one of these names that is not empty.
    pub(super) fn get(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let at = self.columns.iter().position(|c| c == name)?;
            self.fields.get(at).and_then(some)
        })
    }

    /// The texts in that column, between semicolons.
    pub(super) fn list(&self, names: &[&str]) -> Vec<String> {
        self.get(names).map_or_else(Vec::new, |cell| cell.split(';').filter_map(some).collect())
    }

    /// The columns that are not among these, with their texts, where they are not empty.
    pub(super) fn others(&self, known: &[&str]) -> impl Iterator<Item = (&str, String)> {
        let cells = self.columns.iter().zip(self.fields);
        let others = cells.filter(|(column, _)| !column.is_empty() && !known.contains(&column.as_str()));
        others.filter_map(|(column, cell)| Some((column.as_str(), some(cell)?)))
    }
}

/// Read a table; every row that fits is handed over. The lines above the header come back, as one text.
pub(super) fn read(
    file: &TextFile<'_>,
    layout: &Layout<'_>,
    sink: &mut Sink,
    mut each: impl FnMut(&Row<'_>, &mut Sink) -> Result<(), ImportError>,
) -> Result<String, ImportError> {
    let text = file.text.trim_end_matches('\u{1a}');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text, layout))
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<String>> = None;
    let mut above = String::new();
    let mut above_lines = 0;
    let mut fields = csv::StringRecord::new();
    // The text is UTF-8 already, and memory is the only other thing that a reader of bytes can fail on.
    while reader.read_record(&mut fields).unwrap_or(false) {
        let (line, start) = fields.position().map_or((0, 0), |p| (p.line(), p.byte()));
        let Some(columns) = &columns else {
            let names: Vec<String> = fields.iter().map(column_name).collect();
            if names.iter().any(|name| layout.required.contains(&name.as_str())) {
                columns = Some(names);
            } else {
                above_lines += 1;
                if above_lines == HEADER_LINE_MAX {
                    break;
                }
                above.extend(fields.iter().map(|f| format!("{f} ")));
            }
            continue;
        };
        let raw = raw(text, start, reader.position().byte());
        let last = reader.position().byte() >= text.len() as u64;
        if last && let Some(reason) = cut(raw, fields.len(), columns.len(), layout) {
            sink.doubt(Doubt::Truncated { file: file.name.to_owned(), line, reason });
            sink.odd(file.name, line, reason)?;
        } else if raw.len() > RECORD_BYTES_MAX {
            sink.odd(file.name, line, format!("{} bytes; the limit is {RECORD_BYTES_MAX}", raw.len()))?;
        } else if fields.len() == 1 && fields[0].trim().is_empty() {
            // A blank line.
        } else if fields.len() != columns.len() {
            let reason = format!(
                "{} fields, but the header has {}; a text with a separator in it needs quotation marks",
                fields.len(),
                columns.len()
            );
            sink.odd(file.name, line, reason)?;
        } else {
            each(&Row { columns, fields: &fields, line }, sink)?;
        }
    }
    if columns.is_none() {
        return Err(ImportError::Malformed {
            file: file.name.to_owned(),
            line: 1,
            reason: format!("no header with a column {:?}", layout.required.join(" or ")),
        });
    }
    Ok(above)
}

/// How the last record shows that the file was cut.
fn cut(raw: &str, fields: usize, columns: usize, layout: &Layout<'_>) -> Option<&'static str> {
    if raw.bytes().filter(|b| *b == b'"').count() % 2 == 1 {
        Some("a quotation mark is not closed")
    } else if !raw.ends_with('\n') && fields < columns {
        Some("its last record has too few fields")
    } else if !raw.ends_with('\n') && layout.ends_with_newline {
        Some("its last line does not end")
    } else {
        None
    }
}

fn raw(text: &str, start: u64, end: u64) -> &str {
    let at = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    text.get(at(start)..at(end)).unwrap_or_default()
}

/// The separator with which a line becomes a header; of several, the one that gives the most columns, a comma in
/// doubt.
fn delimiter(text: &str, layout: &Layout<'_>) -> u8 {
    let columns = |separator: char| {
        let headers = text.lines().take(HEADER_LINE_MAX).map(|line| {
            let names: Vec<String> = line.split(separator).map(column_name).collect();
            let is_header = names.iter().any(|name| layout.required.contains(&name.as_str()));
            if is_header { names.len() } else { 0 }
        });
        headers.max().unwrap_or(0)
    };
    ['\t', ';', ','].into_iter().max_by_key(|s| columns(*s)).map_or(b',', |s| s as u8)
}

/// A header as a name: lower case, words joined by `_`.
fn column_name(header: &str) -> String {
    let lower = header.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(text: &str, ends_with_newline: bool) -> (Result<Vec<(String, String)>, ImportError>, Sink) {
        let file = TextFile { name: "f.csv", text: text.into(), guessed: false };
        let mut sink = Sink::default();
        let mut rows = Vec::new();
        let layout = Layout { required: &["name"], ends_with_newline };
        let read = read(&file, &layout, &mut sink, |row, _| {
            rows.push((row.get(&["id"]).unwrap_or_default(), row.get(&["name"]).unwrap_or_default()));
            Ok(())
        });
        (read.map(|_| rows), sink)
    }

    #[test]
    fn columns_are_found_by_name() {
        let want = vec![("1".to_owned(), "A, B".to_owned())];
        for text in [
            "id,name\n1,\"A, B\"\n",
            "Report of,today\r\nName,ID\r\n\"A, B\",1\r\n\u{1a}",
            "name\tid\nA, B\t1",
            "id;name\n1;\"A, B\"\n\n",
        ] {
            let (rows, sink) = run(text, false);
            assert_eq!(rows.unwrap(), want, "{text}");
            assert_eq!((sink.doubts, sink.skipped), (vec![], vec![]), "{text}");
        }
        assert!(run("a,b\n1,2\n", false).0.is_err());
    }

    #[test]
    fn rows_that_do_not_fit_are_odd() {
        let (rows, sink) = run("id,name\n1,A\n2,B,C\n3\n4,D\n", false);
        assert_eq!(rows.unwrap().len(), 2);
        assert_eq!(sink.skipped.iter().map(|s| s.line).collect::<Vec<_>>(), [3, 4]);
        assert!(sink.doubts.is_empty());
    }

    #[test]
    fn cut_tables_are_doubted() {
        for (text, strict, cut) in [
            ("id,name\n1,A\n2", false, true),
            ("id,name\n1,A\n2,\"B", false, true),
            ("id,name\n1,A\n2,B", false, false),
            ("id,name\n1,A\n2,B", true, true),
            ("id,name\n1,A\n2,B\n", true, false),
        ] {
            assert_eq!(!run(text, strict).1.doubts.is_empty(), cut, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(name|id|[,;\"\n\r\t]|\\PC){0,60}") {
            let _ = run(&text, true);
        }
    }
}
