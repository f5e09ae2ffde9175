// Merges three versions of package.json as data: what the user has set, added or removed stays as it is.
// Change it when another part of package.json needs a rule of its own.
import { isOlder } from "./dependency-ranges.ts";
import type { Labels, Sides } from "./merge-lines.ts";
import { withAdded } from "./order.ts";

export interface MergedManifest {
  text: string;
  /** Whole sentences: where the user's setting was kept although the new version has another one. */
  notes: string[];
}

type Json = null | boolean | number | string | Json[] | JsonObject;
type JsonObject = { [key: string]: Json };

const DEPENDENCY_SECTIONS = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];

/** Undefined where one of the three can't be read as JSON without losing something: then it has to be merged by lines. */
export function mergeManifest(texts: Sides<string>, labels: Labels): MergedManifest | undefined {
  const base = parseObject(texts.base);
  const yours = parseObject(texts.yours);
  const ours = parseObject(texts.ours);
  if (base === undefined || yours === undefined || ours === undefined) return undefined;
  const moved = movedDependencies(base, yours);
  const sides = { base: withDependenciesIn(moved, base), yours, ours: withDependenciesIn(moved, ours) };
  const notes: string[] = [];
  const merged = mergeObjects(sides, [], (note) => notes.push(note), labels);
  if (JSON.stringify(merged) === JSON.stringify(yours)) return { text: texts.yours, notes };
  return { text: formatLike(texts.yours, merged), notes };
}

type Note = (note: string) => void;

function mergeObjects(sides: Sides<JsonObject>, path: readonly string[], note: Note, labels: Labels): JsonObject {
  const { base, yours, ours } = sides;
  const merged = new Map<string, Json>();
  for (const key of keysInOrder(sides, path)) {
    const values = { base: own(base, key), yours: own(yours, key), ours: own(ours, key) };
    const value = mergeValues(values, [...path, key], note, labels);
    if (value !== undefined) merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

function mergeValues(
  sides: Sides<Json | undefined>,
  path: readonly string[],
  note: Note,
  labels: Labels,
): Json | undefined {
  const { base, yours, ours } = sides;
  if (same(yours, base)) return ours;
  if (same(ours, base) || same(yours, ours)) return yours;
  if (isObject(yours) && isObject(ours)) {
    return mergeObjects({ base: isObject(base) ? base : {}, yours, ours }, path, note, labels);
  }
  const sentence = difference(yours, ours, path, labels);
  if (sentence !== undefined) note(sentence);
  return yours;
}

/** What the user should know about a value that both sides have changed. A dependency that the user has raised further needs no words. */
function difference(
  yours: Json | undefined,
  ours: Json | undefined,
  path: readonly string[],
  labels: Labels,
): string | undefined {
  const place = path.join(" > ");
  const isDependency = path.length === 2 && DEPENDENCY_SECTIONS.includes(path[0] ?? "");
  if (isDependency && typeof yours === "string" && typeof ours === "string" && !isOlder(yours, ours)) return undefined;
  if (yours === undefined) return `${place} stays removed; ${labels.ours} has ${JSON.stringify(ours)}.`;
  if (ours === undefined) return `${place} stays ${JSON.stringify(yours)}; ${labels.ours} no longer has it.`;
  return `${place} stays ${JSON.stringify(yours)}; ${labels.ours} has ${JSON.stringify(ours)}.`;
}

/** The user's order; in sorted sections a key that only we have stands where sorting puts it. */
function keysInOrder({ yours, ours }: Sides<JsonObject>, path: readonly string[]): string[] {
  const keys = Object.keys(yours);
  const added = Object.keys(ours).filter((key) => !Object.hasOwn(yours, key));
  const isSorted = path.length > 0 && keys.every((key, index) => index === 0 || (keys[index - 1] as string) < key);
  if (!isSorted) return withAdded(keys, Object.keys(ours));
  for (const key of added) {
    const position = keys.findIndex((other) => other > key);
    keys.splice(position < 0 ? keys.length : position, 0, key);
  }
  return keys;
}

/** Dependencies that the user keeps in another section than the base, or has added: by name, the user's section. */
function movedDependencies(base: JsonObject, yours: JsonObject): Map<string, string> {
  const moved = new Map<string, string>();
  for (const section of DEPENDENCY_SECTIONS) {
    for (const name of Object.keys(objectAt(yours, section))) {
      if (!Object.hasOwn(objectAt(base, section), name)) moved.set(name, section);
    }
  }
  return moved;
}

/** The manifest as if those dependencies had always been where the user keeps them. */
function withDependenciesIn(sections: ReadonlyMap<string, string>, manifest: JsonObject): JsonObject {
  const result = structuredClone(manifest);
  for (const from of DEPENDENCY_SECTIONS) {
    for (const [name, range] of Object.entries(objectAt(manifest, from))) {
      const to = sections.get(name);
      if (to === undefined || to === from) continue;
      delete (result[from] as JsonObject)[name];
      result[to] = { ...objectAt(result, to), [name]: range };
    }
  }
  return result;
}

/** Undefined, too, for text that JSON.parse and JSON.stringify would not give back: a key that is there twice, 1.0, an escape. */
function parseObject(text: string): JsonObject | undefined {
  const json = text.replace(/^\ufeff/, "");
  try {
    const value: Json = JSON.parse(json);
    const compact = json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
    return isObject(value) && JSON.stringify(value) === compact ? value : undefined;
  } catch {
    return undefined;
  }
}

function formatLike(text: string, value: JsonObject): string {
  const indentation = /\n([ \t]+)/.exec(text)?.[1] ?? (text.trim().includes("\n") ? "  " : "");
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const start = text.startsWith("\ufeff") ? "\ufeff" : "";
  const end = text.endsWith("\n") ? "\n" : "";
  return start + `${JSON.stringify(value, null, indentation)}${end}`.replaceAll("\n", lineEnd);
}

function same(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = own(object, key);
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
