-- Schema 19. By which link and code a partner without a node answers a letter. Both are kept as hashes.
CREATE TABLE answer_link (letter INTEGER PRIMARY KEY, link BLOB NOT NULL UNIQUE, code TEXT, code_until INTEGER,
    tries_left INTEGER NOT NULL) STRICT;
