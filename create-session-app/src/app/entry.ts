// Finds the files that an app consists of: where it starts by its package.json, and what that leads to.
// Change it when apps are started in another way.
import { posix } from "node:path";
import type { ReadText } from "./modules.ts";
import { importsOf, resolveFile } from "./modules.ts";
import type { Parse, SyntaxNode } from "./syntax.ts";

export interface SourceFile {
  path: string;
  text: string;
  program: SyntaxNode;
}

/** Enough for any app to be found in; a bound for folders of generated code. */
const MOST_FILES = 300;

const USUAL = ["app", "index", "server", "main", "src/index", "src/app", "src/server", "src/main"];

/** Words of a script before the file that is run. */
const RUNNERS =
  /^(node|nodemon|tsx|ts-node|ts-node-dev|tsnd|bun|deno|fastify|watch|start|run|cross-env|env|npx|pnpm|exec|nodejs)$/;

export interface StartingPoint {
  path: string;
  /** Whether fastify-cli starts it, which takes a plugin. */
  plugin: boolean;
}

/** The files that `start`, `dev`, `main` and custom name, the most certain first. */
export function startingPoints(manifest: Record<string, unknown>, read: ReadText, outDir = "dist"): StartingPoint[] {
  const scripts = (typeof manifest.scripts === "object" && manifest.scripts !== null ? manifest.scripts : {}) as Record<
    string,
    unknown
  >;
  const found: StartingPoint[] = [];
  const add = (path: string, plugin: boolean) => {
    const compiled = posix.relative(posix.normalize(outDir), posix.normalize(path));
    const sources = compiled.startsWith("..") ? [path] : [`src/${compiled}`, compiled, path];
    const file = sources.map((source) => resolveFile(source, read)).find((source) => source !== undefined);
    if (file !== undefined && !found.some((point) => point.path === file)) found.push({ path: file, plugin });
  };
  for (const name of ["start", "dev", "serve", "develop"]) {
    for (const command of String(scripts[name] ?? "").split(/&&|;|\|\|/)) {
      const words = command.trim().split(/\s+/);
      const plugin = words.includes("fastify");
      if (!words.some((word) => RUNNERS.test(word))) continue;
      for (const word of words)
        if (/^[\w./@-]+$/.test(word) && !word.startsWith("-") && !RUNNERS.test(word)) add(word, plugin);
    }
  }
  if (typeof manifest.main === "string") add(manifest.main, false);
  for (const path of USUAL) add(path, false);
  return found;
}

/** The files that a starting point leads to by relative imports, nearest first. Files that can't be parsed are left out. */
export function reachedFiles(start: string, read: ReadText, parse: Parse): SourceFile[] {
  const files: SourceFile[] = [];
  const known = new Set([start]);
  const queue = [start];
  for (let path = queue.shift(); path !== undefined && files.length < MOST_FILES; path = queue.shift()) {
    const file = parsedFile(path, read, parse);
    if (file === undefined) continue;
    files.push(file);
    for (const specifier of importsOf(file.program)) {
      if (!/^\.\.?(\/|$)/.test(specifier)) continue;
      const target = resolveFile(posix.join(posix.dirname(path), specifier), read);
      if (target === undefined || known.has(target)) continue;
      known.add(target);
      queue.push(target);
    }
  }
  return files;
}

export function parsedFile(path: string, read: ReadText, parse: Parse): SourceFile | undefined {
  const text = read(path);
  if (text === undefined || path.endsWith(".json")) return undefined;
  try {
    return { path, text, program: parse(text, path) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
