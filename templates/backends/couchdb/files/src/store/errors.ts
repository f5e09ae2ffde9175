// What CouchDB's and the network's errors mean to this app: wait, or mend a setting.
// Change it when an error deserves a better line than the server's own.

import { StoreUnavailable } from "../session/contract.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

/** What nano throws; a lost connection has no status. */
interface CouchdbError extends Error {
  statusCode?: number;
  error?: string;
  reason?: string;
}

export class NotCouchdb extends Error {
  constructor() {
    super("The answer is not what CouchDB gives");
  }
}

export class DatabaseMissing extends StoreUnavailable {}

export function isMissing(error: unknown): boolean {
  const { statusCode, error: name, reason } = error as CouchdbError;
  return statusCode === 404 && name === "not_found" && (reason === "missing" || reason === "deleted");
}

export function isConflict(error: unknown): boolean {
  return (error as CouchdbError).statusCode === 409;
}

/** Also of an error that `asStoreError` has wrapped. */
export function statusOf(error: unknown): number | undefined {
  const { statusCode, cause } = error as CouchdbError;
  return statusCode ?? (cause instanceof Error ? statusOf(cause) : undefined);
}

/** Most may heal by waiting: users and databases too are made while a server is set up. */
export function asStoreError(error: unknown, settings: StoreSettings): Error {
  if (error instanceof StoreUnavailable) return error;
  const { statusCode, error: name, reason = "", message } = error as CouchdbError;
  const place = describeStore(settings);
  const text = firstLine(message);
  const because = (variable: string, what: string) =>
    new StoreUnavailable(`${settings.fromUrl ? "COUCHDB_URL" : variable}: ${what}`, { cause: error });

  if (error instanceof NotCouchdb)
    return because("COUCHDB_HOST and COUCHDB_PORT", `what answers is no CouchDB: ${place}`);
  if (statusCode === undefined) return connectionError(text, settings, because);
  if (statusCode === 401 || (statusCode === 403 && settings.user === "")) {
    return because("COUCHDB_USER or COUCHDB_PASSWORD", `${place} refuses user "${settings.user}" (${text})`);
  }
  if (name === undefined) {
    return because("COUCHDB_HOST and COUCHDB_PORT", `what answers is no CouchDB: ${place} (status ${statusCode})`);
  }
  if (statusCode === 403) {
    return because("COUCHDB_USER", `${place} denies user "${settings.user}" a permission (${text})`);
  }
  if (statusCode === 404 && /^(no_db_file|Database does not exist)/.test(reason)) {
    const what = `there is no database "${settings.database}" at ${settings.url}`;
    return new DatabaseMissing(`COUCHDB_DATABASE: ${what}; npm run sessions -- setup creates it`, { cause: error });
  }
  // Asked for the database, it looked for a document.
  if (isMissing(error)) return because("COUCHDB_URL", "its path must not name the database (COUCHDB_DATABASE does)");
  if (statusCode >= 500 || [408, 412, 429].includes(statusCode)) {
    return new StoreUnavailable(`${place}: ${text} (status ${statusCode})`, { cause: error });
  }
  return error as Error;
}

function connectionError(
  text: string,
  settings: StoreSettings,
  because: (variable: string, what: string) => StoreUnavailable,
): StoreUnavailable {
  const reason = firstLine(
    text.replace(/^error happened in your connection\. Reason: /, "").replace(/^\w*Error: /, ""),
  );
  const place = describeStore(settings);
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return because("COUCHDB_HOST", `there is no such host: ${place} (${reason})`);
  if (/ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|^AggregateError|bad port/.test(reason)) {
    return because("COUCHDB_HOST and COUCHDB_PORT", `nothing answers there: ${place} (${reason})`);
  }
  if (/SSL|TLS|certificate|altnames|self-signed/i.test(reason)) {
    return because(
      "COUCHDB_URL",
      `no secure connection (https:// is with TLS, http:// without) to ${place} (${reason})`,
    );
  }
  if (/redirect/.test(reason)) return because("COUCHDB_URL", `${place} sends elsewhere (is it https://?)`);
  if (/timeout|aborted/i.test(reason))
    return because("COUCHDB_HOST and COUCHDB_PORT", `${place} gave no answer in time`);
  return because(
    "COUCHDB_HOST and COUCHDB_PORT",
    `the connection broke, or what answers is no CouchDB, or wants TLS (https://): ${place} (${reason})`,
  );
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/[.\s]+$/, "") ?? "";
}
