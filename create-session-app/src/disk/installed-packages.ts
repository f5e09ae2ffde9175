// Finds which versions of packages are installed for a project, in its node_modules and in those of the folders above it.
// Change it when a package manager puts packages elsewhere.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

export interface InstalledCopy {
  version: string;
  /** The folder of the package. */
  path: string;
}

/** The folders named node_modules that Node looks into, the nearest first. Empty: nothing is installed, or not in such folders. */
export function moduleFolders(directory: string): string[] {
  const folders: string[] = [];
  for (let folder = directory; ; folder = dirname(folder)) {
    folders.push(join(folder, "node_modules"));
    if (folder === dirname(folder)) return folders.filter((path) => existsSync(path));
  }
}

/** The copy that the project's own code gets. */
export function installedCopy(folders: readonly string[], name: string): InstalledCopy | undefined {
  for (const folder of folders) {
    const copy = copyAt(join(folder, name));
    if (copy) return copy;
  }
  return undefined;
}

/** All copies: the project's own, those that its packages have for themselves, and those in pnpm's store. */
export function installedCopies(folders: readonly string[], name: string): InstalledCopy[] {
  const places = folders.flatMap((folder) => [
    join(folder, name),
    ...packageFolders(folder).map((path) => join(path, "node_modules", name)),
    ...entries(join(folder, ".pnpm"))
      .filter((entry) => entry.startsWith(`${name.replace("/", "+")}@`))
      .map((entry) => join(folder, ".pnpm", entry, "node_modules", name)),
  ]);
  const copies = places.map(copyAt).filter((copy) => copy !== undefined);
  return [...new Map(copies.map((copy) => [copy.path, copy])).values()];
}

function packageFolders(folder: string): string[] {
  return entries(folder).flatMap((name) =>
    name.startsWith("@") ? entries(join(folder, name)).map((part) => join(folder, name, part)) : [join(folder, name)],
  );
}

function copyAt(folder: string): InstalledCopy | undefined {
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return undefined;
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  return { version: String(version), path: realpathSync(folder) };
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
