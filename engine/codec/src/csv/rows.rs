//! The rows of a file, one after the other, with line numbers and, where a row is refused, its own bytes.

use std::io::{self, Read};

use ::csv::{ByteRecord, ErrorKind, ReaderBuilder};
use sluice_model::{PaymentEvent, limits::EVENT_BYTES_MAX};

use super::{Mapping, MappingError, row::Bound};
use crate::{DecodeError, Refused, accept};

impl Mapping {
    /// The events of a CSV file with a header, in its order.
    pub fn rows<R: Read>(&self, reader: R) -> Result<Rows<R>, MappingError> {
        let mut reader = ReaderBuilder::new().delimiter(self.delimiter).from_reader(Kept::new(reader));
        let header = reader.headers().map_err(|error| MappingError::Header(error.to_string()))?.clone();
        let bound = Bound::new(self, &header)?;
        Ok(Rows { reader, bound, record: ByteRecord::new(), passed_over: 0, ended: false })
    }
}

/// An iterator over the events of a CSV file. Rows that the mapping's filters leave out are passed over.
pub struct Rows<R> {
    reader: ::csv::Reader<Kept<R>>,
    bound: Bound,
    record: ByteRecord,
    passed_over: u64,
    ended: bool,
}

impl<R: Read> Rows<R> {
    /// How many rows the mapping's filters left out so far.
    pub const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The event or refusal that the row just read is; nothing for a row that is passed over.
    fn judge(&mut self, place: Place) -> Option<Result<PaymentEvent, Refused>> {
        let original = self.reader.get_mut().at(place);
        let refused = |error| Refused::new(place.line, error, original);
        if original.len() > EVENT_BYTES_MAX {
            let why = format!("the row is larger than {EVENT_BYTES_MAX} bytes");
            return Some(Err(refused(DecodeError::too_large(why))));
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
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                DecodeError::malformed(format!("the row has {len} columns; the header has {expected_len}"))
            }
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
            refused[..3],
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
                (7, "the row has 2 columns; the header has 11", "too,short"),
            ]
        );
        assert_eq!(refused[3].0, 8);
        assert!(refused[3].1.starts_with("amount.currency: must be a currency code"), "{}", refused[3].1);
        assert_eq!(refused.len(), 4);
        // "1.5" has its point for a group: fifteen.
        assert_eq!(read[2].as_ref().unwrap().amount.unwrap().minor, 1_500);
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
        ] {
            let error = Mapping::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let mapping = Mapping::parse(&format!("[fields]\n{needed}")).unwrap();
        let error = mapping.rows("id,time\n".as_bytes()).err().unwrap().to_string();
        assert!(error.contains("column `at`") && error.contains("id, time"), "{error}");
    }
}
