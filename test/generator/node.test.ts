// Machines that stand in the way of an installation: an old Node, NODE_ENV=production, omit=dev, ignore-scripts, engine-strict.
// The package managers are real; what they install are packages of this machine, so that no registry is asked.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Finished } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, runCli, temporaryFolder } from "./sandbox.ts";

const OLD = process.env.OLD_NODE ?? "/usr/bin/node";
const oldVersion = existsSync(OLD) ? execFileSync(OLD, ["--version"], { encoding: "utf8" }).trim() : "none";
const hasOldNode = oldVersion.startsWith("v20.");

/** A tarball of a package that has these files. */
function tarball(manifest: { name: string; [key: string]: unknown }, files: Record<string, string> = {}): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o755 });
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "24.9.9", ...manifest }));
  const name = execFileSync("npm", ["pack", "--silent"], { cwd: folder, encoding: "utf8" }).trim();
  return `file:${join(folder, name)}`;
}

let cli: string;

beforeAll(() => {
  const clone = cloneWithFixtures();
  const edit = (path: string, change: (manifest: Record<string, Record<string, string>>) => void) => {
    const manifest = JSON.parse(readFileSync(join(clone, path), "utf8"));
    change(manifest);
    writeFileSync(join(clone, path), JSON.stringify(manifest));
  };
  const needed = tarball({ name: "needed" });
  const forDevelopment = tarball({ name: "for-development" });
  edit("templates/base/package.json", (manifest) => {
    manifest.scripts = { version: "node --version" };
    manifest.dependencies = { needed };
    manifest.devDependencies = { "for-development": forDevelopment };
  });
  edit("templates/frameworks/alpha/package.json", (manifest) => void delete manifest.dependencies);
  edit("runtime/package.json", (manifest) => void delete manifest.dependencies);
  // Like the real package `node`, it consists of a script that fetches the program.
  const install = `const fs = require("node:fs"); fs.mkdirSync("bin");
fs.writeFileSync("bin/node", "#!/bin/sh\\necho v24.9.9\\n", { mode: 0o755 });`;
  const scripts = { preinstall: "node install.cjs" };
  const node = tarball({ name: "node", bin: { node: "bin/node" }, scripts }, { "install.cjs": install });
  edit("create-session-app/package.json", (manifest) => {
    manifest.devDependencies = { ...manifest.devDependencies, node };
  });
  cli = builtCli(clone);
});

const FLAGS = ["my-app", "-f", "alpha", "-b", "plain", "--install", "--no-git"];

/** On the Node of this process, or on the old one: then npm runs on it too. */
function run(cwd: string, env: Record<string, string>, old = false, flags = FLAGS): Promise<Finished> {
  const path = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  const PATH = old ? [dirname(OLD), ...path].join(":") : `${dirname(process.execPath)}:${path.join(":")}`;
  return runCli(cli, flags, { cwd, node: old ? OLD : process.execPath, env: { PATH, ...env } });
}

function installed(cwd: string): string[] {
  return ["needed", "for-development"].filter((name) => existsSync(join(cwd, "my-app/node_modules", name)));
}

describe("dev dependencies", () => {
  test.each([
    ["NODE_ENV=production", { NODE_ENV: "production" }],
    ["npm_config_omit=dev", { npm_config_omit: "dev" }],
    ["NPM_CONFIG_OMIT=dev", { NPM_CONFIG_OMIT: "dev" }],
    ["npm_config_production=true", { npm_config_production: "true" }],
    ["npm_config_only=prod", { npm_config_only: "prod" }],
  ])("C10: npm installs them with %s too", async (_, env) => {
    const cwd = temporaryFolder();
    const { code, stderr } = await run(cwd, env as Record<string, string>);
    expect(code, stderr).toBe(0);
    expect(installed(cwd)).toEqual(["needed", "for-development"]);
  });

  test("C10: npm installs them when the user's .npmrc omits them", async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, ".npmrc"), "omit=dev\n");
    const cwd = temporaryFolder();
    expect((await run(cwd, { npm_config_userconfig: join(home, ".npmrc") })).code).toBe(0);
    expect(installed(cwd)).toEqual(["needed", "for-development"]);
  });
});

describe.skipIf(!hasOldNode)(`on ${oldVersion} (OLD_NODE, or /usr/bin/node, must be Node 20)`, () => {
  /** What a script of the project's says that its Node is. */
  function nodeOfScripts(cwd: string): string {
    const PATH = [dirname(OLD), "/usr/bin", "/bin"].join(":");
    const options = { cwd: join(cwd, "my-app"), encoding: "utf8", env: { PATH, HOME: cwd } } as const;
    return spawnSync("npm", ["run", "--silent", "version"], options).stdout.trim();
  }

  test("C11: the pinned Node is there after installing, and only then it is said that scripts use it", async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await run(cwd, {}, true);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      `needs Node 22.18 or newer, and this is ${oldVersion.slice(1)}: it has brought its own, 24.9.9,`,
    );
    expect(nodeOfScripts(cwd)).toBe("v24.9.9");
  });

  test("C11 C10: with ignore-scripts it is not there, which is said, and the step that fetches it works as pasted", async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await run(cwd, { npm_config_ignore_scripts: "true" }, true);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("was not installed, as its install script has not run (is ignore-scripts set?).");
    expect(stderr).not.toContain("has brought its own");
    expect(nodeOfScripts(cwd)).toBe(oldVersion);
    const step = "npm rebuild node --ignore-scripts=false";
    expect(stdout).toContain(`\n  cd my-app\n  ${step}\n  npm run dev\n`);
    const env = { PATH: [dirname(OLD), "/usr/bin", "/bin"].join(":"), HOME: cwd, npm_config_ignore_scripts: "true" };
    execFileSync("sh", ["-c", `cd my-app && ${step}`], { cwd, env, stdio: "ignore" });
    expect(nodeOfScripts(cwd)).toBe("v24.9.9");
  });

  test("C11: with engine-strict nothing is installed, and the message says why instead of promising a Node", async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await run(cwd, { npm_config_engine_strict: "true" }, true);
    expect(code).toBe(1);
    expect(stderr).toContain("EBADENGINE");
    expect(stderr).toContain(
      `The project needs Node 22.18 or newer, and this is ${oldVersion.slice(1)}, which a strict check of engines refuses.`,
    );
    expect(stderr).not.toMatch(/has brought its own|among its dev dependencies/);
    expect(installed(cwd)).toEqual([]);
  });

  test("C11: where nothing is installed, it says what brings the Node, and on what condition", async () => {
    const flags = [...FLAGS.filter((flag) => flag !== "--install"), "--no-install"];
    const { stderr } = await run(temporaryFolder(), {}, true, flags);
    expect(stderr).toContain(
      "is among its dev dependencies, and npm install brings it where install scripts may run.\n",
    );
  });
});
