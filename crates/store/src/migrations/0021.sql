-- Schema 21. Who commits the nation (workflows §0): acts that wait for a second person, that one person signed alone or
-- within an authority; and standing authorities. Local truth. What an act would say is erased once it is decided.
CREATE TABLE act (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, entry TEXT, body BLOB, state TEXT NOT NULL,
    person INTEGER NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, expires INTEGER NOT NULL,
    other INTEGER, other_name TEXT, decided INTEGER, reason TEXT,
    alone INTEGER, emergency TEXT, said TEXT, paper INTEGER, authority INTEGER, quantity INTEGER NOT NULL,
    cost_cents INTEGER NOT NULL) STRICT;
CREATE INDEX act_open ON act (id) WHERE state IN ('awaiting', 'signed-alone');
CREATE INDEX act_under ON act (authority) WHERE authority IS NOT NULL;
CREATE TABLE authority (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, person INTEGER NOT NULL, name TEXT NOT NULL,
    by_person INTEGER NOT NULL, by_name TEXT NOT NULL, at INTEGER NOT NULL, bounds TEXT NOT NULL, reason TEXT NOT NULL,
    revoked INTEGER, revoked_by TEXT) STRICT;
