//! The rows of a file, one after the other, with line numbers and, where a row is refused, its own bytes.

use std::io::{self, Read};

use ::csv::{ByteRecord, ErrorKind, ReaderBuilder, StringRecord};
use sluice_model::{PaymentEvent, limits::EVENT_BYTES_MAX};

use super::{
    Mapping, MappingError,
    file::{self, Text},
    row::Bound,
};
use crate::{DecodeError, Refused, accept};

impl Mapping {
    /// The events of a CSV file, in its order: the rows after its header, which is the first line that has every
    /// column that the mapping names.
    pub fn rows<R: Read>(&self, reader: R) -> Result<Rows<R>, MappingError> {
        let (text, header) = file::open(self, reader)?;
        let mut builder = ReaderBuilder::new();
        builder.delimiter(header.delimiter).has_headers(false).flexible(true);
        let mut reader = builder.from_reader(Kept::new(text));
        let mut record = ByteRecord::new();
        for _ in 0..=header.records_before {
            let read = reader.read_byte_record(&mut record);
            read.map_err(|error| MappingError::Header(error.to_string()))?;
        }
        let header = StringRecord::from_byte_record_lossy(record.clone());
        let bound = Bound::new(self, &header)?;
        let columns = header.len();
        Ok(Rows { reader, bound, columns, record, line: 0, passed_over: 0, ended: false })
    }
}

/// An iterator over the events of a CSV file. Rows that the mapping's filters leave out are passed over.
pub struct Rows<R> {
    reader: ::csv::Reader<Kept<Text<R>>>,
    bound: Bound,
    columns: usize,
    record: ByteRecord,
    line: u64,
    passed_over: u64,
    ended: bool,
}

impl<R: Read> Rows<R> {
    /// How many rows the mapping's filters left out so far.
    pub const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The line on which the row begins that was read last, counted from 1.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The event or refusal that the row just read is; nothing for a row that is passed over.
    fn judge(&mut self, place: Place) -> Option<Result<PaymentEvent, Refused>> {
        let original = self.reader.get_mut().at(place);
        let refused = |error| Refused::new(place.line, error, original);
        if original.len() > EVENT_BYTES_MAX {
            let why = format!("the row is larger than {EVENT_BYTES_MAX} bytes");
            return Some(Err(refused(DecodeError::too_large(why))));
        }
        let (has, expected) = (self.record.len(), self.columns);
        if has != expected {
            let why = format!("the row has {has} columns; the header has {expected}");
            return Some(Err(refused(DecodeError::malformed(why))));
        }
        if !self.bound.admits(&self.record) {
            self.passed_over += 1;
            return None;
        }
        let read = self.bound.read(&self.record, place.line).map_err(DecodeError::malformed);
        Some(read.and_then(accept).map_err(refused))
    }

    /// A row that is no row of this file, or the end of what can be read of it.
    fn odd(&mut self, error: &::csv::Error, place: Place) -> io::Result<Refused> {
        let why = match error.kind() {
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                self.ended = true;
                DecodeError::too_large(format!(
                    "a row of more than {ROW_BYTES_MAX} bytes (an open quote?): the rest of the file is not read"
                ))
            }
            ErrorKind::Io(error) => {
                self.ended = true;
                return Err(io::Error::new(error.kind(), error.to_string()));
            }
            _ => DecodeError::malformed("the row cannot be read"),
        };
        Ok(Refused::new(place.line, why, self.reader.get_mut().at(place)))
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = io::Result<Result<PaymentEvent, Refused>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let before = self.reader.position().clone();
            let read = self.reader.read_byte_record(&mut self.record);
            let place = Place { line: before.line(), from: before.byte(), to: self.reader.position().byte() };
            let place = self.reader.get_mut().without_blank_lines(place);
            self.line = place.line;
            match read {
                Ok(false) => self.ended = true,
                Ok(true) => {
                    if let Some(judged) = self.judge(place) {
                        return Some(Ok(judged));
                    }
                }
                Err(error) => return Some(self.odd(&error, place).map(Err)),
            }
        }
        None
    }
}

/// The most bytes that one row may take before the file is given up: an open quote would swallow all of it.
const ROW_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where a row stands: its first line, its first byte and the byte after its last.
#[derive(Clone, Copy)]
pub(super) struct Place {
    line: u64,
    from: u64,
    to: u64,
}

/// A reader that keeps what it has read since the row at hand began.
pub(super) struct Kept<R> {
    inner: R,
    bytes: Vec<u8>,
    /// Where in the file `bytes` begins.
    start: u64,
}

impl<R> Kept<R> {
    const fn new(inner: R) -> Self {
        Self { inner, bytes: Vec::new(), start: 0 }
    }

    /// The bytes of a row, without its line's end. What lies before them is let go of.
    fn at(&mut self, place: Place) -> &[u8] {
        let before = self.index(place.from);
        // Moving the rest is worth it only once it is the smaller part.
        if before > self.bytes.len() / 2 {
            self.bytes.drain(..before);
            self.start += before as u64;
        }
        self.bytes[self.index(place.from)..self.index(place.to)].trim_ascii_end()
    }

    /// The reader passes over blank lines on its way to a row: they are no part of it.
    fn without_blank_lines(&self, mut place: Place) -> Place {
        for byte in &self.bytes[self.index(place.from)..self.index(place.to)] {
            match byte {
                b'\n' => place.line += 1,
                b'\r' => {}
                _ => break,
            }
            place.from += 1;
        }
        place
    }

    fn index(&self, place: u64) -> usize {
        usize::try_from(place.saturating_sub(self.start)).unwrap_or(usize::MAX).min(self.bytes.len())
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.bytes.len() > ROW_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.inner.read(out)?;
        self.bytes.extend_from_slice(&out[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = r#"
        keep_unmapped = true
        [fields]
        event_id = { column = "id", prefix = "bank-" }
        occurred_at = { column = "when", format = "%d/%m/%Y %H:%M", utc_offset_hours = 8 }
        status = { column = "state", lookup = { OK = "completed", NO = "declined" } }
        type = { constant = "payment" }
        "amount.value" = { column = "sum", decimal = ",", group = ".", absolute = true }
        "amount.currency" = { column = "ccy", default = "HKD" }
        "debtor.name" = { columns = ["first", "last"] }
        "debtor.account" = "from"
        "creditor.proxy.type" = { constant = "mobile" }
        "creditor.proxy.id" = "to"
        [[only]]
        column = "kind"
        in = ["T", "P"]
    "#;
    const HEADER: &str = "id,when,state,sum,ccy,first,last,from,to,kind,note\n";

    fn read(rows: &str) -> (Vec<Result<PaymentEvent, Refused>>, u64) {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let text = format!("{HEADER}{rows}");
        let mut found = mapping.rows(text.as_bytes()).unwrap();
        let read = found.by_ref().map(Result::unwrap).collect();
        (read, found.passed_over())
    }

    #[test]
    fn columns_become_fields() {
        let (read, passed_over) = read(
            "1,20/11/2026 16:30,OK,\"-7.800,50\",,Tai Man,CHAN,A1,+852-91234567,T,\"a, b\"\n2,,,,,,,,,X,\n",
        );
        assert_eq!((read.len(), passed_over), (1, 1));
        let event = read[0].as_ref().unwrap();
        assert_eq!(event.event_id, "bank-1");
        assert_eq!(event.occurred_at.to_string(), "2026-11-20T08:30:00Z");
        assert_eq!(event.amount.unwrap().to_string(), "HKD 7800.50");
        assert_eq!(event.debtor.as_ref().unwrap().name.as_deref(), Some("Tai Man CHAN"));
        assert_eq!(event.creditor.as_ref().unwrap().proxy.as_ref().unwrap().id, "85291234567");
        assert_eq!(event.attributes["note"], "a, b");
        assert_eq!(event.attributes["kind"], "T");
    }

    #[test]
    fn odd_rows_are_refused_with_line_reason_and_bytes() {
        let rows = "1,20/11/2026 16:30,WHAT,1,HKD,a,b,c,d,T,\n\
                    \n\
                    2,soon,OK,1,HKD,a,b,c,d,T,\"two\nlines\"\n\
                    3,20/11/2026 16:30,OK,1.5,HKD,a,b,c,d,T,\n\
                    too,short\n\
                    5,20/11/2026 16:30,OK,\"1,5\",ZZZ,a,b,c,d,T,\n\
                    6,20/11/2026 16:30,OK,\"1,5\",HKD,a,b,c,d,P,\n";
        let (read, _) = read(rows);
        let refused: Vec<(u64, &str, &str)> = read
            .iter()
            .filter_map(|row| row.as_ref().err())
            .map(|refused| {
                (refused.line, refused.reason.as_str(), std::str::from_utf8(&refused.original).unwrap())
            })
            .collect();
        assert_eq!(
            refused[..4],
            [
                (
                    2,
                    "status: the column holds a value that the mapping's lookup does not have",
                    "1,20/11/2026 16:30,WHAT,1,HKD,a,b,c,d,T,"
                ),
                (
                    4,
                    "occurred_at: the column does not follow the mapping's `format`",
                    "2,soon,OK,1,HKD,a,b,c,d,T,\"two\nlines\""
                ),
                (
                    6,
                    "amount.value: the column's digits are not grouped as the mapping says",
                    "3,20/11/2026 16:30,OK,1.5,HKD,a,b,c,d,T,"
                ),
                (7, "the row has 2 columns; the header has 11", "too,short"),
            ]
        );
        assert_eq!(refused[4].0, 8);
        assert!(refused[4].1.starts_with("amount.currency: must be a currency code"), "{}", refused[4].1);
        assert_eq!(refused.len(), 5);
        assert_eq!(read.last().unwrap().as_ref().unwrap().event_id, "bank-6");
    }

    #[test]
    fn an_open_quote_does_not_swallow_memory() {
        let (read, _) = read(&format!("1,\"{}", "x".repeat(ROW_BYTES_MAX * 2)));
        let refused = read[0].as_ref().unwrap_err();
        assert_eq!((read.len(), refused.line, refused.code), (1, 2, "too_large"));
    }

    #[test]
    fn numbers_since_a_moment_are_times() {
        let mapping = "[fields]\nevent_id = { line = true, prefix = \"row-\" }\n\
                       occurred_at = { column = \"day\", since = \"2017-01-01\", unit = \"1d\" }\n\
                       \"amount.value\" = { column = \"cents\", shift = 2 }\n\"amount.currency\" = { constant = \"USD\" }";
        let mapping = Mapping::parse(mapping).unwrap();
        let events: Vec<_> = mapping
            .rows("day,cents\n0,5\n31,12345".as_bytes())
            .unwrap()
            .map(|row| row.unwrap().unwrap())
            .collect();
        assert_eq!(events[0].amount.unwrap().decimal(), "0.05");
        assert_eq!(events[1].amount.unwrap().decimal(), "123.45");
        assert_eq!(events[1].occurred_at.to_string(), "2017-02-01T00:00:00Z");
        assert_eq!(events[1].event_id, "row-3");
    }

    #[test]
    fn mappings_that_cannot_work_say_why() {
        let needed = "event_id = \"id\"\noccurred_at = \"at\"\n";
        for (text, expected) in [
            ("fields = 1", "cannot be read"),
            ("[fields]\nevent_id = \"id\"", "does not fill `occurred_at`"),
            (&format!("[fields]\n{needed}debtr = \"x\""), "fills `debtr`, which is no field"),
            (&format!("[fields]\n{needed}debtor = \"x\""), "here stand customer_id, name"),
            (&format!("[fields]\n{needed}\"debtor.nmae\" = \"x\""), "`debtor.nmae`"),
            (&format!("[fields]\n{needed}\"debtor.name.first\" = \"x\""), "no field"),
            (&format!("[fields]\n{needed}method = {{ column = \"x\", constant = \"y\" }}"), "exactly one"),
            (&format!("[fields]\n{needed}method = {{ colum = \"x\" }}"), "a column's name"),
            (&format!("[fields]\n{needed}method = {{ column = \"x\", since = \"now\" }}"), "not an RFC 3339"),
            (&format!("colour = 1\n[fields]\n{needed}"), "colour"),
            (&format!("zone = \"Asia/Hongkong\"\n[fields]\n{needed}"), "time zone database"),
            (&format!("encoding = \"klingon\"\n[fields]\n{needed}"), "no label"),
            (
                &format!("[fields]\n{needed}\"amount.value\" = {{ column = \"x\", group = \".\" }}"),
                "told apart",
            ),
            (
                &format!("[fields]\n{needed}\"amount.value\" = {{ column = \"x\", group = \"-\" }}"),
                "told apart",
            ),
            (
                &format!("[fields]\n{needed}\"amount.value\" = {{ column = \"x\", symbols = [\".\"] }}"),
                "a part of",
            ),
            (&format!("[fields]\n{needed}purpose = {{ column = \"x\", format = \"%J\" }}"), "no pattern"),
            (
                &format!("[fields]\n{needed}purpose = {{ column = \"x\", format = \"%F %I:%M\" }}"),
                "AM and PM",
            ),
            (
                &format!(
                    "[fields]\n{needed}\"debtor.birth_date\" = {{ column = \"x\", format = \"%d/%m/%y\" }}"
                ),
                "years_from",
            ),
            (&format!("[fields]\n{needed}[sides]\nnegative = \"outbound\""), "fills no amount"),
            (
                &format!(
                    "[fields]\n{needed}direction = \"x\"\n[sides]\ncolumn = \"s\"\noutbound = [\"D\"]\ninbound = [\"C\"]"
                ),
                "is what `sides` says",
            ),
            (
                &format!("[fields]\n{needed}[sides]\ncolumn = \"s\"\noutbound = [\"D\"]\ninbound = [\"D\"]"),
                "outbound and inbound",
            ),
        ] {
            let error = Mapping::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let mapping = Mapping::parse(&format!("[fields]\n{needed}")).unwrap();
        let error = mapping.rows("id,time\n".as_bytes()).err().unwrap().to_string();
        assert!(error.contains("column `at`") && error.contains("id, time"), "{error}");
    }

    /// What a file in any form has: a row each, its line, time, amount and debtor's name, or why it is refused.
    fn told(head: &str, file: &[u8]) -> Vec<(u64, String)> {
        let text = format!(
            "{head}\n[fields]\nevent_id = {{ line = true }}\noccurred_at = \"Date\"\n\
             \"amount.value\" = \"Amount\"\n\"amount.currency\" = {{ constant = \"HKD\" }}\n\"debtor.name\" = \"Name\""
        );
        let mut rows = Mapping::parse(&text).unwrap().rows(file).unwrap();
        let mut told = Vec::new();
        while let Some(row) = rows.next() {
            told.push(match row.unwrap() {
                Ok(event) => {
                    let name = event.debtor.unwrap().name.unwrap();
                    (rows.line(), format!("{} {} {name}", event.occurred_at, event.amount.unwrap()))
                }
                Err(refused) => (refused.line, refused.reason),
            });
        }
        told
    }

    const WHOLE: &str = "2026-11-20T08:30:00Z HKD 7.80";

    #[test]
    fn a_header_is_found_below_what_comes_before_it() {
        let row = "2026-11-20T08:30:00Z;7.80;CHAN";
        for before in ["", "sep=;\n", "Our Bank Limited\n\nAccount;012\nFrom;To;By\n", "\u{feff}sep=;\r\n"] {
            let file = format!("{before}Date;Amount;Name\n{row}\n");
            let line = 1 + file.lines().position(|line| line == row).unwrap() as u64;
            assert_eq!(told("", file.as_bytes()), [(line, format!("{WHOLE} CHAN"))], "{file}");
        }
        let file = format!("{}Date;Amount;Name\n{row}\n", "A line\n".repeat(101));
        let mapping = Mapping::parse("[fields]\nevent_id = \"Name\"\noccurred_at = \"Date\"").unwrap();
        let error = mapping.rows(file.as_bytes()).err().unwrap().to_string();
        assert!(error.contains("none of the first lines has a column"), "{error}");
        let error = mapping.rows("20/11/2026,CHAN\n".as_bytes()).err().unwrap().to_string();
        assert!(!error.contains("CHAN"), "{error}");
        let twice = mapping.rows("Name;Date;Name\n".as_bytes()).err().unwrap().to_string();
        assert!(twice.contains("more than once"), "{twice}");
    }

    #[test]
    fn columns_are_parted_by_what_the_header_is_parted_by() {
        for delimiter in [",", ";", "\t", "|"] {
            let file = "Date;Amount;Name\n2026-11-20T08:30:00Z;7.80;CHAN".replace(';', delimiter);
            assert_eq!(told("", file.as_bytes()), [(2, format!("{WHOLE} CHAN"))]);
            let declared = format!("delimiter = {delimiter:?}");
            assert_eq!(told(&declared, file.as_bytes()), [(2, format!("{WHOLE} CHAN"))]);
        }
    }

    #[test]
    fn lines_may_end_with_carriage_returns_alone() {
        let row = "2026-11-20T08:30:00Z,7.80,CHAN";
        let file = format!("Date,Amount,Name\r{row}\r{row},more\r\r{row}\r");
        let whole = format!("{WHOLE} CHAN");
        let odd = "the row has 4 columns; the header has 3".to_owned();
        assert_eq!(told("", file.as_bytes()), [(2, whole.clone()), (3, odd), (5, whole)]);
    }

    #[test]
    fn encodings_are_declared_or_marked() {
        let file = |name: &str| format!("Date,Amount,Name\n2026-11-20T08:30:00Z,7.80,{name}\n");
        let encode = |label: &str, name: &str| {
            encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(&file(name)).0.into_owned()
        };
        for (label, name) in
            [("windows-1252", "MÜLLER €"), ("big5", "陳大文"), ("gb18030", "陈大文"), ("utf-8", "陳")]
        {
            let read = told(&format!("encoding = \"{label}\""), &encode(label, name));
            assert_eq!(read, [(2, format!("{WHOLE} {name}"))], "{label}");
        }
        let text = format!("\u{feff}{}", file("陳大文"));
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big, text.into_bytes()] {
            // The mark says more than the mapping.
            for head in ["", "encoding = \"big5\""] {
                assert_eq!(told(head, &bytes), [(2, format!("{WHOLE} 陳大文"))]);
            }
        }
    }

    #[test]
    fn a_file_beyond_its_head_is_read_as_it_comes() {
        const ROWS: usize = 20_000;
        let text = format!("Name\r{}", "陳大文\r".repeat(ROWS));
        let mapping = "encoding = \"big5\"\n[fields]\nevent_id = { line = true }\n\
                       occurred_at = { constant = \"2026-11-20\" }\n\"debtor.name\" = \"Name\"";
        let bytes = encoding_rs::BIG5.encode(&text).0;
        // A reader with a small buffer meets every seam between characters and buffers.
        let reader = io::BufReader::with_capacity(7, &bytes[..]);
        let mut lines = 2..;
        for row in Mapping::parse(mapping).unwrap().rows(reader).unwrap() {
            let event = row.unwrap().unwrap();
            assert_eq!(event.event_id, lines.next().unwrap().to_string());
            assert_eq!(event.debtor.unwrap().name.as_deref(), Some("陳大文"));
        }
        assert_eq!(lines.start, ROWS + 2);
    }

    #[test]
    fn bytes_that_are_no_characters_are_refused_by_line() {
        let with = |byte: u8| [b"Date,Amount,Name\n2026-11-20T08:30:00Z,7.80,A", &[byte][..], b"\n"].concat();
        let undeclared = told("", &with(0xdc));
        assert!(undeclared[0].1.contains("debtor.name: the column is not UTF-8"), "{undeclared:?}");
        let declared = told("encoding = \"gb18030\"", &with(0xff));
        assert!(declared[0].1.contains("debtor.name: the column holds bytes"), "{declared:?}");
    }

    fn sided(sides: &str, amount: &str, rows: &str) -> Vec<String> {
        let mapping = format!(
            "[fields]\nevent_id = {{ line = true }}\noccurred_at = {{ constant = \"2026-11-20T08:30:00Z\" }}\n\
             \"amount.value\" = {amount}\n\"amount.currency\" = {{ constant = \"HKD\" }}\n\
             \"debtor.account\" = \"Own\"\n\"creditor.account\" = \"Other\"\n\"creditor.name\" = \"Name\"\n[sides]\n{sides}"
        );
        let mapping = Mapping::parse(&mapping).unwrap();
        let rows = mapping.rows(rows.as_bytes()).unwrap().map(|row| match row.unwrap() {
            Ok(event) => {
                let [from, to] = [event.debtor.unwrap(), event.creditor.unwrap()];
                let named = if from.name.is_some() { "debtor" } else { "creditor" };
                let [from, to] = [from, to].map(|side| side.account.unwrap());
                let way = event.direction.unwrap().name();
                format!("{way} {} {from} {to} {named}", event.amount.unwrap().decimal())
            }
            Err(refused) => refused.reason,
        });
        rows.collect()
    }

    #[test]
    fn a_sign_or_a_column_says_who_pays() {
        let out = "outbound 7.80 A B creditor";
        let came_in = "inbound 7.80 B A debtor";
        let rows =
            "Own,Other,Name,Amount\nA,B,C,-7.80\nA,B,C,7.80\nA,B,C,(7.80)\nA,B,C,7.80 CR\nA,B,C,7.80DR\n";
        assert_eq!(sided("negative = \"outbound\"", "\"Amount\"", rows), [out, came_in, out, came_in, out]);
        assert_eq!(
            sided("negative = \"inbound\"", "\"Amount\"", rows),
            [came_in, out, came_in, came_in, out]
        );
        let rows = "Own,Other,Name,Amount,S\nA,B,C,7.80,D\nA,B,C,7.80,C\nA,B,C,7.80,X\nA,B,C,-7.80,D\n";
        let read = sided("column = \"S\"\noutbound = [\"D\"]\ninbound = [\"C\"]", "\"Amount\"", rows);
        assert_eq!(read[..2], [out, came_in]);
        assert!(read[2].starts_with("direction: the column holds neither"), "{}", read[2]);
        assert!(read[3].contains("negative"), "{}", read[3]);
        let rows = "Own,Other,Name,Out,In\nA,B,C,7.80,\nA,B,C,0.00,7.80\nA,B,C,7.80,7.80\n";
        let read = sided("paid_out = \"Out\"\npaid_in = \"In\"", "{ columns = [\"Out\", \"In\"] }", rows);
        assert_eq!(read[..2], [out, came_in]);
        assert!(read[2].contains("more than one of the columns"), "{}", read[2]);
    }
}
