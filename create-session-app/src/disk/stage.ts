// The folder in which a run prepares its changes, so that they can then be moved in one by one, or all at once.
// Change it together with journal.ts and recover.ts: they must agree on what a stage looks like.
import { mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import type { NewFile } from "./changes.ts";
import { fingerprint } from "./journal.ts";
import { look } from "./look.ts";
import { diskFailure, isCode } from "./system-error.ts";

/** The stage for a new directory lies beside it. The name is cut, since a long one with something added may be too long. */
export function stageBeside(top: string): string {
  const name = basename(top);
  const short =
    name.length <= 40 ? name : `${name.slice(0, 30)}-${name.length}-${fingerprint(Buffer.from(name)).slice(0, 8)}`;
  return join(dirname(top), `.${short}.create-session-app`);
}

/** The stage for an existing directory lies inside: the folder above may be another file system, or not writable. */
export function stageInside(directory: string): string {
  return join(directory, ".create-session-app");
}

/** The existence of the stage is the lock: two runs for one target can't both make it. */
export function makeStage(stage: string, target: string): void {
  try {
    mkdirSync(stage);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw diskFailure(error, target);
    throw new Failure(1, "BUSY", `Another run is writing to ${quoted(target)}.`, {}, error);
  }
}

export function writeStaged(file: string, { content, mode }: NewFile): void {
  writeFileSync(file, content, { mode, flag: "wx" });
}

/** The last act of a run. The journal goes last of all, so that a run killed here leaves nothing that the next one can't read. */
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

export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isCode(error, "ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
  }
}
