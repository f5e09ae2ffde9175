// PostgreSQL's settings; src/config.ts holds all the others.
// Add a setting here when the driver needs one.

import { readFileSync } from "node:fs";
import { ConfigError, Environment } from "../http/environment.ts";

export interface StoreSettings {
  /** A name, an address or, beginning with "/", the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  tls: Tls;
  /** The table, which may be named with its schema: "app.sessions". */
  table: string;
  /** How many connections one process opens at most. */
  connections: number;
  /** A pooler such as PgBouncer is in between: send no timeouts when connecting, since it would refuse them. */
  pooler: boolean;
  /** Whether the settings came in DATABASE_URL, for messages. */
  fromUrl: boolean;
}

/** "require" hides the traffic from listeners but accepts an impostor; "verify-full" checks certificate and name. */
export interface Tls {
  mode: (typeof TLS_MODES)[number];
  /** PEM text of the certificate authority, and of the app's own certificate and key. */
  ca?: string;
  cert?: string;
  key?: string;
  /** Binds the sign-in to the TLS connection where the server offers that. */
  channelBinding: boolean;
}

const TLS_MODES = ["disable", "require", "verify-ca", "verify-full"] as const;
const URL_PARAMETERS = [
  "host",
  "user",
  "password",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "channel_binding",
  "pgbouncer",
];

export function readStoreSettings(env: Environment): StoreSettings {
  // libpq leaves the host out of URLs for a socket.
  const text = env.optional("DATABASE_URL")?.replace(/^(\s*postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[/:?])/, "$1localhost");
  const url = new Environment({ DATABASE_URL: text }).url("DATABASE_URL", ["postgres:", "postgresql:"]);
  const table = env.text("SESSION_TABLE", "sessions");
  if (!/^(?:[A-Za-z_]\w{0,62}\.)?[A-Za-z_]\w{0,51}$/.test(table)) {
    throw new ConfigError(
      "SESSION_TABLE must be at most 52 letters, digits and _, not begin with a digit, and may follow a schema's name and a dot.",
    );
  }
  const connections = env.integer("PG_CONNECTIONS", 4, { min: 1, max: 100 });
  const server = url ? readUrl(url, env) : readVariables(env);
  if (server.host.includes(",")) {
    throw new ConfigError(
      `${url ? "DATABASE_URL" : "PGHOST"} must name one host: one that leads to the primary server.`,
    );
  }
  const pooler = env.flag("PG_POOLER", url?.searchParams.get("pgbouncer") === "true");
  return { ...server, table, connections, pooler };
}

type Server = Omit<StoreSettings, "table" | "connections" | "pooler">;

function readUrl(url: URL, env: Environment): Server {
  const database = decode(url.pathname.slice(1));
  const user = url.searchParams.get("user") ?? decode(url.username);
  if (!user || !database) {
    throw new ConfigError("DATABASE_URL must name a user and a database: postgres://user:password@host:5432/database");
  }
  for (const name of url.searchParams.keys()) {
    if (!URL_PARAMETERS.includes(name)) {
      throw new ConfigError(`DATABASE_URL: "${name}" is not known; ${URL_PARAMETERS.join(", ")} are.`);
    }
  }
  const tls = (parameter: string) => url.searchParams.get(parameter) ?? env.optional(variable(parameter));
  return {
    host: url.searchParams.get("host") ?? (decode(url.hostname).replace(/^\[(.*)\]$/, "$1") || "localhost"),
    port: Number(url.port || 5432),
    user,
    password: url.searchParams.get("password") ?? decode(url.password),
    database,
    tls: readTls(tls, (parameter) => `DATABASE_URL (its ${parameter}) or ${variable(parameter)}`),
    fromUrl: true,
  };
}

function readVariables(env: Environment): Server {
  return {
    host: env.text("PGHOST", "localhost"),
    port: env.integer("PGPORT", 5432, { min: 1, max: 65_535 }),
    user: required(env, "PGUSER"),
    password: env.text("PGPASSWORD", ""),
    database: required(env, "PGDATABASE"),
    tls: readTls((parameter) => env.optional(variable(parameter)), variable),
    fromUrl: false,
  };
}

/** libpq's variable for a parameter of its URLs: "sslmode" is PGSSLMODE. */
function variable(parameter: string): string {
  return `PG${parameter.replace("_", "").toUpperCase()}`;
}

function required(env: Environment, name: string): string {
  const value = env.optional(name);
  if (value === undefined) throw new ConfigError(`${name} is missing; set it, or DATABASE_URL.`);
  return value;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError('DATABASE_URL: a "%" in a name or password is written %25.');
  }
}

function readTls(parameter: (name: string) => string | undefined, named: (name: string) => string): Tls {
  const given = parameter("sslmode") ?? (parameter("sslrootcert") ? "verify-full" : "disable");
  const mode = TLS_MODES.find((name) => name === given);
  if (mode === undefined) {
    // libpq's "prefer" and "allow" continue in plain text if anybody on the way asks for it.
    throw new ConfigError(`${named("sslmode")} must be one of ${TLS_MODES.join(", ")}.`);
  }
  if (parameter("sslrootcert") === "system" && mode !== "verify-full") {
    throw new ConfigError(`${named("sslmode")} must be verify-full with sslrootcert=system, as for libpq.`);
  }
  const pem = (name: string) => {
    const file = parameter(name);
    if (file === undefined || (name === "sslrootcert" && file === "system")) return undefined;
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new ConfigError(`${named(name)}: ${file} can't be read (${(error as NodeJS.ErrnoException).code}).`);
    }
  };
  const [ca, cert, key] = [pem("sslrootcert"), pem("sslcert"), pem("sslkey")];
  return {
    mode: mode === "require" && ca !== undefined ? "verify-ca" : mode,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    channelBinding: /^(?:require|prefer)$/.test(parameter("channel_binding") ?? ""),
  };
}

/** For messages; never the password. */
export function describeStore({ host, port, database }: StoreSettings): string {
  return `PostgreSQL at ${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}
