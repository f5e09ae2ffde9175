// What PostgreSQL's and the network's errors mean to this app: wait, or mend a setting.
// Change it when an error deserves a better line than the server's own.

import { StoreUnavailable } from "../session/contract.ts";
import type { StoreSettings } from "./settings.ts";

/** The settings to blame for errors. `isUp`: waiting won't help. */
const CULPRITS: { codes?: RegExp; words?: RegExp; settings: string[]; isUp?: boolean }[] = [
  { words: /SSL connection|no encryption|SSL off/, settings: ["sslmode", "port"] },
  { codes: /CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS|^ERR_SSL|^EPROTO$/, settings: ["sslmode", "sslrootcert"] },
  { codes: /^28/, words: /client password/, settings: ["user", "password"] },
  { codes: /^3D000$/, settings: ["database"] },
  { codes: /^(?:ENOTFOUND|EAI_\w+|ENOENT|EACCES)$/, settings: ["host"] },
  { codes: /^42501$/, settings: ["user", "table"], isUp: true },
  { codes: /^(?:42P01|42703|3F000)$/, settings: ["table"], isUp: true },
  // Starting up, shutting down, full, a standby, a statement that took too long.
  { codes: /^(?:08|53|57P|57014|55P03|25006|26000|40)/, settings: ["host", "port"] },
];

/** StoreUnavailable, unless the server merely refused a statement. */
export function explained(error: unknown, settings: StoreSettings, connecting = false): unknown {
  if (error instanceof StoreUnavailable) return error;
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code = "", message } = first as NodeJS.ErrnoException;
  const culprit = CULPRITS.find(({ codes, words }) => codes?.test(code) || words?.test(message));
  if (culprit === undefined && isOfStatement(code) && !connecting) return error;
  const { host, port, database } = settings;
  // Refused at the door: no right to connect, or in a proxy's own words.
  const atDoor = isOfStatement(code) ? ["user", culprit ? "database" : "host"] : ["host", "port"];
  const names = named(culprit && !(culprit.isUp && connecting) ? culprit.settings : atDoor, settings);
  const said = message.replaceAll(/\s+/g, " ");
  const reason = culprit || code ? said : `no answer, or not PostgreSQL's (${said})`;
  const line = `PostgreSQL at ${host}:${port}/${database}: ${reason}; check ${names}.`;
  return culprit?.isUp && !connecting
    ? new Error(line, { cause: error })
    : new StoreUnavailable(line, { cause: error });
}

/** Nothing was done: a deadlock, changes that exclude each other, a preparation that failed. */
export function wasRolledBack(error: unknown): boolean {
  return /^(?:40P01|40001|26000)$/.test((error as NodeJS.ErrnoException).code ?? "");
}

export function wasLocked(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "55P03";
}

/** A standby, or going down: the host may lead to another server by now. */
export function isDemoted(error: unknown): boolean {
  return /^(?:25006|57P0)/.test((error as NodeJS.ErrnoException).code ?? "");
}

/** Five characters: the server's own; the system's are letters only. */
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
