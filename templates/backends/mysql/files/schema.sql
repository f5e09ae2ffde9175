-- The sessions' table, for MySQL 8.0 and MariaDB 10.11 or newer. Applied at start when it is missing, or by hand:
-- `npm run sessions -- setup` (SESSION_TABLE takes the place of the name). To add a column, add it here, in src/session/mysql-schema.ts and driver.ts.

CREATE TABLE IF NOT EXISTS `sessions` (
  -- Binary strings compare byte by byte. A collation would find "Alice" for "alice", or "alice " for "alice".
  id            VARBINARY(64)   NOT NULL,
  secret_hash   BINARY(32)      NOT NULL,          -- SHA-256 of the token's secret; the secret is nowhere
  userid        VARBINARY(2048) NULL,
  -- Seconds since 1970: no time zone can shift them.
  created       BIGINT          NOT NULL,
  updated       BIGINT          NOT NULL,
  authenticated BIGINT          NOT NULL,
  idle          BIGINT          NOT NULL,
  expires       BIGINT          NOT NULL,
  ipaddress     VARCHAR(255)    NOT NULL,
  useragent     VARCHAR(1024)   NOT NULL,
  data          JSON            NOT NULL,          -- an object: key to JSON text (see src/session/stored-data.ts)
  version       BIGINT          NOT NULL,
  PRIMARY KEY (id),
  KEY user (userid, created),                      -- "my devices", and signing a user out everywhere
  KEY expiry (expires)                             -- purging
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
