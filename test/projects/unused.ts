// What nothing in a project uses: files that neither the app, its shell tool nor its tests reach, and exports that nobody imports.
// Change DOCUMENTED when README.md names an export for users to import.

import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { filesOf } from "./stranger.ts";

/** Exports for the user's own code to import, and where a project says so. */
const DOCUMENTED: Record<string, string> = {
  "src/session/origin.ts CrossOrigin": "what a refused request's error is an instance of",
  "src/session/request.ts NodeRequest": "README.md, WebSockets and streams",
  // Only MySQL and PostgreSQL need it, so that it belongs in their packs.
  "src/session/contract.ts joinData": "",
};

const ROOTS = /^(src\/main\.ts|src\/cli\/sessions\.ts|test\/.*\.(test|types)\.ts)$/;
const IMPORT = /\b(?:import|export)\s+(?:type\s+)?(\{[^}]*\}|\*\s+as\s+\w+)\s+from\s+"(\.[^"]+)"/g;
const DYNAMIC = /await import\("(\.[^"]+)"\)\)\.(\w+)/g;
const WORKER = /\bnew Worker\(new URL\("(\.[^"]+)"/g;
const BARE = /\bimport\s+"(\.[^"]+)"/g;
const EXPORT =
  /^export\s+(?:declare\s+)?(?:async\s+)?(function\*?|class|const|let|interface|type|abstract class)\s+(\w+)/gm;
const EXPORT_LIST = /^export\s+(type\s+)?\{([^}]*)\}\s*;/gm;

interface Module {
  /** Names that it imports, by the path of the file that they come from. */
  imports: Map<string, Set<string>>;
  exports: { name: string; isType: boolean }[];
  text: string;
}

function add(map: Map<string, Set<string>>, path: string, names: string[]): void {
  map.set(path, new Set([...(map.get(path) ?? []), ...names]));
}

/** `type A, b as c` names A and b. */
function names(list: string): string[] {
  return list
    .replace(/[{}]/g, "")
    .split(",")
    .map((part) => /^\s*(?:type\s+)?(\w+)/.exec(part)?.[1] ?? "")
    .filter(Boolean);
}

function parse(file: string, source: string): Module {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const imports = new Map<string, Set<string>>();
  const at = (specifier = "") => normalize(join(dirname(file), specifier));
  for (const [, what = "", specifier] of text.matchAll(IMPORT)) {
    const alias = /^\*\s+as\s+(\w+)/.exec(what)?.[1];
    const used =
      alias === undefined
        ? names(what)
        : [...text.matchAll(new RegExp(`\\b${alias}\\.(\\w+)`, "g"))].map(([, name = ""]) => name);
    add(imports, at(specifier), used);
  }
  for (const [, specifier, name = ""] of text.matchAll(DYNAMIC)) add(imports, at(specifier), [name]);
  for (const [, specifier] of text.matchAll(WORKER)) add(imports, at(specifier), []);
  for (const [, specifier] of text.matchAll(BARE)) add(imports, at(specifier), []);
  const exports = [...text.matchAll(EXPORT)].map(([, kind = "", name = ""]) => {
    return { name, isType: kind === "interface" || kind === "type" };
  });
  for (const [, type, list = ""] of text.matchAll(EXPORT_LIST)) {
    for (const name of names(list)) exports.push({ name, isType: type !== undefined });
  }
  return { imports, exports, text };
}

/** Every file and every export of the project that nothing uses, as "src/a.ts" and "src/a.ts name". */
export async function unused(project: string): Promise<string[]> {
  const modules = new Map<string, Module>();
  for (const file of await filesOf(project)) {
    if (/^(src|test)\/.*\.ts$/.test(file)) modules.set(file, parse(file, await readFile(join(project, file), "utf8")));
  }
  const reached = new Set<string>();
  const queue = [...modules.keys()].filter((file) => ROOTS.test(file));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    queue.push(...(modules.get(file)?.imports.keys() ?? []));
  }
  const imported = new Map<string, Set<string>>();
  for (const { imports } of modules.values()) for (const [path, used] of imports) add(imported, path, [...used]);
  const found: string[] = [];
  for (const [file, { exports, text }] of modules) {
    if (!reached.has(file)) found.push(file);
    if (ROOTS.test(file) && file.startsWith("test/")) continue;
    for (const { name, isType } of exports) {
      // A type may be exported for the signature in which it stands; and the runtime, which is the same in every project,
      // exports what some adapters and drivers need of it.
      const isShared = isType || file.startsWith("src/session/");
      const isUsedHere = isShared && (text.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0) > 1;
      if (imported.get(file)?.has(name) || isUsedHere || `${file} ${name}` in DOCUMENTED) continue;
      found.push(`${file} ${name}`);
    }
  }
  return found.sort();
}
