// Reads the files of a project that a command compares or merges. It follows no symbolic link.
// Change it when other kinds of files should be read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isBelowFolders, look } from "./look.ts";
import { diskFailure } from "./system-error.ts";

export interface ReadFiles {
  files: Map<string, Uint8Array>;
  /** The files' permissions: 0o644, 0o755. */
  modes: Map<string, number>;
  /** Paths where something other than a file is, or that lie behind a symbolic link. */
  others: string[];
}

/** @param paths below the directory, with forward slashes; what isn't there is left out */
export function readFiles(directory: string, paths: Iterable<string>): ReadFiles {
  const found: ReadFiles = { files: new Map(), modes: new Map(), others: [] };
  for (const path of paths) {
    const file = join(directory, path);
    const stats = look(file);
    if (stats === undefined) continue;
    if (!stats.isFile() || !isBelowFolders(directory, path)) {
      found.others.push(path);
      continue;
    }
    try {
      found.files.set(path, readFileSync(file));
    } catch (error) {
      throw diskFailure(error, file);
    }
    found.modes.set(path, stats.mode & 0o777);
  }
  return found;
}
