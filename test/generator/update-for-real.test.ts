// `update` as a user runs it: projects of earlier commits of this repository, installed, worked on and used, are brought to now;
// dependencies are installed and types checked, the project's own tests pass, and sessions from before are still there.
// Change it when another step follows an update.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import type { Fixture } from "../drivers/fixture.ts";
import { server } from "../servers/server.ts";
import { answers, freePort } from "./registry.ts";
import { environment, repository } from "./sandbox.ts";
import { append, hasCommit, type Project, Version } from "./versions.ts";

const run = promisify(execFile);
const MINUTES = 60_000;

/** The last commit before projects were laid out by whose a file is; its records are of before format 1. */
const OLD = "d9ce326";
/** A commit with records of format 1 and today's layout. */
const NEWER = "f7a6487";

/** The project's app, started as its users start it, until `use` is done. */
async function whileServing<T>(
  project: Project,
  use: (url: string) => Promise<T>,
  store: Record<string, string> = {},
): Promise<T> {
  const port = await freePort();
  const env = { ...environment(), PORT: String(port), ...store } as NodeJS.ProcessEnv;
  const server = spawn(process.execPath, ["src/main.ts"], { cwd: project.root, env, stdio: "ignore" });
  try {
    const url = `http://localhost:${port}`;
    await answers(`${url}/health`);
    return await use(url);
  } finally {
    const closed = once(server, "close");
    server.kill("SIGTERM");
    await closed;
  }
}

/** Signs in, stores something, and returns the cookie. */
async function signIn(url: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ userid: "ann", password: "demo" });
  const signedIn = await fetch(`${url}/login`, { method: "POST", headers, body });
  expect(signedIn.status).toBe(200);
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const value = JSON.stringify({ value: "dark" });
  const stored = await fetch(`${url}/session/data/theme`, {
    method: "PUT",
    headers: { ...headers, cookie },
    body: value,
  });
  expect(stored.status).toBe(200);
  return cookie;
}

async function npm(project: Project, ...parameters: string[]): Promise<void> {
  await run("npm", parameters, { cwd: project.root, env: environment() as NodeJS.ProcessEnv });
}

/** Code, a test and a package of the user's own. */
function addOwnCode(project: Project): void {
  project.edit("package.json", (text) =>
    text.replace('"dependencies": {', '"dependencies": {\n    "picocolors": "^1.1.0",'),
  );
  project.write(
    "src/greeting.ts",
    'import colors from "picocolors";\n\nexport const greeting: string = colors.green("hello");\n',
  );
  project.write(
    "test/greeting.test.ts",
    'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { greeting } from "../src/greeting.ts";\n\ntest("greets", () => {\n  assert.match(greeting, /hello/);\n});\n',
  );
}

const ROUTE = '  app.get("/about", (_request, response) => {\n    response.json({ title: "shop" });\n  });\n';

async function expectItLives(project: Project, cookie: string): Promise<void> {
  await npm(project, "test");
  await whileServing(project, async (url) => {
    const session = await (await fetch(`${url}/session`, { headers: { cookie } })).json();
    expect(session).toMatchObject({ userid: "ann", data: { theme: "dark" } });
    expect(await (await fetch(`${url}/about`)).json()).toEqual({ title: "shop" });
  });
  const { stdout } = await run("npm", ["run", "--silent", "sessions", "--", "list", "--user", "ann"], {
    cwd: project.root,
    env: environment() as NodeJS.ProcessEnv,
  });
  expect(stdout.match(/ ann /g)).toHaveLength(1);
}

describe("an update, with all that follows it", () => {
  test.skipIf(!hasCommit(NEWER))(
    `L3: without conflicts it installs and checks types by itself: a project made at ${NEWER}`,
    {
      timeout: 10 * MINUTES,
    },
    async () => {
      const before = Version.ofCommit(NEWER, "0.0.2");
      const now = new Version("0.1.0");
      const project = await before.create(["-f", "express", "-b", "sqlite", "--pm", "npm"]);
      addOwnCode(project);
      project.edit("src/routes.ts", (text) => text.replace("): void {\n", `): void {\n${ROUTE}\n`));
      project.edit("src/config.ts", (text) => text.replace('"SESSION_MAX_PER_USER", 0,', '"SESSION_MAX_PER_USER", 5,'));
      project.edit("src/session-data.ts", (text) => text.replace(/}\n$/, "  language?: string;\n}\n"));
      project.edit("README.md", append("\n## Our shop\n"));
      await npm(project, "install");
      const cookie = await whileServing(project, signIn);
      project.commit();

      const { code, stdout, stderr } = await now.run(["update"], project.root);
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("✔ Installed with npm.\n✔ Types checked.\n");
      expect(project.read("src/config.ts")).toContain('"SESSION_MAX_PER_USER", 5,');
      expect(project.record.version).toBe("0.1.0");
      await expectItLives(project, cookie);
      project.commit();
      expect((await now.run(["update"], project.root)).stdout).toBe('✔ "app" is up to date with 0.1.0.\n');
    },
  );

  test.skipIf(!hasCommit(OLD))(
    `L3: with conflicts it does so when they are settled: a project made at ${OLD}`,
    {
      timeout: 10 * MINUTES,
    },
    async () => {
      const before = Version.ofCommit(OLD, "0.0.1");
      const now = new Version("0.1.0");
      const project = await before.create(["-f", "express", "-b", "sqlite", "--pm", "npm"]);
      // That version left the first commit to its user.
      project.commit();
      addOwnCode(project);
      project.edit("src/main.ts", (text) =>
        text.replace("app.use(handlers(", `${ROUTE.replace(/^ {2}/gm, "")}app.use(handlers(`),
      );
      project.edit("src/config.ts", (text) => text.replace('"SESSION_MAX_PER_USER", 0,', '"SESSION_MAX_PER_USER", 5,'));
      project.edit(".env.example", (text) => text.replace("#PORT=3000", "PORT=8080"));
      await npm(project, "install");
      const cookie = await whileServing(project, signIn);
      project.commit();

      const first = await now.run(["update"], project.root);
      expect([first.code, first.stderr]).toEqual([
        1,
        expect.stringContaining("2 files have conflicts:\n  src/config.ts\n  src/main.ts\n"),
      ]);
      // As a user would: what is new, and their own change in it.
      for (const path of ["src/config.ts", "src/main.ts"]) {
        project.edit(path, (text) => text.replace(/^<<<<<<<[\s\S]*?^=======\n|^>>>>>>>.*\n/gm, ""));
      }
      project.edit("src/config.ts", (text) => text.replace('"SESSION_MAX_PER_USER", 0,', '"SESSION_MAX_PER_USER", 5,'));
      project.edit("src/main.ts", (text) => text.replace("  addRoutes(app);\n", `${ROUTE}  addRoutes(app);\n`));
      const { code, stdout, stderr } = await now.run(["update", "--continue"], project.root);
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/^✔ Finished the update to 0\.1\.0\.\n✔ Installed with npm\.\n✔ Types checked\.\n/);
      await expectItLives(project, cookie);
      expect((await now.run(["doctor"], project.root)).stdout).toContain("Nothing has to be done.");
    },
  );
});

/** How a project reaches a store of its own on the test's server; undefined: the backend has none, or it can't be had here. */
async function storeFor(backend: string): Promise<Record<string, string> | undefined> {
  const fixture: Fixture = (await import(join(repository, "templates/backends", backend, "conformance.ts"))).default;
  if (fixture.server === undefined) return undefined;
  const running = await server(fixture.server);
  return running && fixture.environment(running.url, `u${randomBytes(6).toString("hex")}`);
}

describe.skipIf(!hasCommit(OLD)).each(packs("backends"))("sessions in %s", async (backend) => {
  const store = await storeFor(backend);

  test.skipIf(store === undefined)(
    `L9: that were made by code of ${OLD} are served by what an update made of it`,
    {
      timeout: 10 * MINUTES,
    },
    async () => {
      const project = await Version.ofCommit(OLD, "0.0.1").create(["-f", "express", "-b", backend, "--pm", "npm"]);
      project.commit();
      await npm(project, "install");
      const cookie = await whileServing(project, signIn, store);
      project.git("add", "--all");
      project.commit();
      const { code, stderr } = await new Version("0.1.0").run(["update"], project.root);
      expect(code, stderr).toBe(0);
      await whileServing(
        project,
        async (url) => {
          const get = async (path: string) => (await fetch(`${url}${path}`, { headers: { cookie } })).json();
          expect(await get("/session")).toMatchObject({ userid: "ann", data: { theme: "dark" } });
          expect(await get("/sessions")).toMatchObject([{ current: true }]);
        },
        store,
      );
    },
  );
});
