-- The table of sessions, named by SESSION_TABLE. Applied at start (or by `npm run sessions -- setup`) when it is missing.
-- To add a column of your own, add it here and in src/session-columns.ts, and by ALTER TABLE to a table that exists already.
-- Times are seconds since 1970.

CREATE TABLE IF NOT EXISTS "sessions" (
  id            text COLLATE "C" PRIMARY KEY,  -- the public half of the token
  secret_hash   bytea  NOT NULL,               -- SHA-256 of the secret half, which is stored nowhere
  userid        text COLLATE "C",              -- NULL for a guest
  created       bigint NOT NULL,
  updated       bigint NOT NULL,               -- the last access
  authenticated bigint NOT NULL,               -- the last sign-in; 0 if there was none
  idle          bigint NOT NULL,               -- seconds that it lives without a request
  expires       bigint NOT NULL,               -- its last second
  ipaddress     text   NOT NULL,
  useragent     text   NOT NULL,
  data          jsonb  NOT NULL CHECK (jsonb_typeof(data) = 'object'),
  version       bigint NOT NULL,               -- grows with every change

  -- The ten minutes in which it expires, indexed in place of `expires`, so that most touches change no indexed column:
  -- such an update stays within its page (HOT) and writes to no index.
  expires_slot  bigint NOT NULL GENERATED ALWAYS AS (expires / 600) STORED
) WITH (fillfactor = 80);

-- Finds a user's sessions, newest first. Guests take no room in it.
CREATE INDEX IF NOT EXISTS "sessions_by_user" ON "sessions" (userid, created DESC) WHERE userid IS NOT NULL;

-- Finds expired sessions for purging.
CREATE INDEX IF NOT EXISTS "sessions_by_expiry" ON "sessions" (expires_slot);
