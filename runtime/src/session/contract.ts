// What is stored of a session, and the contract that a store's driver fulfils.
// To store something of your own about every session, use session-columns.ts; change this file when that is not enough.
import type { SessionColumns } from "../session-columns.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** One stored session. Times are integer seconds since 1970, `idle` is in seconds. */
export interface SessionRow {
  /** The public half of the token: 16 random bytes, as 22 URL-safe base64 characters. */
  id: string;
  /** SHA-256 of the token's secret, 32 bytes. */
  secretHash: Uint8Array;
  /** null for a guest. */
  userid: string | null;
  created: number;
  /** The last access, to within `touchEvery`. */
  updated: number;
  /** The last sign-in; 0 if there was none. */
  authenticated: number;
  idle: number;
  /** The session's last second: min(updated + idle, created + lifetime). */
  expires: number;
  /** Address of the first request, normalised. */
  ipaddress: string;
  /** User-Agent of the first request, cut to 512 characters. */
  useragent: string;
  /** Columns of the app's own, all of those that session-columns.ts lists. */
  columns: SessionColumns;
  /** JSON text of an object. */
  data: string;
  /** Grows with every change. */
  version: number;
}

/** What lists show: neither the secret nor the data, which may be large. */
export type SessionInfo = Omit<SessionRow, "secretHash" | "data" | "version">;

/** Moves `updated` to now (never back) and `expires` to min(updated + idle, created + lifetime). */
export interface Touch {
  /** Seconds; always finite, `UNLIMITED` where there is no limit. */
  lifetime: number;
}

export interface Access {
  now: number;
  /**
   * To apply in the same round trip, where the backend can, to a live row with this secret hash whose `updated` is at
   * least max(1, min(every, floor(idle / 10))) seconds old; the row then says `touched`. Else the runtime sends a `change`.
   */
  touch?: Touch & { every: number; secretHash: Uint8Array };
}

/** The row as it is after a touch, if there was one. */
export type FoundRow = SessionRow & { touched?: boolean };

/** Top-level keys of `data` are replaced or removed; nothing is merged deeper. */
export interface SessionChange {
  /** A row with `expires < now` is gone. */
  now: number;
  /** The JSON texts of values by key. It is a Map, since a key may be `__proto__` or empty. */
  set?: ReadonlyMap<string, string> | undefined;
  remove?: readonly string[] | undefined;
  /** All of the data after the change, if the stored version is still this one. A driver that patches JSON text may write it as it is. */
  whole?: { version: number; data: string };
  /** The columns that change. */
  columns?: Partial<SessionColumns>;
  userid?: string | null;
  secretHash?: Uint8Array;
  authenticated?: number;
  /** Always together with `touch`, since it moves `expires`. */
  idle?: number;
  touch?: Touch;
  ifVersion?: number;
  ifSecretHash?: Uint8Array;
}

/** "gone": there is no live session. "conflict": `ifVersion` or `ifSecretHash` doesn't match. Neither writes anything. */
export type ChangeResult = "done" | "gone" | "conflict";

/** What a store can't hold; the runtime refuses it beforehand. */
export interface StoreLimits {
  /** How deep `data` may nest, itself included. */
  depth?: number;
  /** Strings (keys too) that match are refused; `reason` ends the sentence "… can't be stored: ". */
  text?: { pattern: RegExp; reason: string };
}

export interface StoreStats {
  live: number;
  /** Expired sessions that are not purged yet; 0 where expiry is native. */
  expired: number;
  signedIn: number;
  /** The users with the most live sessions, at most 10, in descending order. */
  users: { userid: string; sessions: number }[];
}

/**
 * Stores sessions and does nothing else: expiry, renewal, locks and cookies are decided by the runtime.
 *
 * A driver is made by `createDriver(settings, timeout)`, which every src/store/driver.ts exports. It connects when it is
 * first used, not when it is made.
 *
 * Errors: StoreUnavailable when the store can't be reached or refuses for the moment, UnreadableRow for a row that can't
 * be understood, otherwise the store's own error. Absence is a value, not an error.
 *
 * Time: the runtime bounds how long a caller waits (guard.ts, `storeTimeout`), so no driver races a call against a timer.
 * A driver only has to make sure that an abandoned call doesn't hold a connection for good: it passes `timeout`, in
 * milliseconds, to its client's own options.
 */
export interface SessionDriver extends RequestStore, StoreAdministration {
  readonly limits?: StoreLimits;
  /** True where no other process, such as the shell's tool, can see the sessions. */
  readonly inProcess?: boolean;
  /** Rejects unless the store does what requests need. Health checks call it, so it must be cheap. */
  ping(): Promise<void>;
  /** Closes all connections. A second call does nothing. */
  close(): Promise<void>;
}

/** What requests need. */
export interface RequestStore {
  /** Never overwrites: a second row with the same id is an error. */
  create(row: SessionRow): Promise<void>;
  /**
   * Resolves to undefined if there is no such row. It may return an expired row, about which the runtime decides.
   * Where the store is in this process it may be synchronous, its errors included.
   */
  read(id: string, access: Access): FoundRow | undefined | Promise<FoundRow | undefined>;
  /** One atomic change. Never creates a session and never brings one back. Synchronous as `read` may be. */
  change(id: string, change: SessionChange): ChangeResult | Promise<ChangeResult>;
  /** Resolves to true if there was such a session. */
  end(id: string): Promise<boolean>;
  /** A user's live sessions, found over an index, newest `created` first, at most `limit`. */
  listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]>;
  /**
   * Ends at most `limit` sessions of a user, never the one with the id `exceptId`. Resolves to the ids that it ended, in any
   * order; fewer than `limit` means that none are left. The runtime calls it until then.
   */
  endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]>;
}

/** What the start of the app, the purge timer and `npm run sessions` need. No request waits for these. */
export interface StoreAdministration {
  /** Creates what is missing. Idempotent, and safe when several processes do it at once. */
  setup(): Promise<void>;
  /** Rejects, saying what is missing or not permitted, unless the store can do what requests will ask of it. */
  check(): Promise<void>;
  /** All live sessions in batches of any size, in no particular order. A session is yielded once. */
  all(now: number): AsyncIterable<SessionInfo[]>;
  /** Ends at most `limit` sessions of any users. Resolves to how many; fewer than `limit` means that none are left. */
  endAll(limit: number): Promise<number>;
  stats(now: number): Promise<StoreStats>;
  /** Removes at most `limit` rows with `expires < now`, found over an index. Resolves to how many; fewer than `limit` means that none are left. */
  purge(now: number, limit: number): Promise<number>;
}

/** A lifetime without limit, in seconds (about 3,000 years). */
export const UNLIMITED = 100_000_000_000;

/** The earlier of the idle and the absolute limit. */
export function expiry(updated: number, idle: number, created: number, lifetime: number): number {
  return Math.min(updated + idle, created + lifetime);
}

/** Seconds between two touches: at most a tenth of `idle`, by which a visitor may expire early, and at least one. */
export function touchInterval(every: number, idle: number): number {
  return Math.max(1, Math.min(every, Math.floor(idle / 10)));
}

/** Thrown where the store can't be reached, hangs or refuses. Requests that need it get 503. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly status = 503;
  readonly statusCode = 503;
  /** Express, Fastify and Koa send these with the response to an error. */
  readonly headers = { "retry-after": "5" };
}

/** Thrown for a row that was edited by hand or written by other code. Its session counts as absent. */
export class UnreadableRow extends Error {
  override readonly name = "UnreadableRow";
}

/**
 * Applies `set` and `remove` to the JSON text of `data`, for backends without a patch of their own.
 * The values have no prototype, so that `__proto__` is a key like any other.
 */
export function patchData(data: string, change: Pick<SessionChange, "set" | "remove">): string {
  if (!change.set?.size && !change.remove?.length) return data;
  const values: Record<string, Json> = Object.assign(Object.create(null), JSON.parse(data));
  for (const key of change.remove ?? []) delete values[key];
  for (const [key, text] of change.set ?? []) values[key] = JSON.parse(text) as Json;
  return JSON.stringify(values);
}

/** Builds the JSON text of an object from the JSON texts of its values. */
export function joinData(values: Iterable<readonly [string, string]>): string {
  let text = "";
  for (const [key, value] of values) text += `${text && ","}${JSON.stringify(key)}:${value}`;
  return `{${text}}`;
}
