// The journal that a run keeps in its stage, so that the next one can tell a run at work from one that was killed, and undo it.
// Change it together with stage.ts, write.ts and recover.ts: they must agree on what a stage looks like.
import { createHash } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { look } from "./look.ts";
import { isOwnPath } from "./own-path.ts";
import { isCode } from "./system-error.ts";

/**
 * A stage is a folder with this journal, `new/` (new files by their number, or the whole tree of a new directory) and `old/`
 * (the files that were replaced or removed, by the same number; without this folder nothing is moved). Removing it makes a run final.
 */
export interface Journal {
  /** "staging": nothing has moved. "moving": some of it may have. "moved": all has; the files in `old/` may go. */
  state: "staging" | "moving" | "moved";
  /** In the order in which they are moved. */
  files: JournalEntry[];
  /** Folders made for them, outermost first. */
  folders: string[];
}

export interface JournalEntry {
  path: string;
  /** Whether a file was there, which is moved to `old/`. */
  before: boolean;
  /** The fingerprint of the new file, which tells it from what somebody writes there later; null: the file is removed. */
  after: string | null;
}

export function fingerprint(content: Uint8Array): string {
  return createHash("sha1").update(content).digest("hex");
}

/** `journal`: undefined when it isn't one, or half of one. */
export interface FoundJournal {
  name: string;
  journal: Journal | undefined;
}

const HOST = encodeURIComponent(hostname());
const NAME = /^journal\.(.+)\.(\d+)\.\d+$/;

/** The name says whose journal it is, and no two are the same: a stage belongs to the one run that has renamed its journal to such a name. */
function newName(): string {
  return `journal.${HOST}.${process.pid}.${process.hrtime.bigint()}`;
}

/** Writes the first journal and returns its name. Nothing has moved yet, so one that is half written loses nothing. */
export function beginJournal(stage: string, journal: Journal): string {
  const name = newName();
  writeFileSync(join(stage, name), JSON.stringify(journal), { flag: "wx" });
  return name;
}

/** Removes a stage that holds nothing but its journal any more. */
export function endJournal(stage: string, name: string): void {
  unlinkSync(join(stage, name));
  rmdirSync(stage);
}

/** `durable`: on the disk before anything moves, so that not even a power failure leaves moves without a journal. */
export function replaceJournal(stage: string, name: string, journal: Journal, durable: boolean): void {
  const next = join(stage, "journal.next");
  const file = openSync(next, "wx");
  try {
    writeSync(file, JSON.stringify(journal));
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, join(stage, name));
}

/** Makes a dead run's stage this run's. False: another run was faster. */
export function takeJournal(stage: string, name: string): boolean {
  const file = join(stage, name);
  const now = new Date();
  try {
    utimesSync(file, now, now);
    renameSync(file, join(stage, newName()));
    return true;
  } catch (error) {
    if (isCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** undefined: there is none. */
export function findJournal(stage: string): FoundJournal | undefined {
  const [name] = readdirSync(stage).filter((entry) => NAME.test(entry));
  return name === undefined ? undefined : { name, journal: readJournal(join(stage, name)) };
}

function readJournal(file: string): Journal | undefined {
  if (!look(file)?.isFile()) return undefined;
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isJournal(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Anybody may have put it there, in a repository that was cloned for instance: it moves nothing but plain files below the target. */
function isJournal(value: unknown): value is Journal {
  const { state, files, folders } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(files) || !Array.isArray(folders)) return false;
  const isPath = (path: unknown) => typeof path === "string" && isOwnPath(path);
  const sound = files.every(
    (file) =>
      isPath(file?.path) &&
      typeof file.before === "boolean" &&
      (typeof file.after === "string" || (file.after === null && file.before)),
  );
  return sound && folders.every(isPath) && ["staging", "moving", "moved"].includes(state as string);
}

/** A run writes its journal right after it has made the stage, so one that is missing gets half a second to appear. */
export function awaitJournal(stage: string): FoundJournal | undefined {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 10; tries++) {
    const found = findJournal(stage);
    if (found?.journal !== undefined) return found;
    Atomics.wait(sleeper, 0, 0, 50);
  }
  return findJournal(stage);
}

const DEAD_AFTER_MS = 600_000;

/** Whether another run is at work in this stage. Writing takes well under a second, so an old stage is a dead one. */
export function isAtWork(stage: string, name: string): boolean {
  const [, host, pid] = NAME.exec(name) ?? [];
  const note = look(join(stage, name));
  if (note === undefined) return true;
  if (Date.now() - note.mtimeMs > DEAD_AFTER_MS) return false;
  if (host !== HOST) return true;
  // In a container every run has the same number.
  if (Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}
