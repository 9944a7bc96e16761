-- Schema 5. Keys that change: every identity of a nation that was taken, which version of ours a partner has, and entries
-- that their owner no longer stands by. Truth: a key that was replaced still proves what it signed.

CREATE TABLE identity (log INTEGER NOT NULL, version INTEGER NOT NULL, identity BLOB NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (log, version)) STRICT, WITHOUT ROWID;
-- Partners of before are known by the identity that they had then.
INSERT INTO identity (log, version, identity, at) SELECT log, identity_version, identity, since FROM partner;
CREATE TABLE announced (log INTEGER PRIMARY KEY, version INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
-- What the newest identity of a log repudiates, taken out of it: asked for every object that is shown.
CREATE TABLE repudiated (log INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
    PRIMARY KEY (log, low)) STRICT, WITHOUT ROWID;
