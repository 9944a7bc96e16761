-- Schema 15. The duty roster (workflows §0, "Somebody wakes up"): whom the node can wake, and who is on duty when. Local
-- truth, never in the log. Times are moments: a file with local times was resolved when it came in.
CREATE TABLE contact (person TEXT PRIMARY KEY, name TEXT NOT NULL, telephone TEXT NOT NULL, mail TEXT, languages TEXT NOT NULL,
    login TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE shift (id INTEGER PRIMARY KEY, person TEXT NOT NULL, post TEXT NOT NULL, starts INTEGER NOT NULL,
    ends INTEGER NOT NULL, UNIQUE (person, post, starts)) STRICT;
CREATE INDEX shift_ends ON shift (ends);
