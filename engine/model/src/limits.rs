//! Every limit that more than one crate must agree on, with its default and its reason.

use crate::Span;

/// How far an event may lie ahead of `received_at` before it is a dead letter: clocks differ, but not by more.
pub const FUTURE_TOLERANCE: Span = Span::minutes(5);
/// How long (in stream time) ids are remembered; an event older than this is a dead letter that can be sent
/// again with a reason, so that deduplication stays exact in bounded memory.
pub const DEDUPE_HORIZON: Span = Span::days(3);
/// How long the home remembers which statuses a payment has had, so that it counts once in a window.
pub const PAYMENT_HORIZON: Span = Span::days(30);
/// The longest window a rule may declare.
pub const WINDOW_LENGTH_MAX: Span = Span::days(400);
/// The shortest window a rule may declare.
pub const WINDOW_LENGTH_MIN: Span = Span::minutes(1);
/// The longest name, in characters, that is screened; a longer one is an error of that party, and held.
pub const NAME_CHARS_MAX: usize = 2_000;
/// The longest text field, in bytes, that an event may carry.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 256;
/// The largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most related parties and intermediaries one event may carry.
pub const PARTIES_MAX: usize = 64;
/// The most attributes one event may carry.
pub const ATTRIBUTES_MAX: usize = 256;
/// The largest event, in bytes of JSON: ten times what a long ISO 20022 transaction comes to.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// The longest name or key of an attribute, in bytes.
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 256;
