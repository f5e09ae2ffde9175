// scripts/run.mjs, with which every command of this repository starts: what it installs and prints, what it passes on, and its exit code.
// Change it when a command is added, or when run.mjs detects in another way what isn't installed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, utimesSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../../scripts/packs.ts";

/** Stands in for the initializer: prints what it received. */
const COMMAND = `
if (process.argv[2] === "wait") {
  process.on("SIGTERM", () => process.exit(130));
  setInterval(() => undefined, 1000);
  console.log("waiting");
} else {
  const { PATH, npm_package_name, npm_config_user_agent } = process.env;
  console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), PATH, npm_package_name, npm_config_user_agent }));
  process.exitCode = Number(process.argv[2] ?? 0);
}
`;

let clone: string;
let elsewhere: string;

beforeAll(() => {
  clone = mkdtempSync(join(realpathSync(tmpdir()), "clone-"));
  elsewhere = mkdtempSync(join(realpathSync(tmpdir()), "elsewhere-"));
  mkdirSync(join(clone, "create-session-app", "src"), { recursive: true });
  mkdirSync(join(clone, "dependency"));
  cpSync(join(repository, "scripts", "run.mjs"), join(clone, "scripts", "run.mjs"));
  writeFileSync(join(clone, "create-session-app", "src", "cli.ts"), COMMAND);
  writeFileSync(join(clone, "dependency", "package.json"), '{ "name": "dependency", "version": "1.0.0" }');
  const manifest = { name: "clone", type: "module", dependencies: { dependency: "file:dependency" } };
  writeFileSync(join(clone, "package.json"), JSON.stringify(manifest));
  const packages = {
    "": manifest,
    dependency: { version: "1.0.0" },
    "node_modules/dependency": { resolved: "dependency", link: true },
  };
  writeFileSync(join(clone, "package-lock.json"), JSON.stringify({ name: "clone", lockfileVersion: 3, packages }));
});

afterAll(() => Promise.all([clone, elsewhere].map((folder) => rm(folder, { recursive: true }))));

function start(...args: string[]) {
  return startIn({}, ...args);
}

function startIn(environment: Record<string, string>, ...args: string[]) {
  return spawn(process.execPath, [join(clone, "scripts", "run.mjs"), ...args], {
    cwd: clone,
    env: {
      ...process.env,
      INIT_CWD: elsewhere,
      PATH: `${join(clone, "node_modules", ".bin")}:${process.env.PATH}`,
      npm_package_name: "clone",
      npm_config_user_agent: "npm/11 node/v20.20.2",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = start(...args);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr };
}

test("C3: it installs what is missing, once, and says so on stderr only", async () => {
  const first = await run("create", "0", "--json");
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr).toMatch(/^Installing this repository's tools/);
  expect(JSON.parse(first.stdout)).toMatchObject({ args: ["0", "--json"] });
  expect(await run("create", "0")).toMatchObject({ code: 0, stderr: "" });

  appendFileSync(join(clone, "package-lock.json"), "\n");
  utimesSync(join(clone, "package-lock.json"), new Date(), new Date(Date.now() + 1000));
  expect((await run("create", "0")).stderr).toMatch(/^Installing this repository's tools/);
  expect(await run("create", "0")).toMatchObject({ code: 0, stderr: "" });
});

test("C1: a project is made where the user stands, in the user's environment", async () => {
  const given = JSON.parse((await run("create", "0", "my-app", "--yes")).stdout);
  expect(given).toMatchObject({ args: ["0", "my-app", "--yes"], cwd: elsewhere });
  expect(given.npm_package_name).toBeUndefined();
  expect(given.PATH).not.toContain(clone);
  expect(given.npm_config_user_agent, "who ran it decides the package manager").toBe("npm/11 node/v20.20.2");
});

test("C4: the command's exit code is passed on, after an interruption too", async () => {
  for (const code of [0, 1, 2, 130]) expect((await run("create", `${code}`)).code).toBe(code);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const child = start("create", "wait");
    await once(child.stdout, "data");
    child.kill(signal);
    expect(await once(child, "exit"), signal).toEqual([130, null]);
  }
});

test("C4: interrupting the installation is not a failure: exit 130, and it says how to go on", async () => {
  const bin = join(elsewhere, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "npm"), "#!/bin/sh\necho installing >&2\nexec sleep 60\n", { mode: 0o755 });
  appendFileSync(join(clone, "package-lock.json"), "\n");
  utimesSync(join(clone, "package-lock.json"), new Date(), new Date(Date.now() + 1000));
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const child = startIn({ PATH: `${bin}:${process.env.PATH}` }, "create", "0");
    let printed = "";
    child.stderr.on("data", (text) => {
      printed += text;
      if (String(text).includes("installing\n")) child.kill(signal);
    });
    expect(await once(child, "close"), signal).toEqual([130, null]);
    expect(printed).toMatch(/\ninstalling\nCancelled\. The same command will install them again\.\n$/);
  }
});

test("C8: an unknown command is exit 2, and the commands are listed", async () => {
  expect(await run("tset")).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/create, test/) });
});

test("a failing installation is reported together with npm's output", async () => {
  await rm(join(clone, "dependency"), { recursive: true });
  writeFileSync(join(clone, "package.json"), '{ "name": "clone", "dependencies": { "dependency": "file:gone" } }');
  utimesSync(join(clone, "package-lock.json"), new Date(), new Date(Date.now() + 2000));
  appendFileSync(join(clone, "package-lock.json"), "\n");
  utimesSync(join(clone, "package-lock.json"), new Date(), new Date(Date.now() + 2000));
  const { code, stdout, stderr } = await run("create", "0");
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/npm error/);
  expect(stderr).toMatch(/npm ci failed; see its output above/);
});
