// Takes back what a run moved into a target: its own when it fails, an earlier one's that was killed.
// Change it only with the kill tests at hand (test/generator/kill.test.ts).
import { readdirSync, readFileSync, renameSync, rmdirSync, rmSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { checksum } from "./checksum.ts";
import { Failure } from "./failure.ts";
import type { Journal } from "./journal.ts";
import { awaitJournal, isAtWork, readJournal, replaceJournal } from "./journal.ts";
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
  return readJournal(stageInside(directory))?.state === "moving";
}

function recoverStage(stage: string, directory: string, mustBeFree: boolean): string[] {
  const stats = look(stage);
  if (stats === undefined) return [];
  const journal = awaitJournal(stage);
  if (!stats.isDirectory() || (journal === undefined && !isOurs(stage))) {
    throw new Failure(1, "STAGE", `${quoted(stage)} is in the way, and isn't something that create-session-app made.`);
  }
  if (journal !== undefined && isAtWork(stage, journal)) {
    if (!mustBeFree) return [];
    throw new Failure(1, "BUSY", `Another run is writing to ${quoted(directory)}. Wait for it, then try again.`);
  }
  try {
    if (journal === undefined || journal.state === "staging") {
      removeStage(stage);
      return ["An earlier run was killed before it had moved anything; what it had prepared was removed."];
    }
    if (journal.state === "moved") {
      removeStage(stage);
      return [
        "An earlier run was killed when all files were in place; the replaced ones that it had kept were removed.",
      ];
    }
    replaceJournal(stage, { ...journal, process: process.pid }, true);
    const { taken, kept } = undoMoves(stage, directory, journal);
    removeStage(stage);
    const count = `${taken} of ${journal.files.length} files`;
    return [`An earlier run was killed while moving files in; ${count} had been moved, and were taken back.`, ...kept];
  } catch (error) {
    throw diskFailure(error, stage);
  }
}

/** Moves a run's files out again and the replaced ones back. What somebody has changed since is kept, and named. */
export function undoMoves(stage: string, directory: string, journal: Journal): { taken: number; kept: string[] } {
  const kept: string[] = [];
  let taken = 0;
  for (const [number, { path, checksum: expected }] of [...journal.files.entries()].reverse()) {
    const destination = join(directory, path);
    if (!isBelowFolders(directory, path)) continue;
    const there = look(destination);
    const staged = look(join(stage, "new", String(number)));
    const placed =
      there !== undefined && (staged === undefined || (staged.ino === there.ino && staged.dev === there.dev));
    const replaced = join(stage, "old", String(number));
    const hadBefore = look(replaced) !== undefined;
    if (placed && there.isFile() && checksum(readFileSync(destination)) === expected) {
      unlinkSync(destination);
      taken++;
    } else if (placed) {
      kept.push(`${quoted(path)} has been changed since, and was kept.`);
    }
    if (!hadBefore) continue;
    if (look(destination) === undefined) renameSync(replaced, destination);
    else kept.push(keepBeside(replaced, destination, path));
  }
  for (const folder of journal.folders.toReversed()) removeIfEmpty(join(directory, folder));
  return { taken, kept };
}

/** Both the replaced file and the one that somebody put in its place are theirs: neither is thrown away. */
function keepBeside(replaced: string, destination: string, path: string): string {
  let name = `${path}.before`;
  for (let count = 2; look(join(dirname(destination), base(name))); count++) {
    name = `${path}.before-${count}`;
  }
  renameSync(replaced, join(dirname(destination), base(name)));
  return `The file that it had replaced is ${quoted(name)} now.`;
}

function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Removing the stage is a run's last act, and never follows a link out of it. */
export function removeStage(stage: string): void {
  rmSync(stage, { recursive: true, force: true });
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

/** A stage without a readable note is ours when it holds what a run makes first, and nothing that was ever moved. */
function isOurs(stage: string): boolean {
  return readdirSync(stage).every((name) => name === "journal.next" || name === "journal.json" || name === "new");
}
