// The files of all packs, in the folders templates/ and runtime/: of the repository in a clone, of dist/ in the published package.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Paths have forward slashes and begin with "templates/" or "runtime/". */
export interface PackFiles {
  /** The names of the folders in a folder. */
  folders(folder: string): string[];
  /** The paths of all files below a folder, in the order of their names; none when it doesn't exist. */
  list(folder: string): string[];
  /** undefined: there is no such file. */
  read(path: string): Buffer | undefined;
}

export function filesBelow(root: string): PackFiles {
  const entries = (folder: string) => {
    try {
      return readdirSync(join(root, folder), { withFileTypes: true });
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  };
  const list = (folder: string): string[] =>
    entries(folder)
      .flatMap((entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return entry.name === "node_modules" ? [] : list(path);
        return entry.isFile() && entry.name !== ".DS_Store" ? [path] : [];
      })
      .sort();
  return {
    folders: (folder) =>
      entries(folder)
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort(),
    list,
    read(path) {
      try {
        return readFileSync(join(root, path));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
