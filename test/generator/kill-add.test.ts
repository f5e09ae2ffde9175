// Atomicity of `add` by force: runs that are killed at their changes to the disk, and the app before and after, byte for byte.
// Change it together with kill.test.ts.
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { appOf } from "./apps.ts";
import { countChanges, forEach, interfere, MINUTES, upTo } from "./kills.ts";
import { packageCopy, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const parameters = ["add", "--backend", "memory", "--no-install"];
let cli: string;
let original: string;
let before: Record<string, string>;
let after: Record<string, string>;
let moments: number[];

beforeAll(async () => {
  const folder = packageCopy();
  execFileSync(process.execPath, [join(folder, "build.ts")]);
  cli = join(folder, "dist/cli.cjs");
  original = appOf({
    "package.json": '{ "name": "shop", "dependencies": { "koa": "^3.0.0" } }\n',
    "index.js": 'const Koa = require("koa");\nconst app = new Koa();\napp.listen(3000);\n',
    ".gitignore": "node_modules\n",
  }).root;
  before = snapshot(original);
  const done = copy();
  const changes = await countChanges(cli, done, parameters);
  after = snapshot(done);
  expect(changes).toBeGreaterThan(100);
  // Files are written and moved one like the other: a sample of them, and every change at the beginning and at the end.
  moments = upTo(changes).filter((at) => at < 8 || at > changes - 8 || at % 9 === 0);
}, 5 * MINUTES);

function copy(): string {
  const app = temporaryFolder();
  cpSync(original, app, { recursive: true });
  return app;
}

describe("adding sessions", () => {
  test("C5 L7: after SIGKILL before a change, the next run undoes it and then does it whole", {
    timeout: 10 * MINUTES,
  }, async () => {
    expect(after["index.js"]).not.toBe(before["index.js"]);
    await forEach(moments, async (at) => {
      const app = copy();
      expect((await interfere(cli, app, parameters, { at, signal: "SIGKILL" })).signal, `change ${at}`).toBe("SIGKILL");
      const next = await runCli(cli, parameters, { cwd: app });
      expect(next.code, `change ${at}: ${next.stderr}`).toBe(0);
      expect(snapshot(app), `change ${at}`).toEqual(after);
    });
  });

  test("C4 C5 L7: SIGINT and SIGTERM at a change leave the app as it was, and exit with 130", {
    timeout: 10 * MINUTES,
  }, async () => {
    await forEach(moments, async (at) => {
      const app = copy();
      const { code, stderr } = await interfere(cli, app, parameters, {
        at,
        signal: at % 2 === 0 ? "SIGINT" : "SIGTERM",
      });
      expect([code, snapshot(app)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [130, before]);
    });
  });

  test("C5 L7: a disk that is full from a change on leaves the app as it was", { timeout: 10 * MINUTES }, async () => {
    await forEach(moments, async (at) => {
      const app = copy();
      const { code, stderr } = await interfere(cli, app, parameters, { at, full: true });
      expect([code, snapshot(app)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [1, before]);
    });
  });
});
