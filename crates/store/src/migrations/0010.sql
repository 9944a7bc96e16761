-- Schema 10. Purges by command, spills, legal holds and retention: local truth, which no log says and no rebuild touches.

-- Statements whose body was erased here by command rather than by their owner. `remains` is what a fold still needs of a
-- statement about sharing, without its free text; NULL for what is said of the world.
CREATE TABLE purged (statement INTEGER PRIMARY KEY, at INTEGER NOT NULL, remains BLOB) STRICT;

-- Something that must not be here was purged: who ordered it, and why. `second` is who agreed despite a legal hold.
CREATE TABLE spill (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, second TEXT, reason TEXT NOT NULL)
    STRICT;
CREATE TABLE spilled (spill INTEGER NOT NULL, statement INTEGER NOT NULL, withdrawal INTEGER,
    PRIMARY KEY (spill, statement)) STRICT, WITHOUT ROWID;
CREATE TABLE spilled_intake (spill INTEGER NOT NULL, intake INTEGER NOT NULL, digest BLOB NOT NULL,
    taken INTEGER NOT NULL, person INTEGER, PRIMARY KEY (spill, intake)) STRICT, WITHOUT ROWID;

-- What the law wants kept. `key` is a statement's number, a STIX id, a thread in hexadecimal digits, or a number of intake.
CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    until INTEGER,
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    released INTEGER,
    released_by TEXT
) STRICT;
CREATE INDEX hold_key ON hold (kind, key);
ALTER TABLE receipt ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

-- How long each kind of data is kept; what has no row is kept for ever. And who has purged what was due.
CREATE TABLE retention (rule TEXT NOT NULL PRIMARY KEY, days INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE retention_run (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, planned_at INTEGER NOT NULL,
    digest BLOB NOT NULL, planned INTEGER NOT NULL, purged INTEGER NOT NULL) STRICT;
