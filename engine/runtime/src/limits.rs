//! Every limit of the runtime, each named once with its reason.

use std::time::Duration;

use sluice_model::Span;

/// The most records that go through the engine, and into one commit, at once.
pub const BATCH_RECORDS_MAX: usize = 4_096;
/// A snapshot is due after so many records: replaying as many takes seconds.
pub const SNAPSHOT_EVERY_RECORDS: u64 = 1_000_000;
/// Snapshots kept: the newest, and two to go back to should it turn out torn.
pub const SNAPSHOTS_KEPT: usize = 3;
/// Records handed to the engine in memory; what is beyond it the engine reads from the log.
pub const HANDOFF_RECORDS_MAX: usize = 65_536;
/// How long the engine waits before it tries again to commit to a log that failed.
pub const COMMIT_RETRY_AFTER: Duration = Duration::from_millis(500);

/// The memory that bodies being read may hold together; what is beyond it is told to come back.
pub const BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bodies larger than this are decoded on a thread of their own, so that decisions need not wait for them.
pub const INLINE_BODY_BYTES_MAX: usize = 64 * 1024;
/// Refusals that an answer lists one by one; all are counted, and all are in the dead letters.
pub const REFUSALS_LISTED_MAX: usize = 1_000;
/// What a client that met a full queue is told to wait, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// How long a payment service waits for a decision when it does not say.
pub const DECISION_DEADLINE: Duration = Duration::from_secs(2);
/// The longest that a payment service may ask to wait for a decision.
pub const DECISION_DEADLINE_MAX: Duration = Duration::from_secs(30);
/// How long an answer by policy waits for its own record to be durable.
pub const DEADLINE_RECORD_WAIT: Duration = Duration::from_millis(250);
/// The most decisions waited for at once.
pub const DECISIONS_WAITING_MAX: usize = 10_000;

/// The longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// How long an answer is remembered for its `Idempotency-Key`.
pub const IDEMPOTENCY_LIFE: Span = Span::days(1);
/// How many answers are remembered at once; beyond it the oldest are forgotten first.
pub const IDEMPOTENCY_KEYS_MAX: usize = 100_000;

/// The most items that one answer lists; a larger `limit` is clamped to it.
pub const PAGE_MAX: usize = 1_000;
/// Items of a list when `limit` is not given.
pub const PAGE_DEFAULT: usize = 100;
/// The longest reason for sending a dead letter again, in characters.
pub const REASON_CHARS_MAX: usize = 1_000;

/// How often the folders of rules and lists are looked at for a change.
pub const FOLDERS_LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// The largest rule or reference file, in bytes.
pub const RULE_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The most rule and reference files of one set.
pub const RULE_FILES_MAX: usize = 10_000;
/// The largest record that the log replays in one read, in records and bytes: see [`sluice_log::ReadLimit`].
pub const REPLAY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Screeners kept ready: the one in force and those that a replay or a preview needs beside it.
pub const SCREENERS_KEPT: usize = 3;
/// Compiled rule sets kept ready.
pub const RULE_SETS_KEPT: usize = 4;
