// What comes after `add`: update, switch and doctor know what was added, and leave the rest of the app alone.
// Change it when another command works on an app with added sessions.
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { App, appOf } from "./apps.ts";
import { snapshot } from "./tree.ts";
import { Project, Version } from "./versions.ts";

const MANIFEST = `{
    "name": "shop",
    "type": "module",
    "scripts": { "start": "node server.js", "test": "mine" },
    "dependencies": { "koa": "^3.0.0" }
}
`;
const SERVER = `import Koa from "koa";\n\nconst app = new Koa();\napp.listen(process.env.PORT);\n`;
const ENVIRONMENT = "# Mine.\nPORT=8080\nSESSION_IDLE=100\n";

let old: Version;
let next: Version;

beforeAll(() => {
  old = new Version("0.1.0");
  next = new Version("0.2.0");
  next.edit("runtime/src/session/cookie.ts", (text) => `${text}\n// New in 0.2.0.\n`);
  next.edit("templates/backends/sqlite/package.json", (text) => text.replace("^13.2.0", "^13.99.0"));
  next.edit("templates/base/files/_env.example.hbs", (text) => `${text}# Something new.\n#SESSION_NEW=1\n`);
});

async function shop(): Promise<App> {
  const app = appOf({
    "package.json": MANIFEST,
    "server.js": SERVER,
    ".env.example": ENVIRONMENT,
    ".gitignore": "node_modules\n",
  });
  const { code, stderr } = await old.run(["add", "--backend", "sqlite", "--no-install"], app.root);
  expect(code, stderr).toBe(0);
  return app;
}

describe("an app that sessions were added to", () => {
  test("L7: what the app shares with them is merged by structure, and what was set stays", async () => {
    const app = await shop();
    const { scripts, dependencies } = app.manifest;
    expect(scripts).toEqual({ sessions: "node src/session-cli/sessions.ts", start: "node server.js", test: "mine" });
    expect(dependencies).toMatchObject({ koa: "^3.0.0", cookie: expect.any(String) });
    expect(app.read("package.json")).toMatch(/^\{\n {4}"name": "shop",/);
    expect(app.read(".env.example")).toMatch(/^# Mine\.\nPORT=8080\nSESSION_IDLE=100\n/m);
    expect(app.read(".env.example").match(/SESSION_IDLE=/g)).toHaveLength(1);
    expect(app.read(".env.example")).toContain("#SQLITE_FILE=./data/sessions.db");
    expect(app.read(".gitignore")).toBe("node_modules\n.env\ndata/\n");
  });

  test("L2 L7: update takes what is new into the added files and into our part of the app's, and a second one changes nothing", async () => {
    const app = await shop();
    app.edit("src/session/token.ts", /\n/, "\n// Mine.\n");
    app.edit("package.json", '"test": "mine"', '"test": "mine too"');
    const { code, stderr } = await next.run(["update", "--no-install"], app.root);
    expect(code, stderr).toBe(0);
    expect(app.read("src/session/cookie.ts")).toContain("// New in 0.2.0.");
    expect(app.read("src/session/token.ts")).toContain("// Mine.");
    expect(app.manifest.dependencies).toMatchObject({ koa: "^3.0.0", "better-sqlite3": "^13.99.0" });
    expect(app.manifest.scripts?.test).toBe("mine too");
    expect(app.read(".env.example")).toContain("#SESSION_NEW=1");
    expect(app.read(".env.example")).toMatch(/^# Mine\.\nPORT=8080\nSESSION_IDLE=100\n/m);
    expect(JSON.parse(app.read(".session-app.json"))).toMatchObject({
      version: "0.2.0",
      answers: { added: { folder: "src" } },
    });
    const before = snapshot(app.root);
    const again = await next.run(["update", "--no-install"], app.root);
    expect([again.code, again.stdout], again.stderr).toEqual([0, '✔ "shop" is up to date with 0.2.0.\n']);
    expect(snapshot(app.root)).toEqual(before);
  });

  test("L1 L7: the base of a file that both have changed is in the app's own repository", async () => {
    const app = await shop();
    const project = new Project(app.root);
    project.git("init", "--quiet");
    project.commit();
    app.edit("src/session/cookie.ts", /\n/, "\n// Mine.\n");
    project.commit();
    const { code, stderr } = await next.run(["update", "--no-install"], app.root);
    expect(code, stderr).toBe(0);
    expect(app.read("src/session/cookie.ts")).toMatch(/\/\/ Mine\.[\s\S]*\/\/ New in 0\.2\.0\./);
  });

  test("L1: a record that names no file yet makes all of them, which is how an old version makes the base", async () => {
    const app = await shop();
    const { version, answers, files } = JSON.parse(app.read(".session-app.json"));
    const stub = appOf({ ".session-app.json": JSON.stringify({ format: 1, version, answers, files: {} }) });
    const { code, stderr } = await old.run(["update", "--no-install"], stub.root);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stub.read(".session-app.json")).files).toEqual(files);
  });

  test("L5 L7: switch gives it another store, and back, which leaves the starting bytes", async () => {
    const app = await shop();
    const before = snapshot(app.root);
    for (const backend of ["postgres", "sqlite"]) {
      const { code, stderr } = await old.run(["switch", "--backend", backend, "--no-install"], app.root);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain("Sessions stay in the old store: users have to sign in again.\n");
      expect(app.read("package.json")).toContain(backend === "postgres" ? '"pg"' : '"better-sqlite3"');
      expect(app.has("src/store/pool.ts")).toBe(false);
    }
    expect(snapshot(app.root)).toEqual(before);
    const framework = await old.run(["switch", "--framework", "hono"], app.root);
    expect([framework.code, framework.stderr]).toEqual([2, expect.stringContaining("only --backend")]);
    const kept = await old.run(["switch", "--backend", "redis", "--keep-store"], app.root);
    expect([kept.code, kept.stderr]).toEqual([2, expect.stringContaining("switch without it")]);
  });

  test("L8 L7: doctor names what was edited of ours, and unsafe defaults in it, and nothing of the app's", async () => {
    const app = await shop();
    app.edit("src/session/token.ts", /\n/, "\n// Mine.\n");
    const { code, stdout } = await old.run(["doctor", "--json"], app.root);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { edited: ["src/session/token.ts"], missing: [], dependencies: [] },
    ]);
    app.edit("src/session-config.ts", '"SESSION_COOKIE_HTTP_ONLY", true', '"SESSION_COOKIE_HTTP_ONLY", false');
    const unsafe = await old.run(["doctor"], app.root);
    expect([unsafe.code, unsafe.stderr]).toEqual([
      1,
      "Unsafe in production: SESSION_COOKIE_HTTP_ONLY in src/session-config.ts.\n",
    ]);
  });

  test("L7: a project that was generated has sessions already", async () => {
    const { root } = await old.create(["-f", "koa", "-b", "sqlite"]);
    const { code, stderr } = await old.run(["add"], root);
    expect([code, stderr]).toEqual([1, '"app" was made by create-session-app and has sessions already.\n']);
    expect(new App(join(root)).has("src/create-sessions.ts")).toBe(false);
  });
});
