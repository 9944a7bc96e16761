-- Schema 22. Hand over between shifts (workflows §0): what is open, with its next step, due time and promises; who gave it
-- and who took it. Local truth, never in the log, of one desk.
CREATE TABLE handover (id INTEGER PRIMARY KEY, desk TEXT NOT NULL, given_by INTEGER NOT NULL, given_name TEXT NOT NULL,
    at INTEGER NOT NULL, items TEXT NOT NULL, note TEXT NOT NULL, taken_by INTEGER, taken_name TEXT, taken INTEGER) STRICT;
CREATE INDEX handover_desk ON handover (desk, id);
