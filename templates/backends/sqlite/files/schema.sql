-- The table of sessions. Applied at start (or by `npm run sessions -- setup`) when a part of it is missing.
-- To add a column of your own, add it here and in src/session-columns.ts, and by ALTER TABLE to a table that exists already.
-- Times are seconds since 1970. WITHOUT ROWID would be two to three times slower with rows of about 1 kB.

CREATE TABLE IF NOT EXISTS sessions (
  id            TEXT    NOT NULL PRIMARY KEY,  -- the public half of the token
  secret_hash   BLOB    NOT NULL,              -- SHA-256 of the secret half, which is stored nowhere
  userid        TEXT,                          -- NULL for a guest
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL,              -- the last access
  authenticated INTEGER NOT NULL,              -- the last sign-in; 0 if there was none
  idle          INTEGER NOT NULL,              -- seconds that it lives without a request
  expires       INTEGER NOT NULL,              -- its last second
  ipaddress     TEXT    NOT NULL,
  useragent     TEXT    NOT NULL,
  data          TEXT    NOT NULL,              -- a JSON object
  version       INTEGER NOT NULL               -- grows with every change
) STRICT;

-- Finds a user's sessions, newest first. Guests take no room in it.
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (userid, created DESC) WHERE userid IS NOT NULL;

-- Finds expired sessions for purging.
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires);
