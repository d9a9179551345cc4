//! The limits that the documentation states are those that the code keeps: each sentence is written here from its
//! constants.

use sluice_case_api::limits as cases;
use sluice_lists::{COMPARED_CHARS_MAX, TOKENS_MAX, import};
use sluice_model::limits::{self, Bytes};
use sluice_runtime::limits as runtime;

use crate::tree::{none, text};

/// A number with commas between its thousands.
fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or_default().to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
    groups.collect::<Vec<_>>().join(",")
}

/// Pages, and what each says of the limits.
fn stated() -> Vec<(&'static str, String)> {
    let document = Bytes(runtime::DOCUMENT_BODY_BYTES_MAX);
    let body = Bytes(limits::BODY_BYTES_MAX);
    vec![
        (
            "docs/events.md",
            format!(
                "Limits: an event {}, a text {}, an id {}, {} intermediaries and related parties, {} attributes, \
                 a request body {body} (a document or a file of messages {document}).",
                Bytes(limits::EVENT_BYTES_MAX),
                Bytes(limits::TEXT_BYTES_MAX),
                Bytes(limits::ID_BYTES_MAX),
                limits::PARTIES_MAX,
                limits::ATTRIBUTES_MAX,
            ),
        ),
        (
            "docs/events.md",
            format!("A name longer than {COMPARED_CHARS_MAX} characters or {TOKENS_MAX} words"),
        ),
        (
            "docs/screening.md",
            format!("compared up to {COMPARED_CHARS_MAX} characters and {TOKENS_MAX} words"),
        ),
        (
            "docs/screening.md",
            format!("a name of more than {COMPARED_CHARS_MAX} characters or {TOKENS_MAX} words"),
        ),
        (
            "docs/lists.md",
            format!(
                "a file may have {}, a record {}, a name {} characters, an entry {} names.",
                Bytes(usize::try_from(import::FILE_BYTES_MAX).unwrap()),
                Bytes(import::RECORD_BYTES_MAX),
                grouped(limits::NAME_CHARS_MAX),
                grouped(import::NAMES_PER_ENTRY_MAX),
            ),
        ),
        ("docs/lists.md", format!("over {} % fewer entries or names", import::SHRINK_PERCENT_MAX)),
        ("docs/lists.md", format!("over {} % of the records", import::ODD_PERCENT_MAX)),
        ("docs/lists.md", format!("over {} % of the aliases", import::DANGLING_PERCENT_MAX)),
        (
            "docs/operations.md",
            format!("| Request body | {body}; an ISO 20022 document or SWIFT MT messages {document} |"),
        ),
        (
            "docs/operations.md",
            format!(
                "| Bodies in memory together | {}, and {} apart for decisions |",
                Bytes(runtime::BODIES_BYTES_MAX),
                Bytes(runtime::DECISION_BODIES_BYTES_MAX),
            ),
        ),
        ("docs/operations.md", format!("| Large documents read at once | {} |", runtime::DOCUMENTS_AT_ONCE)),
        (
            "docs/operations.md",
            format!("| Webhooks' bodies in memory, apart | {} |", Bytes(runtime::WEBHOOK_BODIES_BYTES_MAX)),
        ),
        (
            "docs/operations.md",
            format!(
                "what it judges in {} ms, {} to {} |",
                runtime::BULK_AHEAD_TIME.as_millis(),
                grouped(runtime::BULK_AHEAD_RECORDS_MIN),
                grouped(runtime::BULK_AHEAD_RECORDS_MAX),
            ),
        ),
        (
            "docs/operations.md",
            format!("| A body's wait for those before it | {} s |", runtime::BULK_WAIT_MAX.as_secs()),
        ),
        (
            "docs/operations.md",
            format!("| A piece's wait for its turn | {} s |", runtime::BULK_TURN_WAIT_MAX.as_secs()),
        ),
        (
            "docs/operations.md",
            format!("| A receipt's wait for the engine | {} s |", runtime::RECEIPT_WAIT_MAX.as_secs()),
        ),
        (
            "docs/operations.md",
            format!(
                "| Answers by policy that are not on the log | {} |",
                grouped(runtime::DEADLINE_RECORDS_WAITING_MAX)
            ),
        ),
        (
            "docs/operations.md",
            format!("| Decisions waited for | {} |", grouped(runtime::DECISIONS_WAITING_MAX)),
        ),
        (
            "docs/operations.md",
            format!(
                "({} by default, {} at most)",
                grouped(runtime::DECISION_DEADLINE.as_millis()),
                grouped(runtime::DECISION_DEADLINE_MAX.as_millis()),
            ),
        ),
        (
            "docs/operations.md",
            format!("| Records handed to the engine in memory | {} |", grouped(runtime::HANDOFF_RECORDS_MAX)),
        ),
        ("docs/operations.md", format!("| Records of one batch | {} |", grouped(runtime::BATCH_RECORDS_MAX))),
        (
            "docs/operations.md",
            format!(
                "| Remembered `Idempotency-Key`s | {}, for a day |",
                grouped(runtime::IDEMPOTENCY_KEYS_MAX)
            ),
        ),
        ("docs/console.md", format!("`limit` goes up to {}.", grouped(cases::PAGE_MAX))),
        ("docs/console.md", format!("judges the newest {} records", grouped(cases::BACKTEST_EVENTS_MAX))),
        (
            "docs/console.md",
            format!("the newest {} of each rule are kept", grouped(cases::SHADOW_ALERTS_KEPT)),
        ),
        (
            "docs/rules.md",
            format!(
                "up to {} files of up to {} each",
                grouped(limits::RULE_FILES_MAX),
                Bytes(limits::RULE_FILE_BYTES_MAX)
            ),
        ),
        (
            "docs/rules.md",
            format!("failed by its own fault on {} different keys", cases::FAILING_KEYS_BEFORE_PROPOSAL),
        ),
    ]
}

#[test]
fn documented_limits_are_those_of_the_code() {
    let in_one_line = |page: &str| text(page).split_whitespace().collect::<Vec<_>>().join(" ");
    let found: Vec<String> = stated()
        .into_iter()
        .filter(|(page, sentence)| !in_one_line(page).contains(sentence))
        .map(|(page, sentence)| format!("{page} does not say: {sentence}"))
        .collect();
    none("limits that the documentation states otherwise", &found);
}
