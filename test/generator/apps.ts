// Real apps for `add`: made by the generators that people use, installed, and run as their package.json says.
// Change it when there is another generator whose apps should get sessions.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect } from "vitest";
import { command } from "../projects/stranger.ts";
import { freePort } from "./registry.ts";
import type { Finished } from "./sandbox.ts";
import { repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";

const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const closed = once(child, "close");
    // npm starts a shell, and that the app.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await closed;
  }
});

export class App {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Fails when it changes nothing. */
  edit(path: string, from: string | RegExp, to: string): void {
    const before = this.read(path);
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${path} has no ${from}.`);
    this.write(path, after);
  }

  get manifest(): Record<string, Record<string, string>> {
    return JSON.parse(this.read("package.json"));
  }

  /** Runs `create-session-app add` in the app, as a user without a terminal. */
  add(...flags: string[]): Promise<Finished> {
    return runCli(sourceCli(repository), ["add", ...flags], { cwd: this.root });
  }

  /** Fails with the program's output. */
  async run(...line: string[]): Promise<string> {
    const { code, output } = await command(this.root, line);
    if (code !== 0) throw new Error(`${line.join(" ")}: ${output}`);
    return output;
  }

  install(): Promise<string> {
    return this.run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund");
  }

  /** Starts it, and resolves to its address when it responds. */
  async start(line: readonly string[] = ["npm", "start"], env: Record<string, string> = {}): Promise<string> {
    const port = await freePort();
    const [program = "", ...parameters] = line;
    const child = spawn(program, parameters, {
      cwd: this.root,
      env: { ...process.env, NODE_ENV: "development", ...env, PORT: String(port), FASTIFY_PORT: String(port) },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => {
        output += text;
      });
    const url = `http://localhost:${port}`;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`The app has ended: ${output}`);
      try {
        await fetch(url);
        return url;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

/** An app of files that are given here. */
export function appOf(files: Record<string, string>): App {
  const app = new App(temporaryFolder());
  for (const [path, text] of Object.entries(files)) app.write(path, text);
  return app;
}

/** The repository's packages, with the version of cookie that projects get. */
export function linkModules(app: App): void {
  const modules = join(app.root, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(repository, "node_modules"))) {
    const source = name === "cookie" ? "runtime/node_modules/cookie" : `node_modules/${name}`;
    symlinkSync(join(repository, source), join(modules, name), "dir");
  }
}

export async function expressGenerator(): Promise<App> {
  const folder = temporaryFolder();
  await new App(folder).run("npx", "--yes", "express-generator@4.16.1", "--view=pug", "app");
  return new App(join(folder, "app"));
}

export async function fastifyCli(...flags: string[]): Promise<App> {
  const folder = temporaryFolder();
  await new App(folder).run("npx", "--yes", "--package=fastify-cli@8.0.2", "fastify", "generate", "app", ...flags);
  return new App(join(folder, "app"));
}

export function honoNodejs(): App {
  const folder = temporaryFolder();
  cpSync(join(import.meta.dirname, "apps/hono-nodejs"), folder, { recursive: true });
  return new App(folder);
}

/** Keeps cookies, and follows no redirect. */
export class Browser {
  readonly #url: string;
  readonly #jar = new Map<string, string>();

  constructor(url: string, cookie = "") {
    this.#url = url;
    for (const pair of cookie.split("; ")) if (pair !== "") this.#keep(pair);
  }

  get cookie(): string {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get(path: string): Promise<string> {
    return this.#request(path, "GET");
  }

  post(path: string): Promise<string> {
    return this.#request(path, "POST");
  }

  #keep(cookie: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (value === "" || /max-age=0|expires=[^;]*1970/i.test(cookie)) this.#jar.delete(name);
    else this.#jar.set(name, value);
  }

  async #request(path: string, method: string): Promise<string> {
    const headers = { cookie: this.cookie, "sec-fetch-site": "same-origin" };
    const response = await fetch(this.#url + path, { method, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    const text = await response.text();
    if (response.status >= 400) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
}

/** At the first start of all, the table is made while the app listens already: what needs it is 503 until then. */
async function storeIsSetUp(url: string): Promise<void> {
  while ((await fetch(`${url}/visit`, { method: "POST" })).status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The app has POST /login, which signs "ada" in, POST /visit, which counts in the session, and GET /me, which shows both. */
export async function checkSessions(url: string): Promise<Browser> {
  await storeIsSetUp(url);
  const browser = new Browser(url);
  expect(await browser.get("/me")).toBe("nobody 0");
  expect(browser.cookie, "a visit starts no session").toBe("");
  await browser.post("/visit");
  const anonymous = browser.cookie;
  expect(anonymous).toMatch(/^session=[\w-]{64}$/);
  await browser.post("/visit");
  await browser.post("/login");
  expect(browser.cookie, "signing in renews the token").not.toBe(anonymous);
  await browser.post("/visit");
  expect(await browser.get("/me")).toBe("ada 3");
  const thief = await fetch(`${url}/me`, { headers: { cookie: anonymous } });
  expect(await thief.text()).toBe("nobody 0");
  const crossSite = await fetch(`${url}/visit`, {
    method: "POST",
    headers: { cookie: browser.cookie, "sec-fetch-site": "cross-site" },
  });
  expect(crossSite.status).toBe(403);
  return browser;
}

/** Adds sessions, checks that only lines were inserted into the main file, and that adding again changes nothing. */
export async function addTo(app: App, main: string, ...flags: string[]): Promise<string> {
  const before = app.read(main);
  const { code, stdout, stderr } = await app.add("--json", ...flags);
  expect(code, stderr + stdout).toBe(0);
  const document = JSON.parse(stdout);
  expect(document.wired?.file, stdout).toBe(main);
  const after = app.read(main);
  const inserted = after
    .split(/(?<=\n)/)
    .filter((line) =>
      /createSessions|[sS]ession(Middleware|Plugin|Errors|s\.close)|respondToRawError|withSession\b/.test(line),
    );
  expect(inserted.length).toBeGreaterThan(1);
  const again = await app.add("--json", ...flags);
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, files: [], paste: null });
  expect(app.read(main)).toBe(after);
  // A listener is wrapped on its line; all else is inserted as lines.
  if (!after.includes("withSession("))
    expect(
      after
        .split(/(?<=\n)/)
        .filter((line) => !inserted.includes(line))
        .join(""),
    ).toBe(before);
  return after;
}
