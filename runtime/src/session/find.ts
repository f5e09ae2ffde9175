// Finds the session that a request's token belongs to, and decides whether the request may have it.
// Change here what ends or hides a session, and what a stored row must look like to count as one.
import type { CheckedRow, Client, Match, SessionContext } from "./context.ts";
import { type Access, expiry, type FoundRow, type SessionInfo, UnreadableRow } from "./contract.ts";
import { readData } from "./data.ts";
import type { SessionSettings } from "./settings.ts";
import { equalHashes, HASH_BYTES, type Token } from "./token.ts";

/** The last second that a Date can hold. */
const END_OF_TIME_S = 8.64e12;

/** "renewed": the session has another secret by now. */
export type Finding = Match | "renewed" | undefined;

/**
 * Resolves to the first token's session. There is one token as a rule; cookies of the same name for a longer path or a
 * domain make several. Synchronous where the driver is.
 */
export function findSession(
  context: SessionContext,
  tokens: readonly Token[],
  client: () => Client,
): Finding | Promise<Finding> {
  const [first, ...others] = tokens;
  if (first === undefined) return undefined;
  const found = findByToken(context, first, client);
  return others.length === 0 ? found : findAmong(context, found, others, client);
}

async function findAmong(
  context: SessionContext,
  first: Finding | Promise<Finding>,
  others: readonly Token[],
  client: () => Client,
): Promise<Finding> {
  let best = await first;
  for (const token of others) {
    if (typeof best === "object") return best;
    best = (await findByToken(context, token, client)) ?? best;
  }
  return best;
}

function findByToken(context: SessionContext, token: Token, client: () => Client): Finding | Promise<Finding> {
  const { settings, lifetime, now } = context;
  const touch = { lifetime, every: settings.touchEvery, secretHash: token.secretHash };
  const found = readRow(context, token.id, { now: now(), touch });
  if (!(found instanceof Promise)) return validate(context, token, found, client);
  return found.then((row) => validate(context, token, row, client));
}

/** Decides whether the request may have the session. */
function validate(
  context: SessionContext,
  token: Token,
  found: CheckedRow | undefined,
  client: () => Client,
): Finding | Promise<undefined> {
  if (found === undefined) return undefined;
  const { row, data } = found;
  if (!equalHashes(token.secretHash, row.secretHash)) return "renewed";
  if (isExpired(context, row)) {
    context.emit({ type: "expired", id: row.id, userid: row.userid });
    return undefined;
  }
  const violated = violatedLock(context.settings, row, client);
  if (violated === undefined) return { row, data, token };
  // A connection that is gone has no address any more, which is no reason to end the session.
  return context.settings.ipAddressLock && client().ipaddress === "" ? undefined : endLocked(context, row, violated);
}

function violatedLock(
  { ipAddressLock, userAgentLock }: SessionSettings,
  row: FoundRow,
  client: () => Client,
): "ipaddress" | "useragent" | undefined {
  if (ipAddressLock && row.ipaddress !== client().ipaddress) return "ipaddress";
  return userAgentLock && row.useragent !== client().useragent ? "useragent" : undefined;
}

/** Either of the two clients may hold a stolen token, so that neither goes on with it. */
async function endLocked(
  { guard, emit }: SessionContext,
  { id, userid }: FoundRow,
  by: "ipaddress" | "useragent",
): Promise<undefined> {
  await guard.run((driver) => driver.end(id));
  emit({ type: "locked", id, userid, by });
  emit({ type: "ended", id, userid, reason: "locked" });
}

/**
 * Reads a live session. Resolves to undefined, with an event, where the row can't be understood.
 * Synchronous where the driver is; it then throws what the promise would reject with.
 */
function readRow(
  context: SessionContext,
  id: string,
  access: Access,
): CheckedRow | undefined | Promise<CheckedRow | undefined> {
  try {
    const row = context.guard.read(id, access);
    if (!(row instanceof Promise)) return checked(id, row);
    return row.then((found) => checked(id, found)).catch((error) => reportUnreadable(context, id, error));
  } catch (error) {
    return reportUnreadable(context, id, error);
  }
}

/** Reads a session again that a request has found before. Resolves to undefined if it has ended or expired since. */
export async function rereadRow(
  context: SessionContext,
  id: string,
  more: Omit<Access, "now"> = {},
): Promise<CheckedRow | undefined> {
  const found = await readRow(context, id, { ...more, now: context.now() });
  return found === undefined || isExpired(context, found.row) ? undefined : found;
}

/** Also by the settings, which may have become stricter since the row was written. */
function isExpired({ lifetime, now }: SessionContext, row: SessionInfo): boolean {
  return Math.min(row.expires, expiry(row.updated, row.idle, row.created, lifetime)) < now();
}

/** Leaves out, with an event, what can't be understood. */
export function plausibleInfos(context: SessionContext, infos: readonly SessionInfo[]): SessionInfo[] {
  return infos.filter((info) => {
    const problem = problemOf(info);
    if (problem !== undefined) context.emit({ type: "unreadable", id: String(info.id), message: problem });
    return problem === undefined;
  });
}

/** Emits an event for an UnreadableRow; throws any other error. */
function reportUnreadable({ emit }: SessionContext, id: string, error: unknown): undefined {
  if (!(error instanceof UnreadableRow)) throw error;
  emit({ type: "unreadable", id, message: error.message });
}

function checked(id: string, row: FoundRow | undefined): CheckedRow | undefined {
  if (row === undefined) return undefined;
  const problem = row.id === id ? (problemOf(row) ?? secretProblemOf(row)) : "the row has another id";
  if (problem !== undefined) throw new UnreadableRow(problem);
  return { row, data: readData(row.data) };
}

function problemOf(info: SessionInfo): string | undefined {
  const { created, updated, authenticated, idle, expires, columns } = info;
  if (typeof info.id !== "string") return "the id is not text";
  if (info.userid !== null && typeof info.userid !== "string") return "the userid is neither text nor null";
  if (typeof info.ipaddress !== "string") return "the ipaddress is not text";
  if (typeof info.useragent !== "string") return "the useragent is not text";
  if (typeof columns !== "object" || columns === null) return "the app's own columns are missing";
  if (![created, updated, authenticated, expires].every(isTime)) return "its times are not possible";
  return Number.isSafeInteger(idle) && idle >= 0 ? undefined : "its idle timeout is not possible";
}

function secretProblemOf({ secretHash, version, data }: FoundRow): string | undefined {
  if (!(secretHash instanceof Uint8Array) || secretHash.length !== HASH_BYTES) {
    return `the stored secret hash is not ${HASH_BYTES} bytes long`;
  }
  if (!Number.isSafeInteger(version)) return "its version is not possible";
  return typeof data === "string" ? undefined : "the stored data is not text";
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= END_OF_TIME_S;
}
