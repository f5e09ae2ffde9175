// What is compared and written when a session is copied: its content, apart from the times of its last access.
// Change it when sessions get another property.
import { createHash } from "node:crypto";
import {
  type SessionChange,
  type SessionRow,
  type StoreLimits,
  UNLIMITED,
  UnreadableRow,
} from "../session/contract.ts";
import { changesOf, checkText, readData } from "../session/data.ts";
import { HASH_BYTES } from "../session/token.ts";
import type { SessionData } from "../session-data.ts";

/** What is remembered of a session that has been written to the target. */
export interface Copy {
  digest: string;
  updated: number;
  expires: number;
}

/** Throws UnreadableRow for a row that the app would not take for a session either. */
export function copyOf(row: SessionRow): Copy {
  return { digest: digestOf(row), updated: row.updated, expires: row.expires };
}

/** Tells contents apart. It leaves out what a mere access moves, and what never changes. */
export function digestOf({ secretHash, userid, authenticated, idle, columns, data }: SessionRow): string {
  if (secretHash.length !== HASH_BYTES)
    throw new UnreadableRow(`the stored secret hash is not ${HASH_BYTES} bytes long`);
  const secret = Buffer.from(secretHash).toString("base64");
  // Stores may return the keys of objects in another order.
  const content = JSON.stringify([secret, userid, authenticated, idle, columns, readData(data).values], sorted);
  return createHash("sha256").update(content).digest("base64url").slice(0, 22);
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Makes `there` what `row` is, unless somebody else changes it first. The later access of the two counts. */
export function replacement(row: SessionRow, there: SessionRow): SessionChange {
  const { userid, secretHash, authenticated, idle, columns } = row;
  const { values } = readData(row.data);
  return {
    now: row.updated,
    set: new Map(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)])),
    remove: Object.keys(readData(there.data).values).filter((key) => !Object.hasOwn(values, key)),
    ...{ userid, secretHash, authenticated, idle, columns },
    touch: { lifetime: row.expires < row.updated + row.idle ? row.expires - row.created : UNLIMITED },
    ifVersion: there.version,
  };
}

/** Throws InvalidData, naming the place, for what the target can't hold. */
export function checkLimits({ userid, columns, data }: SessionRow, limits: StoreLimits = {}): void {
  changesOf(readData(data).values as SessionData, readData("{}"), limits);
  for (const [name, value] of Object.entries({ userid, ...columns })) {
    if (typeof value === "string") checkText(value, name, limits);
  }
}
