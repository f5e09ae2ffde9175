// The version of Node that a project needs, and what is done where the installed one is older.
// Change it when projects need a newer Node.
import type { Layer } from "../packs/catalog.ts";
import type { PackageManager } from "./package-manager.ts";

/** Projects need this Node or a newer one: it runs TypeScript without a flag. */
const NEEDED: readonly [number, number] = [22, 18];

export const NEEDED_NODE = NEEDED.join(".");

/**
 * The Node that will run the project's commands, when it is too old for them. It is the one that runs the package manager:
 * from a clone, this process may run on a newer one. (bun reports the version of Node that it imitates, which need not be installed.)
 */
export function tooOldNode(ownVersion: string, userAgent: string | undefined): string | undefined {
  const reported = userAgent?.startsWith("bun/") ? undefined : /\bnode\/v?(\d+\.\d+\.\d+)/.exec(userAgent ?? "")?.[1];
  return [ownVersion, reported].find((version) => version !== undefined && isTooOld(version));
}

export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  // Node 23 was released before 22.18, and has run TypeScript without a flag since 23.6.
  if (major === 23) return minor < 6;
  return major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1]);
}

/**
 * Whether a project can bring its own Node. In a script of yarn's, `node` is the Node that runs yarn, whatever is installed;
 * and yarn 4 can't build the package `node`, yarn 1 doesn't link it.
 */
export function canPinNode(manager: PackageManager): boolean {
  return manager !== "yarn";
}

/** A current Node for a project, whose scripts then use it: they look into node_modules/.bin first. */
export function pinnedNode(range: string): Layer {
  return {
    origin: "pinned Node",
    listFiles: () => [],
    listAdded: () => [],
    listMoveFiles: () => [],
    exampleDependencies: [],
    manifest: { devDependencies: { node: range }, allowScripts: { node: true } },
  };
}
