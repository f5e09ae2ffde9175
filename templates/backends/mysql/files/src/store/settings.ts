// MySQL's settings; src/config.ts holds all the others.
// Add a setting here when the driver needs one.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { ConfigError, type Environment } from "../http/environment.ts";

export interface StoreSettings {
  host: string;
  port: number;
  /** The path of a Unix socket, which is used instead of host and port. */
  socket: string | undefined;
  user: string;
  password: string;
  database: string;
  tls: Tls;
  table: string;
  /** How many connections one process opens at most. */
  connections: number;
  /** Whether the settings came in DATABASE_URL, for messages. */
  fromUrl: boolean;
}

/** "on" checks the server's certificate and name; "unverified" hides the traffic from listeners but accepts an impostor. */
export type Tls = { mode: "off" | "unverified" } | { mode: "on"; ca?: string };

export function readStoreSettings(env: Environment): StoreSettings {
  const url = env.url("DATABASE_URL", ["mysql:", "mariadb:"]);
  const table = env.text("SESSION_TABLE", "sessions");
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(table)) {
    throw new ConfigError("SESSION_TABLE must be at most 63 letters, digits and _, and begin with no digit.");
  }
  const more = { table, connections: env.integer("MYSQL_CONNECTIONS", 10, { min: 1, max: 1000 }) };
  const server = url ? readUrl(url, readTls(env)) : readVariables(env);
  // mysql2 would compare the certificate's name with "localhost".
  if (server.tls.mode === "on" && server.socket === undefined && isIP(server.host)) {
    throw new ConfigError("MYSQL_TLS: to check the certificate, give the server's name instead of its address.");
  }
  return { ...server, ...more };
}

type Server = Omit<StoreSettings, "table" | "connections">;

function readUrl(url: URL, tls: Tls | undefined): Server {
  const database = decode(url.pathname.slice(1));
  const user = decode(url.username);
  if (!user || !database || database.includes("/")) {
    throw new ConfigError("DATABASE_URL must name a user and a database: mysql://user:password@host:3306/database");
  }
  for (const name of url.searchParams.keys()) {
    if (name !== "ssl-mode") throw new ConfigError(`DATABASE_URL: "${name}" is not known, only ssl-mode is.`);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1") || "localhost",
    port: Number(url.port || 3306),
    socket: undefined,
    user,
    password: decode(url.password),
    database,
    tls: tls ?? readSslMode(url.searchParams.get("ssl-mode")),
    fromUrl: true,
  };
}

function readVariables(env: Environment): Server {
  return {
    host: env.text("MYSQL_HOST", "localhost"),
    port: env.integer("MYSQL_PORT", 3306, { min: 1, max: 65_535 }),
    socket: env.optional("MYSQL_SOCKET"),
    user: required(env, "MYSQL_USER"),
    password: env.text("MYSQL_PASSWORD", ""),
    database: required(env, "MYSQL_DATABASE"),
    tls: readTls(env) ?? { mode: "off" },
    fromUrl: false,
  };
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

/** The names of MySQL's own clients, as in hosting providers' URLs. */
function readSslMode(name: string | null): Tls {
  switch (name?.toUpperCase() ?? "DISABLED") {
    case "DISABLED":
      return { mode: "off" };
    case "REQUIRED":
      return { mode: "unverified" };
    case "VERIFY_CA":
    case "VERIFY_IDENTITY":
      return { mode: "on" };
    default:
      throw new ConfigError("DATABASE_URL: ssl-mode must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY.");
  }
}

function readTls(env: Environment): Tls | undefined {
  const text = env.optional("MYSQL_TLS");
  if (text === undefined) return undefined;
  if (text === "off" || text === "on" || text === "unverified") return { mode: text };
  if (!/[./]/.test(text)) throw new ConfigError("MYSQL_TLS must be off, on, unverified or a CA's PEM file.");
  try {
    return { mode: "on", ca: readFileSync(text, "utf8") };
  } catch (error) {
    throw new ConfigError(`MYSQL_TLS: the file ${text} can't be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** For messages; never the password. */
export function describeStore({ host, port, socket, database }: StoreSettings): string {
  return `MySQL at ${socket ?? `${host.includes(":") ? `[${host}]` : host}:${port}`}, database ${database}`;
}
