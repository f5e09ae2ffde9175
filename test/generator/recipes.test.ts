// The recipes of a project's README, applied to a project as they stand there: it type-checks, starts, and does what they say.
// Change it when the README gets another recipe.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { answers, freePort } from "./registry.ts";
import { repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";

/** What an install would bring: a pack's own dependencies come before those that it shares with others. */
function linkModules(project: string, packFolders: string[]): void {
  const modules = join(project, "node_modules");
  mkdirSync(modules);
  for (const folder of [...packFolders, repository].map((part) => join(part, "node_modules"))) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      const place = join(modules, name);
      if (!name.startsWith(".") && !existsSync(place)) symlinkSync(join(folder, name), place);
    }
  }
}

/** The code blocks of the README's section "Change it". */
function recipes(readme: string): string[] {
  const section = readme.slice(readme.indexOf("## Change it"), readme.indexOf("## How sessions behave"));
  return [...section.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");
}

/** `code` without its first line, which names the file or shows where it goes. */
function rest(code: string): string {
  return code.slice(code.indexOf("\n") + 1);
}

test.each(packs("frameworks"))("P9 P10: the README's recipes work word for word with %s", async (framework) => {
  const cwd = temporaryFolder();
  const flags = ["app", "-f", framework, "-b", "memory", "--no-install", "--no-git"];
  expect((await runCli(sourceCli(repository), flags, { cwd })).code).toBe(0);
  const project = join(cwd, "app");
  linkModules(
    project,
    [`frameworks/${framework}`, "base"].map((pack) => join(repository, "templates", pack)),
  );
  const edit = (path: string, change: (text: string) => string) => {
    const before = readFileSync(join(project, path), "utf8");
    expect(change(before), path).not.toBe(before);
    writeFileSync(join(project, path), change(before));
  };
  const code = recipes(readFileSync(join(project, "README.md"), "utf8"));
  const [key = "", , route = "", reader = "", action = "", setting = "", reading = ""] = code;
  edit("src/session-data.ts", (text) => text.replace("export interface SessionData {\n", key));
  expect(route).toMatch(/^\/\/ src\/handlers\.ts\n/);
  edit("src/example/handlers.ts", (text) =>
    text.replace("readLogin,", "readLanguage, readLogin,").replace(/^.*"\/health".*$/m, (line) => rest(route) + line),
  );
  expect(reader).toMatch(/^\/\/ src\/input\.ts\n/);
  edit("src/example/input.ts", (text) => text + rest(reader));
  expect(action).toMatch(/^\/\/ src\/actions\.ts\n/);
  edit("src/example/actions.ts", (text) => text + rest(action));
  edit("src/config.ts", (text) =>
    text.replace("interface Config {\n", (line) => line + setting).replace("  return {\n", (line) => line + reading),
  );
  execFileSync(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "--noEmit"], { cwd: project });

  const port = String(await freePort());
  const start = (variables: object) =>
    spawn(process.execPath, ["src/main.ts"], { cwd: project, env: { ...process.env, PORT: port, ...variables } });
  const refused = start({ PAGE_SIZE: "many" });
  const [[said], [exitCode]] = await Promise.all([once(refused.stderr, "data"), once(refused, "exit")]);
  expect([exitCode, String(said)]).toEqual([1, expect.stringContaining("PAGE_SIZE")]);
  const app = start({});
  try {
    await answers(`http://localhost:${port}/health`);
    const choose = (language: string) => fetch(`http://localhost:${port}/language/${language}`, { method: "POST" });
    const chosen = await choose("de");
    expect([chosen.status, await chosen.json()]).toEqual([200, { language: "de" }]);
    expect(chosen.headers.get("set-cookie")).toContain("session=");
    expect((await choose("dutch")).status).toBe(422);
  } finally {
    const closed = once(app, "close");
    app.kill("SIGTERM");
    await closed;
  }
});
