// Takes back what a run changed in a target: its own changes when it fails, an earlier run's that was killed.
// Change it only with the kill tests at hand (test/generator/kill*.test.ts).
import { readdirSync, readFileSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import type { FoundJournal, Journal } from "./journal.ts";
import { awaitJournal, findJournal, fingerprint, isAtWork, takeJournal } from "./journal.ts";
import { foldersOf, isBelowFolders, look } from "./look.ts";
import { removeIfEmpty, removeStage, stageBeside, stageInside } from "./stage.ts";
import { diskFailure } from "./system-error.ts";

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
      // The journal is the first thing that is written and the last that is removed.
      rmdirSync(stage);
      return ["An earlier run was killed before its first change or after its last; its empty stage was removed."];
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
    if (journal?.state === "moved") finishMoves(directory, journal);
    removeStage(stage);
    if (journal?.state !== "moved") return [NOTHING_MOVED];
    return ["An earlier run was killed when all files were in place; the replaced ones that it had kept were removed."];
  }
  const { taken, kept } = undoMoves(stage, directory, journal);
  removeStage(stage);
  const count = `${taken} of ${journal.files.length} files`;
  return [`An earlier run was killed while moving files in; ${count} had been moved, and were taken back.`, ...kept];
}

/** What is left to do when all files have moved: folders that only held removed files go too. */
export function finishMoves(directory: string, journal: Journal): void {
  for (const { path, after } of journal.files) {
    if (after !== null || !isBelowFolders(directory, path)) continue;
    for (const folder of foldersOf(path)) removeIfEmpty(join(directory, folder));
  }
}

/** Moves a run's files out again and the old ones back. What somebody has changed since is kept, and named. */
export function undoMoves(stage: string, directory: string, journal: Journal): { taken: number; kept: string[] } {
  const kept: string[] = [];
  let taken = 0;
  for (const [number, { path, before, after }] of [...journal.files.entries()].reverse()) {
    const destination = join(directory, path);
    const old = join(stage, "old", String(number));
    const hasOld = look(old) !== undefined;
    // An old file that isn't kept any more is back already, or was never moved: what lies there is the user's.
    if (hasOld !== before) continue;
    if (!isBelowFolders(directory, path)) {
      if (hasOld) kept.push(keepBeside(old, directory, base(path)));
      continue;
    }
    if (after !== null && isPlaced(destination, join(stage, "new", String(number)))) {
      if (isUnchanged(destination, after)) {
        unlinkSync(destination);
        taken++;
      } else kept.push(`${quoted(path)} has been changed since, and was kept.`);
    } else if (after === null) taken++;
    if (!hasOld) continue;
    if (look(destination) === undefined) renameSync(old, destination);
    else kept.push(keepBeside(old, directory, path));
  }
  for (const folder of journal.folders.toReversed()) removeIfEmpty(join(directory, folder));
  return { taken, kept };
}

/** Whether the staged file was moved to its destination: it is gone from the stage, or both are links to one file. */
function isPlaced(destination: string, stagedFile: string): boolean {
  const there = look(destination);
  const staged = look(stagedFile);
  return there !== undefined && (staged === undefined || (staged.ino === there.ino && staged.dev === there.dev));
}

function isUnchanged(file: string, expected: string): boolean {
  return look(file)?.isFile() === true && fingerprint(readFileSync(file)) === expected;
}

/** Both the old file and the one that somebody put in its place are the user's: neither is thrown away. */
function keepBeside(old: string, directory: string, path: string): string {
  let name = `${path}.before`;
  for (let count = 2; look(join(directory, name)); count++) name = `${path}.before-${count}`;
  renameSync(old, join(directory, name));
  return `The file that was there before is ${quoted(name)} now.`;
}

function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether a stage holds what a run makes, and nothing else. Without a readable journal that is only the journal; beside a target nothing moves. */
function isOurs(stage: string, found: FoundJournal | undefined, directory: string): boolean {
  const { name, journal } = found ?? {};
  if (stage !== stageInside(directory) && (journal?.state ?? "staging") !== "staging") return false;
  return readdirSync(stage, { withFileTypes: true }).every((entry) => {
    if (entry.name === name) return true;
    const isFolder = (entry.name === "new" || entry.name === "old") && entry.isDirectory();
    return journal !== undefined && (isFolder || entry.name === "journal.next");
  });
}
