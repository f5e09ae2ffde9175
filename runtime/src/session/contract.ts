// What is stored of sessions, and the contract of a backend's driver.
// Change it to store something new about every session; then driver.ts and schema.

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
  /** JSON text of an object. */
  data: string;
  /** Grows with every change. */
  version: number;
}

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
  /** Key to JSON text of its value. A Map, since a key may be `__proto__` or empty. */
  set?: ReadonlyMap<string, string>;
  remove?: readonly string[];
  userid?: string | null;
  secretHash?: Uint8Array;
  authenticated?: number;
  /** Comes with `touch`, since it moves `expires`. */
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

/** In the order of ids. */
export interface Page {
  now: number;
  after?: string;
  limit: number;
}

export interface StoreStats {
  live: number;
  /** Not purged yet; 0 where expiry is native. */
  expired: number;
  signedIn: number;
  /** Those with the most live sessions, at most 10, most first. */
  users: { userid: string; sessions: number }[];
}

/**
 * Stores sessions, and nothing else: expiry, renewal, locks and cookies are the runtime's. Rejects with StoreUnavailable
 * when the store can't be reached, with UnreadableRow for a row that can't be understood, else with what the backend
 * said. Absence is a value, not an error.
 */
export interface SessionDriver {
  readonly limits?: StoreLimits;
  /** No other process, such as the command line's, sees the sessions. */
  readonly inProcess?: boolean;
  /** Creates what is missing. Idempotent, in several processes at once too. */
  setup(): Promise<void>;
  /** Rejects when what `setup` makes isn't there; says what is missing. */
  check(): Promise<void>;
  /** Never overwrites: a second row with the same id is an error. */
  create(row: SessionRow): Promise<void>;
  /**
   * undefined: there is none. May return an expired row; the runtime decides.
   * Synchronous, its errors too, where the store is in this process.
   */
  read(id: string, access: Access): FoundRow | undefined | Promise<FoundRow | undefined>;
  /** One atomic change. Never brings a session back, never creates one. */
  change(id: string, change: SessionChange): Promise<ChangeResult>;
  /** True if there was one. */
  end(id: string): Promise<boolean>;
  /** A user's live sessions over an index, newest `created` first, at most `limit`. */
  listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]>;
  /** Ends a user's sessions but `exceptId`; the ids of those that were ended. */
  endByUser(userid: string, exceptId?: string): Promise<string[]>;
  /** Ends every session; how many. */
  endAll(): Promise<number>;
  /** Live sessions that can be read, a page at a time; only an empty page is the end. */
  page(page: Page): Promise<SessionRow[]>;
  stats(now: number): Promise<StoreStats>;
  /** Removes at most `limit` rows with `expires < now` over an index; how many. 0 where expiry is native. */
  purge(now: number, limit: number): Promise<number>;
  ping(): Promise<void>;
  /** Twice is fine. */
  close(): Promise<void>;
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

/** The store can't be reached, hangs or refuses. Requests that need it get 503. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly status = 503;
  readonly retryAfter = 5;
}

/** A row edited by hand, or written by other code. Its session counts as absent. */
export class UnreadableRow extends Error {
  override readonly name = "UnreadableRow";
}

/**
 * Applies `set` and `remove` to the JSON text of `data`, for backends without a patch of their own.
 * Without a prototype, `__proto__` is a key like any other.
 */
export function patchData(data: string, change: Pick<SessionChange, "set" | "remove">): string {
  if (!change.set?.size && !change.remove?.length) return data;
  const values: Record<string, Json> = Object.assign(Object.create(null), JSON.parse(data));
  for (const key of change.remove ?? []) delete values[key];
  for (const [key, text] of change.set ?? []) values[key] = JSON.parse(text) as Json;
  return JSON.stringify(values);
}

/** The JSON text of an object, from the JSON texts of its values. */
export function joinData(values: Iterable<readonly [string, string]>): string {
  let text = "";
  for (const [key, value] of values) text += `${text && ","}${JSON.stringify(key)}:${value}`;
  return `{${text}}`;
}
