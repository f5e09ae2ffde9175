// Reads the record of a project (.session-app.json), of this version or an earlier one.
// Change it when the record gets another form; it must go on reading those of projects that are out there.
import valid from "semver/functions/valid.js";
import { isOwnPath } from "../disk/own-path.ts";
import type { Added } from "./added.ts";
import { blobId, RECORD } from "./record.ts";

/** The message is whole sentences for the user. */
export class UnreadableRecord extends Error {
  override readonly name = "UnreadableRecord";
}

/** What was answered when the project was made. Ids, since a pack may be gone by now. */
export interface RecordedAnswers {
  name: string;
  framework: string;
  backend: string;
  previousBackend?: string | undefined;
  packageManager: string;
  minimal: boolean;
  nodePinned: boolean;
  workspaceMember: boolean;
  /** Set where sessions were added to an app that was there before. */
  added?: Added | undefined;
}

export interface ProjectRecord {
  version: string;
  answers: RecordedAnswers;
  /** By generated path, what tells the generated content: see `isGenerated`. */
  files: ReadonlyMap<string, string>;
  /** Files that the user has moved: the generated path to the user's. */
  moved: ReadonlyMap<string, string>;
  /** By generated path, what was generated for files that the user had edited when the record was written. */
  generated: ReadonlyMap<string, string>;
  /** An update whose conflicts aren't settled yet. */
  pending: PendingUpdate | undefined;
}

export interface PendingUpdate {
  version: string;
  /** Files that had conflicts. */
  conflicts: string[];
  /** The record to write when none is left. */
  record: Record<string, unknown>;
}

/** Throws UnreadableRecord. */
export function readRecord(text: string): ProjectRecord {
  const value = parse(text);
  const { format = 0, version, answers, files, moved, generated, pending } = value;
  if (typeof format !== "number" || format > 1) {
    throw damaged("it has a form that only a newer create-session-app reads");
  }
  if (typeof version !== "string" || !isObject(answers) || !isObject(files)) throw damaged("parts of it are missing");
  if (valid(version) === null) throw damaged(`${JSON.stringify(version)} is no version`);
  return {
    version,
    answers: readAnswers(answers),
    files: new Map(Object.entries(files).map(([path, file]) => [checkPath(path), contentIdOf(file)])),
    moved: new Map(
      Object.entries(isObject(moved) ? moved : {}).map(([path, now]) => [checkPath(path), checkPath(String(now))]),
    ),
    generated: new Map(Object.entries(isObject(generated) ? generated : {}).map(readGenerated)),
    pending: isObject(pending) ? readPending(pending) : undefined,
  };
}

/**
 * Whether this is the content that was generated, by its id in the record: git's blob id, or, in records before format 1, a CRC-32
 * and the length.
 */
export function isGenerated(content: Uint8Array, id: string): boolean {
  if (!id.includes("-")) return blobId(content) === id;
  return `${crc32(content).toString(16).padStart(8, "0")}-${content.length.toString(16)}` === id;
}

/** Node has one of its own only from 20.15 on. */
function crc32(content: Uint8Array): number {
  let sum = ~0;
  for (const byte of content) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum >>> 0;
}

function readAnswers(answers: Record<string, unknown>): RecordedAnswers {
  const text = (name: string) => {
    const value = answers[name];
    // It may become an argument of another program.
    if (typeof value === "string" && /^[\w@][\w@./~-]*$/.test(value)) return value;
    throw damaged(`the answer ${JSON.stringify(name)} is missing, or isn't one`);
  };
  return {
    name: text("name"),
    framework: text("framework"),
    backend: text("backend"),
    previousBackend: answers.previousBackend === undefined ? undefined : text("previousBackend"),
    packageManager: text("packageManager"),
    minimal: answers.minimal === true,
    nodePinned: answers.nodePinned === true,
    workspaceMember: answers.workspaceMember === true,
    ...(isObject(answers.added) ? { added: readAdded(answers.added) } : {}),
  };
}

function readAdded(added: Record<string, unknown>): Added {
  const { folder, extension, specifier } = added;
  const isKnown =
    (extension === ".ts" || extension === ".mts") &&
    (specifier === ".ts" || specifier === ".mts" || specifier === ".js" || specifier === "");
  if (typeof folder !== "string" || !isKnown) throw damaged('the answer "added" isn\'t one');
  return {
    folder: checkPath(folder),
    extension,
    specifier,
    commonjs: added.commonjs === true,
    withoutDefaults: added.withoutDefaults === true,
    typescript: added.typescript === true,
    classic: added.classic === true,
    adopts: added.adopts === true,
  };
}

function readPending({ version, conflicts, record }: Record<string, unknown>): PendingUpdate {
  if (typeof version !== "string" || !Array.isArray(conflicts) || !isObject(record)) {
    throw damaged("the update that is under way can't be read");
  }
  return { version, conflicts: conflicts.map((path) => checkPath(String(path))), record };
}

/** The text is held line by line, so that `git diff` of the record can be read. */
function readGenerated([path, lines]: [string, unknown]): [path: string, text: string] {
  if (!Array.isArray(lines)) throw damaged(`what was generated at ${JSON.stringify(path)} can't be read`);
  return [checkPath(path), lines.join("\n")];
}

function contentIdOf(file: unknown): string {
  const id = isObject(file) ? file.blob : file;
  if (typeof id === "string") return id;
  throw damaged("a file has no id");
}

/** Anybody may have edited the record: no path in it may lead out of the project, or to where git keeps its own. */
function checkPath(path: string): string {
  if (!isOwnPath(path)) throw damaged(`${JSON.stringify(path)} is no path below the project`);
  return path;
}

function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const conflict = /^(<<<<<<<|>>>>>>>) /m.test(text);
    throw damaged(conflict ? "it has conflict markers; take the version of one side" : "it isn't JSON");
  }
  if (!isObject(value)) throw damaged("it isn't a JSON object");
  return value;
}

function damaged(why: string): UnreadableRecord {
  return new UnreadableRecord(`${RECORD} can't be read: ${why}. The history of your repository may have a better one.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
