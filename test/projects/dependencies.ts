// Which packages a project's code imports, to be held against what its package.json declares.
// Change it when code names a package in another way than by an import.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOf } from "./stranger.ts";

/** From the beginning of a statement, or of a dynamic import, to the package: a text that reads `from "…"` is none. */
const SPECIFIER = /(?:^(?:import|export)\b(?:[^"';]*\bfrom)?\s*|\bimport\(\s*)"([^".][^"]*)"/gm;

export interface Imports {
  /** By what runs in production. */
  src: Set<string>;
  /** By what runs on the developer's machine only. */
  test: Set<string>;
}

export async function imports(project: string): Promise<Imports> {
  const found: Imports = { src: new Set(), test: new Set() };
  for (const file of await filesOf(project)) {
    if (!file.endsWith(".ts")) continue;
    const set = file.startsWith("src") ? found.src : found.test;
    const text = await readFile(join(project, file), "utf8");
    for (const [, specifier = ""] of text.matchAll(SPECIFIER)) {
      if (!specifier.startsWith("node:")) set.add(packageName(specifier));
    }
  }
  return found;
}

/** "@scope/name/part" is of "@scope/name". */
function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** What the project's dependencies ask it to install beside them. */
export async function peers(project: string, names: string[]): Promise<string[]> {
  const manifests = names.map(async (name) => {
    const text = await readFile(join(project, "node_modules", name, "package.json"), "utf8");
    const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(text);
    return Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional);
  });
  return (await Promise.all(manifests)).flat();
}

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts: Record<string, string>;
}

/** Whether something in the project needs this development dependency. */
export function isUsed(name: string, manifest: Manifest, { src, test }: Imports): boolean {
  if (src.has(name) || test.has(name)) return true;
  if (name === "typescript") return Object.values(manifest.scripts).some((script) => /\btsc\b/.test(script));
  // The Node that the scripts run on, where the machine's own is too old.
  if (name === "node" || name === "@types/node") return true;
  const typed = name.replace(/^@types\//, "").replace(/^(.+)__/, "@$1/");
  return typed !== name && (src.has(typed) || test.has(typed));
}
