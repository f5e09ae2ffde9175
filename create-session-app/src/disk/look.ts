// Looks at a path without following a symbolic link at its end.
import type { Stats } from "node:fs";
import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { diskFailure, isCode } from "./system-error.ts";

/** undefined: nothing is there. */
export function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isCode(error, "ENOTDIR")) return undefined;
    throw diskFailure(error, path);
  }
}

/** Whether all folders between `directory` and the file at `path` in it are there, and none of them is a link. */
export function isBelowFolders(directory: string, path: string): boolean {
  return foldersOf(path).every((folder) => look(join(directory, folder))?.isDirectory());
}

/** The folders that a relative path names, innermost first. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) folders.push(folder);
  return folders;
}
