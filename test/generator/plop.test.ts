// `npx plop backend` and `npx plop framework` in a copy of the repository: what they make type-checks, runs its suite, and
// needs nothing but its own code. Change it with plopfile.js and plop/; fixtures/plop holds the driver that is filled in.

import { spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import { repository, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const SECOND = 1000;
const METHODS = [
  ...["create", "read", "change", "end", "listByUser", "endByUser"],
  ...["setup", "check", "endAll", "stats", "purge", "ping", "close"],
] as (keyof SessionDriver)[];

/** Made by runs, and ignored by git; `node_modules` is linked. */
const LEFT_OUT = [".git", ".build", "dist", "coverage", "node_modules"];

// Other suites read templates/ at this very time, so that nothing may appear in it.
const copy = realpathSync(temporaryFolder());

beforeAll(() => {
  for (const name of readdirSync(repository)) {
    if (LEFT_OUT.includes(name)) continue;
    cpSync(join(repository, name), join(copy, name), {
      recursive: true,
      filter: (source, target) => {
        if (basename(source) === "node_modules") symlinkSync(source, target);
        return !LEFT_OUT.includes(basename(source));
      },
    });
  }
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
});

describe("npx plop backend", { timeout: 300 * SECOND }, () => {
  const folder = "templates/backends/tiny";
  const driver = `${folder}/files/src/store/driver.ts`;
  let before: Record<string, string>;

  beforeAll(async () => {
    before = tree();
    const made = await plop("backend", "tiny", "Tiny", `one "file" & <little> more`, "", "", "");
    expect(made, made.output).toMatchObject({
      code: 0,
      output: expect.stringContaining(`grep -rn "${folder}: write"`),
    });
  });

  test("makes a pack that type-checks, is formatted, and that the initializer offers", async () => {
    await expectClean("express-tiny", folder);
    const list = await node("create-session-app/src/cli.ts", "--list", "--json");
    const { backends } = JSON.parse(list.output);
    expect(backends.at(-1)).toMatchObject({ id: "tiny", label: "Tiny", hint: `one "file" & <little> more` });
    expect(Object.keys(tree()).filter((path) => path.includes("tiny") && path.includes("compose"))).toEqual([]);
    // With it, sessions can be moved to and from the store.
    expect(readFileSync(join(copy, folder, "move/src/store/from-url.ts"), "utf8")).toContain('schemes = ["tiny:"]');
  });

  test("each method says that it is to be written, and the suite fails on nothing else", async () => {
    const { createDriver } = await import(join(copy, driver));
    for (const method of METHODS) {
      await expect(createDriver()[method](), method).rejects.toThrow(`${folder}: write ${method}()`);
    }
    const first = await suite(["drivers"], "^driver tiny ");
    const messages = first.failures.map(({ shown }) => /^Error: .*$/m.exec(shown)?.[0]);
    expect(messages).toEqual([`Error: ${folder}: write setup()`, `Error: ${folder}: write close()`]);

    // With the suite's beginning and end left empty, its tests get as far as the next method.
    const scaffold = readFileSync(join(copy, driver), "utf8");
    writeFileSync(join(copy, driver), scaffold.replaceAll(/throw unwritten\("(?:setup|check|close)"\);/g, ""));
    const { failures, passed } = await suite(["drivers"], "^driver tiny ");
    expect(failures.length).toBeGreaterThan(40);
    expect(passed, "hardly a test passes without a driver").toBeLessThan(3);
    const others = failures.filter(({ shown }) => !/Error: templates\/backends\/tiny: write \w+\(\)$/m.test(shown));
    // The first counts rejections; the second is about the very methods that were left empty.
    expect(others.flatMap(({ titles }) => titles)).toEqual([
      expect.stringMatching(/F7: of several that create one id/),
      expect.stringMatching(/P6: check fails before setup/),
    ]);
  });

  test("with its driver written the suite passes, and nothing outside the new folder has changed", async () => {
    cpSync(join(import.meta.dirname, "fixtures/plop/driver.ts"), join(copy, driver));
    await expectClean("express-tiny", folder);
    const { failures, passed } = await suite(["drivers"], "^driver tiny ");
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(40);
    expectOnlyIn(folder, before);
  });
});

describe("npx plop backend, for a store with a server", () => {
  const folder = "templates/backends/far-store";

  test("adds its URL, its compose.yaml and its packages, and type-checks", async () => {
    const before = tree();
    const packages = "nats@^2.29.0, @nats-io/kv@^3.1.0";
    const answers = ["far-store", "Far, & away (1+)", "elsewhere", packages, "nats://localhost:4222", "nats:2-alpine"];
    const made = await plop("backend", ...answers);
    expect(made.code, made.output).toBe(0);
    await expectClean("express-far-store", folder);
    expect(JSON.parse(readFileSync(join(copy, folder, "package.json"), "utf8"))).toMatchObject({
      dependencies: { nats: "^2.29.0", "@nats-io/kv": "^3.1.0" },
      sessionApp: {
        environment: [{ name: "FAR_STORE_URL", value: "nats://localhost:4222" }, { name: "FAR_STORE_PREFIX" }],
        server: { name: "Far, & away (1+)" },
      },
    });
    expect(readFileSync(join(copy, folder, "files/compose.yaml.hbs"), "utf8")).toContain('"127.0.0.1:4222:4222"');
    expect(readFileSync(join(copy, folder, "move/src/store/from-url.ts"), "utf8")).toContain('schemes = ["nats:"]');
    expectOnlyIn(folder, before);
  });
});

describe("npx plop framework", { timeout: 300 * SECOND }, () => {
  const folder = "templates/frameworks/web";
  const suites = () => suite(["http", "runtime"], "^web (?!x sqlite)", "http.test.ts", "adapters.test.ts");
  let before: Record<string, string>;

  beforeAll(async () => {
    before = tree();
    const made = await plop("framework", "web", "Web", "one more", "");
    expect(made, made.output).toMatchObject({
      code: 0,
      output: expect.stringContaining("PUT DELETE /session/data/:key"),
    });
  });

  test("makes a pack that type-checks and starts; every answer says what is to be written", async () => {
    await expectClean("web-memory", folder);
    const { failures } = await suites();
    const named = failures.filter(({ shown }) => shown.includes(`${folder}: write `)).flatMap(({ titles }) => titles);
    expect(named.filter((title) => title.includes("adapters.test.ts")).length).toBeGreaterThan(15);
    expect(named.filter((title) => title.includes("http.test.ts")).length).toBeGreaterThan(100);
    // It started, stopped when it was told to, and nothing went wrong in it that nobody noticed.
    const titles = failures.flatMap((failure) => failure.titles);
    expect(titles.filter((title) => !title.includes(" over HTTP > ") && title.includes("http.test.ts"))).toEqual([]);
  });

  test("with that written both suites pass, and nothing outside the new folder has changed", async () => {
    const written = join(copy, "templates/frameworks/node");
    for (const part of ["files", "conformance.ts", "handlers.types.ts"]) {
      cpSync(join(written, part), join(copy, folder, part), { recursive: true });
    }
    await expectClean("web-memory", folder);
    const { failures, passed } = await suites();
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(100);
    expectOnlyIn(folder, before);
  });
});

describe("npx plop takes nothing that would not be a pack", () => {
  let before: Record<string, string>;
  beforeEach(() => {
    before = tree();
  });

  test.each([
    ["an id that is a path", "../up", "Up", "hint", "", "", ""],
    ["an id in capitals", "Up", "Up", "hint", "", "", ""],
    ["an id that is taken", "sqlite", "Up", "hint", "", "", ""],
    ["an id that a framework has", "express", "Up", "hint", "", "", ""],
    ["an id that npm would find twice", "base", "Up", "hint", "", "", ""],
    ["a name that is code", "up", "`+process.exit()+`", "hint", "", "", ""],
    ["a name that ends a comment", "up", "Up */", "hint", "", "", ""],
    ["a hint of two lines", "up", "Up", "one\ntwo", "", "", ""],
    ["a package without a range", "up", "Up", "hint", "left-pad", "", ""],
    ["a URL without a port", "up", "Up", "hint", "", "nats://localhost", ""],
    ["an image without a URL", "up", "Up", "hint", "", "", "nats:2-alpine"],
  ])("%s", async (_, ...answers) => {
    const refused = await plop("backend", ...answers);
    expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/\[ERROR\] [^\n]{20,}/) });
    expect(tree()).toEqual(before);
  });
});

function plop(...answers: string[]) {
  return node("node_modules/plop/bin/plop.js", ...answers);
}

/** A program of the copy, in the copy. This run's own settings would change vitest's and plop's ways. */
async function node(program: string, ...parameters: string[]): Promise<{ code: number; output: string }> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:VITEST|NODE_ENV|VITE_|FORCE_COLOR)/.test(name),
  );
  const child = spawn(process.execPath, [program, ...parameters], {
    cwd: copy,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output: stdout + stderr };
}

async function expectClean(pair: string, folder: string): Promise<void> {
  const types = await node("scripts/typecheck.ts", pair);
  expect(types, types.output).toMatchObject({ code: 0, output: expect.stringContaining("1 of 1 without an error") });
  const lint = await node("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", folder);
  expect(lint.code, lint.output).toBe(0);
}

interface Outcome {
  passed: number;
  failures: Failure[];
}

interface Failure {
  /** The tests, or the suites by their beginnings and ends, that failed in this way. */
  titles: string[];
  /** What vitest shows of it: message, cause, place. */
  shown: string;
}

async function suite(projects: string[], tests: string, ...files: string[]): Promise<Outcome> {
  const chosen = projects.flatMap((name) => ["--project", name]);
  const { output } = await node("node_modules/vitest/vitest.mjs", "run", ...chosen, ...files, "-t", tests);
  const sections = output.split(/⎯+\[\d+\/\d+\]⎯/);
  const failures = sections.map((shown) => ({ shown, titles: shown.match(/^ FAIL .*$/gm) ?? [] }));
  const [, summary = ""] = /^ +Tests +(.*)$/m.exec(output) ?? [];
  expect(summary, output).toMatch(/\d/);
  return {
    passed: Number(/(\d+) passed/.exec(summary)?.[1] ?? 0),
    failures: failures.filter(({ titles }) => titles.length > 0),
  };
}

function tree(): Record<string, string> {
  const paths = Object.entries(snapshot(copy)).filter(([path]) => !path.startsWith(".build/"));
  return Object.fromEntries(paths);
}

/** Since `before`, only this folder has come, and nothing has gone or changed. */
function expectOnlyIn(folder: string, before: Record<string, string>): void {
  const now = tree();
  const changed = Object.keys({ ...before, ...now }).filter((path) => before[path] !== now[path]);
  expect(changed).toContain(`${folder}/package.json`);
  expect(changed.filter((path) => !path.startsWith(`${folder}/`))).toEqual([]);
}
