// An app that takes over another package's sessions, started without the secret that they are signed with.
// Change it when there is another session package whose sessions can be taken over.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appOf, linkModules } from "./apps.ts";
import { runCli } from "./sandbox.ts";

interface Old {
  package: string;
  framework: string;
  /** The main file, which has the secret from the variable OLD_SECRET. */
  main: string;
  needs: string;
}

const STORE = "{ get: (id, done) => done(null, null), destroy: (id, done) => done(null) }";

const OLD: Old[] = [
  {
    package: "express-session",
    framework: "express",
    main: `const express = require("express");
const session = require("express-session");
const app = express();
app.use(session({ store: ${STORE}, secret: process.env.OLD_SECRET, resave: false, saveUninitialized: false }));
`,
    needs: "adoptExpressSession needs the secret of express-session",
  },
  {
    package: "express-session",
    framework: "express",
    main: `const express = require("express");
const session = require("express-session");
const app = express();
app.use(session({ store: ${STORE}, secret: [process.env.OLD_SECRET, "an older one, long enough"] }));
`,
    needs: "adoptExpressSession needs the secret of express-session",
  },
  {
    package: "@fastify/session",
    framework: "fastify",
    main: `const fastify = require("fastify");
const session = require("@fastify/session");
const app = fastify();
app.register(session, { store: ${STORE}, secret: process.env.OLD_SECRET });
`,
    needs: "adoptFastifySession needs the secret of @fastify/session",
  },
  {
    package: "koa-session",
    framework: "koa",
    main: `const Koa = require("koa");
const session = require("koa-session");
const app = new Koa();
app.keys = [process.env.OLD_SECRET];
app.use(session(app));
`,
    needs: "adoptKoaSession needs the app.keys of koa-session",
  },
  {
    package: "koa-session",
    framework: "koa",
    main: `const Koa = require("koa");
const session = require("koa-session");
const app = new Koa();
app.keys = process.env.OLD_SECRET && [process.env.OLD_SECRET];
app.use(session(app));
`,
    needs: "adoptKoaSession needs the app.keys of koa-session",
  },
];

describe("the secret of old sessions", () => {
  for (const [number, old] of OLD.entries()) {
    test(`L7 P3 C8 S29: one that is missing or short ends the start with one line (${old.package}, ${number + 1})`, async () => {
      const dependencies = { [old.framework]: "*", [old.package]: "*" };
      const app = appOf({
        "package.json": `${JSON.stringify({ name: "old", scripts: { start: "node app.js" }, dependencies })}\n`,
        "app.js": old.main,
      });
      linkModules(app);
      const added = await app.add("-b", "memory", "--no-install", "--json");
      expect(JSON.parse(added.stdout).wired, added.stderr).toMatchObject({ replaces: old.package });
      const start = (secret: string | undefined) =>
        runCli(join(app.root, "app.js"), [], { cwd: app.root, env: { OLD_SECRET: secret } });
      for (const secret of [undefined, "", ...(old.main.includes("older") ? [] : ["short"])]) {
        const { code, stderr } = await start(secret);
        expect([code, stderr], `${secret}`).toEqual([1, expect.stringMatching(/^.*\n$/)]);
        expect(stderr).toContain(old.needs);
        expect(stderr).toContain("(is its environment variable set?)");
      }
      // With it, the file runs to its end, where it listens to nothing.
      expect(await start("a secret that is long enough")).toMatchObject({ code: 0, stderr: "" });
    });
  }
});
