// Makes sessions for the drivers' tests and brings them into a form that can be compared.
// Change it when a session gets another property.

import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import {
  type Access,
  type ChangeResult,
  expiry,
  type FoundRow,
  type Json,
  type SessionChange,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  UNLIMITED,
} from "../../runtime/src/session/contract.ts";
import { initialColumns } from "../../templates/base/files/src/session-columns.ts";

/** Real time, once: backends with native expiry go by the real clock. Tests move `now` ahead from here, never wait. */
export const START = Math.floor(Date.now() / 1000);
export const HOUR = 3600;
export const DAY = 24 * HOUR;

export function newId(): string {
  return randomBytes(16).toString("base64url");
}

export function newHash(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

/** A live session of one hour; `expires` follows from what is given. */
export function newRow(given: Partial<SessionRow> & { lifetime?: number } = {}): SessionRow {
  const { lifetime = UNLIMITED, ...properties } = given;
  const created = properties.created ?? START;
  const updated = properties.updated ?? created;
  const idle = properties.idle ?? HOUR;
  return {
    id: newId(),
    secretHash: newHash(),
    userid: null,
    authenticated: 0,
    expires: expiry(updated, idle, created, lifetime),
    ipaddress: "203.0.113.7",
    useragent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    columns: { ...initialColumns },
    data: "{}",
    version: 1,
    ...properties,
    created,
    updated,
    idle,
  };
}

export async function createRow(driver: SessionDriver, given: Parameters<typeof newRow>[0] = {}): Promise<SessionRow> {
  const row = newRow(given);
  await driver.create(row);
  return row;
}

/** The row as plain, ordered values: equal rows give equal results, whatever order a backend keeps keys in. */
export function comparable(row: FoundRow | undefined) {
  if (row === undefined) return undefined;
  const { secretHash, data, version, touched: _touched, ...rest } = row;
  expect(version).toBeTypeOf("number");
  return { ...rest, secretHash: Buffer.from(secretHash).toString("hex"), data: canonical(data) };
}

/** What a list shows of the row. */
export function infoOf(row: SessionRow): SessionInfo {
  const { secretHash: _secretHash, data: _data, version: _version, ...info } = row;
  return info;
}

/** Ends a user's sessions as the runtime does: in batches, until fewer than `limit` came back. */
export async function endUser(
  driver: SessionDriver,
  userid: string,
  exceptId?: string,
  limit = 500,
): Promise<string[]> {
  const ended: string[] = [];
  let batch: string[];
  do {
    batch = await driver.endByUser(userid, limit, exceptId);
    expect(batch.length).toBeLessThanOrEqual(limit);
    ended.push(...batch);
  } while (batch.length === limit);
  return ended;
}

/** Ends everybody's sessions in the same way; how many they were. */
export async function endEverySession(driver: SessionDriver, limit = 500): Promise<number> {
  let ended = 0;
  let batch: number;
  do {
    batch = await driver.endAll(limit);
    expect(batch).toBeLessThanOrEqual(limit);
    ended += batch;
  } while (batch === limit);
  return ended;
}

/** Creates them, a hundred at a time. */
export async function createRows(driver: SessionDriver, rows: readonly SessionRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += 100) {
    await Promise.all(rows.slice(start, start + 100).map((row) => driver.create(row)));
  }
}

/** JSON text with sorted keys. Works on text, so that `__proto__` stays a key. */
export function canonical(text: string): string {
  return sorted(JSON.parse(text) as Json);
}

function sorted(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${sorted(item)}`).join()}}`;
}

/** What is stored under the id now, without a touch. */
export async function stored(driver: SessionDriver, id: string, now = START): Promise<SessionRow | undefined> {
  return await driver.read(id, { now });
}

/** Like `stored`, where there must be one. */
export async function existing(driver: SessionDriver, id: string, now = START): Promise<SessionRow> {
  const row = await stored(driver, id, now);
  if (row === undefined) throw new Error(`no session ${id}`);
  return row;
}

export function set(entries: Record<string, Json>): Map<string, string> {
  return new Map(Object.entries(entries).map(([key, value]) => [key, JSON.stringify(value)]));
}

/** The driver's `read` as a promise, whether it answers at once or not. */
export async function reading(driver: SessionDriver, id: string, access: Access): Promise<FoundRow | undefined> {
  return driver.read(id, access);
}

/** The same for `change`. */
export async function changing(driver: SessionDriver, id: string, change: SessionChange): Promise<ChangeResult> {
  return driver.change(id, change);
}
