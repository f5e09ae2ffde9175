// Which packs there are, found by reading the folders, and which of them make a whole project.
// Change it when a pack has to have other files.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const repository = join(import.meta.dirname, "..");

export interface Pair {
  framework: string;
  backend: string;
}

/** The file that a folder must have to count as a pack. */
const ESSENTIAL = { frameworks: "files/src/main.ts", backends: "files/src/store/driver.ts" };

export function packs(kind: keyof typeof ESSENTIAL): string[] {
  const folder = join(repository, "templates", kind);
  return readdirSync(folder)
    .filter((id) => existsSync(join(folder, id, ESSENTIAL[kind])))
    .sort();
}

/** The folders whose content ends up at the root of a project, the most general one first. */
export function roots({ framework, backend }: Pair): string[] {
  return [
    "runtime",
    "templates/base/files",
    `templates/backends/${backend}/files`,
    `templates/frameworks/${framework}/files`,
  ];
}

/** Every framework with every backend. */
export function pairs(): Pair[] {
  return packs("frameworks").flatMap((framework) => packs("backends").map((backend) => ({ framework, backend })));
}
