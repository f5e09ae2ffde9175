// Takes back what a run moved into a target: its own when it fails, an earlier one's that was killed.
// Change it only with the kill tests at hand (test/generator/kill.test.ts).
import { readdirSync, readFileSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { checksum } from "./checksum.ts";
import { Failure } from "./failure.ts";
import type { FoundJournal, Journal } from "./journal.ts";
import { awaitJournal, findJournal, isAtWork, takeJournal } from "./journal.ts";
import { diskFailure, isCode, look, stageBeside, stageInside } from "./target.ts";
import { quoted } from "./wording.ts";

/** Looks for what killed runs left at a target, and undoes or finishes it. Returns what was done, as sentences. */
export function recoverTarget(directory: string): string[] {
  const done = recoverStage(stageInside(directory), directory, true);
  // A new tree is staged beside its outermost missing folder, which may have been any of those above.
  for (let folder = directory; folder !== dirname(folder); folder = dirname(folder)) {
    done.push(...recoverStage(stageBeside(folder), directory, folder === directory));
  }
  return done;
}

/** The same question without touching anything, for --dry-run. */
export function isHalfDone(directory: string): boolean {
  const stage = stageInside(directory);
  return look(stage)?.isDirectory() === true && isHalfMoved(stage, findJournal(stage)?.journal);
}

/** Without `old/` nothing is moved, or no longer: it is made before the first move, and goes when all are undone. */
function isHalfMoved(stage: string, journal: Journal | undefined): boolean {
  return journal?.state === "moving" && look(join(stage, "old")) !== undefined;
}

function recoverStage(stage: string, directory: string, mustBeFree: boolean): string[] {
  const stats = look(stage);
  if (stats === undefined) return [];
  try {
    const found = stats.isDirectory() ? awaitJournal(stage) : undefined;
    if (!stats.isDirectory() || !isOurs(stage, found, directory)) {
      const remedy = "Move it away, or choose another directory.";
      throw new Failure(1, "STAGE", `${quoted(stage)} isn't something that create-session-app made. ${remedy}`);
    }
    if (found === undefined) {
      rmdirSync(stage);
      return [NOTHING_MOVED];
    }
    if (!isAtWork(stage, found.name) && takeJournal(stage, found.name)) return undo(stage, directory, found.journal);
    if (!mustBeFree) return [];
    throw new Failure(1, "BUSY", `Another run is writing to ${quoted(directory)}. Wait for it, then try again.`);
  } catch (error) {
    throw diskFailure(error, stage);
  }
}

const NOTHING_MOVED = "An earlier run was killed with nothing moved; what it had prepared was removed.";

function undo(stage: string, directory: string, journal: Journal | undefined): string[] {
  if (journal === undefined || !isHalfMoved(stage, journal)) {
    removeStage(stage);
    if (journal?.state !== "moved") return [NOTHING_MOVED];
    return ["An earlier run was killed when all files were in place; the replaced ones that it had kept were removed."];
  }
  const { taken, kept } = undoMoves(stage, directory, journal);
  removeStage(stage);
  const count = `${taken} of ${journal.files.length} files`;
  return [`An earlier run was killed while moving files in; ${count} had been moved, and were taken back.`, ...kept];
}

/** Moves a run's files out again and the replaced ones back. What somebody has changed since is kept, and named. */
export function undoMoves(stage: string, directory: string, journal: Journal): { taken: number; kept: string[] } {
  const kept: string[] = [];
  let taken = 0;
  for (const [number, { path, checksum: expected, replaced }] of [...journal.files.entries()].reverse()) {
    const destination = join(directory, path);
    const before = join(stage, "old", String(number));
    const hasBefore = look(before) !== undefined;
    // A replaced file that isn't kept any more is back already, or was never moved: what lies there is the user's.
    if (hasBefore !== replaced) continue;
    if (!isBelowFolders(directory, path)) {
      if (hasBefore) kept.push(keepBeside(before, directory, base(path)));
      continue;
    }
    const there = look(destination);
    const staged = look(join(stage, "new", String(number)));
    const placed =
      there !== undefined && (staged === undefined || (staged.ino === there.ino && staged.dev === there.dev));
    if (placed && there.isFile() && checksum(readFileSync(destination)) === expected) {
      unlinkSync(destination);
      taken++;
    } else if (placed) {
      kept.push(`${quoted(path)} has been changed since, and was kept.`);
    }
    if (!hasBefore) continue;
    if (look(destination) === undefined) renameSync(before, destination);
    else kept.push(keepBeside(before, directory, path));
  }
  for (const folder of journal.folders.toReversed()) removeIfEmpty(join(directory, folder));
  return { taken, kept };
}

/** Both the replaced file and the one that somebody put in its place are theirs: neither is thrown away. */
function keepBeside(replaced: string, directory: string, path: string): string {
  let name = `${path}.before`;
  for (let count = 2; look(join(directory, name)); count++) name = `${path}.before-${count}`;
  renameSync(replaced, join(directory, name));
  return `The file that it had replaced is ${quoted(name)} now.`;
}

function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A run's last act. The note goes last of all, so that a run killed here leaves nothing that the next one can't read. */
export function removeStage(stage: string): void {
  for (const name of ["old", "new", "journal.next", ...readdirSync(stage)]) removeTree(join(stage, name));
  rmdirSync(stage);
}

/** Never follows a link. */
function removeTree(path: string): void {
  const stats = look(path);
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    unlinkSync(path);
    return;
  }
  for (const name of readdirSync(path)) removeTree(join(path, name));
  rmdirSync(path);
}

function isBelowFolders(directory: string, path: string): boolean {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    if (!look(join(directory, folder))?.isDirectory()) return false;
  }
  return true;
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isCode(error, "ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
  }
}

/** What a run makes, and nothing else. Without a readable note it has made nothing but the note; beside a target it moves nothing. */
function isOurs(stage: string, found: FoundJournal | undefined, directory: string): boolean {
  const { name, journal } = found ?? {};
  if (stage !== stageInside(directory) && (journal?.state ?? "staging") !== "staging") return false;
  return readdirSync(stage, { withFileTypes: true }).every((entry) => {
    if (entry.name === name) return true;
    const isFolder = (entry.name === "new" || entry.name === "old") && entry.isDirectory();
    return journal !== undefined && (isFolder || entry.name === "journal.next");
  });
}
