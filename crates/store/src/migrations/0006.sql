-- Schema 6. Which entries of a log its owner says it lost: a view.

CREATE TABLE lost (
    log INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    PRIMARY KEY (log, first, statement)
) STRICT, WITHOUT ROWID;
