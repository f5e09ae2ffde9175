-- The table of sessions in PostgreSQL. Applied at start (or by `npm run sessions -- setup`) when it is missing, with the
-- name that SESSION_TABLE gives in place of "sessions". By hand: psql "$DATABASE_URL" -f schema.sql
-- To add a column: add it here and in src/session/driver.ts (COLUMN_OF), and to a table that is there already with ALTER TABLE … ADD COLUMN.
-- Times are seconds since 1970.

CREATE TABLE IF NOT EXISTS "sessions" (
  id            text COLLATE "C" PRIMARY KEY,  -- the public half of the token
  secret_hash   bytea  NOT NULL,               -- SHA-256 of the secret half, which is stored nowhere
  userid        text COLLATE "C",              -- NULL for a guest
  created       bigint NOT NULL,
  updated       bigint NOT NULL,               -- the last access
  authenticated bigint NOT NULL,               -- the last sign-in; 0 if there was none
  idle          bigint NOT NULL,               -- seconds that it lives without an access
  expires       bigint NOT NULL,               -- its last second
  ipaddress     text   NOT NULL,
  useragent     text   NOT NULL,
  data          jsonb  NOT NULL CHECK (jsonb_typeof(data) = 'object'),
  version       bigint NOT NULL,               -- grows with every change

  -- The ten minutes in which it expires. This is indexed in place of `expires`, which moves with every touch: an update
  -- that leaves all indexed columns as they are stays within its page (HOT) and writes to no index.
  expires_slot  bigint NOT NULL GENERATED ALWAYS AS (expires / 600) STORED
) WITH (fillfactor = 80);

-- A user's sessions, newest first; guests take no room in it.
CREATE INDEX IF NOT EXISTS "sessions_by_user" ON "sessions" (userid, created DESC) WHERE userid IS NOT NULL;

-- What has expired, for purging.
CREATE INDEX IF NOT EXISTS "sessions_by_expiry" ON "sessions" (expires_slot);
