-- The case side's tables. Portable: TEXT, BIGINT, BOOLEAN and BLOB only; times are microseconds since 1970 UTC.

CREATE TABLE IF NOT EXISTS offsets (
    feed TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS cases (
    seq BIGINT PRIMARY KEY,
    case_id TEXT NOT NULL UNIQUE,
    typology TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    severity_rank BIGINT NOT NULL,
    screening BOOLEAN NOT NULL,
    assignee TEXT,
    alerts BIGINT NOT NULL,
    previous_case_id TEXT,
    disposition TEXT,
    opened_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    due_at BIGINT,
    closed_at BIGINT
);
CREATE INDEX IF NOT EXISTS cases_by_state ON cases (state, seq);

CREATE TABLE IF NOT EXISTS case_subjects (
    case_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (case_id, subject)
);
CREATE INDEX IF NOT EXISTS case_subjects_by_subject ON case_subjects (subject);

CREATE TABLE IF NOT EXISTS alerts (
    seq BIGINT PRIMARY KEY,
    alert_id TEXT NOT NULL UNIQUE,
    case_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    typology TEXT NOT NULL,
    severity TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    event_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    event TEXT
);
CREATE INDEX IF NOT EXISTS alerts_by_case ON alerts (case_id, seq);
CREATE INDEX IF NOT EXISTS alerts_by_payment ON alerts (payment_id);
CREATE INDEX IF NOT EXISTS alerts_by_rule ON alerts (rule_id, seq);
CREATE INDEX IF NOT EXISTS alerts_by_recorded ON alerts (recorded_at);

CREATE TABLE IF NOT EXISTS subjects (
    seq BIGINT PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    name TEXT,
    alerts BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS timeline (
    seq BIGINT PRIMARY KEY,
    case_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    leaf BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS timeline_by_case ON timeline (case_id, seq);

CREATE TABLE IF NOT EXISTS holds (
    seq BIGINT PRIMARY KEY,
    payment_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    because TEXT NOT NULL,
    case_id TEXT,
    state TEXT NOT NULL,
    held_at BIGINT NOT NULL,
    proposed_by TEXT,
    proposed_at BIGINT,
    cleared_by TEXT,
    cleared_at BIGINT,
    UNIQUE (payment_id, because)
);
CREATE INDEX IF NOT EXISTS holds_by_case ON holds (case_id);
CREATE INDEX IF NOT EXISTS holds_by_because ON holds (because);
CREATE INDEX IF NOT EXISTS holds_by_state ON holds (state, seq);

-- The answer that an event was given last, by its hash: one that differs corrects it.
CREATE TABLE IF NOT EXISTS decisions (
    event_id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    leaf BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS freezes (
    seq BIGINT PRIMARY KEY,
    case_id TEXT NOT NULL,
    key_kind TEXT NOT NULL,
    key_value TEXT NOT NULL,
    frozen_by TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    lifted_by TEXT,
    lifted_at BIGINT
);
CREATE INDEX IF NOT EXISTS freezes_by_case ON freezes (case_id);
CREATE INDEX IF NOT EXISTS freezes_by_key ON freezes (key_kind, key_value);

CREATE TABLE IF NOT EXISTS suppressions (
    seq BIGINT PRIMARY KEY,
    suppression_id TEXT NOT NULL UNIQUE,
    case_id TEXT NOT NULL,
    state TEXT NOT NULL,
    party_kind TEXT NOT NULL,
    party_value TEXT NOT NULL,
    list TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    entry_hash TEXT NOT NULL,
    listed_name TEXT NOT NULL,
    disposition TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    approved_by TEXT,
    approved_at BIGINT,
    ended_by TEXT,
    ended_at BIGINT,
    end_reason TEXT
);
CREATE INDEX IF NOT EXISTS suppressions_by_case ON suppressions (case_id);
CREATE INDEX IF NOT EXISTS suppressions_by_party ON suppressions (party_kind, party_value);

-- What was configured and less than what was in force, and the two persons who took it.
CREATE TABLE IF NOT EXISTS configurations (
    seq BIGINT PRIMARY KEY,
    configuration_id TEXT NOT NULL UNIQUE,
    what TEXT NOT NULL,
    state TEXT NOT NULL,
    lost TEXT NOT NULL,
    approvable BOOLEAN NOT NULL,
    control TEXT,
    found_at BIGINT NOT NULL,
    proposed_by TEXT,
    proposed_at BIGINT,
    proposal TEXT,
    decided_by TEXT,
    decided_at BIGINT,
    decision TEXT
);

-- The list versions whose coming into force is a leaf.
CREATE TABLE IF NOT EXISTS list_versions (
    source TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    entries BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Browsers in which somebody signed in: strangers' failures do not count there.
CREATE TABLE IF NOT EXISTS devices (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS devices_by_user ON devices (user_name, created_at);

-- Invented people: they may sign in to a demonstration only.
CREATE TABLE IF NOT EXISTS demo_users (
    name TEXT PRIMARY KEY
);

CREATE TABLE IF NOT EXISTS api_keys (
    key_id TEXT PRIMARY KEY,
    key_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE IF NOT EXISTS idempotency (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    instance TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status BIGINT,
    content_type TEXT,
    body BLOB,
    PRIMARY KEY (actor, key)
);
CREATE INDEX IF NOT EXISTS idempotency_by_age ON idempotency (created_at);

CREATE TABLE IF NOT EXISTS outbox (
    seq BIGINT PRIMARY KEY,
    control TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT
);
CREATE INDEX IF NOT EXISTS outbox_pending ON outbox (delivered_at, seq);
-- Where on the payments log each delivered control record stands: a log that does not have it there is not the same log.
CREATE TABLE IF NOT EXISTS outbox_places (
    seq BIGINT PRIMARY KEY,
    place BIGINT NOT NULL
);

-- One row, written again and again: whether the writer writes.
CREATE TABLE IF NOT EXISTS probes (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS leaves (
    idx BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    about TEXT NOT NULL,
    case_id TEXT,
    leaf TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS leaves_by_case ON leaves (case_id, idx);
CREATE INDEX IF NOT EXISTS leaves_by_kind ON leaves (kind, idx);
CREATE INDEX IF NOT EXISTS leaves_by_about ON leaves (about);

CREATE TABLE IF NOT EXISTS nodes (
    position BIGINT PRIMARY KEY,
    hash BLOB NOT NULL
);

CREATE TABLE IF NOT EXISTS rule_versions (
    seq BIGINT PRIMARY KEY,
    version_id TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    base TEXT,
    author TEXT NOT NULL,
    rationale TEXT NOT NULL,
    files TEXT NOT NULL,
    report TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    decision TEXT,
    ordered_by TEXT,
    ordered_at BIGINT,
    order_reason TEXT,
    active_at BIGINT,
    retired_at BIGINT,
    previous TEXT,
    control BIGINT
);
CREATE INDEX IF NOT EXISTS rule_versions_by_state ON rule_versions (state, seq);

-- The version that is judged in shadow, or on its way there: by which set, and whether the order to judge by it is given.
CREATE TABLE IF NOT EXISTS rule_shadows (
    version_id TEXT PRIMARY KEY,
    judged TEXT NOT NULL,
    activating BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS rule_backtests (
    version_id TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS shadow_alerts (
    seq BIGINT PRIMARY KEY,
    alert_id TEXT NOT NULL UNIQUE,
    rule_id TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS shadow_alerts_by_rule ON shadow_alerts (rule_id, seq);

CREATE TABLE IF NOT EXISTS rule_failures (
    rule TEXT PRIMARY KEY,
    rule_id TEXT NOT NULL,
    failures BIGINT NOT NULL,
    reason TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    quarantined_at BIGINT
);
CREATE INDEX IF NOT EXISTS rule_failures_by_rule_id ON rule_failures (rule_id);
-- Keys, by their hashes, on which a rule content failed by its own fault, since its quarantine was last lifted. Never more
-- than propose it once more.
CREATE TABLE IF NOT EXISTS rule_failing_keys (
    rule TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    failing_key TEXT NOT NULL,
    PRIMARY KEY (rule, failing_key)
);
CREATE INDEX IF NOT EXISTS rule_failing_keys_by_rule_id ON rule_failing_keys (rule_id);
-- Since when a content's quarantine is proposed, if it is; and how many keys had failed when it was last declined.
CREATE TABLE IF NOT EXISTS quarantine_proposals (
    rule TEXT PRIMARY KEY,
    rule_id TEXT NOT NULL,
    proposed_at BIGINT,
    declined_keys BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS quarantine_proposals_by_rule_id ON quarantine_proposals (rule_id);
