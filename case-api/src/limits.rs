//! Every limit and policy of the case side, each named once with its reason.

use std::time::Duration;

use sluice_model::Span;

/// The most items one page of a list may hold, and how many it holds when `limit` is not given.
pub use sluice_http::page::{ITEMS_DEFAULT as PAGE_DEFAULT, ITEMS_MAX as PAGE_MAX};

/// The longest comment, reason or discriminator, in characters: a page of prose.
pub const NOTE_CHARS_MAX: usize = 4_000;
/// Subjects that a row of cases and a case's heading name: what a line or two holds. The others are counted there, and
/// stand below the heading.
pub const SUBJECTS_NAMED: usize = 3;
/// The longest name of a user, key or subject that a request may carry, in bytes.
pub const NAME_BYTES_MAX: usize = sluice_model::limits::ID_BYTES_MAX;
/// The shortest password. NIST SP 800-63B asks for 8 at least; officers who can freeze money get more.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The longest password that is hashed: argon2 would take more, an attacker's megabytes it need not.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// How long a session lives after sign-in, whatever is done with it: a working day.
pub const SESSION_LIFE: Span = Span::hours(10);
/// How long a session may lie idle.
pub const SESSION_IDLE: Span = Span::hours(2);
/// How many sign-ins may fail for one name from one address, or in one browser, before it must wait there.
pub const SIGN_IN_FAILURES_MAX: u32 = 5;
/// How many sign-ins may fail from one address, whatever the names: an office behind one address, not a sprayer.
pub const SIGN_IN_ADDRESS_FAILURES_MAX: u32 = 30;
/// How long failed sign-ins count.
pub const SIGN_IN_WINDOW: Span = Span::minutes(15);
/// The most names and addresses whose failures are remembered; beyond it the oldest are forgotten.
pub const SIGN_IN_NAMES_MAX: usize = 10_000;
/// The most password hashes computed at once for known browsers, and again for strangers: each takes 19 MiB and a core.
pub const SIGN_INS_AT_ONCE: usize = 1;
/// The most sign-ins of either kind that wait for their turn, the one that has it included: a second or so of waiting.
pub const SIGN_INS_WAITING_MAX: usize = 16;
/// Failed sign-ins are written down once in such a period, however many they are.
pub const SIGN_IN_SUMMARY_EVERY: Span = Span::minutes(5);
/// The most names, and addresses, that one summary counts apart.
pub const SIGN_IN_SUMMARY_NAMES_MAX: usize = 100;
/// How long a browser in which somebody signed in is known again.
pub const DEVICE_LIFE: Span = Span::days(180);
/// The most browsers that are known for one person; a further one takes the place of the oldest.
pub const DEVICES_PER_USER_MAX: i64 = 20;
/// How long a stored answer is replayed for its `Idempotency-Key`.
pub use sluice_http::idempotency::LIFE as IDEMPOTENCY_LIFE;

/// The largest answer that is stored for replay; a larger one is not kept and the request runs again.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Records taken from a feed in one transaction.
pub const FEED_BATCH: usize = 256;
/// How long to wait before looking at an empty feed again. An officer does not see a quarter of a second.
pub const FEED_POLL: Duration = Duration::from_millis(200);
/// How long one of several processes does the work behind the pages without saying that it is still there: after it was killed,
/// another goes on then. A write to the database takes well under a second.
pub const LEASE: Duration = Duration::from_secs(10);
/// How often it says so.
pub const LEASE_RENEWED_EVERY: Duration = Duration::from_secs(3);
/// How long an act waits for the process that does that work to deliver what it ordered.
pub const DELIVERY_WAIT: Duration = Duration::from_secs(2);
/// How often it looks.
pub const DELIVERY_POLL: Duration = Duration::from_millis(50);
/// How long a hold waits for the alert that it names, where several partitions show what was committed together: the brokers write
/// their markers within milliseconds. After that it opens a case of its own.
pub const ALERT_WAIT: Duration = Duration::from_secs(5);
/// How long to wait after a failed read of a feed or a failed delivery.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long a feed may not advance while its source is ahead before the process is not ready: a batch takes well under a
/// second, and a hiccup of the disk some.
pub const FEED_STALLED_AFTER: Span = Span::seconds(30);
/// How often readiness has the writer write, however often it is asked: anybody may ask.
pub const PROBE_EVERY: Span = Span::seconds(1);
/// How long the writer may take to do so before it counts as stuck.
pub const PROBE_WAIT: Duration = Duration::from_secs(5);
/// How often it is noted on the log how many leaves the evidence log has: acts that are newer are not missed from an older
/// copy of the case database, and each telling is a commit of the log.
pub const LEAVES_NOTED_EVERY: Span = Span::seconds(1);
/// The most delivered control records that are looked for on the log at a start, newest first. More are missing only
/// where the log is another one.
pub const CONTROLS_LOOKED_FOR_MAX: usize = 10_000;
/// The largest case database that is read whole at a start: as a log's.
pub const READ_WHOLE_BYTES_MAX: i64 = sluice_log::READ_WHOLE_BYTES_MAX as i64;
/// Control records delivered from the outbox at once.
pub const OUTBOX_BATCH: i64 = 64;
/// How long a connection to the store may be waited for.
pub const STORE_WAIT: Duration = Duration::from_secs(10);
/// How long a statement may take. Only one that waits for a server which is gone takes longer.
pub const STORE_ANSWER_WAIT: Duration = Duration::from_secs(60);
/// How long a write waits for that of another process over the same database.
pub const STORE_LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long the database leaves a write open in which nothing happens: its process is gone, and others wait.
pub const STORE_WRITE_IDLE: Duration = Duration::from_secs(30);
/// Readers of the store beside its one writer.
pub const STORE_READERS: u32 = 4;
/// Alerts a case page shows; the rest are a link away.
pub const CASE_PAGE_ALERTS: u32 = 100;
/// The most matches a screening request may ask for.
pub const SCREENING_MATCHES_MAX: usize = 100;
/// The longest path of a rule file, in bytes: what common file systems take.
pub const RULE_PATH_BYTES_MAX: usize = 255;
/// Rule sets checked and tested at once: each takes a core for as long as its cases run.
pub const TRIALS_AT_ONCE: usize = 1;
/// The newest records of the log that a back-test over the API judges again: some seconds of work for two cores. Longer
/// ones are `sluice rules backtest`'s.
pub const BACKTEST_EVENTS_MAX: u64 = 200_000;
/// How long one may take, on a machine that is busy with payments.
pub const BACKTEST_TIME_MAX: Duration = Duration::from_secs(60);
/// Keys, and alerts of each kind, that its report names; the rest are counted.
pub const BACKTEST_SHOWN: usize = 50;
/// What rules in shadow would have said, kept for each rule: the newest. Older ones fall out, since nobody answers for
/// them.
pub const SHADOW_ALERTS_KEPT: i64 = 10_000;
/// Different keys on which one rule content failed by its own fault, after which its owner is alerted and its quarantine
/// proposed: more than a bad hour of one source brings, fewer than drown a queue. Somebody with a hundred accounts can
/// bring it about for a rule that can be driven to its limits; so it is a proposal.
pub const FAILING_KEYS_BEFORE_PROPOSAL: i64 = 100;
/// Versions that the rules page shows; the API pages through all of them.
pub const RULE_VERSIONS_SHOWN: u32 = 20;

/// The longest that a suppression may last: a year, after which somebody looks again.
pub const SUPPRESSION_DAYS_MAX: u32 = 365;
/// How long a suppression lasts where nobody says: the middle of the review cycles of customers.
pub const SUPPRESSION_DAYS_DEFAULT: u32 = 180;
/// The most matches that one closing may propose to suppress; more are looked at one by one.
pub const SUPPRESSIONS_PER_CLOSING_MAX: usize = 20;

/// Whether an MLRO may release a held payment alone. Anyone else's release is a proposal that an MLRO, who must
/// be another person, confirms. See decision 0502.
pub const MLRO_RELEASES_ALONE: bool = true;
