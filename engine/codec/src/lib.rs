//! Bytes to payment events: canonical JSON, ISO 20022, SWIFT MT, CSV mappings, signed webhooks, and the records of topics.
//!
//! Owns: what each source's words mean in the canonical event, and every limit on what is read. Whatever
//! cannot be read is refused with a reason that names the place and never repeats what stood there, so that
//! reasons may be logged, counted and shown.
//!
//! **Invariant.** No clock, no files, no sockets: bytes (or a reader of them) come in, events come out, and the
//! same bytes always give the same events, ids included.

#![warn(unreachable_pub)]

mod accept;
mod check;
pub mod csv;
mod document;
pub mod ecommpay;
mod encoding;
mod error;
mod file;
pub mod iso20022;
mod json;
pub mod mt;
mod ndjson;
mod qr;
pub mod topic;
pub mod webhook;
mod xml;
mod zone;

pub use accept::accept;
pub use check::{Check, CheckedEvent};
pub use csv::{Mapping, MappingError};
pub use document::DocumentMapping;
pub use error::{Code, DecodeError, Refused};
pub use file::{FileEvents, Form, Whole};
pub use iso20022::decode_iso20022;
pub use json::{decode_json, encode_json};
pub use mt::decode_mt;
pub use ndjson::{Events as NdjsonEvents, Line, lines};
pub use webhook::Webhook;
pub use zone::{UnknownZone, Zone};
