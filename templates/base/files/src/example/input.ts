// Turns the body or the parameters of a request into typed values, or throws a Problem that says what doesn't fit.
// Add a reader for every handler that takes input.
import { Problem } from "../http/errors.ts";
import type { Json } from "../session/contract.ts";

const MAX_DEPTH = 100;

/** `{ "userid": "…", "password": "…" }` */
export function readLogin(body: unknown): { userid: string; password: string } {
  const { userid, password } = fields(body);
  if (!isText(userid, 1, 128) || /\p{Cc}/u.test(userid)) {
    throw new Problem(422, "userid must be text of 1 to 128 characters.");
  }
  // Hashing takes time in proportion to the length.
  if (!isText(password, 1, 1024)) throw new Problem(422, "password must be text of 1 to 1024 characters.");
  return { userid, password };
}

/** `{ "value": any }` */
export function readValue(body: unknown): Json {
  const { value } = fields(body);
  if (value === undefined) throw new Problem(422, "value is missing.");
  return storable(value as Json);
}

/** A form's `key` and `value`; the value is JSON, or else plain text. */
export function readDataForm(body: unknown): { key: string; value: Json } {
  const { key, value } = fields(body);
  if (typeof value !== "string") throw new Problem(422, "value must be text.");
  const json = parseJson(value);
  return { key: readKey(key), value: storable(json === undefined ? value : json) };
}

/** A key may be any text of up to 128 characters, the empty one too. */
export function readKey(key: unknown): string {
  if (!isText(key, 0, 128)) throw new Problem(422, "key must be text of at most 128 characters.");
  return key;
}

/** `{ "sku": "…", "quantity": 2 }`; the quantity 0 removes the article. In a form the number comes as text. */
export function readCartItem(body: unknown): { sku: string; quantity: number } {
  const { sku, quantity } = fields(body);
  if (!isText(sku, 1, 64)) throw new Problem(422, "sku must be text of 1 to 64 characters.");
  const number = typeof quantity === "string" && /^\d{1,3}$/.test(quantity) ? Number(quantity) : quantity;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > 999) {
    throw new Problem(422, "quantity must be a whole number from 0 to 999.");
  }
  return { sku, quantity: number };
}

/** A malformed id gets 404, just like another user's session. */
export function readSessionId(id: unknown): string {
  if (typeof id !== "string" || !/^[\w-]{22}$/.test(id)) throw new Problem(404, "There is no such session.");
  return id;
}

/** A form's `key`. */
export function readKeyForm(body: unknown): string {
  return readKey(fields(body).key);
}

/** A form's `id`. */
export function readSessionIdForm(body: unknown): string {
  return readSessionId(fields(body).id);
}

interface Fields {
  id?: unknown;
  key?: unknown;
  password?: unknown;
  quantity?: unknown;
  sku?: unknown;
  userid?: unknown;
  value?: unknown;
}

function fields(body: unknown): Fields {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Problem(422, "The body must be a JSON object, sent as application/json, or a form.");
  }
  // What `curl -d` does with JSON unless it is given the type.
  if (Object.keys(body)[0]?.trimStart().startsWith("{")) {
    throw new Problem(415, "The body looks like JSON, but was sent as a form: set Content-Type to application/json.");
  }
  return body;
}

/** `min` and `max` count as JavaScript does. Half a surrogate pair isn't text, and no store would keep it. */
function isText(value: unknown, min: number, max: number): value is string {
  return typeof value === "string" && value.length >= min && value.length <= max && value.isWellFormed();
}

/** Not all JSON can be written again: 1e999 is parsed as Infinity, and deep nesting would exhaust the stack. */
function storable(value: Json, depth = MAX_DEPTH): Json {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new Problem(422, "value holds a number out of range.");
  if (typeof value === "object" && value !== null) {
    if (depth === 0) throw new Problem(422, `value must not be nested deeper than ${MAX_DEPTH} levels.`);
    for (const item of Object.values(value)) storable(item, depth - 1);
  }
  return value;
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
