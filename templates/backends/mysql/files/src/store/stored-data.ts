// How a session's data lies in its JSON column: key to JSON text, one level deep and nothing but strings.
// Change it to store data in another form, and convert the rows that are there already.

import { createHash } from "node:crypto";
import { joinData, UnreadableRow } from "../session/contract.ts";

/**
 * JSON of the server's own would reorder keys, round numbers, stop at 32 or 100 levels and refuse lone surrogates.
 * A key like these is stored as it is; any other one under its hash, and stands in the text as well.
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

export function paths(keys: readonly string[]): string[] {
  return padded(keys.map((key) => `$."${field(key)}"`));
}

/** To a power of two, some twice, for few different statements. */
export function padded<Item>(items: readonly Item[]): Item[] {
  const all = [...items];
  for (let index = 0; (all.length & (all.length - 1)) !== 0; index++) all.push(all[index] as Item);
  return all;
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
