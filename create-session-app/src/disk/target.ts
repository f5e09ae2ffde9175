// Looks at the directory that is to be changed, and changes nothing: what is new, what is in the way, what can't be written.
// Change it to allow or forbid something about the target.
import { accessSync, constants, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import type { Changes } from "./changes.ts";
import { foldersOf, look } from "./look.ts";
import { diskFailure } from "./system-error.ts";

/** The directory isn't there: the whole tree appears by one rename of `top`, the first missing folder on the way. */
export interface NewTarget {
  kind: "new";
  top: string;
  /** From `top` to the project, when folders above it are missing too: "b/c". */
  inner: string;
}

/** The directory is there: files move into it one by one. */
export interface ExistingTarget {
  kind: "existing";
  directory: string;
  /** Nothing but our files will be in it. */
  empty: boolean;
  /** Files that are there now, and will be replaced. */
  replaced: string[];
  /** Files that are there now, and will be removed. */
  removed: string[];
  /** Folders that the new files need and that aren't there, outermost first. */
  missingFolders: string[];
}

export type Target = NewTarget | ExistingTarget;

/** @param overwrite whether files that are there may be replaced */
export function inspectTarget(directory: string, changes: Changes, overwrite: boolean): Target {
  const stats = look(directory);
  if (stats === undefined) return newTarget(directory);
  const real = stats.isSymbolicLink() ? follow(directory) : directory;
  if (!isDirectory(real)) throw new Failure(1, "TARGET", `${quoted(directory)} is there, and is not a directory.`);
  mustBeWritable(real);
  return { kind: "existing", directory: real, ...compare(real, changes, overwrite) };
}

function newTarget(directory: string): NewTarget {
  let top = directory;
  let parent = dirname(top);
  for (; look(parent) === undefined; parent = dirname(top)) top = parent;
  if (!isDirectory(parent))
    throw new Failure(1, "TARGET", `${quoted(parent)} is not a directory, so nothing can be made in it.`);
  mustBeWritable(parent);
  return { kind: "new", top, inner: directory.slice(top.length + 1) };
}

function compare(directory: string, changes: Changes, overwrite: boolean) {
  const missingFolders = new Set<string>();
  const blocked = new Set<string>();
  const replaced: string[] = [];
  const removed: string[] = [];
  const impossible: string[] = [];
  for (const [path, change] of changes) {
    const { obstacle, missing } = checkFolders(directory, path);
    if (obstacle !== undefined) {
      blocked.add(obstacle);
      impossible.push(path);
      continue;
    }
    if (change !== "remove") for (const folder of missing) missingFolders.add(folder);
    const stats = look(join(directory, path));
    if (stats === undefined) continue;
    if (stats.isDirectory()) impossible.push(path);
    else (change === "remove" ? removed : replaced).push(path);
  }
  if (impossible.length > 0 || (replaced.length > 0 && !overwrite)) {
    throw collision(directory, [...replaced, ...impossible].sort(), [...blocked].sort(), impossible.length > 0);
  }
  const empty = readdirSync(directory).every((name) => name === ".git" || changes.has(name));
  return { empty, replaced, removed, missingFolders: [...missingFolders].sort() };
}

/**
 * The folders of a path that aren't there, and the one that is a file or a symbolic link. A link is never followed, wherever it leads:
 * its destination is not part of this directory.
 */
function checkFolders(directory: string, path: string): { missing: string[]; obstacle: string | undefined } {
  const missing: string[] = [];
  for (const folder of foldersOf(path).reverse()) {
    const stats = look(join(directory, folder));
    if (stats === undefined) missing.push(folder);
    else if (!stats.isDirectory()) return { missing, obstacle: folder };
  }
  return { missing, obstacle: undefined };
}

function collision(directory: string, paths: string[], blocked: string[], evenWithOverwrite: boolean): Failure {
  const count = paths.length === 1 ? "1 path is" : `${paths.length} paths are`;
  const why = blocked.map((folder) => `\n${quoted(folder)} is not a folder, and a link is not followed.`).join("");
  const remedy = evenWithOverwrite
    ? "Choose another directory, or move these away."
    : "Choose another directory, or replace these with --overwrite.";
  const listed = paths.map((path) => `\n  ${path}`).join("");
  return new Failure(1, "COLLISION", `${count} in the way in ${quoted(directory)}:${listed}${why}\n${remedy}`, {
    paths,
  });
}

function follow(link: string): string {
  try {
    return realpathSync(link);
  } catch (cause) {
    throw new Failure(1, "TARGET", `${quoted(link)} is a symbolic link that leads nowhere.`, {}, cause);
  }
}

function isDirectory(path: string): boolean {
  const stats = look(path);
  if (stats?.isSymbolicLink()) return look(follow(path))?.isDirectory() ?? false;
  return stats?.isDirectory() ?? false;
}

function mustBeWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw diskFailure(error, directory);
  }
}
