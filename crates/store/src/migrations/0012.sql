-- Schema 12. Successor logs that partners have announced, by the log that each takes the place of: a person telephones,
-- and confirms. Truth until then.

CREATE TABLE successor (log INTEGER PRIMARY KEY, version INTEGER NOT NULL, identity BLOB NOT NULL,
    at INTEGER NOT NULL) STRICT;
