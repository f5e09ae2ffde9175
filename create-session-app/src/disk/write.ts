// Makes a set of changes to a directory: staged first, then moved in; all of them or none. With recover.ts the only code that writes to a target.
// Change it only with the kill tests at hand (test/generator/kill*.test.ts).
import { linkSync, lstatSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import type { Changes } from "./changes.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { beginJournal, endJournal, fingerprint, replaceJournal } from "./journal.ts";
import { foldersOf, look } from "./look.ts";
import { finishMoves, undoMoves } from "./recover.ts";
import { makeStage, removeStage, stageBeside, stageInside, writeStaged } from "./stage.ts";
import { diskFailure, isCode } from "./system-error.ts";
import type { ExistingTarget, NewTarget, Target } from "./target.ts";

/**
 * Aborted by `signal` at any point, it leaves what was there before.
 * @param target what inspectTarget found for the same changes
 */
export async function writeChanges(changes: Changes, target: Target, signal: AbortSignal): Promise<void> {
  const checkpoint = async () => {
    // Signals are delivered between two turns of the event loop, never within one.
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  };
  await checkpoint();
  if (target.kind === "new") await writeNew(changes, target, checkpoint);
  else await moveInto(changes, target, checkpoint);
}

type Checkpoint = () => Promise<void>;

async function writeNew(changes: Changes, target: NewTarget, checkpoint: Checkpoint): Promise<void> {
  const stage = stageBeside(target.top);
  makeStage(stage, target.top);
  let note: string;
  try {
    note = beginJournal(stage, { state: "staging", files: [], folders: [] });
    const root = join(stage, "new");
    const project = join(root, target.inner);
    mkdirSync(project, { recursive: true });
    const made = new Set<string>(["."]);
    for (const [path, change] of changes) {
      if (change === "remove") continue;
      const folder = dirname(path);
      if (!made.has(folder)) mkdirSync(join(project, folder), { recursive: true });
      made.add(folder);
      writeStaged(`${project}/${path}`, change);
    }
    await checkpoint();
    appear(root, target.top);
  } catch (error) {
    removeStage(stage);
    throw diskFailure(error, target.top);
  }
  endJournal(stage, note);
}

/** One rename makes the whole tree appear. It fails where something has appeared in the meantime, except for an empty directory. */
function appear(tree: string, top: string): void {
  try {
    renameSync(tree, top);
  } catch (error) {
    if (!isCode(error, "ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR", "EPERM") || look(top) === undefined) throw error;
    throw new Failure(
      1,
      "COLLISION",
      `${quoted(top)} has appeared in the meantime, so nothing was written.`,
      { paths: [top] },
      error,
    );
  }
}

async function moveInto(changes: Changes, target: ExistingTarget, checkpoint: Checkpoint): Promise<void> {
  const stage = stageInside(target.directory);
  makeStage(stage, target.directory);
  const files = journalEntries(changes, target);
  const journal: Journal = { state: "staging", files, folders: target.missingFolders };
  try {
    const note = beginJournal(stage, journal);
    mkdirSync(join(stage, "new"));
    mkdirSync(join(stage, "old"));
    for (const [number, { path }] of files.entries()) {
      const change = changes.get(path);
      if (change !== undefined && change !== "remove") writeStaged(join(stage, "new", String(number)), change);
    }
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
  finishMoves(target.directory, journal);
  removeStage(stage);
}

function journalEntries(changes: Changes, { replaced, removed }: ExistingTarget): JournalEntry[] {
  const there = new Set([...replaced, ...removed]);
  return [...changes]
    .filter(([path, change]) => change !== "remove" || there.has(path))
    .map(([path, change]) => ({
      path,
      before: there.has(path),
      after: change === "remove" ? null : fingerprint(change.content),
    }));
}

async function moveAll(stage: string, journal: Journal, target: ExistingTarget, checkpoint: Checkpoint): Promise<void> {
  for (const folder of journal.folders) {
    await checkpoint();
    makeFolder(join(target.directory, folder));
  }
  for (const [number, { path, before, after }] of journal.files.entries()) {
    await checkpoint();
    const destination = join(target.directory, path);
    mustBeBelowFolders(target.directory, path);
    if (before) renameSync(destination, join(stage, "old", String(number)));
    if (after !== null) moveIfFree(join(stage, "new", String(number)), destination, path);
  }
}

/** A link is made only where nothing is; a rename would silently replace a file that has appeared in the meantime. */
function moveIfFree(from: string, to: string, path: string): void {
  try {
    linkSync(from, to);
    unlinkSync(from);
  } catch (error) {
    if (isCode(error, "EEXIST") || (!isCode(error, "ENOENT", "ENOSPC", "EDQUOT") && look(to) !== undefined)) {
      throw new Failure(1, "COLLISION", `${quoted(path)} has appeared in the meantime; nothing was changed.`, {
        paths: [path],
      });
    }
    // Some file systems (exFAT, some network mounts) have no hard links.
    if (!isCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL")) throw error;
    renameSync(from, to);
  }
}

/** Checked again right before each move: a folder may have been swapped for a link that leads out of the target. */
function mustBeBelowFolders(directory: string, path: string): void {
  const link = foldersOf(path).find((folder) => !lstatSync(join(directory, folder)).isDirectory());
  if (link === undefined) return;
  throw new Failure(1, "COLLISION", `${quoted(link)} is no longer a folder; nothing was changed.`, { paths: [path] });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
}
