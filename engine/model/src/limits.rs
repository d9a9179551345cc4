//! Every limit that more than one crate must agree on, with its default and its reason.

use std::fmt;

use crate::Span;

/// How far an event may lie ahead of `received_at` before it is a dead letter: clocks differ, but not by more.
pub const FUTURE_TOLERANCE: Span = Span::minutes(5);
/// The same for an event whose source says a day and no time: its day begins so much earlier in the first of the world's
/// zones (UTC+14) than in UTC.
pub const FUTURE_DAY_TOLERANCE: Span = Span::hours(14);
/// How long (in stream time) ids are remembered; an event older than this is a dead letter that can be sent
/// again with a reason, so that deduplication stays exact in bounded memory.
pub const DEDUPE_HORIZON: Span = Span::days(3);
/// How long the home remembers which statuses a payment has had, so that it counts once in a window.
pub const PAYMENT_HORIZON: Span = Span::days(30);
/// The longest window a rule may declare.
pub const WINDOW_LENGTH_MAX: Span = Span::days(400);
/// The shortest window a rule may declare.
pub const WINDOW_LENGTH_MIN: Span = Span::minutes(1);
/// The longest name, in characters, that a list or a screening request may hold. How much of a name is compared is
/// `sluice_lists::COMPARED_CHARS_MAX`: a longer one is an error of that party, and held.
pub const NAME_CHARS_MAX: usize = 2_000;
/// The longest text field, in bytes, that an event may carry.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 256;
/// The largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most related parties and intermediaries one event may carry.
pub const PARTIES_MAX: usize = 64;
/// The most further ids that a party may carry.
pub const OTHER_IDS_MAX: usize = 64;
/// The most attributes one event may carry.
pub const ATTRIBUTES_MAX: usize = 256;
/// The largest event, in bytes of JSON: ten times what a long ISO 20022 transaction comes to.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// The longest name or key of an attribute, in bytes.
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 256;
/// The largest file of a rule set, in bytes: a rule, reference data or cases. The largest shipped one has 12 KB.
pub const RULE_FILE_BYTES_MAX: usize = 256 * 1024;
/// The most files of a rule set.
pub const RULE_FILES_MAX: usize = 10_000;

/// A number of bytes as people read it, in the largest unit that divides it: `8 MiB`, `256 bytes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bytes(pub usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
            .into_iter()
            .find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit))
            .unwrap_or((1, "bytes"));
        write!(f, "{} {name}", self.0 / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_the_largest_unit_that_divides_them() {
        let said =
            [0, 256, 1024, 1025, 16 * 1024, BODY_BYTES_MAX, 1 << 30].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(said, ["0 bytes", "256 bytes", "1 KiB", "1025 bytes", "16 KiB", "8 MiB", "1 GiB"]);
    }
}
