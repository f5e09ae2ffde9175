// Reads stored sessions and judges them: a row may have been edited by hand or written by other code.
// Change here what a row must look like to count as a session.
import type { CheckedRow, SessionContext } from "./context.ts";
import { type Access, expiry, type FoundRow, type SessionInfo, UnreadableRow } from "./contract.ts";
import { readData } from "./data.ts";
import { HASH_BYTES } from "./token.ts";

/** The last second that a Date can hold. */
const END_OF_TIME_S = 8.64e12;

/**
 * Reads a live session. Resolves to undefined, with an event, where the row can't be understood.
 * Synchronous where the driver is; it then throws what the promise would reject with.
 */
export function readRow(
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
export function isExpired({ lifetime, now }: SessionContext, row: SessionInfo): boolean {
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
