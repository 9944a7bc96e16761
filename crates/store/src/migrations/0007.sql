-- Schema 7. Who reads what is RED: own people by name, and guests with a link and a code. Local
-- truth, which no log says and no rebuild touches.

-- The address of a RED thread on this node: random, so that it tells nothing and can't be guessed.
CREATE TABLE red_thread (thread BLOB NOT NULL PRIMARY KEY, address BLOB NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
CREATE TABLE red_reader (thread BLOB NOT NULL, person INTEGER NOT NULL, named_by TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (thread, person)) STRICT, WITHOUT ROWID;
CREATE INDEX red_reader_person ON red_reader (person);
-- 4 is RED. There are few of them, so the index costs other statements nothing.
CREATE INDEX object_red ON object (thread) WHERE tlp = 4;

CREATE TABLE guest (
    id BLOB NOT NULL PRIMARY KEY,
    thread BLOB NOT NULL,
    link BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    contact TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER,
    code TEXT,
    code_expires INTEGER,
    tries_left INTEGER NOT NULL,
    session BLOB,
    session_expires INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX guest_thread ON guest (thread);
