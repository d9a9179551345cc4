-- Which of several processes does the work behind the pages, and until when by the database's clock, in milliseconds since 1970.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
