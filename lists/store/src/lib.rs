//! The folder of list versions, and the fetcher of official sources: the I/O that `sluice-lists` does without.
//!
//! Owns where lists lie on disk, how they come there, and the copies of those in force. Never decides what a file says (`sluice-lists` reads
//! it) nor what matches.

#![warn(unreachable_pub)]

mod config;
mod fetch;
mod files;
mod folder;
mod update;
mod versions;

pub use config::{Config, ConfigError, DEFAULT_CONFIG, Source};
pub use fetch::FetchError;
pub use files::{File, FilesError, read_files};
pub use folder::{Arrival, Fault, FileRecord, Store, StoreError};
pub use update::{Outcome, Updated, update};
pub use versions::ListVersions;
