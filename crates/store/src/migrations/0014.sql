-- Schema 14. Which statement answers which place of a log (architecture §2.2): a view, so that all of a matter is found from
-- its beginning. What is cited need not have arrived.
CREATE TABLE cited (log INTEGER NOT NULL, idx INTEGER NOT NULL, statement INTEGER NOT NULL,
    PRIMARY KEY (log, idx, statement)) STRICT, WITHOUT ROWID;
