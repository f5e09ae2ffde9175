// Turns the errors of MongoDB and of its client into one line that says whether to wait or which setting to fix.
// Change it when an error deserves a better line than the client's own.

import { MongoError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { StoreUnavailable } from "../session/contract.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

const AUTHENTICATION_FAILED = 18;
const UNAUTHORIZED = 13;
const WRITE_CONFLICT = 112;
const NAMESPACE_NOT_FOUND = 26;
const DUPLICATE_KEY = 11_000;
/** Atlas says that it refuses a login with this one. */
const ATLAS_ERROR = 8000;

/** The server is stepping down, starting or stopping, or has too few members for the write concern. */
const TEMPORARY = new Set([6, 7, 50, 64, 79, 89, 91, 100, 133, 189, 262, 462, 9001, 10107, 11600, 11602, 13435, 13436]);

/** Names of the client's own errors. */
const UNREACHABLE =
  /Network|Timeout|ServerSelection|PoolCleared|PoolClosed|WaitQueue|TopologyClosed|NotConnected|ClientClosed|ServerClosed|WriteConcern|Stale/;

/** Codes of the network's errors, which the client passes on as they are. */
const BROKEN = /^(E[A-Z]+|ERR_(STREAM|SOCKET)_\w+)$/;

/** Whether another write came first, so that nothing was done. */
export function meansWriteConflict(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === WRITE_CONFLICT;
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

export function isMissingCollection(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND;
}

export function asStoreError(error: unknown, settings: StoreSettings, timeout: number): unknown {
  if (!(error instanceof Error)) return error;
  const place = describeStore(settings);
  const cause = { cause: error };
  const unavailable = (what: string) => new StoreUnavailable(`MONGODB_URL: ${what}.`, cause);

  const root = rootOf(error);
  const { message } = root;
  const code = codeOf(root);
  if (refusesLogin(root)) return unavailable(`${place} refuses the user or the password`);
  if (root instanceof MongoServerError && root.code === UNAUTHORIZED) {
    return new Error(`MONGODB_URL: its user lacks a permission (${firstLine(message)}).`, cause);
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "ENODATA")
    return unavailable(`there is no such host: ${place}`);
  if (code === "ECONNREFUSED" || code === "EHOSTUNREACH")
    return unavailable(`nothing answers there: ${place} (${code})`);
  if (!(error instanceof MongoError)) {
    return BROKEN.test(code) ? new StoreUnavailable(`${place}: ${firstLine(message)}.`, cause) : error;
  }
  if (/SSL|TLS|CERT|SELF_SIGNED|SIGNATURE|ISSUER/.test(code) || /certificate|TLS|SSL/.test(message)) {
    return unavailable(`no secure connection to ${place}: ${firstLine(message)}; see the options tls= and tlsCAFile=`);
  }
  if (error instanceof MongoServerSelectionError) return unavailable(`${place} can't be used: ${firstLine(message)}`);
  const busy =
    error instanceof MongoServerError &&
    (TEMPORARY.has(Number(error.code)) || error.hasErrorLabel("RetryableWriteError"));
  if (busy || UNREACHABLE.test(error.name)) {
    const what = /Timeout/.test(error.name) ? `no response within ${timeout} ms` : firstLine(message);
    return new StoreUnavailable(`${place}: ${what}.`, cause);
  }
  return error;
}

function rootOf(error: Error): Error {
  let root = error;
  if (error instanceof MongoServerSelectionError) {
    const servers = [...(error.reason?.servers?.values() ?? [])];
    root = servers.find((server) => server.error)?.error ?? error;
  }
  for (let depth = 0; depth < 5 && root.cause instanceof Error; depth++) root = root.cause;
  return root;
}

function codeOf(error: Error): string {
  return String((error as NodeJS.ErrnoException).code ?? "");
}

function refusesLogin(error: Error): boolean {
  const code = error instanceof MongoServerError ? error.code : undefined;
  return code === AUTHENTICATION_FAILED || (code === ATLAS_ERROR && /auth/i.test(error.message));
}

export function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/[.\s]+$/, "") ?? "";
}
