-- Schema 18. What goes to partners without a node: one letter a statement and partner, and what became of it; it holds
-- nothing of the statement. And what they said, as it is taken down: a draft until it was read back to them.
CREATE TABLE letter (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, statement INTEGER NOT NULL, queued INTEGER NOT NULL,
    fate INTEGER NOT NULL, tries INTEGER NOT NULL, next INTEGER NOT NULL, why TEXT, UNIQUE (origin, statement)) STRICT;
CREATE INDEX letter_waits ON letter (next) WHERE fate = 0;
CREATE TABLE relay_draft (id INTEGER PRIMARY KEY AUTOINCREMENT, said TEXT NOT NULL, made INTEGER NOT NULL,
    made_by TEXT NOT NULL) STRICT;
