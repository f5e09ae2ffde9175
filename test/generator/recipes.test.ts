// The recipes of a project's README, applied to a project as they stand there: it type-checks, starts, and does what they say.
// Change it when the README gets another recipe.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
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

async function makeProject(framework: string, ...flags: string[]): Promise<string> {
  const cwd = temporaryFolder();
  const all = ["app", "-f", framework, "-b", "sqlite", "--no-install", "--no-git", ...flags];
  const { code, stderr } = await runCli(sourceCli(repository), all, { cwd });
  expect(code, stderr).toBe(0);
  const project = join(cwd, "app");
  const folders = [`frameworks/${framework}`, "backends/sqlite", "base"];
  linkModules(
    project,
    folders.map((pack) => join(repository, "templates", pack)),
  );
  return project;
}

function readmeOf(project: string): string {
  return readFileSync(join(project, "README.md"), "utf8");
}

/** The code blocks of the README's section "Change it". */
function recipes(readme: string): string[] {
  const section = readme.slice(readme.indexOf("## Change it"), readme.indexOf("## How sessions behave"));
  return [...section.matchAll(/```(?:ts|sh)\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");
}

/** `code` without its first line, which names the file. */
function withoutFile(code: string, file: string): string {
  expect(code.slice(0, code.indexOf("\n"))).toBe(`// ${file}`);
  return code.slice(code.indexOf("\n") + 1);
}

function edit(project: string, path: string, change: (text: string) => string): void {
  const before = readFileSync(join(project, path), "utf8");
  expect(change(before), path).not.toBe(before);
  writeFileSync(join(project, path), change(before));
}

function typecheck(project: string): void {
  const tsc = join(repository, "node_modules/typescript/bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--noEmit"], { cwd: project, encoding: "utf8" });
  expect(status, stdout).toBe(0);
}

/** Runs the app on a free port for as long as `use` takes. */
async function running(project: string, use: (url: string) => Promise<void>): Promise<void> {
  const port = String(await freePort());
  const app = spawn(process.execPath, ["src/main.ts"], { cwd: project, env: { ...process.env, PORT: port } });
  try {
    await answers(`http://localhost:${port}/health`);
    await use(`http://localhost:${port}`);
  } finally {
    const closed = once(app, "close");
    app.kill("SIGTERM");
    await closed;
  }
}

/** Follows the README as far as every project goes. */
async function followRecipes(project: string): Promise<void> {
  const readme = readmeOf(project);
  const [key = "", , imports = "", route = "", setting = "", reading = "", column = ""] = recipes(readme);
  edit(project, "src/session-data.ts", (text) => text.replace("export interface SessionData {\n", key));
  edit(project, "src/routes.ts", (text) =>
    text
      .replace(/^import /m, () => `${withoutFile(imports, "src/routes.ts")}import `)
      .replace(/^ {2}\/\/ Counts/m, (line) => `${route}\n${line}`),
  );
  edit(project, "src/config.ts", (text) =>
    text.replace("interface Config {\n", (line) => line + setting).replace("  return {\n", (line) => line + reading),
  );
  edit(project, "src/session-columns.ts", (text) => {
    return text.slice(0, text.indexOf("\n\n") + 2) + withoutFile(column, "src/session-columns.ts");
  });
  const [, declaration = ""] = /Add `([^`]+,)` to the table/.exec(readme) ?? [];
  edit(project, "schema.sql", (text) => text.replace(/^ {2}version/m, (line) => `  ${declaration}\n${line}`));
  // "handlers then read and set `session.columns.tenant`"
  edit(project, "src/routes.ts", (text) =>
    text.replace(
      /(\S*session)\.data\.language = language;/,
      (line, session) => `${line}\n${session}.columns.tenant = language;`,
    ),
  );
  typecheck(project);

  const refused = spawn(process.execPath, ["src/main.ts"], {
    cwd: project,
    env: { ...process.env, PAGE_SIZE: "many" },
  });
  const [[said], [exitCode]] = await Promise.all([once(refused.stderr, "data"), once(refused, "exit")]);
  expect([exitCode, String(said)]).toEqual([1, expect.stringContaining("PAGE_SIZE")]);

  await running(project, async (url) => {
    const choose = (language: string) => fetch(`${url}/language/${language}`, { method: "POST" });
    const chosen = await choose("de");
    expect([chosen.status, await chosen.json()]).toEqual([200, { language: "de" }]);
    expect(chosen.headers.get("set-cookie")).toContain("session=");
    expect((await choose("dutch")).status).toBe(422);
    expect((await fetch(`${url}/visits`)).status).toBe(200);
  });
  const database = new Database(join(project, "data", "sessions.db"), { readonly: true });
  const rows = database.prepare("SELECT tenant, data FROM sessions ORDER BY tenant DESC").all();
  database.close();
  expect(rows).toEqual([
    { tenant: "de", data: '{"language":"de"}' },
    { tenant: null, data: '{"visits":1}' },
  ]);
}

test.each(packs("frameworks"))("P9 P10 C13: the README's recipes work word for word with %s", async (framework) => {
  const project = await makeProject(framework);
  await followRecipes(project);

  const remove = recipes(readmeOf(project)).at(-1) ?? "";
  expect(remove).toMatch(/^rm -r src\/example /);
  execFileSync("sh", ["-e", "-c", remove], { cwd: project });
  edit(project, "src/main.ts", (text) => text.replace(/^.*\/\/ the example: .*\n/m, ""));
  typecheck(project);
  await running(project, async (url) => {
    expect(await (await fetch(`${url}/visits`)).json()).toEqual({ visits: 1 });
    expect((await fetch(url)).status).toBe(404);
  });
});

test("P9 C13: the README says how to sign users in, and names recipes that are there, with the example or without it", async () => {
  for (const flags of [[], ["--minimal"]]) {
    const text = readmeOf(await makeProject("express", ...flags));
    const section = text.slice(text.indexOf("## Sign users in"), text.indexOf("## Security"));
    for (const call of ["session.signIn(", "session.destroy()"]) expect(section).toContain(call);
    const pages = [...section.matchAll(/`([\w-]+\.md)`/g)].map(([, page = ""]) => page);
    expect(pages).toHaveLength(5);
    for (const page of pages) expect(existsSync(join(repository, "docs/recipes", page)), page).toBe(true);
  }
});

test("P9 P10 C13: they work in a project without the example, whose README doesn't speak of it", async () => {
  const project = await makeProject("express", "--minimal");
  await followRecipes(project);
  for (const file of ["README.md", "docs/security.md", ".env.example", "src/main.ts"]) {
    const text = readFileSync(join(project, file), "utf8");
    expect(text, file).not.toMatch(/\bdemo\b|the example\b|src\/example|authenticate\.ts|public\//);
  }
});

test.each(packs("backends"))("P9: what the README of a project with %s names is there", async (backend) => {
  for (const flags of [[], ["--minimal"]]) {
    const cwd = temporaryFolder();
    const all = ["app", "-f", "express", "-b", backend, "--no-install", "--no-git", ...flags];
    expect((await runCli(sourceCli(repository), all, { cwd })).code).toBe(0);
    const project = join(cwd, "app");
    const text = readmeOf(project) + readFileSync(join(project, "docs/security.md"), "utf8");
    const named = [
      ...text.matchAll(/`((?:src|test|docs|public)\/[\w./-]*)`|\b(test\/[\w./-]+\.test\.ts|(?<!\/)\b\w+\.test\.ts)/g),
    ];
    const missing = named
      .map(([, path, other = ""]) => path ?? (other.includes("/") ? other : `test/${other}`))
      .filter((path) => !existsSync(join(project, path)));
    expect(missing).toEqual([]);
    for (const [, name = "", value = ""] of text.matchAll(/\b(SESSION_[A-Z_]+)\b(?!`? of its own)(=?)/g)) {
      const settings = readFileSync(join(project, ".env.example"), "utf8");
      expect(settings.includes(name), `${name}${value} is in .env.example`).toBe(true);
    }
  }
});
