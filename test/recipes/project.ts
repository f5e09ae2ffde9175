// A generated project with a recipe in it, as somebody would have it who has followed the page, and its app running.
// Change it when projects are generated, installed or started otherwise.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect } from "vitest";
import { repository, runCli, sourceCli, temporaryFolder } from "../generator/sandbox.ts";
import { applyDiff, type Page, readPage, readPages } from "./page.ts";

/** What only tests need: servers and clients for the other end. By the framework in whose folder they are installed. */
const TOOLS = JSON.parse(readFileSync(join(import.meta.dirname, "tools.json"), "utf8")) as Record<string, string[]>;

/** How long an installation or a build may take. */
export const LIMIT_MS = 240_000;

const running: Running[] = [];

afterEach(async () => {
  for (const app of running.splice(0)) await app.stop();
});

export interface Recipe {
  /** None where packages are used as they are. */
  page?: string | undefined;
  framework: string;
  /** Memory unless the recipe needs a database. */
  backend?: string;
  /** Further pages that are followed after it. */
  with?: string[];
  /** Leaves the example out. */
  minimal?: boolean;
  /** Files that the test adds: what the page leaves to its reader. */
  files?: Record<string, string>;
}

/** Generates a project, follows the page and the pages that it builds on, and checks the types. Resolves to its folder. */
export async function followRecipe(recipe: Recipe): Promise<string> {
  const { page, framework, backend = "memory", minimal = false, files = {} } = recipe;
  const cwd = temporaryFolder();
  const flags = ["app", "-f", framework, "-b", backend, "--no-install", "--no-git", ...(minimal ? ["--minimal"] : [])];
  const { code, stderr } = await runCli(sourceCli(repository), flags, { cwd });
  if (code !== 0) throw new Error(stderr);
  const project = join(cwd, "app");
  const modules = installed(framework, project, backend);
  symlinkSync(modules, join(project, "node_modules"), "dir");
  const pages = [page ?? [], recipe.with ?? []].flat().map(readPage);
  const foundations = pages.flatMap((each) => each.foundations).map(readPage);
  for (const one of [...foundations, ...pages]) {
    if (!one.frameworks.includes(framework)) throw new Error(`${one.name} is not for ${framework}`);
    applyPage(one, project, framework);
    checkVersions(one, modules);
  }
  for (const [path, text] of Object.entries(files)) write(join(project, path), text);
  checkTypes(
    project,
    pages.flatMap(({ blocks }) => blocks.map(({ file }) => file)),
  );
  return project;
}

export function applyPage({ name, blocks }: Omit<Page, "foundations">, project: string, framework: string): void {
  const hasExample = existsSync(join(project, "src/example"));
  for (const { step, file, frameworks = [framework], forExample, text } of blocks) {
    if (!frameworks.includes(framework) || (forExample && !hasExample)) continue;
    const place = join(project, file);
    if (existsSync(place) === (step === "New file") && file !== ".env" && step !== "Write")
      throw new Error(`${name}: ${file} is there, or it is not`);
    if (step === "In") writeFileSync(place, applyDiff(readFileSync(place, "utf8"), text, `${name}, ${file}`));
    else if (step === "Add to") writeFileSync(place, text, { flag: "a" });
    else write(place, text);
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export function checkVersions({ name, versions }: Pick<Page, "name" | "versions">, modules: string): void {
  for (const [dependency, version] of Object.entries(versions)) {
    const manifest = join(modules, dependency, "package.json");
    if (!existsSync(manifest)) continue;
    const { version: actual } = JSON.parse(readFileSync(manifest, "utf8"));
    expect(`${actual}.`, `${name}: the version of ${dependency}`).toContain(`${version}.`);
  }
}

/** The project's own tests are checked where projects are. */
function checkTypes(project: string, files: string[]): void {
  const include = ["src", ...files.filter((file) => file.startsWith("test/"))];
  writeFileSync(join(project, "tsconfig.recipe.json"), JSON.stringify({ extends: "./tsconfig.json", include }));
  try {
    execFileSync(
      process.execPath,
      [join(repository, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.recipe.json"],
      {
        cwd: project,
        encoding: "utf8",
      },
    );
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout);
  }
}

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/** One folder of packages for all recipes of a framework. It is kept until a page or the project asks for something else. */
function installed(framework: string, project: string, backend: string): string {
  const { dependencies, devDependencies }: Manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  // The database's driver comes from the repository: not every backend's is needed in each folder.
  const driver = backend === "memory" ? [] : Object.keys(driverOf(backend));
  const { typescript: _, ...types } = devDependencies;
  const own = Object.entries({ ...dependencies, ...types }).filter(([name]) => !driver.includes(name));
  const pages = readPages().filter(({ frameworks }) => frameworks.includes(framework));
  const wanted = [
    ...own.map(([name, range]) => `${name}@${range}`),
    ...pages.flatMap((page) => [...page.dependencies, ...page.devDependencies]),
    ...(TOOLS[framework] ?? []),
  ];
  const folder = installOnce(framework, [...new Set(wanted)].sort());
  const modules = join(folder, "node_modules");
  for (const name of driver) {
    const place = join(modules, name);
    mkdirSync(dirname(place), { recursive: true });
    if (!existsSync(place)) symlinkSync(packageOf(name, backend), place, "dir");
  }
  return modules;
}

function driverOf(backend: string): Record<string, string> {
  const manifest = join(repository, "templates/backends", backend, "package.json");
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, "utf8"));
  return { ...dependencies, ...devDependencies };
}

function packageOf(name: string, backend: string): string {
  const places = [join("templates/backends", backend), "."].map((part) => join(repository, part, "node_modules", name));
  const place = places.find((path) => existsSync(path));
  if (place === undefined) throw new Error(`${name} is not installed in the repository`);
  return place;
}

/** Installs packages into a folder, unless they are there. What was installed for earlier versions of the pages goes. */
export function installOnce(kind: string, list: string[]): string {
  const hash = createHash("sha256").update(list.join("\n")).digest("hex").slice(0, 12);
  const all = join(repository, ".build", "recipes");
  const folder = join(all, `${kind}-${hash}`);
  if (existsSync(folder)) return folder;
  install(folder, list);
  for (const name of readdirSync(all)) {
    if (name.startsWith(`${kind}-`) && name.length === basename(folder).length && name !== basename(folder)) {
      rmSync(join(all, name), { recursive: true, force: true });
    }
  }
  return folder;
}

function install(folder: string, packages: string[]): void {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, "package.json"), '{ "private": true }');
  const flags = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  execFileSync("npm", [...flags, ...packages], { cwd: draft, stdio: ["ignore", "ignore", "pipe"], timeout: LIMIT_MS });
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another worker was faster.
    if (!existsSync(folder)) throw error;
    rmSync(draft, { recursive: true });
  }
}

/** Imports one of the packages beside the project, for the other end of a connection. */
export function load<T>(project: string, name: string): Promise<T> {
  const require = createRequire(join(project, "package.json"));
  return import(pathToFileURL(require.resolve(name)).href);
}

export interface Running {
  url: string;
  process: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when it has printed what matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  stop(): Promise<void>;
}

/** Starts the app as `npm start` does, on a free port. It is stopped after the test. */
export async function start(project: string, variables: Record<string, string> = {}): Promise<Running> {
  const env = { ...process.env, PORT: "0", NODE_ENV: "development", ...variables };
  return run(project, ["src/main.ts"], env);
}

/** For `--import`: the limits of rate-limiter-flexible fail, as they would when a Redis that keeps them is down. */
export const BROKEN_LIMITS = `
import { RateLimiterMemory } from "rate-limiter-flexible";
RateLimiterMemory.prototype.consume = async () => {
  throw new Error("the store of the limits is down");
};
`;

/** Starts a program that prints its URL when it listens. */
export async function run(
  project: string,
  parameters: string[],
  env: NodeJS.ProcessEnv,
  listening = /Listening on (http\S+)/,
): Promise<Running> {
  const child = spawn(process.execPath, parameters, { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
      child.emit("output");
    });
  }
  const app: Running = {
    url: "",
    process: child,
    output: () => output,
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (child.exitCode !== null) throw new Error(`the app has ended: ${output}`);
        const heard = new AbortController();
        const { signal } = heard;
        await Promise.race([once(child, "output", { signal }), once(child, "exit", { signal })]);
        heard.abort();
      }
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
  running.push(app);
  app.url = (await app.printed(listening))[1] ?? "";
  return app;
}
