// What the server's and the network's errors mean to this app: wait, try again, or fix a setting.
// Change it when an error deserves a better line than the server's own.

import { StoreUnavailable } from "../session/contract.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

interface MysqlError extends Error {
  code?: string;
  errno?: number;
  fatal?: boolean;
}

/** What was being done: at a start it helps to wait for a server, but not for a table or a permission. */
export type Phase = "setup" | "request";

/** Nothing was done: a deadlock, a row just changed (MariaDB), a certification that failed in a cluster. */
const ROLLED_BACK = new Set([1020, 1213, 3101]);

/** Starting, stopping, full, switched over, this client cut off, or waited too long for a lock. */
const PASSING = new Set([
  1040, 1047, 1053, 1129, 1153, 1158, 1159, 1160, 1161, 1203, 1205, 1226, 1290, 1317, 1792, 1836, 1927, 1969, 3024,
  3100, 4031,
]);

const WRONG_LOGIN = new Set([1045, 1251, 1698, 3118]);
const NOT_ALLOWED = new Set([1142, 1143, 1227, 1370]);
const TLS = /SSL|TLS|CERT|SELF_SIGNED|SIGNATURE|ISSUER/;
const LOST = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE|ECONNABORTED)$/;
/** mysql2's, when a statement's time is over. */
const TIMED_OUT = "PROTOCOL_SEQUENCE_TIMEOUT";

export function rolledBack(error: unknown): boolean {
  return ROLLED_BACK.has((error as MysqlError).errno ?? 0);
}

/** It may have been done. */
export function connectionLost(error: unknown): boolean {
  return LOST.test((error as MysqlError).code ?? "");
}

/** There is a row with this id. */
export function isDuplicate(error: unknown): boolean {
  const { errno, message } = error as MysqlError;
  return errno === 1062 && /PRIMARY'$/.test(message);
}

/** The server refused a statement. */
export function isOfServer(error: unknown): boolean {
  return ((error as MysqlError).errno ?? 0) > 0;
}

/** The connection may be used again. */
export function onlyStatementFailed(error: unknown): boolean {
  const { errno = 0, fatal = false } = error as MysqlError;
  return errno > 0 && !fatal && !PASSING.has(errno);
}

/** Waiting may help with every one of them: users and databases, too, are made while a server is set up. */
export function connectError(error: unknown, settings: StoreSettings): Error {
  const { code = "", errno = 0, message } = error as MysqlError;
  const { host, socket, user, database } = settings;
  const name = (variable: string) => (settings.fromUrl ? "DATABASE_URL" : variable);
  const place = describeStore(settings);
  const because = (setting: string, what: string) => new StoreUnavailable(`${setting}: ${what}.`, { cause: error });

  if (WRONG_LOGIN.has(errno)) {
    const login = settings.fromUrl ? "DATABASE_URL" : "MYSQL_USER or MYSQL_PASSWORD";
    const hint = settings.tls.mode === "off" ? " (a user that needs TLS is refused like this too: MYSQL_TLS)" : "";
    return because(login, `${place} refuses user "${user}"${hint}`);
  }
  if (errno === 1049) return because(name("MYSQL_DATABASE"), `there is no database "${database}" on the server`);
  if (errno === 1044) return because(name("MYSQL_USER"), `"${user}" may not use database "${database}"`);
  if (errno === 3159) return because("MYSQL_TLS", "the server wants TLS, and it is off");
  if (code === "HANDSHAKE_NO_SSL_SUPPORT") return because("MYSQL_TLS", "the server has no TLS, and it is on");
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return because(name("MYSQL_HOST"), `there is no host "${host}"`);
  if (socket !== undefined && /^(ENOENT|EACCES|ENOTSOCK)$/.test(code)) {
    return because("MYSQL_SOCKET", `${socket} can't be used (${code})`);
  }
  if (TLS.test(code)) return because("MYSQL_TLS", `no secure connection: ${firstLine(causeOf(error))}`);
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/.test(code)) {
    return because(
      settings.fromUrl ? "DATABASE_URL" : "MYSQL_HOST and MYSQL_PORT",
      `nothing listens there: ${place} (${code})`,
    );
  }
  if (code === "ETIMEDOUT") return because(name("MYSQL_PORT"), `no MySQL greeting came in time from ${place}`);
  if (errno > 0) return new StoreUnavailable(`${place}: ${firstLine(message)}`, { cause: error });
  return because(
    name("MYSQL_PORT"),
    `this is no MySQL server, or it closes connections at once: ${place} (${firstLine(message)})`,
  );
}

/**
 * StoreUnavailable where the store can't be used for the moment; the error itself where the server refused a statement for
 * another reason.
 */
export function statementError(error: unknown, settings: StoreSettings, phase: Phase): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable) return error;
  const { code = "", errno = 0, fatal = false, message } = error as MysqlError;
  const cause = { cause: error };
  if (code === TIMED_OUT) {
    return new StoreUnavailable(`${describeStore(settings)}: no answer in time (SESSION_STORE_TIMEOUT).`, cause);
  }
  if (fatal || PASSING.has(errno) || ROLLED_BACK.has(errno) || LOST.test(code)) {
    return new StoreUnavailable(`${describeStore(settings)}: ${firstLine(message)}`, cause);
  }
  const line = lackOf(errno, message, settings);
  if (line === undefined) return error;
  return phase === "setup" ? new Error(line, cause) : new StoreUnavailable(line, cause);
}

/** What the database lacks, in a sentence. */
function lackOf(errno: number, message: string, settings: StoreSettings): string | undefined {
  if (errno === 1146) return missingTable(settings.table);
  if (errno === 1054) return `Table "${settings.table}" (SESSION_TABLE) isn't as in schema.sql: ${firstLine(message)}.`;
  if (!NOT_ALLOWED.has(errno)) return undefined;
  const variable = settings.fromUrl ? "DATABASE_URL" : "MYSQL_USER";
  return `${variable}: "${settings.user}" lacks a permission (${firstLine(message)}).`;
}

export function missingTable(table: string): string {
  return `Table "${table}" (SESSION_TABLE) is missing: run "npm run sessions -- setup".`;
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/[.\s]+$/, "") ?? "";
}
