// What PostgreSQL's and the network's errors mean to this app: wait, try again, or fix a setting.
// Change it when an error deserves a better line than the server's own.

import type { DatabaseError } from "pg";
import { StoreUnavailable } from "../session/contract.ts";
import type { StoreSettings } from "./settings.ts";

/** What was being done: at a start it helps to wait for a server, but not for a table or a permission. */
type Phase = "connect" | "setup" | "request";

interface Culprit {
  codes?: RegExp;
  words?: RegExp;
  /** The settings to look at. */
  settings: string[];
  /** The server works, but the table or a permission is missing. */
  serverIsUp?: boolean;
}

const CULPRITS: Culprit[] = [
  { words: /SSL connection|no encryption|SSL off/, settings: ["sslmode", "port"] },
  { codes: /CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS|^ERR_SSL|^EPROTO$/, settings: ["sslmode", "sslrootcert"] },
  { codes: /^28/, words: /client password/, settings: ["user", "password"] },
  { codes: /^3D000$/, settings: ["database"] },
  { codes: /^(?:ENOTFOUND|EAI_\w+|ENOENT|EACCES)$/, settings: ["host"] },
  { codes: /^42501$/, settings: ["user", "table"], serverIsUp: true },
  { codes: /^(?:42P01|42703|3F000)$/, settings: ["table"], serverIsUp: true },
  // The server starts, stops, is full or a standby; a statement took too long; or the server forgot it.
  { codes: /^(?:08|53|57P|57014|55P03|25006|26000|42P05|40)/, settings: ["host", "port"] },
];

/**
 * The error with the settings to look at. StoreUnavailable where the store can't be used for the moment; the error itself
 * where the server refused a statement for another reason.
 */
export function explained(error: unknown, settings: StoreSettings, phase: Phase): unknown {
  if (error instanceof StoreUnavailable) return error;
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code = "", message } = first as NodeJS.ErrnoException;
  const culprit = CULPRITS.find(({ codes, words }) => codes?.test(code) || words?.test(message));
  if (culprit === undefined && isOfStatement(code) && phase !== "connect") return error;
  const { host, port, database } = settings;
  const place = `PostgreSQL at ${host}:${port}/${database}`;
  if (phase === "connect" && /startup parameter/.test(message)) {
    const remedy = "PG_POOLER=true leaves out what poolers refuse";
    return new StoreUnavailable(`${place}: ${message}; ${remedy}.`, { cause: error });
  }
  // The connection was refused: the user has no right to it, or a proxy gives reasons of its own.
  const whileConnecting = isOfStatement(code) ? ["user", culprit ? "database" : "host"] : ["host", "port"];
  const isRefusal = culprit === undefined || (culprit.serverIsUp === true && phase === "connect");
  const names = named(isRefusal ? whileConnecting : culprit.settings, settings);
  const said = message.replaceAll(/\s+/g, " ");
  const reason = culprit || code ? said : `no answer, or not PostgreSQL's (${said})`;
  const line = `${place}: ${reason}; check ${names}.`;
  if (culprit?.serverIsUp && phase === "setup") return new Error(line, { cause: error });
  return new StoreUnavailable(line, { cause: error });
}

/** Nothing was done: a deadlock, or changes that exclude each other. */
export function wasRolledBack(error: unknown): boolean {
  return /^(?:40P01|40001)$/.test(codeOf(error));
}

/**
 * Nothing was done: the server has no such prepared statement (any more), or its result has other columns since the table
 * was altered.
 */
export function wasForgotten(error: unknown): boolean {
  return /^(?:26000|0A000)$/.test(codeOf(error));
}

/** Nothing was done: the connection has a prepared statement of this name already. */
export function hasNameTaken(error: unknown): boolean {
  return codeOf(error) === "42P05";
}

/** There is a row with this id. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === "23505" && /_pkey$/.test((error as DatabaseError).constraint ?? "");
}

export function wasLocked(error: unknown): boolean {
  return codeOf(error) === "55P03";
}

/** A standby, or going down: the host may lead to another server by now. */
export function isDemoted(error: unknown): boolean {
  return /^(?:25006|57P0)/.test(codeOf(error));
}

/** The server's own code, also of an error that was explained. */
export function codeOf(error: unknown): string {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code ?? (cause instanceof Error ? codeOf(cause) : "");
}

/** The server's own codes have five characters, digits among them; the system's are letters only. */
function isOfStatement(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}

function named(names: readonly string[], { fromUrl }: StoreSettings): string {
  const server = names.filter((name) => name !== "table");
  const variables = server.map((name) => `PG${name.toUpperCase()}`);
  const parts = fromUrl && server.length > 0 ? [`the ${server.join(" and ")} in DATABASE_URL`] : variables;
  if (names.includes("table")) parts.push("SESSION_TABLE");
  return parts.join(" and ");
}
