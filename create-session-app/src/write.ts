// Puts a planned project on the disk: staged first, then moved in; all of it or nothing. With recover.ts the only code that writes to a target.
// Change it only with the kill tests at hand (test/generator/kill.test.ts).
import { linkSync, lstatSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "./failure.ts";
import type { Journal } from "./journal.ts";
import { beginJournal, endJournal, replaceJournal } from "./journal.ts";
import type { Plan } from "./plan.ts";
import { removeStage, undoMoves } from "./recover.ts";
import type { ExistingTarget, NewTarget, Target } from "./target.ts";
import { diskFailure, isCode, stageBeside, stageInside } from "./target.ts";
import { quoted } from "./wording.ts";

/** Aborted by `signal` at any point, it leaves what was there before. */
export async function writeProject(plan: Plan, target: Target, signal: AbortSignal): Promise<void> {
  const checkpoint = async () => {
    // Signals are delivered between two turns of the event loop, never within one.
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  };
  await checkpoint();
  if (target.kind === "new") await writeNew(plan, target, checkpoint);
  else await moveInto(plan, target, checkpoint);
}

type Checkpoint = () => Promise<void>;

async function writeNew(plan: Plan, target: NewTarget, checkpoint: Checkpoint): Promise<void> {
  const stage = stageBeside(target.top);
  makeStage(stage, target.top);
  let note: string;
  try {
    note = beginJournal(stage, { state: "staging", files: [], folders: [] });
    const root = join(stage, "new");
    const project = join(root, target.inner);
    mkdirSync(project, { recursive: true });
    const made = new Set<string>(["."]);
    for (const [path, { content, mode }] of plan) {
      const folder = dirname(path);
      if (!made.has(folder)) mkdirSync(join(project, folder), { recursive: true });
      made.add(folder);
      writeStaged(`${project}/${path}`, content, mode);
    }
    await checkpoint();
    appear(root, target.top);
  } catch (error) {
    removeStage(stage);
    throw diskFailure(error, target.top);
  }
  endJournal(stage, note);
}

/** One rename makes the whole tree appear. It fails where something has appeared in the meantime, but for an empty directory. */
function appear(tree: string, top: string): void {
  try {
    renameSync(tree, top);
  } catch (error) {
    if (!isCode(error, "ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR", "EPERM") || !exists(top)) throw error;
    throw new Failure(
      1,
      "COLLISION",
      `${quoted(top)} has appeared in the meantime, so nothing was written.`,
      { paths: [top] },
      error,
    );
  }
}

async function moveInto(plan: Plan, target: ExistingTarget, checkpoint: Checkpoint): Promise<void> {
  const stage = stageInside(target.directory);
  makeStage(stage, target.directory);
  const taken = new Set(target.replaced);
  const files = [...plan].map(([path, { checksum }]) => ({ path, checksum, replaced: taken.has(path) }));
  const journal: Journal = { state: "staging", files, folders: target.missingFolders };
  try {
    const note = beginJournal(stage, journal);
    mkdirSync(join(stage, "new"));
    mkdirSync(join(stage, "old"));
    let number = 0;
    for (const { content, mode } of plan.values()) writeStaged(join(stage, "new", String(number++)), content, mode);
    await checkpoint();
    journal.state = "moving";
    replaceJournal(stage, note, journal, true);
    await moveAll(stage, journal, target, checkpoint);
    journal.state = "moved";
    replaceJournal(stage, note, journal, false);
  } catch (error) {
    if (journal.state !== "staging") undoMoves(stage, target.directory, journal);
    removeStage(stage);
    throw diskFailure(error, target.directory);
  }
  removeStage(stage);
}

async function moveAll(stage: string, journal: Journal, target: ExistingTarget, checkpoint: Checkpoint): Promise<void> {
  for (const folder of journal.folders) {
    await checkpoint();
    makeFolder(join(target.directory, folder));
  }
  for (const [number, { path, replaced }] of journal.files.entries()) {
    await checkpoint();
    const destination = join(target.directory, path);
    mustBeFolders(target.directory, path);
    if (replaced) renameSync(destination, join(stage, "old", String(number)));
    moveIfFree(join(stage, "new", String(number)), destination, path);
  }
}

/** A link is made only where nothing is; a rename would silently replace a file that has appeared in the meantime. */
function moveIfFree(from: string, to: string, path: string): void {
  try {
    linkSync(from, to);
    unlinkSync(from);
  } catch (error) {
    if (isCode(error, "EEXIST") || (!isCode(error, "ENOENT", "ENOSPC", "EDQUOT") && exists(to))) {
      throw new Failure(1, "COLLISION", `${quoted(path)} has appeared in the meantime; nothing was changed.`, {
        paths: [path],
      });
    }
    // Some file systems (exFAT, some network mounts) have no hard links.
    if (!isCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL")) throw error;
    renameSync(from, to);
  }
}

/** Looked at again right before each move: a folder may have been swapped for a link that leads out of the target. */
function mustBeFolders(directory: string, path: string): void {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    if (lstatSync(join(directory, folder)).isDirectory()) continue;
    throw new Failure(1, "COLLISION", `${quoted(folder)} is no longer a folder; nothing was changed.`, {
      paths: [path],
    });
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
}

/** Its existence is the lock: two runs for one target can't both make it. */
function makeStage(stage: string, target: string): void {
  try {
    mkdirSync(stage);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw diskFailure(error, target);
    throw new Failure(1, "BUSY", `Another run is writing to ${quoted(target)}.`, {}, error);
  }
}

function writeStaged(file: string, content: Uint8Array, mode: number): void {
  writeFileSync(file, content, { mode, flag: "wx" });
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
