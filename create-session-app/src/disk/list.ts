// Lists the source files of an app. It follows no symbolic link.
// Change it when source files have other names.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { diskFailure } from "./system-error.ts";

const SOURCE = /\.[cm]?[jt]sx?$/;
const NOT_OURS = /^(node_modules|\..*|dist|build|coverage|public)$/;

/** Paths below the directory, with forward slashes, sorted; without what is installed, compiled or served. */
export function sourceFilesBelow(directory: string, folder = ""): string[] {
  try {
    return readdirSync(join(directory, folder), { withFileTypes: true })
      .flatMap((entry) => {
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) return NOT_OURS.test(entry.name) ? [] : sourceFilesBelow(directory, path);
        return entry.isFile() && SOURCE.test(entry.name) && !entry.name.endsWith(".d.ts") ? [path] : [];
      })
      .sort();
  } catch (error) {
    throw diskFailure(error, join(directory, folder));
  }
}
