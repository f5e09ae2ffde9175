// The settings of CouchDB. src/config.ts holds all the others.
// Add a setting here when the driver needs one.

import { ConfigError, type Environment } from "../http/environment.ts";

export interface StoreSettings {
  /** Without user and password. It may have a path. */
  url: string;
  /** "" to send requests without a login. */
  user: string;
  password: string;
  database: string;
  /** Whether the settings came in COUCHDB_URL, which messages then name. */
  fromUrl: boolean;
}

export function readStoreSettings(env: Environment): StoreSettings {
  const url = env.url("COUCHDB_URL", ["http:", "https:"]);
  const database = env.text("COUCHDB_DATABASE", "sessions");
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(database)) {
    throw new ConfigError(
      "COUCHDB_DATABASE must be at most 63 lower-case letters, digits, _ and -, and begin with a letter.",
    );
  }
  return { ...(url ? readUrl(url) : readVariables(env)), database };
}

function readUrl(url: URL): Omit<StoreSettings, "database"> {
  if (url.search || url.hash) {
    throw new ConfigError(
      "COUCHDB_URL must end with the path, if there is one; the database is named by COUCHDB_DATABASE.",
    );
  }
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    user: decode(url.username),
    password: decode(url.password),
    fromUrl: true,
  };
}

function readVariables(env: Environment): Omit<StoreSettings, "database"> {
  const host = env.text("COUCHDB_HOST", "localhost");
  const port = env.integer("COUCHDB_PORT", 5984, { min: 1, max: 65_535 });
  const url = URL.parse(`http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`);
  if (!url || url.username || url.pathname !== "/" || url.search || url.hash) {
    throw new ConfigError("COUCHDB_HOST must be a name or an address alone; for TLS or a path set COUCHDB_URL.");
  }
  return {
    url: `http://${url.hostname}:${port}`,
    user: env.text("COUCHDB_USER", ""),
    password: env.text("COUCHDB_PASSWORD", ""),
    fromUrl: false,
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new ConfigError('COUCHDB_URL: a "%" in a name or password is written %25.', { cause });
  }
}

/** For messages. Never shows the password. */
export function describeStore({ url, database }: StoreSettings): string {
  return `CouchDB at ${url.replace(/^http:\/\//, "")}, database ${database}`;
}
