// Puts PostgreSQL's errors in words for whoever set the app up: one line, with the setting to check, never the password.
// Change it to have another error named after the setting that causes it.

import type { StoreSettings } from "../config.store.ts";
import { StoreUnavailable } from "./store.ts";

/** Which settings are to blame for which errors. `isUp`: the server works; what it was asked for isn't there. */
const CULPRITS: { codes?: RegExp; words?: RegExp; settings: string[]; isUp?: boolean }[] = [
  { words: /SSL connection|no encryption|SSL off/, settings: ["sslmode", "port"] },
  { codes: /CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS|^ERR_SSL|^EPROTO$/, settings: ["sslmode", "sslrootcert"] },
  { codes: /^28/, words: /client password/, settings: ["user", "password"] },
  { codes: /^3D000$/, settings: ["database"] },
  { codes: /^(?:ENOTFOUND|EAI_\w+|ENOENT|EACCES)$/, settings: ["host"] },
  { codes: /^42501$/, settings: ["user", "table"], isUp: true },
  { codes: /^(?:42P01|42703|3F000)$/, settings: ["table"], isUp: true },
  // Starting up, shutting down, full, a standby, a statement that took too long: it will do later, or elsewhere.
  { codes: /^(?:08|53|57P|57014|55P03|25006|26000|40)/, settings: ["host", "port"] },
];

/** What the driver throws for an error of pg's: StoreUnavailable unless the server merely refused the statement, not the `connecting`. */
export function explained(error: unknown, settings: StoreSettings, connecting = false): unknown {
  if (error instanceof StoreUnavailable) return error;
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code = "", message } = first as NodeJS.ErrnoException;
  const culprit = CULPRITS.find(({ codes, words }) => codes?.test(code) || words?.test(message));
  if (culprit === undefined && isOfStatement(code) && !connecting) return error;
  const { host, port, database } = settings;
  // Refused at the door: the right to connect, or a proxy's own words that it knows no such user or has nobody behind it.
  const atDoor = isOfStatement(code) ? ["user", culprit ? "database" : "host"] : ["host", "port"];
  const names = named(culprit && !(culprit.isUp && connecting) ? culprit.settings : atDoor, settings);
  const said = message.replaceAll(/\s+/g, " ");
  const reason = culprit || code ? said : `no answer, or not PostgreSQL's (${said})`;
  const line = `PostgreSQL at ${host}:${port}/${database}: ${reason}; check ${names}.`;
  return culprit?.isUp && !connecting
    ? new Error(line, { cause: error })
    : new StoreUnavailable(line, { cause: error });
}

/** A deadlock, two changes that exclude each other, or a statement whose preparation before it in line failed: it did nothing and may be run again. */
export function wasRolledBack(error: unknown): boolean {
  return /^(?:40P01|40001|26000)$/.test((error as NodeJS.ErrnoException).code ?? "");
}

/** Somebody holds a row for longer than others should wait. */
export function wasLocked(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "55P03";
}

/** A standby, or a server on its way down: the host may lead to another one by now. */
export function isDemoted(error: unknown): boolean {
  return /^(?:25006|57P0)/.test((error as NodeJS.ErrnoException).code ?? "");
}

/** A five-character code is the server's own; those of the system begin with E and go on with letters only. */
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
