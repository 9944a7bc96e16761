-- Schema 6. Which entries of a log its owner says it lost: a view. And the way to the few statements that are kept raw:
-- after a recovery they are folded again.

CREATE TABLE lost (
    log INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    PRIMARY KEY (log, first, statement)
) STRICT, WITHOUT ROWID;
CREATE INDEX statement_unfit ON statement (log, id) WHERE fate = 1;
