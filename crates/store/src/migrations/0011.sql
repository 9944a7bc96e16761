-- Schema 11. Places whose body was erased here, whoever ordered it: it is never taken again. `listed` says whether the
-- place stands on the purge list, a file outside the database: the row is written with the erasure, the file after it.
CREATE TABLE erased (log INTEGER NOT NULL, idx INTEGER NOT NULL, listed INTEGER NOT NULL,
    PRIMARY KEY (log, idx)) STRICT, WITHOUT ROWID;
CREATE INDEX erased_unlisted ON erased (log, idx) WHERE listed = 0;
