-- Schema 16. Who is woken by what (workflows §0): a ladder a class of events; alerts under way, what they are about, and
-- whom they were sent to. Local truth, never in the log. Codes are kept as hashes.
CREATE TABLE ladder (class TEXT PRIMARY KEY, rungs TEXT NOT NULL, changed INTEGER NOT NULL, changed_by TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE alert (id INTEGER PRIMARY KEY, class TEXT NOT NULL, tlp TEXT NOT NULL, rungs TEXT NOT NULL,
    started INTEGER NOT NULL, rung INTEGER, notified INTEGER, exhausted INTEGER, acknowledged INTEGER, acknowledged_by TEXT,
    how INTEGER) STRICT;
CREATE INDEX alert_open ON alert (id) WHERE acknowledged IS NULL AND exhausted IS NULL;
CREATE TABLE alert_event (id INTEGER PRIMARY KEY, class TEXT NOT NULL, subject TEXT NOT NULL, origin TEXT NOT NULL,
    statement INTEGER, tlp TEXT NOT NULL, at INTEGER NOT NULL, alert INTEGER, said INTEGER, UNIQUE (class, subject)) STRICT;
CREATE INDEX alert_event_waits ON alert_event (id) WHERE alert IS NULL;
CREATE INDEX alert_event_of ON alert_event (alert);
CREATE TABLE alert_notice (alert INTEGER NOT NULL, rung INTEGER NOT NULL, person TEXT NOT NULL, channel TEXT NOT NULL,
    at INTEGER NOT NULL, fate INTEGER NOT NULL, why TEXT, code BLOB NOT NULL UNIQUE,
    PRIMARY KEY (alert, rung, person, channel)) STRICT, WITHOUT ROWID;
