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

/// Records judged at once while somebody waits for a decision: no answer waits for more than these, and a commit of
/// as many still shares its `fsync`.
pub const BATCH_RECORDS_AWAITED_MAX: usize = 256;

/// How far events that nobody waits for may run ahead of the engine, in the time that the engine needs for them: a
/// tenth of what a payment service waits for by default, since its event is behind them in the log.
pub const BULK_AHEAD_TIME: Duration = Duration::from_millis(200);
/// The same in records, however fast the engine is: as many are judged in one batch, twice.
pub const BULK_AHEAD_RECORDS_MAX: u64 = 8_192;
/// However slow it seems, and before anything was measured: work enough for a commit.
pub const BULK_AHEAD_RECORDS_MIN: u64 = 256;
/// Events of one body that become durable together: small, so that decisions come between.
pub const BULK_CHUNK_RECORDS_MAX: usize = 128;
/// The same in bytes, for events of great size; one event is always taken.
pub const BULK_CHUNK_BYTES_MAX: usize = 256 * 1024;
/// Such pieces on their way to the disk at once: more would be before a decision in the log's queue.
pub const BULK_CHUNKS_UNDER_WAY_MAX: usize = 4;
/// How long bodies that are let in may have to wait for those before them; a body that comes when it would take longer is
/// told to come back. As long as a client's patience with an upload.
pub const BULK_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the next piece of a body waits for its turn: an engine that does not move is not waited for longer.
pub const BULK_TURN_WAIT_MAX: Duration = Duration::from_secs(10);
/// Large bodies decoded at once: each takes a core, and decisions need one.
pub const DECODES_AT_ONCE: usize = 2;
/// Large documents read at once while their events are taken in: each has a thread, which mostly waits for its turn, and
/// some 10 MiB beside its body.
pub const DOCUMENTS_AT_ONCE: usize = 16;
/// Parts of a document that are read before they are taken in: the next while one waits for its turn.
pub const PARTS_AHEAD_MAX: usize = 2;

/// How far the machine's clock may be off from where it should be: more than a network's time is corrected by, less than
/// the tolerance for events from the future.
pub const CLOCK_TOLERANCE: Span = Span::minutes(1);
/// How often the clock is taken as right anew while it agrees, so that small corrections do not add up for ever.
pub const CLOCK_ANCHORED_EVERY: Duration = Duration::from_secs(3_600);
/// How long a service may have been off before a start asks whether the clock is right.
pub const OFF_FOR_MAX: Span = Span::days(30);
/// How many of the log's last records are looked at for an event's `received_at`: orders come in no such numbers.
pub const CLOCK_LOOKBACK_RECORDS: usize = 10_000;

/// The last judged events that say whether the engine refuses most of what comes.
pub const REFUSALS_LOOKED_AT: u64 = 200;
/// Fewer say nothing.
pub const REFUSALS_LOOKED_AT_MIN: u64 = 100;
/// Durable records before the engine beyond which the process is not ready: decisions alone make fewer, see
/// [`DECISIONS_WAITING_MAX`].
pub const LAG_RECORDS_READY_MAX: u64 = 50_000;
/// How long the engine may make no progress before work: longer than a rescreening of a million names takes.
pub const ENGINE_STILL_MAX: Duration = Duration::from_secs(30);

/// The memory that bodies being read may hold together; what is beyond it is told to come back.
pub const BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The same for decisions, apart, so that files cannot take it all: one event of the largest size for 256 of them.
pub const DECISION_BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The same for webhooks, which anybody may send before they are verified: one of the largest for 128 of them.
pub const WEBHOOK_BODIES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The largest file that says how one sender's webhooks, or one topic's records, are read. A long mapping has 4 KB.
pub const NAMED_FILE_BYTES_MAX: u64 = 64 * 1024;
/// The largest body that is one document or a file of messages, which cannot be sent in parts: 50,000 transactions of
/// 2,000 bytes, where a pacs.008 has some 1,100 to 2,200 each without white space, and a pain.001 500 to 700. As a dead
/// letter it is within the log's largest record.
pub const DOCUMENT_BODY_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Bodies larger than this are decoded on a thread of their own, so that decisions need not wait for them.
pub const INLINE_BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a receipt waits, once its events are durable, for what comes of them: an engine that keeps up needs
/// milliseconds, and one that lags must not hold a source up.
pub const RECEIPT_WAIT_MAX: Duration = Duration::from_secs(1);
/// Refusals that an answer lists one by one; all are counted, and all are in the dead letters.
pub const REFUSALS_LISTED_MAX: usize = 1_000;
/// How long a client that found a full queue is to wait, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// Records of a topic of others that are taken in at once: one commit is shared by them.
pub const SOURCE_BATCH_RECORDS_MAX: usize = 1_000;
/// The same in bytes; one record is always taken.
pub const SOURCE_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The largest record of such a topic: as a dead letter it is still within the log's largest record. What is larger is a dead
/// letter without its bytes, which says where they are.
pub const SOURCE_RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How far payments that come by topics may be ahead of the home of any partition, in records.
pub const SOURCE_AHEAD_RECORDS_MAX: u64 = 20_000;
/// How often it is looked at how far they are.
pub const SOURCE_AHEAD_LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// How long a topic without records is waited for at a time, and engines that are behind.
pub const SOURCE_WAIT: Duration = Duration::from_millis(200);

/// How long a process waits at a time for what engines of other processes decide; it is told at once when they do.
pub const FOLLOWING_WAIT: Duration = Duration::from_millis(200);
/// How often it looks for what else they say: orders that are in force, what they refused, answers of other processes. Somebody
/// may wait for a refusal.
pub const FOLLOWED_EVERY: Duration = Duration::from_millis(50);
/// How often it looks how far they are behind: the brokers are asked for every partition.
pub const LAG_LOOKED_AT_EVERY: Duration = Duration::from_millis(250);

/// How long a payment service waits for a decision when it does not say.
pub const DECISION_DEADLINE: Duration = Duration::from_secs(2);
/// The longest that a payment service may ask to wait for a decision.
pub const DECISION_DEADLINE_MAX: Duration = Duration::from_secs(30);
/// How long an answer by policy waits for its own record to be durable.
pub const DEADLINE_RECORD_WAIT: Duration = Duration::from_millis(250);
/// Answers by policy whose records are not durable yet; beyond it no more are given. As many as may be waited for.
pub const DEADLINE_RECORDS_WAITING_MAX: usize = DECISIONS_WAITING_MAX;
/// Such records that are written at once.
pub const DEADLINE_RECORDS_AT_ONCE: usize = 1_024;
/// How long to wait before they are written again to a log that failed.
pub const DEADLINE_RETRY_AFTER: Duration = Duration::from_millis(500);
/// The most decisions waited for at once.
pub const DECISIONS_WAITING_MAX: usize = 10_000;

/// How many answers are remembered at once for their `Idempotency-Key`; beyond it the oldest are forgotten first.
pub const IDEMPOTENCY_KEYS_MAX: usize = 100_000;

/// The longest reason for sending a dead letter again, in characters.
pub const REASON_CHARS_MAX: usize = 1_000;

/// How often the folders of rules and lists are looked at for a change.
pub const FOLDERS_LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// The largest record that the log replays in one read, in records and bytes: see [`sluice_log::ReadLimit`].
pub const REPLAY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Screeners kept ready: the one in force and those that a replay or a preview needs beside it.
pub const SCREENERS_KEPT: usize = 3;
/// Compiled rule sets kept ready.
pub const RULE_SETS_KEPT: usize = 4;
