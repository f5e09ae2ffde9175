// Turns what a request sends, JSON or a form, into typed values; what doesn't fit is an InputError.
// Add a reader for every handler that takes input.
import { parse } from "node:querystring";
import type { Json } from "../session/contract.ts";

/** `status`: 400 can't be parsed, 404 can't exist, 415 can't be read, 422 has the wrong type or size. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly status: number;

  constructor(message: string, status = 422) {
    super(message);
    this.status = status;
  }
}

const MAX_DEPTH = 100;

/** The page's forms are answered with a redirect, everything else with JSON. */
export function isForm(contentType: string | undefined): boolean {
  return /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? "");
}

/**
 * undefined: the body isn't read; handlers that need one miss it, and say so. 415: compressed, which could grow without
 * limit, or not in UTF-8, which would be stored garbled.
 */
export function bodyFormat(headers: Record<string, string | string[] | undefined>): "form" | "json" | undefined {
  const type = String(headers["content-type"] ?? "");
  const format = isForm(type) ? "form" : /^application\/json\s*(?:;|$)/i.test(type) ? "json" : undefined;
  if (format === undefined) return undefined;
  const encoding = String(headers["content-encoding"] ?? "identity");
  if (encoding.toLowerCase() !== "identity") throw new InputError("A body can't be compressed here.", 415);
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1] ?? "utf-8";
  if (charset.toLowerCase() !== "utf-8") throw new InputError("A body must be in UTF-8 here.", 415);
  return format;
}

/** For frameworks without parsers. An empty body is none: many clients name a type even then. */
export function parseBody(format: "form" | "json", text: string): unknown {
  if (text === "") return undefined;
  // Without a prototype, and with lists of repeated fields.
  if (format === "form") return parse(text, "&", "=", { maxKeys: 0 });
  const json = parseJson(text);
  if (json === undefined) throw new InputError("The body is not valid JSON.", 400);
  return json;
}

/** Not yet checked. */
export function readField(body: unknown, name: string): unknown {
  return (Object(body) as Record<string, unknown>)[name];
}

/** `{ "userid": "…", "password": "…" }` */
export function readLogin(body: unknown): { userid: string; password: string } {
  const { userid, password } = fields(body);
  if (!isText(userid, 1, 128) || /\p{Cc}/u.test(userid)) {
    throw new InputError("userid must be text of 1 to 128 characters.");
  }
  // Hashing takes time in proportion to the length.
  if (!isText(password, 1, 1024)) throw new InputError("password must be text of 1 to 1024 characters.");
  return { userid, password };
}

/** `{ "value": any }` */
export function readValue(body: unknown): Json {
  const { value } = fields(body);
  if (value === undefined) throw new InputError("value is missing.");
  return storable(value as Json);
}

/** A form's `key` and `value`; the value is JSON, or else plain text. */
export function readDataForm(body: unknown): { key: string; value: Json } {
  const { key, value } = fields(body);
  if (typeof value !== "string") throw new InputError("value must be text.");
  const json = parseJson(value);
  return { key: readKey(key), value: storable(json === undefined ? value : json) };
}

/** Any text of up to 128 characters, the empty one too. */
export function readKey(key: unknown): string {
  if (!isText(key, 0, 128)) throw new InputError("key must be text of at most 128 characters.");
  return key;
}

/** `{ "sku": "…", "quantity": 2 }`; the quantity 0 takes the article out. A form's number comes as text. */
export function readCartItem(body: unknown): { sku: string; quantity: number } {
  const { sku, quantity } = fields(body);
  if (!isText(sku, 1, 64)) throw new InputError("sku must be text of 1 to 64 characters.");
  const number = typeof quantity === "string" && /^\d{1,3}$/.test(quantity) ? Number(quantity) : quantity;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > 999) {
    throw new InputError("quantity must be a whole number from 0 to 999.");
  }
  return { sku, quantity: number };
}

/** What can't be an id is 404, as somebody else's session is. */
export function readSessionId(id: unknown): string {
  if (typeof id !== "string" || !/^[\w-]{22}$/.test(id)) throw new InputError("There is no such session.", 404);
  return id;
}

function fields(body: unknown): Record<string, unknown> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new InputError("The body must be a JSON object or a form.");
  }
  return body as Record<string, unknown>;
}

/** Length as JavaScript counts it; half a surrogate pair isn't text, and no store would keep it. */
function isText(value: unknown, min: number, max: number): value is string {
  return typeof value === "string" && value.length >= min && value.length <= max && value.isWellFormed();
}

/** Not all JSON can be written out again: 1e999 is Infinity, and deep nesting would exhaust the stack. */
function storable(value: Json, depth = MAX_DEPTH): Json {
  if (typeof value === "number" && !Number.isFinite(value)) throw new InputError("value holds a number out of range.");
  if (typeof value === "object" && value !== null) {
    if (depth === 0) throw new InputError(`value must not be nested deeper than ${MAX_DEPTH} levels.`);
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
