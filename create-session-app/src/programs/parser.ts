// Gets @babel/parser: the app's own, ours in a clone, else from the registry for this one run (docs/decisions says why it isn't bundled).
// Change it when another parser is used.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { withNpm } from "./registry.ts";

const PARSER = "@babel/parser";

/** The loaded module; or, in the words of the program that failed, why there is none. */
export type LoadedParser = { parser: unknown } | { problem: string };

/**
 * Rejects only when it is cancelled.
 * @param folders where it may be installed, or in a folder above
 * @param version what is fetched where it isn't
 */
export async function loadParser(
  folders: readonly string[],
  version: string,
  signal: AbortSignal,
): Promise<LoadedParser> {
  for (const folder of folders) {
    const parser = load(folder);
    if (parser !== undefined) return { parser };
  }
  return withNpm<LoadedParser>(
    (folder) => {
      // Without it npm would take a folder further up for the one to install into.
      writeFileSync(join(folder, "package.json"), "{}");
      return ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", `${PARSER}@${version}`];
    },
    (folder, { ok, output }) => {
      const parser = ok ? load(folder) : undefined;
      return parser === undefined ? { problem: output } : { parser };
    },
    signal,
  );
}

/** Undefined where there is none, or one that this Node can't load. */
function load(folder: string): unknown {
  try {
    const parser: unknown = createRequire(join(folder, "package.json"))(PARSER);
    return typeof (parser as { parse?: unknown }).parse === "function" ? parser : undefined;
  } catch {
    return undefined;
  }
}
