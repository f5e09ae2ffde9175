// How a session's data lies in its document: key to JSON text, one level deep and nothing but strings.
// Change it to store data in another form, and convert the documents that are there already.

import { createHash } from "node:crypto";
import { UnreadableRow } from "../session/contract.ts";

/**
 * MongoDB's own values would tell 1 from 1.0, stop at 100 levels, and take "." and "$" in keys for something else.
 * A key like these is stored as it is; any other one under its hash, and stands in the text as well.
 */
const PLAIN = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Safe in a path: no dot, no dollar, never empty, never `__proto__`. */
export function field(key: string): string {
  return PLAIN.test(key) ? key : `#${createHash("sha256").update(JSON.stringify(key)).digest("base64url")}`;
}

/** `text`: the JSON text of the key's value. */
export function encode(key: string, text: string): string {
  return PLAIN.test(key) ? text : `${JSON.stringify(key)}:${text}`;
}

/** The JSON text of the data. */
export function decode(id: string, fields: unknown): string {
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) throw unreadable(id);
  let data = "";
  for (const [name, text] of Object.entries(fields)) {
    if (typeof text !== "string" || text === "") throw unreadable(id);
    data += `${data && ","}${name.startsWith("#") ? text : `${JSON.stringify(name)}:${text}`}`;
  }
  return `{${data}}`;
}

export function unreadable(id: string): UnreadableRow {
  return new UnreadableRow(`Session ${id} is not what this app stores.`);
}
