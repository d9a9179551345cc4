//! Sanctions, PEP and private lists: sources ▸ normalised entries ▸ content-addressed version ▸ index ▸
//! explained matches.
//!
//! **Invariant.** No clock, random source, file or socket: bytes come in, values go out. `sluice-list-store`
//! does the I/O.

#![warn(unreachable_pub)]

pub mod calibrate;
mod country;
mod date;
mod diff;
mod entry;
pub mod import;
mod matching;
pub mod rescreen;
mod screener;
mod script;
mod version;

pub use country::Country;
pub use date::{BirthDate, DateError, PartialDate};
pub use diff::{Changed, Diff, FieldChange};
pub use entry::{Address, Entry, Gender, Identifier, IdentifierKind, Name, NameQuality, Place, Topic};
pub use matching::{COMPARED_CHARS_MAX, Scoring, TOKENS_MAX};
pub use screener::{
    Answer, DEFAULT_THRESHOLD, EventScreened, PartyQuery, Query, Screener, Settings, Verified, each_party,
    score_pair, why_not_screened,
};
pub use script::Script;
pub use version::{ListVersion, VersionError, is_source_name};
