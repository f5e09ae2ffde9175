// Turns the errors of Redis and of the network into one line that says whether to wait or which setting to fix.
// Change it when an error deserves a better line than the server's own.

import {
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
} from "redis";
import { StoreUnavailable, UnreadableRow } from "../session/contract.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

/** The server accepted the connection and then didn't speak. */
export class HandshakeTimeout extends Error {
  override readonly name = "HandshakeTimeout";
}

/** Redis isn't ready, or refuses for the moment. */
const TEMPORARY =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|BUSY|MISCONF|OOM|NOREPLICAS|UNKILLABLE|MOVED|ASK|ERR max number of clients)/;
const TLS = /SSL|TLS|CERT|SELF_SIGNED|SIGNATURE|ISSUER/;

/** Whether there was no reply. A mistake in the code (TypeError and the like) says nothing about the connection. */
export function meansUnreachable(error: unknown): boolean {
  return !(error instanceof ErrorReply) && !isMistake(error);
}

/** Whether the master has become a replica: its address may lead to another master by now. */
export function meansDemoted(error: unknown): boolean {
  return error instanceof ErrorReply && /^READONLY/.test(textOf(error));
}

/** Whether Redis refuses writes and still serves reads: it is full, can't write to its disk, or lacks replicas. */
export function meansWritesRefused(error: unknown): boolean {
  const cause = error instanceof StoreUnavailable ? error.cause : error;
  return cause instanceof ErrorReply && /^(OOM|MISCONF|NOREPLICAS)/.test(textOf(cause));
}

/** Whether the user lacks a permission. */
export function meansDenied(error: unknown): boolean {
  const cause = error instanceof StoreUnavailable ? error.cause : error;
  return cause instanceof ErrorReply && DENIED.test(textOf(cause));
}

const DENIED = /NOPERM|ACL failure|user executing the script can't/;

function isMistake(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
}

/** Without the name of the script and the line, which Redis 6.2 puts before the error, and Redis 7 behind it. */
function textOf({ message }: Error): string {
  return message
    .replace(/^ERR Error running script .*?: -(?=[A-Z])/, "")
    .replace(/ script: [0-9a-f]{40}, on @user_script:\d+\.?$/, "");
}

/** `failure` is why there is no connection, if that is known. */
export function asStoreError(error: unknown, failure: unknown, settings: StoreSettings): unknown {
  if (isMistake(error)) return error;
  if (error instanceof ErrorReply) return asReplyError(error, settings) ?? error;
  const isOffline = [ClientOfflineError, ClientClosedError, DisconnectsClientError].some(
    (kind) => error instanceof kind,
  );
  const cause = isOffline ? (failure ?? error) : error;
  if (cause instanceof HandshakeTimeout) {
    return unavailable(`${settingOf(settings)}: ${describeStore(settings)} ${cause.message}`, cause);
  }
  return cause instanceof ErrorReply ? (asReplyError(cause, settings) ?? cause) : asConnectionError(cause, settings);
}

function asReplyError(error: Error, settings: StoreSettings): Error | undefined {
  const message = textOf(error);
  const setting = settingOf(settings);
  const place = describeStore(settings);
  if (/^(WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password|ERR Client sent AUTH)/.test(message)) {
    return unavailable(`${setting}: ${place} refuses this user or password (${message.split(" ")[0]})`, error);
  }
  if (DENIED.test(message)) {
    return unavailable(`${setting}: ${place} denies the user a permission (${firstLine(message)})`, error);
  }
  if (/DB index/.test(message))
    return unavailable(`${setting}: ${place} has no such database (${firstLine(message)})`, error);
  if (/cluster support disabled/.test(message)) {
    return unavailable(`REDIS_URL: names several servers, but ${place} is not a cluster`, error);
  }
  if (/^MOVED/.test(message) && settings.urls.length === 1) {
    return unavailable(`REDIS_URL: ${place} belongs to a cluster: name several of its nodes, comma-separated`, error);
  }
  if (/^READONLY/.test(message)) {
    return unavailable(`${setting}: ${place} is a read-only replica, or the master is being changed`, error);
  }
  if (/unknown command|^NOPROTO/.test(message)) {
    return unavailable(`${place} is too old: Redis 6.2 or newer is needed (${firstLine(message)})`, error);
  }
  if (/^WRONGTYPE/.test(message)) return new UnreadableRow("The key holds no hash", { cause: error });
  return TEMPORARY.test(message) ? unavailable(`${place}: ${firstLine(message)}`, error) : undefined;
}

function asConnectionError(error: unknown, settings: StoreSettings): Error {
  const { code = "", errors } = error as { code?: string; errors?: { code?: string }[] };
  const reason = code || errors?.[0]?.code || "";
  const message = firstLine(messageOf(error));
  const setting = settingOf(settings);
  const place = describeStore(settings);
  if (/^(ENOTFOUND|EAI_AGAIN)$/.test(reason))
    return unavailable(`${setting}: there is no such host: ${place} (${reason})`, error);
  const tlsMayBeMissing = error instanceof ConnectionTimeoutError && settings.urls[0]?.startsWith("rediss:");
  if (tlsMayBeMissing || TLS.test(reason) || /TLS|certificate|altnames/i.test(message)) {
    return unavailable(
      `${setting}: no secure connection (rediss:// is with TLS, redis:// without) to ${place} (${message})`,
      error,
    );
  }
  if (/^E[A-Z]+$/.test(reason) && reason !== "ECONNRESET" && reason !== "EPIPE") {
    return unavailable(`${setting}: nothing answers there: ${place} (${reason})`, error);
  }
  if (/RESP type|Socket closed|ECONNRESET|Timeout/i.test(`${message} ${reason}`)) {
    return unavailable(
      `${setting}: the connection broke, or the server there is not Redis, or wants TLS (rediss://): ${place} (${message})`,
      error,
    );
  }
  return unavailable(`${setting}: no connection to ${place} (${message})`, error);
}

function settingOf({ sentinels }: StoreSettings): string {
  return sentinels.length > 0 ? "REDIS_SENTINELS or REDIS_URL" : "REDIS_URL";
}

function unavailable(message: string, cause: unknown): StoreUnavailable {
  return new StoreUnavailable(message, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/[.\s]+$/, "") ?? "";
}
