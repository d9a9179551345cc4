//! JSON lists, object by object: an array, an object with an array in it, or an object a line.

use serde_json::{Map, Value, error::Category};

use super::{Doubt, ImportError, RECORD_BYTES_MAX, Sink, TextFile, text::some};

type Object = Map<String, Value>;

/// Hand over every object with the line it begins on. A text that ends too early is a doubt. A line that is no
/// JSON is skipped where objects stand on lines of their own; inside an array it is an error, as what follows
/// cannot be trusted.
pub(super) fn each_object(
    file: &TextFile<'_>,
    sink: &mut Sink,
    mut each: impl FnMut(u64, &Object, &mut Sink) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut text = Cursor { text: &file.text, at: 0, line: 1 };
    text.skip_space();
    // `{"entries": [` reads as the array alone.
    if let Some((head, _)) = text.rest().split_once('[').filter(|(head, _)| wraps_an_array(head)) {
        text.advance(head.len());
    }
    let array = text.rest().starts_with('[');
    if array {
        text.advance(1);
    }
    let mut closed = !array;
    loop {
        text.skip_separators();
        if array && text.rest().starts_with(']') {
            closed = true;
            break;
        }
        if text.rest().is_empty() {
            break;
        }
        let line = text.line;
        let mut values = serde_json::Deserializer::from_str(text.rest()).into_iter::<Value>();
        let value = values.next();
        let length = values.byte_offset();
        match value {
            Some(Ok(Value::Object(object))) => {
                text.advance(length);
                if length > RECORD_BYTES_MAX {
                    sink.odd(file.name, line, format!("{length} bytes; the limit is {RECORD_BYTES_MAX}"))?;
                } else {
                    each(line, &object, sink)?;
                }
            }
            Some(Ok(_)) => {
                text.advance(length);
                sink.odd(file.name, line, "not an object")?;
            }
            Some(Err(error)) if error.classify() == Category::Eof && !text.has_more_lines(array) => {
                closed = false;
                break;
            }
            Some(Err(error)) if array => {
                let line = line + error.line() as u64 - 1;
                let reason = "not JSON".to_owned();
                return Err(ImportError::Malformed { file: file.name.to_owned(), line, reason });
            }
            _ => {
                text.skip_line();
                sink.odd(file.name, line, "not JSON")?;
            }
        }
    }
    if !closed {
        let reason = "the JSON is not closed";
        sink.doubt(Doubt::Truncated { file: file.name.to_owned(), line: text.line, reason });
    }
    Ok(())
}

/// The texts in a value: one, or those of an array; numbers as they are written.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => some(text).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Number(number) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

/// Whether a text is `{"some_name":`, so that what follows is the only thing in an object.
fn wraps_an_array(head: &str) -> bool {
    let name = head.trim().strip_prefix('{').and_then(|h| h.trim_end().strip_suffix(':'));
    let name = name.and_then(|n| n.trim().strip_prefix('"')?.strip_suffix('"'));
    name.is_some_and(|n| ["entries", "items", "results", "data"].contains(&n))
}

/// A place in a text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, length: usize) {
        let passed = self.rest().as_bytes().get(..length).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count() as u64;
        self.at += length;
    }

    fn skip_space(&mut self) {
        self.advance(self.rest().len() - self.rest().trim_start().len());
    }

    fn skip_separators(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace()).len());
    }

    fn skip_line(&mut self) {
        let length = self.rest().find('\n').map_or(self.rest().len(), |at| at + 1);
        self.advance(length);
    }

    /// Whether another object's line follows, so that it is this line that is broken and not the text cut.
    fn has_more_lines(&self, array: bool) -> bool {
        !array && self.rest().trim_end().contains('\n')
    }
}
