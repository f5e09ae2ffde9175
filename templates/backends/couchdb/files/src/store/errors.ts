// Turns the errors of CouchDB and of the network into one line that says whether to wait or which setting to fix.
// Change it when an error deserves a better line than the server's own.

import { StoreUnavailable } from "../session/contract.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

/** What nano throws. The error of a lost connection has no status. */
interface CouchdbError extends Error {
  statusCode?: number;
  error?: string;
  reason?: string;
}

export class NotCouchdb extends Error {
  constructor() {
    super("The response is not one of CouchDB's");
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

/** The status of CouchDB's response, also for an error that `asStoreError` has made. */
export function statusOf(error: unknown): number | undefined {
  return responseOf(error)?.statusCode;
}

/** undefined for a document that is missing. */
export async function absentIfMissing<Reply>(request: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Whether CouchDB will refuse every purge of this user's, or can't purge at all. The status alone doesn't
 * say so: a wrong password gets 401 as well, and a user who is locked out for a while gets 403.
 */
export function meansPurgeRefused(error: unknown): boolean {
  const response = responseOf(error);
  if (!response || isLockout(response)) return false;
  const { statusCode, reason = "" } = response;
  return statusCode === 401 ? NOT_AN_ADMIN.test(reason) : [400, 403, 405, 501].includes(statusCode ?? 0);
}

const NOT_AN_ADMIN = /not a (db or )?(server|db) admin/i;

/** CouchDB 3.4 and newer lock user and address for a while after some wrong passwords. The right one is refused too. */
function isLockout({ statusCode, reason = "" }: CouchdbError): boolean {
  return statusCode === 403 && /temporarily locked/i.test(reason);
}

function responseOf(error: unknown): CouchdbError | undefined {
  if (!(error instanceof Error)) return undefined;
  // The status of StoreUnavailable is the one for the app's own client.
  const isOurs = error instanceof StoreUnavailable || (error as CouchdbError).statusCode === undefined;
  return isOurs ? responseOf(error.cause) : (error as CouchdbError);
}

/** Most are StoreUnavailable, since waiting may help: while a server is set up, its users and databases come later. */
export function asStoreError(error: unknown, settings: StoreSettings): Error {
  if (error instanceof StoreUnavailable) return error;
  const { statusCode, error: name, reason = "", message } = error as CouchdbError;
  const place = describeStore(settings);
  const text = firstLine(message);
  const because = (variable: string, what: string) =>
    new StoreUnavailable(`${settings.fromUrl ? "COUCHDB_URL" : variable}: ${what}`, { cause: error });

  if (error instanceof NotCouchdb)
    return because("COUCHDB_HOST and COUCHDB_PORT", `the server there is not CouchDB: ${place}`);
  if (statusCode === undefined) return connectionError(text, settings, because);
  if (isLockout(error as CouchdbError)) {
    const duration = "for five minutes, unless its chttpd_auth_lockout/max_lifetime says otherwise";
    const what = `${place} has locked user "${settings.user}" out after too many wrong passwords, ${duration}`;
    return because("COUCHDB_USER or COUCHDB_PASSWORD", what);
  }
  const lacksPermission = statusCode === 401 && NOT_AN_ADMIN.test(reason);
  if ((statusCode === 401 && !lacksPermission) || (statusCode === 403 && settings.user === "")) {
    return because("COUCHDB_USER or COUCHDB_PASSWORD", `${place} refuses user "${settings.user}" (${text})`);
  }
  if (name === undefined) {
    return because("COUCHDB_HOST and COUCHDB_PORT", `the server there is not CouchDB: ${place} (status ${statusCode})`);
  }
  if (statusCode === 403 || lacksPermission) {
    return because("COUCHDB_USER", `${place} denies user "${settings.user}" a permission (${text})`);
  }
  if (statusCode === 404 && /^(no_db_file|Database does not exist)/.test(reason)) {
    const what = `there is no database "${settings.database}" at ${settings.url}`;
    return new DatabaseMissing(`COUCHDB_DATABASE: ${what}; npm run sessions -- setup creates it`, { cause: error });
  }
  // Asked for the database, CouchDB looked for a document.
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
    return because("COUCHDB_HOST and COUCHDB_PORT", `${place} gave no response in time`);
  return because(
    "COUCHDB_HOST and COUCHDB_PORT",
    `the connection broke, or the server there is not CouchDB, or wants TLS (https://): ${place} (${reason})`,
  );
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/[.\s]+$/, "") ?? "";
}
