// Ctrl-C and signals while `update`, `switch` and `add` wait for another program: what ends, what is left, and what is said.
// Change it when these commands start another program. (Signals between two changes to the disk are the affair of kill-*.test.ts.)
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { appOf } from "./apps.ts";
import type { Finished } from "./sandbox.ts";
import { programs, repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";
import { KEYS, Person } from "./screen.ts";
import { snapshot } from "./tree.ts";
import { first, second } from "./updates.ts";
import { append, Project } from "./versions.ts";

/** A folder in which a program that hangs leaves its number. */
class Hanging {
  readonly #file = join(temporaryFolder(), "pid");
  /** For a script of sh: hangs from here on. */
  readonly script = `echo $$ > ${this.#file}.new; mv ${this.#file}.new ${this.#file}; exec sleep 600`;

  get pid(): number {
    return existsSync(this.#file) ? Number(readFileSync(this.#file, "utf8")) : 0;
  }

  async isGone(): Promise<void> {
    const isRunning = () => {
      try {
        return process.kill(this.pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(isRunning, { timeout: 10_000 }).toBe(false);
  }

  /** Runs a command, and sends it a signal as soon as the program hangs. */
  async interrupt(cli: string, parameters: string[], cwd: string, env: object, signal: NodeJS.Signals) {
    const finished = await runCli(cli, parameters, {
      cwd,
      env: { ...env },
      onStart: (child) => {
        const poll = setInterval(() => {
          if (child.exitCode !== null) clearInterval(poll);
          if (this.pid === 0) return;
          clearInterval(poll);
          child.kill(signal);
        }, 20);
      },
    });
    await this.isGone();
    return finished;
  }
}

const LEFT = { install: "\n  npm install\n  npm run typecheck\n", check: "\n  npm run typecheck\n" };
const inPlace = (steps: string) => `Cancelled. The files are in place. Go on with:${steps}`;

let original: Project;

beforeAll(async () => {
  original = await first.create(["-f", "express", "-b", "redis"]);
}, 60_000);

function copy(): Project {
  const project = new Project(join(temporaryFolder(), "app"));
  cpSync(original.root, project.root, { recursive: true });
  return project;
}

/** How each command is run on a project, and what shows that all of its files are there. */
const commands = {
  update: { version: second, parameters: ["update"], isDone: ({ record }: Project) => record.version === "0.4.0" },
  switch: {
    version: first,
    parameters: ["switch", "--backend", "sqlite"],
    isDone: (project: Project) => project.read("package.json").includes("better-sqlite3"),
  },
};

describe.each(["update", "switch"] as const)("%s", (name) => {
  const { version, parameters, isDone } = commands[name];

  test.each([
    ["SIGINT", "install"],
    ["SIGTERM", "install"],
    ["SIGINT", "check"],
    ["SIGTERM", "check"],
  ] as const)(
    "C4 L3: %s during the step %s ends the package manager, and names what is left to do",
    async (signal, step) => {
      const project = copy();
      const hanging = new Hanging();
      const npm = step === "install" ? hanging.script : `[ "$1" = install ] && exit; ${hanging.script}`;
      const { code, stderr } = await hanging.interrupt(
        version.cli,
        parameters,
        project.root,
        programs({ npm }),
        signal,
      );
      expect([code, stderr.slice(stderr.indexOf("Cancelled"))]).toEqual([130, inPlace(LEFT[step])]);
      expect(isDone(project)).toBe(true);
      expect(existsSync(join(project.root, ".create-session-app"))).toBe(false);
    },
  );

  test.each(["SIGINT", "SIGTERM"] as const)("C4 C5: %s while git is asked changes nothing", async (signal) => {
    const project = copy();
    const before = snapshot(project.root);
    const hanging = new Hanging();
    const env = programs({ git: hanging.script, npm: "exit 1" });
    const { code, stderr } = await hanging.interrupt(version.cli, parameters, project.root, env, signal);
    expect([code, stderr]).toEqual([130, "Cancelled.\n"]);
    expect(snapshot(project.root)).toEqual(before);
  });
});

test("C4 L4: Ctrl-C while a switch is installing, from another directory: it says how to go on from there", async () => {
  const project = copy();
  const hanging = new Hanging();
  const parameters = [first.cli, "switch", "app", "--backend", "sqlite"];
  const env = programs({ npm: hanging.script });
  const person = new Person(process.execPath, parameters, { cwd: join(project.root, ".."), rows: 60, env });
  await expect.poll(() => hanging.pid, { timeout: 30_000 }).not.toBe(0);
  await person.type(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Installing with npm/, KEYS.ctrlC);
  expect(await person.exit()).toBe(130);
  await hanging.isGone();
  expect(person.seen).toMatch(/\nCancelled\. .* Go on with:\n {2}cd app\n {2}npm install\n {2}npm run typecheck$/);
  expect(person.seen).not.toContain("Installing with npm");
});

test("C4 L2: after conflicts, SIGINT while `update --continue` installs leaves a finished update", async () => {
  const project = copy();
  project.edit("src/config.ts", (text) => `// Mine.\n${text}`);
  project.commit();
  const conflicts = await second.run(["update", "--no-install"], project.root);
  expect(conflicts.code).toBe(1);
  project.edit("src/config.ts", (text) => text.replace(/^(<<<<<<<|=======|>>>>>>>).*\n/gm, ""));
  const hanging = new Hanging();
  const env = programs({ npm: hanging.script });
  const finished = await hanging.interrupt(second.cli, ["update", "--continue"], project.root, env, "SIGINT");
  expect([finished.code, finished.stderr]).toEqual([130, expect.stringContaining(inPlace(LEFT.install))]);
  const again = await second.run(["update", "--continue"], project.root);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("No update is under way here")]);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "C4 C5 L1: %s while an older version makes the base changes nothing, and leaves no temporary folder",
  async (signal) => {
    const project = copy();
    project.edit("src/config.ts", append("// Mine.\n"));
    project.remove(".git");
    const before = snapshot(project.root);
    const [TMPDIR, hanging] = [temporaryFolder(), new Hanging()];
    const env = { ...programs({ npm: hanging.script }), TMPDIR };
    const { code, stderr } = await hanging.interrupt(second.cli, ["update"], project.root, env, signal);
    expect([code, stderr.trimEnd().split("\n").at(-1)]).toEqual([130, "Cancelled."]);
    expect(snapshot(project.root)).toEqual(before);
    expect(readdirSync(TMPDIR)).toEqual([]);
  },
);

describe("add", () => {
  const koaApp = () =>
    appOf({
      "package.json": '{ "name": "shop", "dependencies": { "koa": "^3.0.0" } }\n',
      "index.js": 'const Koa = require("koa");\nconst app = new Koa();\napp.listen(3000);\n',
    });
  const add = (hanging: Hanging, cwd: string, env: object, signal: NodeJS.Signals): Promise<Finished> =>
    hanging.interrupt(sourceCli(repository), ["add", "--backend", "memory"], cwd, env, signal);

  test.each(["SIGINT", "SIGTERM"] as const)(
    "C4 L7: %s while installing ends the package manager, and names what is left to do",
    async (signal) => {
      const app = koaApp();
      const hanging = new Hanging();
      const { code, stderr } = await add(hanging, app.root, programs({ npm: hanging.script }), signal);
      expect([code, stderr]).toEqual([130, expect.stringContaining(inPlace("\n  npm install\n"))]);
      expect(app.has("src/session/session.mts")).toBe(true);
    },
  );

  test.each(["SIGINT", "SIGTERM"] as const)("C4 C5: %s while git is asked changes nothing", async (signal) => {
    const app = koaApp();
    const before = snapshot(app.root);
    const hanging = new Hanging();
    const { code, stderr } = await add(hanging, app.root, programs({ git: hanging.script }), signal);
    expect([code, stderr]).toEqual([130, "Cancelled.\n"]);
    expect(snapshot(app.root)).toEqual(before);
  });
});
