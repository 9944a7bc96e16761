-- Schema 4. Who was given the content of a statement here, by which face: local truth, which no log says and no rebuild
-- touches.

CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    statement INTEGER NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    face INTEGER NOT NULL,
    exported INTEGER NOT NULL,
    recallable INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_statement ON ledger (statement, who, face, at);
