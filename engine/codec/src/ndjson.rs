//! NDJSON: one canonical event a line. Blank lines are no events; a line that is none does not end the file.

use std::io::{self, BufRead};

use sluice_model::{PaymentEvent, limits::EVENT_BYTES_MAX};

use crate::{DecodeError, Refused, decode_json};

/// One line of NDJSON: its number, counted from 1, and its bytes without the line's end.
pub type Line<'a> = (u64, &'a [u8]);

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a body that hold something.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let numbered = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    numbered.map(|(number, line)| (number, line.trim_ascii())).filter(|(_, line)| !line.is_empty())
}

/// The events of a file, line by line, in bounded memory.
pub struct Events<R> {
    reader: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Events<R> {
    /// The events that `reader` holds.
    pub fn new(reader: R) -> Self {
        Self { reader, line: 0, buffer: Vec::new() }
    }

    /// The next line, cut off one byte beyond the limit; `false` at the end.
    fn read_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let mut whole_length = 0;
        loop {
            let available = self.reader.fill_buf()?;
            let (line, end) = match available.iter().position(|byte| *byte == b'\n') {
                Some(at) => (&available[..at], Some(at + 1)),
                None => (available, None),
            };
            let room = (EVENT_BYTES_MAX + 1).saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&line[..line.len().min(room)]);
            let consumed = end.unwrap_or(available.len());
            whole_length += consumed;
            self.reader.consume(consumed);
            if end.is_some() || consumed == 0 {
                return Ok(whole_length > 0);
            }
        }
    }
}

impl<R: BufRead> Iterator for Events<R> {
    type Item = io::Result<Result<PaymentEvent, Refused>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read_line() {
                Err(error) => return Some(Err(error)),
                Ok(false) => return None,
                Ok(true) => self.line += 1,
            }
            let mut line = self.buffer.as_slice();
            if self.line == 1 {
                line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            }
            let line = line.trim_ascii();
            if !line.is_empty() {
                let refused = |error: DecodeError| Refused::new(self.line, error, line);
                return Some(Ok(decode_json(line).map_err(refused)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> String {
        format!(r#"{{"event_id":"{id}","occurred_at":"2026-11-20T08:30:00Z"}}"#)
    }

    #[test]
    fn a_line_that_is_no_event_is_refused_alone() {
        let long = "x".repeat(EVENT_BYTES_MAX + 10);
        let text = format!("\u{feff}{}\r\n\nbroken\n{long}\n{}", event("1"), event("2"));
        // A reader with a small buffer meets every seam between lines and buffers.
        let reader = io::BufReader::with_capacity(7, text.as_bytes());
        let read: Vec<_> = Events::new(reader).map(Result::unwrap).collect();
        assert_eq!(read.len(), 4);
        assert_eq!(read[0].as_ref().unwrap().event_id, "1");
        let broken = read[1].as_ref().unwrap_err();
        assert_eq!(
            (broken.line, broken.code, broken.original.as_slice()),
            (3, "malformed", b"broken".as_slice())
        );
        let long = read[2].as_ref().unwrap_err();
        assert_eq!((long.line, long.code, long.original.len()), (4, "too_large", EVENT_BYTES_MAX + 1));
        assert_eq!(read[3].as_ref().unwrap().event_id, "2");
        let split: Vec<u64> = lines(text.as_bytes()).map(|(number, _)| number).collect();
        assert_eq!(split, [1, 3, 4, 5]);
    }
}
