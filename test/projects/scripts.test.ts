// Every script of a project's package.json on the oldest Node that it supports and on the repository's own, as typed into a shell.
// Change OLDEST together with what create-session-app says that a project needs. NODES=/path/to/node,… runs on others.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { repository } from "../../scripts/packs.ts";
import { freePort } from "../generator/registry.ts";
import { assemble } from "../http/assemble.ts";
import { command } from "./stranger.ts";

const OLDEST = "22.18.0";
const WAIT = { timeout: 30_000 };

/** The program of that version, from npm. */
async function node(version: string): Promise<string> {
  const folder = join(repository, ".build", `node-${version}`);
  const program = join(folder, "node_modules", "node", "bin", "node");
  if (!existsSync(program)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true, "allowScripts": { "node": true } }\n');
    const installed = await command(folder, ["npm", "install", `node@${version}`, "--no-audit", "--no-fund"]);
    if (!existsSync(program)) throw new Error(`npm brought no Node ${version}:\n${installed.output}`);
  }
  return program;
}

const programs = process.env.NODES?.split(",") ?? [await node(OLDEST), process.execPath];

describe.each(programs)("%s", (program) => {
  const env = { PATH: [dirname(program), process.env.PATH].join(delimiter), HOST: "127.0.0.1" };
  let folder: string;

  beforeAll(async () => {
    folder = await assemble({ framework: "express", backend: "sqlite" }, "scripts");
    const base = JSON.parse(await readFile(join(repository, "templates", "base", "package.json"), "utf8"));
    const { scripts } = base;
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", private: true, scripts }));
  });

  /** A command as a shell starts it: the leader of a process group. */
  function run(
    [file = "", ...args]: string[],
    more: Record<string, string> = {},
  ): { child: ChildProcess; output: () => string } {
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, ...env, ...more },
      detached: true,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (text) => {
        output += text;
      });
    }
    onTestFinished(() => {
      if (isRunning(child)) process.kill(-(child.pid as number), "SIGKILL");
    });
    return { child, output: () => output };
  }

  /** Whether anything of its process group is left. */
  function isRunning({ pid = 0 }: ChildProcess): boolean {
    try {
      return process.kill(-pid, 0);
    } catch {
      return false;
    }
  }

  async function url(output: () => string, times = 1): Promise<string> {
    await expect.poll(() => output().match(/Listening on/g)?.length ?? 0, WAIT).toBe(times);
    return /.*Listening on (\S+)/s.exec(output())?.[1] ?? "";
  }

  const commands = { dev: ["--watch", "src/main.ts"], start: ["src/main.ts"] };
  const ends = {
    "Ctrl-C": ({ pid = 0 }: ChildProcess) => process.kill(-pid, "SIGINT"),
    "SIGTERM to all of it": ({ pid = 0 }: ChildProcess) => process.kill(-pid, "SIGTERM"),
    // Without npm's shell between, which ends at a SIGTERM of its own and passes nothing on.
    "SIGTERM to its Node": ({ pid = 0 }: ChildProcess) => process.kill(pid, "SIGTERM"),
  };

  test.each(Object.entries(commands))(
    "P1: npm run %s is node %j, as the tests below start it",
    async (script, args) => {
      const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      expect(scripts[script]).toBe(`node ${args.join(" ")}`);
    },
  );

  for (const [script, args] of Object.entries(commands)) {
    for (const dotenv of [false, true]) {
      for (const [how, kill] of Object.entries(ends)) {
        test(`P1: npm run ${script} ${dotenv ? "with" : "without"} .env starts; ${how} leaves no process and no trace of a crash`, async () => {
          const port = String(await freePort());
          if (dotenv) await writeFile(join(folder, ".env"), `PORT=${port}\n`);
          onTestFinished(() => rm(join(folder, ".env"), { force: true }));
          const line = how.endsWith("Node") ? ["node", ...args] : ["npm", "run", script];
          const { child, output } = run(line, dotenv ? {} : { PORT: port });
          expect(await url(output)).toBe(`http://127.0.0.1:${port}`);
          kill(child);
          await expect.poll(() => isRunning(child), WAIT).toBe(false);
          expect(output()).not.toMatch(/Error|Assertion|\n\s+at |stack trace|not found/);
        });
      }
    }
  }

  test("P1: npm run dev starts again when a file changes", async () => {
    const { child, output } = run(["npm", "run", "dev"], { PORT: "0" });
    await url(output);
    const routes = join(folder, "src", "routes.ts");
    await writeFile(routes, (await readFile(routes, "utf8")).replaceAll("/visits", "/changed"));
    expect(await (await fetch(`${await url(output, 2)}/changed`)).json()).toEqual({ visits: 1 });
    await writeFile(routes, (await readFile(routes, "utf8")).replaceAll("/changed", "/visits"));
    await url(output, 3);
    process.kill(-(child.pid as number), "SIGINT");
    await expect.poll(() => isRunning(child), WAIT).toBe(false);
  });

  test.each(["test", "run typecheck", "run sessions -- stats"])("P1: npm %s", async (line) => {
    const { code, output } = await command(folder, ["npm", ...line.split(" ")], env);
    expect(code, output).toBe(0);
    expect(output).not.toMatch(/Warning|not found/);
  });
});
