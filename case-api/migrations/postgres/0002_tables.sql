-- The case side's tables, as SQLite's are after its migration of this number. Times are microseconds since 1970 UTC. An id
-- is its row's number, written out. Names are indexed by their hashes: one may be longer than a page of a tree takes.

CREATE TABLE offsets (
    feed TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);

CREATE TABLE cases (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id TEXT NOT NULL UNIQUE
        GENERATED ALWAYS AS ('CASE-' || lpad(seq::text, greatest(6, length(seq::text)), '0')) STORED,
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
CREATE INDEX cases_by_state ON cases (state, seq);

CREATE TABLE case_subjects (
    case_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (case_id, position)
);
CREATE INDEX case_subjects_by_subject ON case_subjects USING hash (subject);

CREATE TABLE alerts (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
CREATE INDEX alerts_by_case ON alerts (case_id, seq);
CREATE INDEX alerts_by_payment ON alerts (payment_id);
CREATE INDEX alerts_by_rule ON alerts (rule_id, seq);
CREATE INDEX alerts_by_recorded ON alerts (recorded_at);

CREATE TABLE subjects (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject TEXT NOT NULL,
    name TEXT,
    alerts BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    EXCLUDE USING hash (subject WITH =)
);

CREATE TABLE timeline (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    leaf BIGINT NOT NULL
);
CREATE INDEX timeline_by_case ON timeline (case_id, seq);

CREATE TABLE holds (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
CREATE INDEX holds_by_case ON holds (case_id);
CREATE INDEX holds_by_because ON holds (because);
CREATE INDEX holds_by_state ON holds (state, seq);

-- The answer that an event was given last, by its hash: one that differs corrects it.
CREATE TABLE decisions (
    event_id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    leaf BIGINT NOT NULL
);

CREATE TABLE freezes (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id TEXT NOT NULL,
    key_kind TEXT NOT NULL,
    key_value TEXT NOT NULL,
    frozen_by TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    lifted_by TEXT,
    lifted_at BIGINT
);
CREATE INDEX freezes_by_case ON freezes (case_id);
CREATE INDEX freezes_by_key ON freezes USING hash (key_value);

CREATE TABLE suppressions (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    suppression_id TEXT NOT NULL UNIQUE
        GENERATED ALWAYS AS ('SUP-' || lpad(seq::text, greatest(6, length(seq::text)), '0')) STORED,
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
CREATE INDEX suppressions_by_case ON suppressions (case_id);
CREATE INDEX suppressions_by_party ON suppressions USING hash (party_value);

-- What was configured and less than what was in force, and the two persons who took it.
CREATE TABLE configurations (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    configuration_id TEXT NOT NULL UNIQUE
        GENERATED ALWAYS AS ('CFG-' || lpad(seq::text, greatest(6, length(seq::text)), '0')) STORED,
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
CREATE TABLE list_versions (
    source TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    entries BIGINT NOT NULL
);

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- Whether they are invented: they may sign in to a demonstration only.
    invented BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Browsers in which somebody signed in: strangers' failures do not count there.
CREATE TABLE devices (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX devices_by_user ON devices (user_name, created_at);

CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    key_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    instance TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status BIGINT,
    content_type TEXT,
    body BYTEA,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    control TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT,
    place BIGINT
);
CREATE INDEX outbox_pending ON outbox (delivered_at, seq);

-- One row, written again and again: whether the writer writes.
CREATE TABLE probes (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE TABLE leaves (
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
CREATE INDEX leaves_by_case ON leaves (case_id, idx);
CREATE INDEX leaves_by_kind ON leaves (kind, idx);
CREATE INDEX leaves_by_about ON leaves USING hash (about);

CREATE TABLE nodes (
    position BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL
);

CREATE TABLE rule_versions (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version_id TEXT NOT NULL UNIQUE
        GENERATED ALWAYS AS ('RV-' || lpad(seq::text, greatest(6, length(seq::text)), '0')) STORED,
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
    control BIGINT,
    -- The set by which it is judged in shadow, or will be, and whether the order to judge by it is given.
    judged TEXT,
    activating BOOLEAN NOT NULL DEFAULT FALSE,
    -- What its newest back-test came to.
    backtest TEXT
);
CREATE INDEX rule_versions_by_state ON rule_versions (state, seq);

CREATE TABLE shadow_alerts (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id TEXT NOT NULL UNIQUE,
    rule_id TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX shadow_alerts_by_rule ON shadow_alerts (rule_id, seq);

CREATE TABLE rule_failures (
    rule TEXT PRIMARY KEY,
    rule_id TEXT NOT NULL,
    failures BIGINT NOT NULL,
    reason TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    quarantined_at BIGINT,
    -- Since when a content's quarantine is proposed, if it is; and how many keys had failed when it was last declined.
    proposed_at BIGINT,
    declined_keys BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX rule_failures_by_rule_id ON rule_failures (rule_id);

-- Keys, by their hashes, on which a rule content failed by its own fault, since its quarantine was last lifted. Never more
-- than propose it once more.
CREATE TABLE rule_failing_keys (
    rule TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    failing_key TEXT NOT NULL,
    PRIMARY KEY (rule, failing_key)
);
CREATE INDEX rule_failing_keys_by_rule_id ON rule_failing_keys (rule_id);

-- How large the evidence tree is, and its root: one row. Whoever writes locks it first, so that there is one tree.
CREATE TABLE head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root BYTEA NOT NULL
);
