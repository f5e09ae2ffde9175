// Session data: parses the stored JSON text, and finds the smallest change to write.
// Change what may be stored in check().
import type { SessionData } from "../session-data.ts";
import { type StoreLimits, UnreadableRow } from "./contract.ts";

/** Deeper nesting is refused in every backend: it could exhaust the stack. */
const MAX_DEPTH = 100;

/** Thrown for what can't be stored. The status is 422 if a client's input is at fault, 500 if the code is. */
export class InvalidData extends TypeError {
  override readonly name = "InvalidData";
  readonly status: number;
  readonly statusCode: number;
  constructor(message: string, status = 500) {
    super(message);
    this.status = status;
    this.statusCode = status;
  }
}

/** Thrown for data of more than `maxDataBytes`. */
export class DataTooLarge extends Error {
  override readonly name = "DataTooLarge";
  readonly status = 413;
  readonly statusCode = 413;
}

export interface DataChange {
  set: Map<string, string>;
  remove: string[];
  /** All data after the change, as JSON text. */
  text: string;
}

export interface StoredData {
  text: string;
  /** The parsed text. Handlers get copies only. */
  values: Record<string, unknown>;
}

/** Parses the stored text. Throws UnreadableRow unless it is the JSON text of an object. */
export function readData(text: string): StoredData {
  const values = parse(text);
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new UnreadableRow("the stored data is not an object");
  }
  return { text, values: values as Record<string, unknown> };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnreadableRow("the stored data is not JSON", { cause });
  }
}

/** A copy for handlers to change. It has no prototype, so that `__proto__` is a key like any other. */
export function copyOf({ values }: StoredData): SessionData {
  return Object.setPrototypeOf(deepCopy(values), null);
}

function deepCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(deepCopy);
  const copy: Record<string, unknown> = { ...value };
  for (const key of Object.keys(copy)) {
    if (typeof copy[key] === "object") copy[key] = deepCopy(copy[key]);
  }
  return copy;
}

/** Finds what differs from what is stored, by top-level key. Throws InvalidData for what can't be stored. */
export function changesOf(data: SessionData, stored: StoredData, limits: StoreLimits = {}): DataChange | undefined {
  if (equal(data, stored.values)) return undefined;
  const now = data as unknown as Record<string, unknown>;
  const before = stored.values;
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const key of Object.keys(now)) {
    const value = now[key];
    // `before` inherits from Object.prototype.
    if (value === undefined || (Object.hasOwn(before, key) && equal(value, before[key]))) continue;
    const json = encode(key, value, limits);
    if (!Object.hasOwn(before, key) || json !== JSON.stringify(before[key])) set.set(key, json);
  }
  for (const key of Object.keys(before)) if (now[key] === undefined) remove.push(key);
  // All values have been checked, so that JSON.stringify drops and alters nothing.
  return set.size === 0 && remove.length === 0 ? undefined : { set, remove, text: JSON.stringify(now) };
}

/** Throws InvalidData for text that the store can't hold. @param path names the text in the message */
export function checkText(text: string, path: string, limits: StoreLimits): void {
  if (limits.text?.pattern.test(text)) throw new InvalidData(`${path} can't be stored: ${limits.text.reason}`, 422);
}

/** Whether `value` would be stored as `stored` is. A value that JSON can't hold is unequal to any. */
function equal(value: unknown, stored: unknown): boolean {
  if (value === stored) return true;
  if (typeof value !== "object" || value === null || typeof stored !== "object" || stored === null) return false;
  if (Array.isArray(value) !== Array.isArray(stored) || "toJSON" in value) return false;
  if (Array.isArray(value)) {
    const items = stored as unknown[];
    return value.length === items.length && items.every((item, index) => equal(value[index], item));
  }
  if (!isPlain(value)) return false;
  const [now, before] = [value, stored] as [Record<string, unknown>, Record<string, unknown>];
  let count = 0;
  for (const key of Object.keys(now)) {
    const item = now[key];
    if (item === undefined) continue;
    const isSame = item === before[key] && typeof item !== "object" && typeof item !== "function";
    // `before` may inherit from Object.prototype.
    if (!isSame && !(Object.hasOwn(before, key) && equal(item, before[key]))) return false;
    count++;
  }
  return count === Object.keys(before).length;
}

function encode(key: string, value: unknown, limits: StoreLimits): string {
  checkText(key, `The key ${JSON.stringify(key)}`, limits);
  check(value, `data${member(key)}`, [], limits);
  return JSON.stringify(value);
}

/** Throws InvalidData, naming the path, for what JSON.stringify would silently drop or alter. */
function check(value: unknown, path: string, ancestors: object[], limits: StoreLimits): void {
  if (typeof value === "string") checkText(value, path, limits);
  else if (typeof value === "object" && value !== null) checkObject(value, path, ancestors, limits);
  else if (typeof value === "number" && !Number.isFinite(value)) throw unfit(path, `is ${value}`);
  else if (value === undefined) throw unfit(path, "is undefined");
  else if (value !== null && typeof value !== "number" && typeof value !== "boolean") {
    throw unfit(path, `is a ${typeof value}`);
  }
}

function checkObject(value: object, path: string, ancestors: object[], limits: StoreLimits): void {
  if (ancestors.includes(value)) throw unfit(path, "contains itself");
  const depth = limits.depth ?? MAX_DEPTH;
  // `data` itself is the first level.
  if (ancestors.length + 2 > depth) throw new InvalidData(`${path} is nested deeper than ${depth} levels`, 422);
  const inside = [...ancestors, value];
  if ("toJSON" in value && typeof value.toJSON === "function") {
    check(value.toJSON(""), path, inside, limits);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) check(value[index], `${path}[${index}]`, inside, limits);
  } else if (isPlain(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      checkText(key, `The key ${JSON.stringify(key)} in ${path}`, limits);
      check(item, path + member(key), inside, limits);
    }
  } else {
    throw unfit(path, `is an instance of ${value.constructor?.name || "a class"}`);
  }
}

function unfit(path: string, what: string): InvalidData {
  return new InvalidData(`${path} ${what}, which JSON can't hold`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // null, or the Object.prototype of any realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** How code reaches a key: `.cart`, or `["a key"]`. */
export function member(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
