// An app of a framework with a build of its own, made and served as a recipe's page says.
// Change it when such pages get another kind of command.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { freePort } from "../generator/registry.ts";
import { environment, repository, runCli, sourceCli } from "../generator/sandbox.ts";
import { type Page, readPage } from "./page.ts";
import { applyPage, checkVersions, installOnce, LIMIT_MS, type Running, run } from "./project.ts";

const apps = join(import.meta.dirname, "apps");

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export interface BuiltRecipe {
  page: string;
  framework: string;
  /** Files that the test adds: what the page leaves to its reader. */
  files?: Record<string, string>;
  /** Commands that check the app's types, after those of the page. */
  checks?: string[][];
}

export interface BuiltApp {
  folder: string;
  /** The page's last command, such as `NODE_ENV=production node build`. */
  command: string[];
}

/** Follows the page, and the pages that it builds on, in an app as the framework's own initializer makes it; then builds it. */
export async function buildApp({ page, framework, files = {}, checks = [] }: BuiltRecipe): Promise<BuiltApp> {
  const { foundations, ...own } = readPage(page);
  const pages = [...foundations.map(readPage), own];
  const folder = makeApp(framework, pages);
  for (const { create } of pages) {
    if (create === undefined) continue;
    const { code, stderr } = await runCli(sourceCli(repository), create, { cwd: folder });
    if (code !== 0) throw new Error(stderr);
  }
  for (const one of pages) {
    applyPage(one, folder, framework);
    checkVersions(one, join(folder, "../node_modules"));
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const commands = pages.flatMap(({ commands }) => commands);
  const command = commands.pop() ?? [];
  for (const words of [...commands, ...checks]) runCommand(folder, words);
  return { folder, command };
}

/** Below its packages, as some bundlers follow no link to them. */
function makeApp(framework: string, pages: Omit<Page, "foundations">[]): string {
  const template = join(apps, framework);
  const manifest = JSON.parse(readFileSync(join(template, "package.json"), "utf8"));
  const added = pages.flatMap(({ dependencies, devDependencies }) => [...dependencies, ...devDependencies]);
  const own = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const list = [...own.map(([name, version]) => `${name}@${version}`), ...added];
  const modules = installOnce(framework, [...new Set(list)].sort());
  const folder = mkdtempSync(join(modules, "app-"));
  folders.push(folder);
  cpSync(template, folder, { recursive: true });
  cpSync(join(apps, "api.ts"), join(folder, "api.ts"));
  // As `npm install` would do it: what isn't a dependency is bundled.
  for (const kind of ["dependencies", "devDependencies"] as const) {
    const names = pages.flatMap((page) => page[kind]).map((text) => text.replace(/(?<=.)@.*/, ""));
    manifest[kind] = { ...manifest[kind], ...Object.fromEntries(names.map((name) => [name, "*"])) };
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  return folder;
}

/** Nothing but the setup has a store: apps are built where none can be reached. */
const NO_STORE = { SQLITE_FILE: "/nowhere/sessions.db", SESSION_START_TIMEOUT: "1" };

function runCommand(folder: string, [program = "", ...parameters]: string[]): void {
  const env = parameters.at(-1) === "setup" ? variables() : { ...variables(), ...NO_STORE };
  try {
    execFileSync(program, parameters, {
      cwd: folder,
      encoding: "utf8",
      env,
      stdio: "pipe",
      timeout: LIMIT_MS,
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${[program, ...parameters].join(" ")}\n${stdout}\n${stderr}`);
  }
}

/** Nothing is reported to the makers of the frameworks, and the test runner's own settings are not the app's. */
function variables(): NodeJS.ProcessEnv {
  const { NODE_ENV: _, VITEST: __, ...env } = environment() as NodeJS.ProcessEnv;
  const path = `${dirname(process.execPath)}:${env.PATH}`;
  return {
    ...env,
    PATH: path,
    NEXT_TELEMETRY_DISABLED: "1",
    ASTRO_TELEMETRY_DISABLED: "1",
    CI: "true",
  } as NodeJS.ProcessEnv;
}

/** Starts the app by the page's last command, on a free port. It is stopped after the test. */
export async function serve(
  { folder, command }: BuiltApp,
  listening: RegExp,
  more: Record<string, string>,
): Promise<Running> {
  const port = await freePort();
  const env = { ...variables(), PORT: String(port), HOST: "localhost", ...more };
  const [setting = "", node, ...parameters] = command;
  if (node !== "node" || !setting.startsWith("NODE_ENV="))
    throw new Error(`can't follow the command "${command.join(" ")}"`);
  return run(folder, parameters, { ...env, NODE_ENV: more.NODE_ENV ?? setting.slice("NODE_ENV=".length) }, listening);
}
