// Lets tests import files of the runtime and the packs where they are, as if they were already one project.
// Change it when a new kind of root joins runtime, templates/base, templates/backends and templates/frameworks.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Plugin } from "vitest/config";

/** A folder whose content ends up at a project's root. */
interface Root {
  kind: "runtime" | "base" | "backend" | "framework";
  folder: string;
}

const repository = join(import.meta.dirname, "..");

function packs(kind: "backends" | "frameworks"): string[] {
  return readdirSync(join(repository, "templates", kind)).sort();
}

const SHARED: Root[] = [
  { kind: "runtime", folder: join(repository, "runtime") },
  { kind: "base", folder: join(repository, "templates", "base", "files") },
  { kind: "base", folder: join(repository, "templates", "base", "move") },
];
const BACKENDS: Root[] = packs("backends").map((id) => ({ kind: "backend", folder: filesOf("backends", id) }));
const FRAMEWORKS: Root[] = packs("frameworks").map((id) => ({ kind: "framework", folder: filesOf("frameworks", id) }));

function filesOf(kind: "backends" | "frameworks", id: string): string {
  return join(repository, "templates", kind, id, "files");
}

function within(file: string, folder: string): boolean {
  return file.startsWith(folder + sep);
}

/**
 * Where a project would find `source`, as imported by `importer`; undefined where the overlay isn't needed.
 * A pack sees its own files, the runtime and the base. A file that only other packs supply (a framework's
 * `./store/driver.ts`) isn't the same in every project, so the import is refused rather than guessed.
 */
export function resolveInOverlay(source: string, importer: string): string | undefined {
  if (!source.startsWith("./") && !source.startsWith("../")) return undefined;
  const own = [...SHARED, ...BACKENDS, ...FRAMEWORKS].find((root) => within(importer, root.folder));
  if (!own) return undefined;
  const target = join(dirname(importer), source);
  if (existsSync(target) || !within(target, own.folder)) return undefined;
  const path = relative(own.folder, target);
  const found = SHARED.map((root) => join(root.folder, path)).find((file) => existsSync(file));
  if (found) return found;
  const suppliers = [...BACKENDS, ...FRAMEWORKS].filter((root) => existsSync(join(root.folder, path)));
  if (suppliers.length === 0) return undefined;
  throw new Error(
    `${relative(repository, importer)} imports ${source}, which differs from project to project ` +
      `(${suppliers.map((root) => relative(repository, root.folder)).join(", ")}). Generate a project and test it there.`,
  );
}

export function overlay(): Plugin {
  return {
    name: "session-app-overlay",
    enforce: "pre",
    resolveId(source, importer) {
      return importer ? resolveInOverlay(source, importer.split("?")[0] ?? importer) : undefined;
    },
  };
}
