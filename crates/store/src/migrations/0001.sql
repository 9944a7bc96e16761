-- Schema 1. Truth first, then the views that are folded from it. Times are microseconds since 1970 in UTC.
-- No foreign keys: the program checks them, and the hot path has no time for a second look.

-- Truth ---------------------------------------------------------------------------------------------------------------

-- One row per log. `base` is the log of the same root without an epoch (itself without one): member sets name bases.
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    base INTEGER NOT NULL,
    country TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    frontier BLOB,
    checkpoint TEXT
) STRICT;

-- Commitments of up to 256 entries a row, and the roots of full subtrees of height 8, 16 … likewise (C2SP tlog-tiles).
CREATE TABLE leaf (log INTEGER NOT NULL, tile INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY (log, tile)) STRICT, WITHOUT ROWID;
CREATE TABLE subtree (log INTEGER NOT NULL, level INTEGER NOT NULL, tile INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY (log, level, tile)) STRICT, WITHOUT ROWID;

-- One row per statement that was opened to this node; `id` is the order of arrival. The body comes last, so that what
-- stands before it is read without its overflow pages.
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    fate INTEGER NOT NULL,
    reason TEXT,
    entry_salt BLOB NOT NULL,
    body_commitment BLOB NOT NULL,
    envelope BLOB NOT NULL,
    salt BLOB,
    wrapped_key BLOB,
    ciphertext BLOB
) STRICT;
CREATE UNIQUE INDEX statement_place ON statement (log, idx);

-- Member sets are immutable; `members` holds the logs' ids, eight bytes each, in the order of their origins.
CREATE TABLE member_set (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, members BLOB NOT NULL) STRICT;
CREATE TABLE member (log INTEGER NOT NULL, set_id INTEGER NOT NULL, PRIMARY KEY (log, set_id)) STRICT, WITHOUT ROWID;

-- Rows are never deleted, so that `seq` is never used twice. Each index ends with `seq`, the row's own key.
CREATE TABLE release (
    seq INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX release_feed ON release (set_id, lane);
CREATE INDEX release_statement ON release (statement);

-- Places that an owner took back by a content-free row, which is in no statement.
CREATE TABLE obeyed (log INTEGER NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (log, idx)) STRICT, WITHOUT ROWID;

CREATE TABLE intake (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    media INTEGER NOT NULL,
    stix_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    tlp INTEGER,
    mixed INTEGER NOT NULL,
    title TEXT,
    source TEXT NOT NULL,
    state INTEGER NOT NULL,
    note TEXT,
    taken INTEGER NOT NULL,
    person INTEGER,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX intake_stix_id ON intake (stix_id);
CREATE INDEX intake_state ON intake (state);

CREATE TABLE idempotency (who TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, answer TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (who, key)) STRICT, WITHOUT ROWID;

CREATE TABLE partner (
    log INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    class TEXT NOT NULL,
    reach TEXT NOT NULL,
    state INTEGER NOT NULL,
    identity BLOB NOT NULL,
    identity_version INTEGER NOT NULL,
    log_key BLOB NOT NULL,
    address TEXT NOT NULL,
    words TEXT,
    since INTEGER NOT NULL,
    held_reason TEXT,
    workflow_cursor TEXT,
    intelligence_cursor TEXT,
    heard INTEGER
) STRICT;
CREATE TABLE partner_pin (pin BLOB NOT NULL, log INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (pin, log)) STRICT, WITHOUT ROWID;
-- How far a partner has read us.
CREATE TABLE served (log INTEGER PRIMARY KEY, workflow INTEGER NOT NULL, intelligence INTEGER NOT NULL,
    at INTEGER NOT NULL) STRICT;
CREATE TABLE invitation (id BLOB NOT NULL PRIMARY KEY, secret BLOB NOT NULL, expires INTEGER NOT NULL,
    tries_left INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    summary TEXT NOT NULL,
    ours TEXT,
    theirs TEXT,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    totp_secret BLOB,
    desk TEXT NOT NULL,
    roles TEXT NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    locked_until INTEGER,
    totp_last_step INTEGER NOT NULL
) STRICT;
CREATE TABLE token (hash BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, person INTEGER NOT NULL, expires INTEGER,
    created INTEGER NOT NULL, last_used INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE session (hash BLOB NOT NULL PRIMARY KEY, person INTEGER NOT NULL, created INTEGER NOT NULL,
    expires INTEGER NOT NULL, csrf BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE allocated (name TEXT NOT NULL PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ticked (audience BLOB NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Names of STIX types, interned. Neither truth nor view: a name that nothing uses any more does no harm.
CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Views: a fold of truth in the order of arrival; every row names its statement ---------------------------------------

-- `uuid` is 16 bytes, or text where the UUID is not spelt in lower case. One index, because inserting is the hot path.
CREATE TABLE object (
    statement INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    uuid ANY NOT NULL,
    version INTEGER NOT NULL,
    media INTEGER NOT NULL,
    tlp INTEGER NOT NULL,
    pap INTEGER NOT NULL,
    set_id INTEGER,
    audience BLOB NOT NULL,
    lane INTEGER NOT NULL,
    thread BLOB NOT NULL,
    thread_version INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    dependent INTEGER NOT NULL,
    state INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    title TEXT
) STRICT;
CREATE INDEX object_uuid ON object (uuid);
CREATE TABLE object_ref (kind INTEGER NOT NULL, uuid ANY NOT NULL, statement INTEGER NOT NULL,
    PRIMARY KEY (uuid, kind, statement)) STRICT, WITHOUT ROWID;
-- How many objects a log has here: counted while they are put, because the status screen asks all the time.
CREATE TABLE tally (log INTEGER PRIMARY KEY, objects INTEGER NOT NULL) STRICT;

CREATE TABLE chain (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    audience BLOB NOT NULL,
    lane INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    count INTEGER NOT NULL,
    tail BLOB NOT NULL,
    UNIQUE (log, audience, lane)
) STRICT;
CREATE TABLE slot (chain INTEGER NOT NULL, sequence INTEGER NOT NULL, statement INTEGER NOT NULL,
    PRIMARY KEY (chain, sequence)) STRICT, WITHOUT ROWID;

CREATE TABLE audience (log INTEGER NOT NULL, audience BLOB NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL,
    kind INTEGER NOT NULL, set_id INTEGER NOT NULL, statement INTEGER NOT NULL,
    PRIMARY KEY (log, audience, version)) STRICT, WITHOUT ROWID;

CREATE TABLE withdrawal (target INTEGER PRIMARY KEY, by_statement INTEGER, purge INTEGER NOT NULL) STRICT;
CREATE TABLE pending_withdrawal (log INTEGER NOT NULL, idx INTEGER NOT NULL, by_statement INTEGER NOT NULL,
    purge INTEGER NOT NULL, PRIMARY KEY (log, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (target INTEGER NOT NULL, sender INTEGER NOT NULL, statement INTEGER NOT NULL,
    erased INTEGER NOT NULL, exports INTEGER, not_recalled INTEGER,
    PRIMARY KEY (target, sender)) STRICT, WITHOUT ROWID;
