// What `add` does with its flags, and where it refuses: nothing is written then.
// Change it when add gets another flag.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { App, appOf } from "./apps.ts";
import { cloneWithFixtures, repository, runCli, sourceCli } from "./sandbox.ts";
import { KEYS, Person } from "./screen.ts";
import { snapshot } from "./tree.ts";
import { Project } from "./versions.ts";

function koaApp(more: Record<string, string> = {}): App {
  return appOf({
    "package.json": '{ "name": "shop", "dependencies": { "koa": "^3.0.0" } }\n',
    "app.js": "const Koa = require('koa')\nconst app = new Koa()\napp.listen(3000)\n",
    ...more,
  });
}

const MEMORY = ["--backend", "memory", "--no-install"];

describe("add", () => {
  test("L4 L7: --dry-run, --diff and --check write nothing; --check exits with 1 until sessions are there", async () => {
    const app = koaApp();
    const before = snapshot(app.root);
    const dry = await app.add(...MEMORY, "--dry-run");
    expect([dry.code, dry.stderr]).toEqual([0, ""]);
    expect(dry.stdout).toMatch(/^A preview: nothing is written\./);
    expect(dry.stdout).toContain("  src/session/sessions.mts\n");
    expect(dry.stdout).toContain("Mounted in app.js, where the app is made (line 2).");
    const diff = await app.add(...MEMORY, "--diff");
    expect(diff.code).toBe(0);
    expect(diff.stdout).toContain("+app.use(sessionMiddleware(sessions))\n");
    const check = await app.add(...MEMORY, "--check", "--json");
    expect([check.code, JSON.parse(check.stdout).error.code]).toEqual([1, "NOT_ADDED"]);
    expect(snapshot(app.root)).toEqual(before);
    expect((await app.add(...MEMORY)).code).toBe(0);
    expect((await app.add(...MEMORY, "--check")).code).toBe(0);
  });

  test("C3 L7: without a terminal, what isn't clear is named: the store, and the framework of an app that has two", async () => {
    const one = await koaApp().add();
    expect([one.code, one.stderr]).toEqual([2, "There is no terminal to ask on. Give --backend.\n"]);
    const two = koaApp({ "package.json": '{ "dependencies": { "koa": "^3.0.0", "express": "^5.0.0" } }\n' });
    const refused = await two.add("--yes");
    expect([refused.code, refused.stderr]).toEqual([
      2,
      "The app depends on Express and Koa, so that its framework isn't clear. There is no terminal to ask on. Give --framework.\n",
    ]);
    const none = await koaApp({ "package.json": "{}\n", "app.js": "" }).add(...MEMORY);
    expect(none.stderr).toContain("on none of the frameworks");
    expect((await two.add("--yes", "--framework", "koa", "--no-install", "--json")).code).toBe(0);
    const unknown = await koaApp().add("--backend", "sqlit");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Did you mean "sqlite"?')]);
  });

  test("C8 L7: a framework whose pack doesn't say how sessions are added is refused in one line", async () => {
    const clone = cloneWithFixtures();
    const packs = new App(join(clone, "templates/frameworks"));
    const add = '"add": { "package": "beta", "makers": [], "by": "call", "imports": [], "mount": [], "usage": "" },';
    packs.edit("beta/package.json", '"label"', `${add} "label"`);
    const { root } = koaApp();
    const before = snapshot(root);
    const { code, stderr } = await runCli(sourceCli(clone), ["add", "-f", "alpha", "--yes", "--no-install"], {
      cwd: root,
    });
    expect([code, stderr]).toEqual([2, `"add" doesn't support the framework "alpha". It supports beta.\n`]);
    expect(snapshot(root)).toEqual(before);
  });

  test("C1 C4 L7: with a terminal it asks for the store alone, and Ctrl-C leaves the app as it was", async () => {
    const app = koaApp();
    const before = snapshot(app.root);
    const sit = () => new Person(process.execPath, [sourceCli(repository), "add", "--no-install"], { cwd: app.root });
    const leaving = sit();
    await leaving.type(/\? Session backend ›/, KEYS.ctrlC);
    expect(await leaving.exit()).toBe(130);
    expect(snapshot(app.root)).toEqual(before);
    const staying = sit();
    await staying.type(/\? Session backend ›/, KEYS.enter);
    expect(await staying.exit()).toBe(0);
    expect(app.read(".session-app.json")).toContain('"backend": "sqlite"');
  });

  test("C6 L7: a file that is in the way is named, and nothing is written", async () => {
    const app = koaApp({ "src/session/session.mts": "mine\n", "src/store/driver.mts": "mine\n" });
    const before = snapshot(app.root);
    const { code, stderr } = await app.add(...MEMORY);
    expect([code, stderr]).toEqual([1, expect.stringContaining("2 paths are in the way")]);
    expect(stderr).toContain("\n  src/session/session.mts\n  src/store/driver.mts\n");
    expect(snapshot(app.root)).toEqual(before);
  });

  test("L4 L7: changes that are not committed are refused, unless --force is given", async () => {
    const app = koaApp();
    const project = new Project(app.root);
    project.git("init", "--quiet");
    project.commit();
    app.edit("app.js", "3000", "4000");
    const refused = await app.add(...MEMORY, "--json");
    expect([refused.code, JSON.parse(refused.stdout).error]).toMatchObject([
      1,
      { code: "UNCOMMITTED", paths: ["app.js"] },
    ]);
    expect(app.has("src")).toBe(false);
    expect((await app.add(...MEMORY, "--force")).code).toBe(0);
    expect(app.read("app.js")).toContain("app.listen(4000)");
  });

  test("L7: where the place isn't certain, the lines to paste are printed with file and line, and main stays as it is", async () => {
    const main = "import Koa from 'koa'\n\nexport function make() {\n  return new Koa()\n}\n";
    const app = koaApp({
      "app.js": main,
      "package.json": '{ "type": "module", "dependencies": { "koa": "^3.0.0" } }\n',
    });
    const { code, stdout, stderr } = await app.add(...MEMORY);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      "The app is made inside a function. So you have to mount sessions yourself. Paste into app.js:4:",
    );
    expect(stdout).toContain("  import { createSessions } from './src/create-sessions.ts'\n");
    expect(stdout).toContain("  const sessions = createSessions()\n  app.use(sessionMiddleware(sessions))\n");
    expect(app.read("app.js")).toBe(main);
    const again = await app.add(...MEMORY);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("has sessions already")]);
    expect(again.stderr).toContain("Paste into app.js:4:");
  });

  test("L7 S29: what becomes of express-session's sessions is said, and where the lines to paste go", async () => {
    const manifest = '{ "dependencies": { "express": "^5.0.0", "express-session": "^1.19.0" } }\n';
    const main = (mount: string) => `const express = require('express')
const session = require('express-session')
const app = express()
${mount}({ secret: 'keyboard cat' }))
`;
    const inMemory = appOf({ "package.json": manifest, "app.js": main("app.use(session") });
    const { code, stderr } = await inMemory.add(...MEMORY);
    expect([code, stderr]).toEqual([
      0,
      "The live sessions of express-session end: they are in the memory of the process. Their users sign in again.\n",
    ]);
    const onRouter = appOf({ "package.json": manifest, "app.js": main("express.Router().use(session") });
    for (const run of [await onRouter.add(...MEMORY), await onRouter.add(...MEMORY)]) {
      expect(run.stdout).toContain(
        "In place of the line that mounts express-session, with the options that it was given:",
      );
    }
  });

  test("L7: where nothing is installed yet, tsconfig.json itself says how the files are imported", async () => {
    const app = koaApp({
      "package.json": '{ "type": "module", "main": "src/index.ts", "dependencies": { "koa": "^3.0.0" } }\n',
      "tsconfig.json":
        '{ "compilerOptions": { "allowImportingTsExtensions": true /* Node runs it */, "target": "esnext" } }\n',
      "src/index.ts": 'import Koa from "koa";\nexport const app = new Koa();\n',
    });
    const { code, stderr } = await app.add(...MEMORY);
    expect(code, stderr).toBe(0);
    expect(app.read("src/index.ts")).toContain('from "./create-sessions.ts";\n');
    expect(app.read("src/create-sessions.ts")).toContain('from "./session/sessions.ts";\n');
  });

  test("L7 C11: an app that admits an older Node, or has packages that can't be taken over, is told so", async () => {
    const manifest = {
      engines: { node: ">=18" },
      dependencies: { express: "^5.0.0", "cookie-session": "^2.1.0", cookie: "^0.7.0" },
    };
    const app = appOf({ "package.json": JSON.stringify(manifest), "app.js": "const app = require('express')()\n" });
    const { code, stderr } = await app.add(...MEMORY);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('The added code needs Node 22.18 or newer, and "engines" in package.json admits >=18.');
    expect(stderr).toContain("The sessions of cookie-session can't be taken over");
    expect(stderr).toMatch(
      /The added code needs cookie \^2\.\S+, and the app has \^0\.7\.0\. Raise it, or the app won't start\./,
    );
  });
});
