// The whole way, for real: packed, published to a registry on loopback, run by npm, pnpm, yarn and bun: installed, tested, started.
// Change it when a package manager changes how it runs initializers.
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Registry } from "./registry.ts";
import { answers, freePort, publish, startRegistry, upstreamOf, userOf } from "./registry.ts";
import { packageCopy, temporaryFolder } from "./sandbox.ts";

const run = promisify(execFile);
const MINUTES = 60_000;
const folder = temporaryFolder();
let registry: Registry;
let environment: Record<string, string>;

beforeAll(async () => {
  registry = await startRegistry(folder, "create-session-app", upstreamOf(folder));
  environment = userOf(registry, folder);
  publish(packageCopy(), folder, environment);
}, 5 * MINUTES);

afterAll(() => registry?.stop());

/** What comes from npm as well: the other package managers, installed where nobody else sees them. */
function programs(specifier: string): string {
  const place = join(folder, specifier.replaceAll(/\W/g, "-"));
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), "{}");
  execFileSync("npm", ["install", specifier], { cwd: place, env: environment, stdio: "ignore" });
  return join(place, "node_modules/.bin");
}

interface Case {
  name: string;
  /** Where the package manager comes from; nothing: it is there. */
  specifier?: string;
  create: string;
  test: string;
  /** What a person would paste next. */
  next: string;
}

const CHOICE = "--yes --framework=express --backend=sqlite";
const PNPM = `pnpm create session-app my-app ${CHOICE}`;
const YARN = `yarn create session-app my-app ${CHOICE}`;

const cases: Case[] = [
  { name: "npm", create: `npm create session-app@latest my-app -- ${CHOICE}`, test: "npm test", next: "npm run dev" },
  { name: "pnpm", specifier: "pnpm", create: PNPM, test: "pnpm test", next: "pnpm dev" },
  // It asks another setting which packages may run their scripts.
  { name: "pnpm 10.20", specifier: "pnpm@10.20", create: PNPM, test: "pnpm test", next: "pnpm dev" },
  { name: "yarn 1", specifier: "yarn@1", create: YARN, test: "yarn test", next: "yarn dev" },
  { name: "yarn 4", specifier: "@yarnpkg/cli-dist", create: YARN, test: "yarn test", next: "yarn dev" },
  {
    name: "bun",
    specifier: "bun",
    create: `bun create session-app my-app ${CHOICE}`,
    test: "bun run test",
    next: "bun run dev",
  },
];

describe("create, install, test, start", () => {
  test.each(cases)("C2 C10: $name", { timeout: 15 * MINUTES }, async ({ specifier, create, test, next, name }) => {
    const cwd = join(folder, `run-${name.replaceAll(" ", "-")}`);
    mkdirSync(cwd);
    // Many a folder has a package further up, which is not to be taken for the project's.
    writeFileSync(join(cwd, "package.json"), '{ "name": "further-up", "private": true }');
    const own = specifier === undefined ? [] : [programs(specifier)];
    // Projects of npm, pnpm and bun work where Node is too old for them, which it is on many a machine; yarn's can't (C11).
    const current = name.startsWith("yarn") ? [dirname(process.execPath)] : [];
    const PATH = [...own, ...current, environment.PATH].join(":");
    const port = await freePort();
    const env = { ...environment, PATH, PORT: String(port), ...(name === "yarn 4" ? { CI: "true" } : {}) };
    const { stdout, stderr } = await run("sh", ["-c", create], { cwd, env });
    const steps = /\nNext:\n\n((?: {2}.*\n)+)/
      .exec(stdout)?.[1]
      ?.split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    expect(steps, stdout + stderr).toEqual(["cd my-app", next]);
    expect(`${stdout}${stderr}`).not.toMatch(/allowScripts|Ignored build scripts|deprecat(ed|ion) .*my-app/i);
    const project = join(cwd, "my-app");
    const { answers: recorded } = JSON.parse(readFileSync(join(project, ".session-app.json"), "utf8"));
    expect(recorded.packageManager).toBe(name.split(" ")[0]);

    await run("sh", ["-c", test], { cwd: project, env });

    // The steps, pasted word for word.
    const server = spawn("sh", ["-c", (steps ?? []).join("\n")], { cwd, env, stdio: "ignore", detached: true });
    try {
      expect(await (await answers(`http://localhost:${port}/health`)).json()).toEqual({ store: "up" });
    } finally {
      const closed = once(server, "close");
      if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGTERM");
      if (server.exitCode === null) await closed;
    }
  });
});
