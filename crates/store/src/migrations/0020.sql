-- Schema 20. Mail that came in from partners without a node: a list that people work through. Local truth, never in the log;
-- what of it becomes somebody's relayed word cites its digest.
CREATE TABLE mail_item (id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, received INTEGER NOT NULL,
    sender TEXT NOT NULL, subject TEXT NOT NULL, origin TEXT, encrypted INTEGER NOT NULL, signature INTEGER NOT NULL,
    fingerprint TEXT, body TEXT NOT NULL, files TEXT NOT NULL, original BLOB NOT NULL, state INTEGER NOT NULL,
    decided INTEGER, decided_by TEXT, outcome TEXT) STRICT;
CREATE INDEX mail_item_waits ON mail_item (id) WHERE state = 0;
