// Looks at the place where a project is to go, and changes nothing: what is new, what would collide, what can't be written.
// Change it to allow or forbid something about the target.
import type { Stats } from "node:fs";
import { accessSync, constants, lstatSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "./failure.ts";
import type { Plan } from "./plan.ts";
import { quoted } from "./wording.ts";

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
  /** Paths of the plan that are files now, and will be replaced. */
  replaced: string[];
  /** Folders that the plan needs and that aren't there, outermost first. */
  missingFolders: string[];
}

export type Target = NewTarget | ExistingTarget;

export function inspectTarget(directory: string, plan: Plan, overwrite: boolean): Target {
  const stats = look(directory);
  if (stats === undefined) return newTarget(directory);
  const real = stats.isSymbolicLink() ? follow(directory) : directory;
  if (!isDirectory(real)) throw new Failure(1, "TARGET", `${quoted(directory)} is there, and is not a directory.`);
  mustBeWritable(real);
  return { kind: "existing", directory: real, ...compare(real, plan, overwrite) };
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

function compare(directory: string, plan: Plan, overwrite: boolean) {
  const missingFolders = new Set<string>();
  const blocked = new Set<string>();
  const taken: string[] = [];
  const impossible: string[] = [];
  for (const path of plan.keys()) {
    const obstacle = checkFolders(directory, path, missingFolders, blocked);
    if (obstacle !== undefined) {
      blocked.add(obstacle);
      impossible.push(path);
      continue;
    }
    const stats = look(join(directory, path));
    if (stats === undefined) continue;
    if (stats.isDirectory()) impossible.push(path);
    else taken.push(path);
  }
  if (impossible.length > 0 || (taken.length > 0 && !overwrite)) {
    throw collision(directory, [...taken, ...impossible].sort(), [...blocked].sort(), impossible.length > 0);
  }
  const empty = readdirSync(directory).every((name) => name === ".git" || plan.has(name));
  return { empty, replaced: taken, missingFolders: [...missingFolders].sort() };
}

/**
 * The part of a path's folders that is a file or a symbolic link. A link is never followed, wherever it leads:
 * what it leads to is not part of this directory.
 */
function checkFolders(directory: string, path: string, missing: Set<string>, blocked: Set<string>): string | undefined {
  for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end);
    if (missing.has(folder)) continue;
    if (blocked.has(folder)) return folder;
    const stats = look(join(directory, folder));
    if (stats === undefined) missing.add(folder);
    else if (!stats.isDirectory()) return folder;
  }
  return undefined;
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

/** undefined: there is nothing. A symbolic link is looked at, not through. */
export function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isCode(error, "ENOTDIR")) return undefined;
    throw diskFailure(error, path);
  }
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

const REASONS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  EIO: "the device reports an error",
};

/** What the system says about a path, as one line. */
export function diskFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new Failure(1, code || "DISK", `Can't write to ${quoted(path)}: ${reason}.`, {}, error);
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** A stage is kept beside the target under this name. Cut, since a name with something added may be too long. */
export function stageBeside(top: string): string {
  const name = basename(top);
  const short = name.length <= 40 ? name : `${name.slice(0, 30)}-${name.length}-${checksum(name)}`;
  return join(dirname(top), `.${short}.create-session-app`);
}

function checksum(text: string): string {
  let sum = 0;
  for (const letter of text) sum = (Math.imul(sum, 31) + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum.toString(36);
}

/** In an existing target the stage lies inside: the folder above may be another file system, or closed. */
export function stageInside(directory: string): string {
  return join(directory, ".create-session-app");
}
