-- Schema 8. The wall, disclosures through it, and the lists that detectors pull.

-- 0: no wall; else what it is, as `model::Walled` counts. An old row was said before there was a wall.
ALTER TABLE object ADD COLUMN walled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE intake ADD COLUMN walled INTEGER NOT NULL DEFAULT 0;

-- By which act a supervising desk sees a statement behind the wall: local truth, which no log says and no rebuild touches.
CREATE TABLE disclosure (
    id INTEGER PRIMARY KEY,
    statement INTEGER NOT NULL,
    desk TEXT NOT NULL,
    article TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL
) STRICT;
CREATE INDEX disclosure_statement ON disclosure (statement);
-- It happened: nobody makes it undone.
CREATE TRIGGER disclosure_is_not_changed BEFORE UPDATE ON disclosure
    BEGIN SELECT RAISE(ABORT, 'a disclosure is not changed'); END;
CREATE TRIGGER disclosure_is_not_taken_away BEFORE DELETE ON disclosure
    BEGIN SELECT RAISE(ABORT, 'a disclosure is not taken away'); END;

-- Named lists for detectors and the like: what is in one is read when it is pulled.
CREATE TABLE export_list (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    strictest INTEGER NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL
) STRICT, WITHOUT ROWID;
