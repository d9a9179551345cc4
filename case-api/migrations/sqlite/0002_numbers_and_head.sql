-- Rows number themselves, an id is its row's number written out, and what stood in tables of its own for want of a column is
-- one. The evidence tree's head stands beside it; its row is written when the database is opened.

ALTER TABLE cases RENAME TO cases_before;
CREATE TABLE cases (
    seq INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL UNIQUE GENERATED ALWAYS AS (printf('CASE-%06d', seq)) STORED,
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
INSERT INTO cases (seq, typology, state, severity, severity_rank, screening, assignee, alerts, previous_case_id,
    disposition, opened_at, updated_at, due_at, closed_at)
SELECT seq, typology, state, severity, severity_rank, screening, assignee, alerts, previous_case_id, disposition,
    opened_at, updated_at, due_at, closed_at
FROM cases_before;
DROP TABLE cases_before;
CREATE INDEX cases_by_state ON cases (state, seq);

ALTER TABLE alerts RENAME TO alerts_before;
CREATE TABLE alerts (
    seq INTEGER PRIMARY KEY,
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
INSERT INTO alerts (seq, alert_id, case_id, rule_id, typology, severity, action, subject, event_id, payment_id,
    occurred_at, recorded_at, body, event)
SELECT seq, alert_id, case_id, rule_id, typology, severity, action, subject, event_id, payment_id, occurred_at,
    recorded_at, body, event
FROM alerts_before;
DROP TABLE alerts_before;
CREATE INDEX alerts_by_case ON alerts (case_id, seq);
CREATE INDEX alerts_by_payment ON alerts (payment_id);
CREATE INDEX alerts_by_rule ON alerts (rule_id, seq);
CREATE INDEX alerts_by_recorded ON alerts (recorded_at);

ALTER TABLE subjects RENAME TO subjects_before;
CREATE TABLE subjects (
    seq INTEGER PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    name TEXT,
    alerts BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);
INSERT INTO subjects (seq, subject, name, alerts, first_seen, last_seen)
SELECT seq, subject, name, alerts, first_seen, last_seen
FROM subjects_before;
DROP TABLE subjects_before;

ALTER TABLE timeline RENAME TO timeline_before;
CREATE TABLE timeline (
    seq INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    leaf BIGINT NOT NULL
);
INSERT INTO timeline (seq, case_id, at, actor, kind, state, body, leaf)
SELECT seq, case_id, at, actor, kind, state, body, leaf
FROM timeline_before;
DROP TABLE timeline_before;
CREATE INDEX timeline_by_case ON timeline (case_id, seq);

ALTER TABLE holds RENAME TO holds_before;
CREATE TABLE holds (
    seq INTEGER PRIMARY KEY,
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
INSERT INTO holds (seq, payment_id, event_id, because, case_id, state, held_at, proposed_by, proposed_at, cleared_by,
    cleared_at)
SELECT seq, payment_id, event_id, because, case_id, state, held_at, proposed_by, proposed_at, cleared_by, cleared_at
FROM holds_before;
DROP TABLE holds_before;
CREATE INDEX holds_by_case ON holds (case_id);
CREATE INDEX holds_by_because ON holds (because);
CREATE INDEX holds_by_state ON holds (state, seq);

ALTER TABLE freezes RENAME TO freezes_before;
CREATE TABLE freezes (
    seq INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL,
    key_kind TEXT NOT NULL,
    key_value TEXT NOT NULL,
    frozen_by TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    lifted_by TEXT,
    lifted_at BIGINT
);
INSERT INTO freezes (seq, case_id, key_kind, key_value, frozen_by, frozen_at, lifted_by, lifted_at)
SELECT seq, case_id, key_kind, key_value, frozen_by, frozen_at, lifted_by, lifted_at
FROM freezes_before;
DROP TABLE freezes_before;
CREATE INDEX freezes_by_case ON freezes (case_id);
CREATE INDEX freezes_by_key ON freezes (key_kind, key_value);

ALTER TABLE suppressions RENAME TO suppressions_before;
CREATE TABLE suppressions (
    seq INTEGER PRIMARY KEY,
    suppression_id TEXT NOT NULL UNIQUE GENERATED ALWAYS AS (printf('SUP-%06d', seq)) STORED,
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
INSERT INTO suppressions (seq, case_id, state, party_kind, party_value, list, entry_id, entry_hash, listed_name,
    disposition, reason, expires_at, proposed_by, proposed_at, approved_by, approved_at, ended_by, ended_at,
    end_reason)
SELECT seq, case_id, state, party_kind, party_value, list, entry_id, entry_hash, listed_name, disposition, reason,
    expires_at, proposed_by, proposed_at, approved_by, approved_at, ended_by, ended_at, end_reason
FROM suppressions_before;
DROP TABLE suppressions_before;
CREATE INDEX suppressions_by_case ON suppressions (case_id);
CREATE INDEX suppressions_by_party ON suppressions (party_kind, party_value);

ALTER TABLE configurations RENAME TO configurations_before;
CREATE TABLE configurations (
    seq INTEGER PRIMARY KEY,
    configuration_id TEXT NOT NULL UNIQUE GENERATED ALWAYS AS (printf('CFG-%06d', seq)) STORED,
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
INSERT INTO configurations (seq, what, state, lost, approvable, control, found_at, proposed_by, proposed_at,
    proposal, decided_by, decided_at, decision)
SELECT seq, what, state, lost, approvable, control, found_at, proposed_by, proposed_at, proposal, decided_by,
    decided_at, decision
FROM configurations_before;
DROP TABLE configurations_before;

ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    control TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT,
    place BIGINT
);
INSERT INTO outbox (seq, control, created_at, delivered_at, place)
SELECT seq, control, created_at, delivered_at, place
FROM outbox_before LEFT JOIN outbox_places USING (seq);
DROP TABLE outbox_before;
DROP TABLE outbox_places;
CREATE INDEX outbox_pending ON outbox (delivered_at, seq);

ALTER TABLE rule_versions RENAME TO rule_versions_before;
CREATE TABLE rule_versions (
    seq INTEGER PRIMARY KEY,
    version_id TEXT NOT NULL UNIQUE GENERATED ALWAYS AS (printf('RV-%06d', seq)) STORED,
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
INSERT INTO rule_versions (seq, hash, origin, state, base, author, rationale, files, report, proposed_at, decided_by,
    decided_at, decision, ordered_by, ordered_at, order_reason, active_at, retired_at, previous, control, judged,
    activating, backtest)
SELECT seq, hash, origin, state, base, author, rationale, files, report, proposed_at, decided_by, decided_at,
    decision, ordered_by, ordered_at, order_reason, active_at, retired_at, previous, control, judged,
    COALESCE(activating, 0), b.body
FROM rule_versions_before LEFT JOIN rule_shadows USING (version_id) LEFT JOIN rule_backtests b USING (version_id);
DROP TABLE rule_versions_before;
DROP TABLE rule_shadows;
DROP TABLE rule_backtests;
CREATE INDEX rule_versions_by_state ON rule_versions (state, seq);

ALTER TABLE shadow_alerts RENAME TO shadow_alerts_before;
CREATE TABLE shadow_alerts (
    seq INTEGER PRIMARY KEY,
    alert_id TEXT NOT NULL UNIQUE,
    rule_id TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
INSERT INTO shadow_alerts (seq, alert_id, rule_id, occurred_at, recorded_at, body)
SELECT seq, alert_id, rule_id, occurred_at, recorded_at, body
FROM shadow_alerts_before;
DROP TABLE shadow_alerts_before;
CREATE INDEX shadow_alerts_by_rule ON shadow_alerts (rule_id, seq);

-- Invented people: they may sign in to a demonstration only.
ALTER TABLE users ADD COLUMN invented BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET invented = TRUE WHERE name IN (SELECT name FROM demo_users);
DROP TABLE demo_users;

-- Since when a content's quarantine is proposed, if it is; and how many keys had failed when it was last declined.
ALTER TABLE rule_failures ADD COLUMN proposed_at BIGINT;
ALTER TABLE rule_failures ADD COLUMN declined_keys BIGINT NOT NULL DEFAULT 0;
UPDATE rule_failures SET proposed_at = p.proposed_at, declined_keys = p.declined_keys
FROM quarantine_proposals p WHERE p.rule = rule_failures.rule;
DROP TABLE quarantine_proposals;

-- How large the evidence tree is, and its root: one row. Whoever writes locks it first, so that there is one tree.
CREATE TABLE head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root BLOB NOT NULL
);
