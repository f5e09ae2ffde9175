// The package managers: which one runs this, what its commands are called, what it wants in a project.
// Change it to support another one, or when one of them changes its settings.
import type { Layer, Manifest } from "./catalog.ts";

export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

export const PACKAGE_MANAGERS = ["npm", "pnpm", "yarn", "bun"] as const;

export const commands = {
  npm: { install: "npm install", test: "npm test", run: "npm run", args: " --", exec: "npx" },
  pnpm: { install: "pnpm install", test: "pnpm test", run: "pnpm", args: "", exec: "pnpm exec" },
  yarn: { install: "yarn install", test: "yarn test", run: "yarn", args: "", exec: "yarn exec" },
  bun: { install: "bun install", test: "bun run test", run: "bun run", args: "", exec: "bunx" },
} as const;

/** The one that ran this process says so: "pnpm/10.2.0 npm/? node/v22.12.0 linux x64". */
export function runningPackageManager(userAgent: string | undefined): PackageManager {
  const name = userAgent?.split("/", 1)[0];
  return PACKAGE_MANAGERS.find((known) => known === name) ?? "npm";
}

/** Projects need this Node or a newer one: it runs TypeScript without a flag. */
const NEEDED: readonly [number, number] = [22, 18];

export const NEEDED_NODE = NEEDED.join(".");

/**
 * The Node that will run the project's commands, when it is too old for them. It is the one that runs the package manager:
 * from a clone, this process may run on a newer one. (bun reports the version of Node that it imitates, not one that is there.)
 */
export function tooOldNode(ownVersion: string, userAgent: string | undefined): string | undefined {
  const told = userAgent?.startsWith("bun/") ? undefined : /\bnode\/v?(\d+\.\d+\.\d+)/.exec(userAgent ?? "")?.[1];
  return [ownVersion, told].find((version) => version !== undefined && isTooOld(version));
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  // Node 23 came before 22.18, and ran TypeScript without a flag from 23.6 on.
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
    files: [],
    manifest: { devDependencies: { node: range }, allowScripts: { node: true } },
  };
}

/**
 * Which dependencies may run their install scripts: each package manager is told in its own way, and complains when it isn't.
 * `allowScripts` is npm's own: true for those that need theirs, false for those that bring along what they'd build.
 */
export function packageManagerFiles(manager: PackageManager, manifest: Manifest): Map<string, string> {
  const scripts = Object.entries((manifest.allowScripts ?? {}) as Record<string, boolean>).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const files = new Map<string, string>();
  if (manager !== "npm") delete manifest.allowScripts;
  if (manager === "pnpm") {
    const lines = scripts.map(([name, allowed]) => `  ${name}: ${allowed}\n`).join("");
    const needed = scripts.filter(([, allowed]) => allowed).map(([name]) => `  - ${name}\n`);
    const older = needed.length === 0 ? "" : `# For pnpm before 10.26.\nonlyBuiltDependencies:\n${needed.join("")}`;
    // A file of its own also makes pnpm take the project for itself where a workspace lies further up.
    files.set("pnpm-workspace.yaml", `packages: []\n${lines === "" ? "" : `allowBuilds:\n${lines}${older}`}`);
  }
  if (manager === "yarn") {
    files.set(".yarnrc.yml", "nodeLinker: node-modules\n");
    // Without it yarn 4 takes the project for a part of whatever lies further up, and refuses.
    files.set("yarn.lock", "");
    const built = scripts.map(([name, allowed]) => [name, { built: allowed }]);
    if (built.length > 0) manifest.dependenciesMeta = Object.fromEntries(built);
  }
  if (manager === "bun") {
    const trusted = scripts.filter(([, allowed]) => allowed).map(([name]) => name);
    if (trusted.length > 0) manifest.trustedDependencies = trusted;
  }
  return files;
}
