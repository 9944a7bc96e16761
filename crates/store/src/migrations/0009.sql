-- Schema 9. Gossip about chains of audiences: what partners say that they hold beyond us, and which places we and a partner
-- hold differently, so that each shows the other what it has.

CREATE TABLE heard_head (
    log INTEGER NOT NULL,
    audience BLOB NOT NULL,
    lane INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    version INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (log, audience, lane, sender)
) STRICT, WITHOUT ROWID;
CREATE TABLE disputed (
    log INTEGER NOT NULL,
    audience BLOB NOT NULL,
    lane INTEGER NOT NULL,
    partner INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (log, audience, lane, partner)
) STRICT, WITHOUT ROWID;

-- Checkpoints of the own log with an authority's time stamp (RFC 3161) under them.
CREATE TABLE stamped (size INTEGER PRIMARY KEY, note TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
