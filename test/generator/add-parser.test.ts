// Where `add` gets its parser from, and what it does without one.
// Change it together with docs/decisions/0013-a-parser-fetched-when-needed.md.
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type App, appOf } from "./apps.ts";
import { packageCopy, runCli, temporaryFolder } from "./sandbox.ts";

const SERVER = "const Koa = require('koa')\nconst app = new Koa()\napp.listen(3000)\n";
const FLAGS = ["add", "--backend", "memory", "--no-install", "--json"];

/** The package as npm installs it for one run: no dependency is anywhere above it. */
let cli: string;

beforeAll(() => {
  const folder = packageCopy();
  execFileSync(process.execPath, [join(folder, "build.ts")]);
  const installed = temporaryFolder();
  for (const part of ["dist", "package.json"]) cpSync(join(folder, part), join(installed, part), { recursive: true });
  cli = join(installed, "dist/cli.cjs");
});

function koaApp(): App {
  return appOf({ "package.json": '{ "name": "shop", "dependencies": { "koa": "^3.0.0" } }\n', "app.js": SERVER });
}

/** No registry responds there, and npm has nothing in its cache. */
function offline(): Record<string, string> {
  return { npm_config_registry: "http://127.0.0.1:9/", npm_config_cache: temporaryFolder() };
}

describe("the parser", () => {
  test("L7: the published package fetches it, and mounts sessions", async () => {
    const app = koaApp();
    const { code, stdout, stderr } = await runCli(cli, FLAGS, { cwd: app.root });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).wired).toMatchObject({ file: "app.js", line: 2 });
    expect(app.read("app.js")).toContain("const app = new Koa()\nconst sessions = createSessions()\n");
    expect(app.has("node_modules")).toBe(false);
  });

  test("L7: the app's own is enough where there is no network", async () => {
    const app = koaApp();
    const own = { "node_modules/@babel/parser/package.json": '{ "main": "index.js" }' };
    for (const [path, text] of Object.entries(own)) app.write(path, text);
    const parser = join(import.meta.dirname, "../../node_modules/@babel/parser/lib/index.js");
    app.write("node_modules/@babel/parser/index.js", `module.exports = require(${JSON.stringify(parser)});\n`);
    const { code, stdout, stderr } = await runCli(cli, FLAGS, { cwd: app.root, env: offline() });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).wired).toMatchObject({ file: "app.js" });
  });

  test("L7 C7: without one, nothing in the main file is changed, and the lines to paste say why", async () => {
    const app = koaApp();
    const { code, stdout, stderr } = await runCli(cli, FLAGS, { cwd: app.root, env: offline() });
    expect(code, stderr).toBe(0);
    expect(app.read("app.js")).toBe(SERVER);
    expect(app.has("src/session/sessions.mts")).toBe(true);
    const { wired, paste } = JSON.parse(stdout);
    expect(wired).toBeNull();
    expect(paste).toMatchObject({
      why: expect.stringMatching(/^The parser that finds the place, @babel\/parser, could not be fetched/),
      file: "app.js",
      imports: [
        'const { createSessions } = require("./src/create-sessions.mts");',
        'const { sessionMiddleware } = require("./src/session/adapter.mts");',
      ],
      statements: ["const sessions = createSessions();", "app.use(sessionMiddleware(sessions));"],
    });
  });
});
