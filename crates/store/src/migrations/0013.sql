-- Schema 13. Passkeys (WebAuthn) of accounts, and the challenges that were answered already. Local truth, in no log.

CREATE TABLE passkey (
    id BLOB NOT NULL PRIMARY KEY,
    person INTEGER NOT NULL,
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    algorithm INTEGER NOT NULL,
    key BLOB NOT NULL,
    count INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up INTEGER NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_person ON passkey (person);
-- Each challenge is good once; it is remembered until it would run out anyhow.
CREATE TABLE passkey_answered (nonce BLOB NOT NULL PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
