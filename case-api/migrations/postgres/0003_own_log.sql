-- Which log the database belongs to: one row, written by the first start that finds nothing wrong between the two.
CREATE TABLE own_log (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    log_id TEXT NOT NULL
);
