// The package managers: which one runs this, what its commands are called, which settings it wants in a project.
// Change it to support another one, or when one of them changes its settings.
import type { Manifest } from "../packs/catalog.ts";
import type { TemplateContext } from "../packs/template-context.ts";

export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

export const PACKAGE_MANAGERS = ["npm", "pnpm", "yarn", "bun"] as const;

export type Commands = Omit<TemplateContext["pm"], "id">;

export const commands: Record<PackageManager, Commands> = {
  npm: {
    install: "npm install",
    test: "npm test",
    run: "npm run",
    args: " --",
    exec: "npx",
    lockFile: "package-lock.json",
    installFiles: "package.json package-lock.json",
    frozenInstall: "npm ci --omit=dev",
    unlockedInstall: "npm install --omit=dev --no-package-lock",
  },
  pnpm: {
    install: "pnpm install",
    test: "pnpm test",
    run: "pnpm",
    args: "",
    exec: "pnpm exec",
    lockFile: "pnpm-lock.yaml",
    installFiles: "package.json pnpm-lock.yaml pnpm-workspace.yaml",
    frozenInstall: "npx --yes pnpm install --prod --frozen-lockfile",
    unlockedInstall: "npx --yes pnpm install --prod --no-lockfile",
  },
  yarn: {
    install: "yarn install",
    test: "yarn test",
    run: "yarn",
    args: "",
    exec: "yarn exec",
    lockFile: "yarn.lock",
    // yarn 1 reads .yarnrc, later ones .yarnrc.yml.
    installFiles: "package.json yarn.lock .yarnrc*",
    // The lock file says whether yarn 1 or a later one wrote it.
    frozenInstall:
      "if grep -q __metadata yarn.lock; then npx --yes @yarnpkg/cli-dist install --immutable && npx --yes @yarnpkg/cli-dist workspaces focus --production; else npx --yes yarn@1 install --production --frozen-lockfile; fi",
    unlockedInstall: "npx --yes yarn@1 install --production --no-lockfile",
  },
  bun: {
    install: "bun install",
    test: "bun run test",
    run: "bun run",
    args: "",
    exec: "bunx",
    lockFile: "bun.lock",
    installFiles: "package.json bun.lock",
    frozenInstall: "npx --yes bun install --production --frozen-lockfile",
    unlockedInstall: "npx --yes bun install --production --no-save",
  },
};

/** The command line that runs this initializer: `npm create session-app@latest update -- --continue`. */
export function initializerCommand(packageManager: string, version: string, command: string, flags = ""): string {
  const known = PACKAGE_MANAGERS.find((name) => name === packageManager) ?? "npm";
  const given = flags === "" ? "" : `${commands[known].args} ${flags}`;
  return `${known} create session-app@${version} ${command}${given}`;
}

/** The package manager that runs this process, by its user agent: "pnpm/10.2.0 npm/? node/v22.12.0 linux x64". */
export function runningPackageManager(userAgent: string | undefined): PackageManager {
  const name = userAgent?.split("/", 1)[0];
  return PACKAGE_MANAGERS.find((known) => known === name) ?? "npm";
}

/**
 * Says in the package manager's own way which dependencies may run their install scripts: in `manifest`, which it changes, and in the
 * files that it returns. The packs declare that as npm's `allowScripts`: true for those that need their scripts, false for those that
 * bring along what they would build. In a workspace only the root's settings count, so a member gets none.
 */
export function packageManagerFiles(
  { packageManager, workspaceMember }: { packageManager: PackageManager; workspaceMember: boolean },
  manifest: Manifest,
): Map<string, string> {
  const scripts = installScripts(manifest);
  if (packageManager !== "npm" || workspaceMember) delete manifest.allowScripts;
  const files = new Map<string, string>();
  if (workspaceMember) return files;
  if (packageManager === "pnpm") {
    // A file of its own also keeps pnpm from taking a workspace further up for the project's.
    files.set("pnpm-workspace.yaml", `packages: []\n${pnpmSettings(scripts)}`);
  }
  if (packageManager === "yarn") {
    files.set(".yarnrc.yml", YARN_SETTINGS);
    // Without a lock file yarn 4 takes the project for a part of whatever lies further up, and refuses to install it.
    files.set("yarn.lock", "");
    if (scripts.length > 0) manifest.dependenciesMeta = dependenciesMeta(scripts);
    if (scripts.length > 0 && trustedDependencies(scripts).length === 0) files.set(".yarnrc", yarn1Settings(scripts));
  }
  if (packageManager === "bun") {
    const trusted = trustedDependencies(scripts);
    if (trusted.length > 0) manifest.trustedDependencies = trusted;
  }
  return files;
}

/** Each dependency that has install scripts, and whether they may run; sorted by name. */
export type InstallScripts = [name: string, allowed: boolean][];

export function installScripts(manifest: Manifest): InstallScripts {
  const allowScripts = (manifest.allowScripts ?? {}) as Record<string, boolean>;
  return Object.entries(allowScripts).sort(([a], [b]) => (a < b ? -1 : 1));
}

export const YARN_SETTINGS = "nodeLinker: node-modules\n";

/**
 * yarn 1 knows no list of packages, only all or none, and it compiles whatever has a binding.gyp: on a machine without a compiler the
 * install would fail over a package that brings its binaries along. The project's own scripts run all the same.
 */
function yarn1Settings(scripts: InstallScripts): string {
  const names = scripts.map(([name]) => name).join(", ");
  return `# For yarn 1. None of the dependencies needs an install script, and this one would be compiled: ${names}.
--install.ignore-scripts true
--add.ignore-scripts true
`;
}

export function pnpmSettings(scripts: InstallScripts): string {
  if (scripts.length === 0) return "";
  const lines = scripts.map(([name, allowed]) => `  ${yamlKey(name)}: ${allowed}\n`).join("");
  const needed = trustedDependencies(scripts).map((name) => `  - ${yamlKey(name)}\n`);
  const older = needed.length === 0 ? "" : `# For pnpm before 10.26.\nonlyBuiltDependencies:\n${needed.join("")}`;
  return `allowBuilds:\n${lines}${older}`;
}

/** A scope's "@" can't begin a plain word of YAML. */
function yamlKey(name: string): string {
  return name.startsWith("@") ? `"${name}"` : name;
}

export function dependenciesMeta(scripts: InstallScripts): Record<string, { built: boolean }> {
  return Object.fromEntries(scripts.map(([name, allowed]) => [name, { built: allowed }]));
}

function trustedDependencies(scripts: InstallScripts): string[] {
  return scripts.filter(([, allowed]) => allowed).map(([name]) => name);
}
