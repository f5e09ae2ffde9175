// The note that a run leaves in its stage, so that the next one can tell a run at work from one that was killed, and undo it.
// Change it together with write.ts and recover.ts: they must agree on what a stage looks like.
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/**
 * A stage is a folder with this note, `new/` (files by their number, or the whole tree of a new directory) and `old/`
 * (files that were replaced, by the same number). Removing it is what makes a run final.
 */
export interface Journal {
  process: number;
  host: string;
  /** "staging": nothing has moved. "moving": some of it may have. "moved": all has; what is replaced may go. */
  state: "staging" | "moving" | "moved";
  /** The files to move in, in order. The checksum tells them from what somebody writes there later. */
  files: { path: string; checksum: string }[];
  /** Folders made for them, outermost first. */
  folders: string[];
}

export function newJournal(): Journal {
  return { process: process.pid, host: hostname(), state: "staging", files: [], folders: [] };
}

/** The first note. Nothing has moved yet, so one that is half written loses nothing. */
export function beginJournal(stage: string, journal: Journal): void {
  writeFileSync(join(stage, "journal.json"), JSON.stringify(journal), { flag: "wx" });
}

/** Takes a stage away that holds nothing but its note any more. */
export function endJournal(stage: string): void {
  unlinkSync(join(stage, "journal.json"));
  rmdirSync(stage);
}

/** `durable`: on the disk before anything moves, so that not even a power failure leaves moves without a note. */
export function replaceJournal(stage: string, journal: Journal, durable: boolean): void {
  const next = join(stage, "journal.next");
  const file = openSync(next, "w");
  try {
    writeSync(file, JSON.stringify(journal));
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, join(stage, "journal.json"));
}

/** undefined: there is none, or half of one. The run was killed before it had written it, so nothing has moved. */
export function readJournal(stage: string): Journal | undefined {
  try {
    return JSON.parse(readFileSync(join(stage, "journal.json"), "utf8")) as Journal;
  } catch {
    return undefined;
  }
}

/** A run writes its note right after it has made the stage, so one that is missing gets half a second to appear. */
export function awaitJournal(stage: string): Journal | undefined {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 10; tries++) {
    const journal = readJournal(stage);
    if (journal !== undefined) return journal;
    Atomics.wait(sleeper, 0, 0, 50);
  }
  return undefined;
}

const TEN_MINUTES = 600_000;

/** Whether another run is at work in this stage. Writing takes well under a second, so an old stage is a dead one. */
export function isAtWork(stage: string, journal: Journal): boolean {
  if (Date.now() - statSync(join(stage, "journal.json")).mtimeMs > TEN_MINUTES) return false;
  if (journal.host !== hostname()) return true;
  try {
    process.kill(journal.process, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
