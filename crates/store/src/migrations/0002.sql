-- Schema 2. Witnesses (C2SP tlog-witness): whom we ask, what we cosigned, and which checkpoints were witnessed. Truth.

-- Partners that we ask to cosign our checkpoints.
CREATE TABLE witness (log INTEGER PRIMARY KEY) STRICT;
-- The last checkpoint of each partner's log that we cosigned, as its log signed it: it never goes back.
CREATE TABLE cosigned (log INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
    at INTEGER NOT NULL) STRICT;
-- Checkpoints with the cosignatures of enough witnesses, ours and partners'. `at` is when the last of them was noted.
CREATE TABLE witnessed (log INTEGER NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, witnesses INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (log, size)) STRICT, WITHOUT ROWID;
