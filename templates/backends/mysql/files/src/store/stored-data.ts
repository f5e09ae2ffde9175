// How a session's data is kept in its JSON column: an object of strings, from each key to the JSON text of its value.
// Change it to store data in another form, and convert the rows that exist.

import { createHash } from "node:crypto";
import { joinData, UnreadableRow } from "../session/contract.ts";

/**
 * Kept as JSON values, the servers would reorder keys, round numbers, stop at 32 or 100 levels and refuse lone surrogates.
 * A key that matches is stored as it is; any other key is stored under its hash, and is itself part of the text.
 */
const PLAIN = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** `entries`: keys and the JSON texts of their values. */
export function encode(entries: Iterable<readonly [string, string]>): string {
  const fields = new Map<string, string>();
  for (const [key, text] of entries) {
    fields.set(field(key), JSON.stringify(PLAIN.test(key) ? text : `${JSON.stringify(key)}:${text}`));
  }
  return joinData(fields);
}

/** Where the keys' values are in the column. */
export function paths(keys: readonly string[]): string[] {
  return keys.map((key) => `$."${field(key)}"`);
}

function field(key: string): string {
  return PLAIN.test(key) ? key : `#${createHash("sha256").update(JSON.stringify(key)).digest("base64url")}`;
}

/** The JSON text of the data. */
export function decode(id: string, column: unknown): string {
  const fields = parse(column);
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) throw unreadable(id);
  let data = "";
  for (const [name, text] of Object.entries(fields)) {
    if (typeof text !== "string" || text === "") throw unreadable(id);
    data += `${data && ","}${name.startsWith("#") ? text : `${JSON.stringify(name)}:${text}`}`;
  }
  return `{${data}}`;
}

function parse(column: unknown): unknown {
  try {
    return JSON.parse(String(column));
  } catch {
    return undefined;
  }
}

function unreadable(id: string): UnreadableRow {
  return new UnreadableRow(`The data of session ${id} is not what this app stores.`);
}
