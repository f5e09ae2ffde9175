// Atomicity of `update` by force: runs that are killed at each of their changes to the disk, and the tree before and after, byte for byte.
// Change it together with kill.test.ts.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Finished } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, repository, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const MINUTES = 60_000;
const generated = temporaryFolder();
const edited = temporaryFolder();
let cli: string;
let before: Record<string, string>;
let after: Record<string, string>;
let changes: number;

beforeAll(async () => {
  const old = builtCli(cloneWithFixtures());
  const flags = ["-f", "alpha", "-b", "plain", "--no-install", "--no-git"];
  expect((await runCli(old, ["app", ...flags], { cwd: generated })).code).toBe(0);
  const clone = cloneWithFixtures();
  const pack = (path: string) => join(clone, path);
  const manifest = JSON.parse(readFileSync(pack("create-session-app/package.json"), "utf8"));
  writeFileSync(pack("create-session-app/package.json"), JSON.stringify({ ...manifest, version: "9.0.0" }));
  for (const path of ["templates/base/files/src/config.ts", "runtime/src/session/sessions.ts"]) {
    writeFileSync(pack(path), `// New.\n${readFileSync(pack(path), "utf8")}`);
  }
  rmSync(pack("templates/base/files/public"), { recursive: true });
  writeFileSync(pack("templates/base/files/src/new.ts"), "// New.\n");
  cli = builtCli(clone);

  cpSync(join(generated, "app"), edited, { recursive: true });
  writeFileSync(
    join(edited, "src/config.ts"),
    `${readFileSync(join(edited, "src/config.ts"), "utf8")}\n\n\n// Mine.\n`,
  );
  writeFileSync(join(edited, "src/main.ts"), "// Mine.\n");
  writeFileSync(join(edited, "mine.txt"), "Mine.\n", { mode: 0o600 });
  before = snapshot(edited);
  const count = join(temporaryFolder(), "count");
  const project = copyOfProject();
  const finished = await interfere(project, {}, count);
  expect(finished.code, finished.stderr).toBe(0);
  after = snapshot(project);
  changes = Number(readFileSync(count, "utf8"));
}, 5 * MINUTES);

function copyOfProject(): string {
  const project = temporaryFolder();
  cpSync(edited, project, { recursive: true });
  return project;
}

const parameters = ["update", "--no-install", "--base", join(generated, "app")];

function interfere(project: string, interference: object, count?: string): Promise<Finished> {
  const env = {
    NODE_OPTIONS: `--require ${join(repository, "test/generator/interference.cjs")}`,
    INTERFERENCE: JSON.stringify(interference),
    INTERFERENCE_COUNT: count,
  };
  return runCli(cli, parameters, { cwd: project, env });
}

async function atEachChange(check: (at: number) => Promise<void>): Promise<void> {
  const left = Array.from({ length: changes }, (_, index) => index + 1);
  const work = async () => {
    for (let at = left.shift(); at !== undefined; at = left.shift()) await check(at);
  };
  await Promise.all([work(), work()]);
}

describe("an update", () => {
  test("L2: replaces, merges, adds and removes files, and keeps the user's", () => {
    expect(changes).toBeGreaterThan(20);
    const paths = (tree: Record<string, string>) => Object.keys(tree);
    expect(paths(before).filter((path) => !paths(after).includes(path))).toEqual([
      "public/",
      "public/icon.png",
      "public/style.css",
    ]);
    expect(paths(after).filter((path) => !paths(before).includes(path))).toEqual(["src/new.ts"]);
    for (const path of ["mine.txt", "src/main.ts"]) expect(after[path]).toBe(before[path]);
  });

  test("C5 L4: after SIGKILL before any single change, the next run undoes it and then does it whole", {
    timeout: 10 * MINUTES,
  }, async () => {
    await atEachChange(async (at) => {
      const project = copyOfProject();
      const killed = await interfere(project, { at, signal: "SIGKILL" });
      expect(killed.signal, `change ${at}`).toBe("SIGKILL");
      const next = await runCli(cli, parameters, { cwd: project });
      expect(next.code, `change ${at}: ${next.stderr}`).toBe(0);
      expect(snapshot(project), `change ${at}`).toEqual(after);
    });
  });

  test("C4 C5 L4: SIGINT and SIGTERM at any change leave the project as it was, and exit with 130", {
    timeout: 10 * MINUTES,
  }, async () => {
    await atEachChange(async (at) => {
      const project = copyOfProject();
      const { code, stderr } = await interfere(project, { at, signal: at % 2 === 0 ? "SIGINT" : "SIGTERM" });
      expect([code, snapshot(project)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [130, before]);
    });
  });

  test("C5 L4: a disk that is full from any change on leaves the project as it was", {
    timeout: 10 * MINUTES,
  }, async () => {
    await atEachChange(async (at) => {
      const project = copyOfProject();
      const { code, stderr } = await interfere(project, { at, full: true });
      expect([code, snapshot(project)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [1, before]);
    });
  });
});
