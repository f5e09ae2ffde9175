// The base of a merge from a registry: two versions of the package are published to one on loopback, and npm runs them for real.
// Change it when an earlier version is to be had in another way.
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Registry } from "./registry.ts";
import { publish, startRegistry, upstreamOf, userOf } from "./registry.ts";
import { temporaryFolder } from "./sandbox.ts";
import { append, Project, Version } from "./versions.ts";

const run = promisify(execFile);
const MINUTES = 60_000;
const folder = temporaryFolder();
let registry: Registry;
let env: Record<string, string>;

beforeAll(async () => {
  registry = await startRegistry(folder, "create-session-app", upstreamOf(folder));
  const user = userOf(registry, folder);
  env = { ...user, PATH: `${dirname(process.execPath)}:${user.PATH}` };
  const first = new Version("0.3.0");
  const second = new Version("0.4.0", first);
  second.edit("templates/base/files/src/config.ts", (text) => `// New in 0.4.0.\n${text}`);
  for (const version of [first, second]) publish(version.packageFolder(), folder, env);
}, 5 * MINUTES);

afterAll(() => registry?.stop());

test("L1: a project without a repository gets its base from the version that made it", {
  timeout: 5 * MINUTES,
}, async () => {
  const cwd = join(folder, "work");
  mkdirSync(cwd);
  const flags = ["--yes", "--framework=hono", "--backend=redis", "--no-install", "--no-git"];
  await run("npm", ["create", "session-app@0.3.0", "app", "--", ...flags], { cwd, env });
  const project = new Project(join(cwd, "app"));
  expect(project.record.version).toBe("0.3.0");
  project.edit("src/config.ts", append("// Mine.\n"));

  const { stdout } = await run("npm", ["create", "session-app@latest", "update", "--", "--no-install"], {
    cwd: project.root,
    env,
  });
  expect(stdout).toContain('Updated "app" from 0.3.0 to 0.4.0.');
  expect(stdout).toContain("src/config.ts: merged with your changes");
  expect(project.read("src/config.ts")).toMatch(/^\/\/ New in 0\.4\.0\.\n[\s\S]*\/\/ Mine\.\n$/);
});
