//! A file looked at before it is sent: how its first events are read, and what would be refused.

use std::io::{self, Read};

use serde_json::Value;
use sluice_model::PaymentEvent;

use crate::{Refused, csv::Rows};

/// What a file holds.
#[derive(Debug)]
pub struct Check {
    /// The first events, as they are read.
    pub first: Vec<CheckedEvent>,
    /// How many events there are.
    pub read: u64,
    /// How many rows the mapping's filters leave out.
    pub passed_over: u64,
    /// How many lines, rows or transactions are refused.
    pub refused: u64,
}

/// An event of a file.
#[derive(Debug)]
pub struct CheckedEvent {
    /// The line of a table on which it begins, counted from 1.
    pub line: Option<u64>,
    /// The event's fields: paths, such as `debtor.account`, and texts.
    pub fields: Vec<(String, String)>,
}

impl Check {
    /// Read a whole source; keep the first `shown` events, and hand each refusal to `refused`. `line`: where the source is.
    pub fn of<S: Iterator<Item = io::Result<Result<PaymentEvent, Refused>>>>(
        source: &mut S,
        line: impl Fn(&S) -> Option<u64>,
        shown: usize,
        mut refused: impl FnMut(&Refused),
    ) -> io::Result<Self> {
        let mut check = Self { first: Vec::new(), read: 0, passed_over: 0, refused: 0 };
        while let Some(one) = source.next() {
            match one? {
                Ok(event) => {
                    check.read += 1;
                    if check.first.len() < shown {
                        check.first.push(CheckedEvent { line: line(source), fields: fields(&event)? });
                    }
                }
                Err(why) => {
                    check.refused += 1;
                    refused(&why);
                }
            }
        }
        Ok(check)
    }
}

impl<R: Read> Rows<R> {
    /// Read every row that is left; keep the first `shown` events, and hand each refusal to `refused`.
    pub fn check(mut self, shown: usize, refused: impl FnMut(&Refused)) -> io::Result<Check> {
        let check = Check::of(&mut self, |rows| Some(rows.line()), shown, refused)?;
        Ok(Check { passed_over: self.passed_over(), ..check })
    }
}

fn fields(event: &PaymentEvent) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    flatten(String::new(), serde_json::to_value(event)?, &mut fields);
    Ok(fields)
}

fn flatten(path: String, value: Value, into: &mut Vec<(String, String)>) {
    let below = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::Object(fields) => {
            fields.into_iter().for_each(|(name, value)| flatten(below(&name), value, into))
        }
        Value::Array(items) => {
            items.into_iter().enumerate().for_each(|(at, item)| flatten(below(&at.to_string()), item, into));
        }
        Value::String(text) => into.push((path, text)),
        value => into.push((path, value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use crate::Mapping;

    #[test]
    fn a_file_is_looked_at_before_it_is_sent() {
        let mapping = "[fields]\nevent_id = \"id\"\noccurred_at = \"at\"\n\"debtor.account\" = \"from\"\n\
                       [[only]]\ncolumn = \"kind\"\nin = [\"T\"]";
        let rows =
            "id,at,from,kind\n1,2026-11-20T08:30:00Z,A,T\n2,soon,B,T\n3,,,X\n4,2026-11-20T08:31:00Z,C,T\n";
        let mut refused = Vec::new();
        let rows = Mapping::parse(mapping).unwrap().rows(rows.as_bytes()).unwrap();
        let check = rows.check(1, |row| refused.push((row.line, row.reason.clone()))).unwrap();
        assert_eq!((check.read, check.refused, check.passed_over), (2, 1, 1));
        assert_eq!(check.first.len(), 1);
        assert_eq!(check.first[0].line, Some(2));
        let shown: Vec<_> =
            check.first[0].fields.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        assert!(shown.contains(&("debtor.account", "A")) && shown.contains(&("event_id", "1")), "{shown:?}");
        assert_eq!(refused.len(), 1);
        assert!(refused[0].0 == 3 && refused[0].1.starts_with("occurred_at: must be"), "{refused:?}");
    }
}
