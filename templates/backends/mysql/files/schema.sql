-- The table of sessions, named by SESSION_TABLE. Applied at start (or by `npm run sessions -- setup`) when it is missing.
-- To add a column of your own, add it here and in src/session-columns.ts, and by ALTER TABLE to a table that exists already.

CREATE TABLE IF NOT EXISTS `sessions` (
  -- Compared byte by byte: a collation would find "Alice" or "alice " for "alice".
  id            VARBINARY(64)   NOT NULL,
  secret_hash   BINARY(32)      NOT NULL,          -- SHA-256 of the token's secret, which is stored nowhere
  userid        VARBINARY(2048) NULL,
  -- Seconds since 1970.
  created       BIGINT          NOT NULL,
  updated       BIGINT          NOT NULL,
  authenticated BIGINT          NOT NULL,
  idle          BIGINT          NOT NULL,
  expires       BIGINT          NOT NULL,
  ipaddress     VARCHAR(255)    NOT NULL,
  useragent     VARCHAR(1024)   NOT NULL,
  data          JSON            NOT NULL,          -- an object: key to JSON text (see src/store/stored-data.ts)
  version       BIGINT          NOT NULL,
  PRIMARY KEY (id),
  KEY user (userid, created),                      -- finds a user's sessions, newest first
  KEY expiry (expires)                             -- finds expired sessions for purging
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
