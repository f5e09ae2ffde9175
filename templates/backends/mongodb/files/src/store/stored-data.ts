// Encodes a session's data for its document: one field of JSON text for each key.
// Change it to store data in another form, and convert the documents that are there already.

import { createHash } from "node:crypto";
import { UnreadableRow } from "../session/contract.ts";

/**
 * Keys that are stored as they are. Every other key is stored under its hash and stands in the text as well, because
 * MongoDB gives "." and "$" in names a meaning. The values are texts, because MongoDB's own would bend some numbers and end
 * at 100 levels.
 */
const PLAIN_KEY = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** A name that is safe in a path: without a dot or a dollar, never empty, never `__proto__`. */
export function fieldOf(key: string): string {
  if (PLAIN_KEY.test(key)) return key;
  return `#${createHash("sha256").update(JSON.stringify(key)).digest("base64url")}`;
}

/** `text` is the JSON text of the key's value. */
export function encodeValue(key: string, text: string): string {
  return PLAIN_KEY.test(key) ? text : `${JSON.stringify(key)}:${text}`;
}

/** `data` is the JSON text of an object. */
export function encodeData(data: string): Record<string, string> {
  const entries = Object.entries(JSON.parse(data) as object);
  return Object.fromEntries(entries.map(([key, value]) => [fieldOf(key), encodeValue(key, JSON.stringify(value))]));
}

/** Returns the JSON text of the data. Throws UnreadableRow for fields that aren't texts. */
export function decodeData(id: string, fields: unknown): string {
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) throw unreadable(id);
  const members = Object.entries(fields).map(([name, text]: [string, unknown]) => {
    if (typeof text !== "string") throw unreadable(id);
    return name.startsWith("#") ? text : `${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join()}}`;
}

export function unreadable(id: string): UnreadableRow {
  return new UnreadableRow(`The document of session ${id} is not what this app stores.`);
}
