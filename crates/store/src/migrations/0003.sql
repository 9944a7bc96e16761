-- Schema 3. Gossip: the largest checkpoint of a partner's log that another partner told us of and that we have not reached
-- yet, as the log signed it. Once we reach it, it is compared and goes.
CREATE TABLE heard (log INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL, sender INTEGER NOT NULL) STRICT;
