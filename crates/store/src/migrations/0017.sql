-- Schema 17. Partners without a node (architecture §4): where each is reached, and the key to which mail for it is encrypted.
-- Local truth, never in the log. Named by origin: a log's number means nothing in another database.
CREATE TABLE reached (origin TEXT PRIMARY KEY, mail TEXT, telephone TEXT NOT NULL, key BLOB, fingerprint TEXT,
    changed INTEGER NOT NULL, changed_by TEXT NOT NULL) STRICT, WITHOUT ROWID;
