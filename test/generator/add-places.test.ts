// Where `add` mounts sessions, and where it only says what to paste: the place is found by a parser, and all else stays byte for byte.
// Change it when apps are made, started or written in another way.
import * as parser from "@babel/parser";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyEdits } from "../../create-session-app/src/app/edits.ts";
import { parsedFile, reachedFiles, startingPoints } from "../../create-session-app/src/app/entry.ts";
import { findPlace } from "../../create-session-app/src/app/place.ts";
import { type BabelParser, parseWith } from "../../create-session-app/src/app/syntax.ts";
import { optionsIn, withOptions } from "../../create-session-app/src/app/tsconfig.ts";
import { wire } from "../../create-session-app/src/app/wire.ts";
import { openAssets } from "../../create-session-app/src/packs/assets.ts";
import { repository } from "./sandbox.ts";

const parse = parseWith(parser as unknown as BabelParser);
const { frameworks } = openAssets(`${repository}/create-session-app/src`).catalog;

function rulesOf(framework: string) {
  const rules = frameworks.find(({ id }) => id === framework)?.add;
  if (rules === undefined) throw new Error(`no ${framework}`);
  return rules;
}

/** The file with sessions mounted; or why they aren't. */
function mount(framework: string, text: string, { path = "app.js", plugin = false } = {}): string {
  const rules = rulesOf(framework);
  const file = parsedFile(path, () => text, parse);
  if (file === undefined) throw new Error("can't be parsed");
  const place = findPlace([file], rules, plugin);
  if ("why" in place) return place.why;
  const imports = [
    { name: "createSessions", place: "src/c.mts" },
    ...rules.imports.map(({ name }) => ({ name, place: "src/m.mts" })),
  ];
  const wired = wire(
    place,
    rules,
    { imports, specifierOf: (to) => `./${to}`, adopts: false, replaced: undefined },
    parse,
  );
  return "why" in wired ? wired.why : wired.text;
}

describe("the place", () => {
  test.each([
    ["express", "const app = require('express')()", "const app = require('express')()\nconst sessions"],
    [
      "express",
      "const { default: express } = require('express')\nvar app = express();\n",
      "var app = express();\nvar sessions",
    ],
    [
      "express",
      "import * as e from 'express'\nexport const web = e.default() // the app\n",
      "// the app\nconst sessions = createSessions()\nweb.use(",
    ],
    ["fastify", "const f = require('fastify')({ logger: true }).withTypeProvider()\n", "f.register(sessionPlugin"],
    ["fastify", "const { fastify } = require('fastify')\nlet app = fastify()\n", "app.register(sessionPlugin"],
    ["hono", "import { Hono as H } from 'hono'\nconst app = new H()\n", "app.use(sessionMiddleware(sessions))"],
    [
      "hono",
      "import { Hono } from 'hono'\nconst app = new Hono().basePath('/api')\n",
      "basePath('/api')\nconst sessions = createSessions()\napp.use(sessionMiddleware(sessions))",
    ],
    ["koa", "const app = new (require('koa'))()\n", "app.use(sessionMiddleware(sessions))"],
    [
      "node",
      "import { createServer } from 'http'\ncreateServer({}, (q, r) => r.end()).listen(1)\n",
      "createServer({}, withSession(sessions, (q, r) => r.end())).listen(1)",
    ],
  ])("L7: %s, made by %j", (framework, text, expected) => {
    expect(mount(framework, text)).toContain(expected);
  });

  test.each([
    [
      "express",
      "const express = require('express')\nfunction make() { const app = express(); return app }\n",
      "inside a function",
    ],
    ["express", "const express = require('express')\nconst a = express()\nconst b = express()\n", "2 apps are made"],
    ["express", "const express = require('express')\nexpress().listen(1)\n", "one value of a variable"],
    ["express", "// const app = express()\nconst text = 'const app = express()'\n", "No file was found"],
    ["express", "const express = (x) => x\nconst app = express()\n", "No file was found"],
    [
      "express",
      "const express = require('express')\nconst app = express()\nconst sessions = new Map()\n",
      'uses the name "sessions"',
    ],
    ["hono", "import { Hono } from 'hono'\nexport default new Hono()\n", "one value of a variable"],
    [
      "hono",
      "import { Hono } from 'hono'\nconst app = new Hono().get('/', (c) => c.text('x'))\n",
      "one value of a variable",
    ],
    ["node", "const server = require('http').createServer()\nserver.on('request', f)\n", "without a listener"],
  ])("L7: it isn't certain for %s in %j", (framework, text, why) => {
    expect(mount(framework, text)).toContain(why);
  });

  test("L7: line ends, quotes, indentation and a missing semicolon are the file's own", () => {
    const text = "\ufeff'use strict'\r\nimport express from 'express'\r\n\r\nconst app = express()\r\napp.listen(1)";
    expect(mount("express", text)).toBe(
      "\ufeff'use strict'\r\nimport express from 'express'\r\nimport { createSessions } from './src/c.mts'\r\nimport { sessionMiddleware } from './src/m.mts'\r\n\r\n" +
        "const app = express()\r\nconst sessions = createSessions()\r\napp.use(sessionMiddleware(sessions))\r\napp.listen(1)",
    );
    const plugin = "export default async function (app) {\n\treturn app.get('/', f);\n}\n";
    expect(mount("fastify", plugin, { plugin: true })).toContain(
      "(app) {\n\tconst sessions = createSessions();\n\tapp.register(",
    );
  });

  test("L7: whatever stands around the app, only lines are inserted, and they are behind it", () => {
    const code = fc.constantFrom(
      "const a = 1;",
      "function f() { return express }",
      "class C { x = () => 1 }",
      "/* express() */",
      "if (a) b();",
      "// 'x'",
      "",
      "label: for (;;) break label;",
      "const b = require('b');",
      "export const d = 2;",
    );
    const lines = fc.array(code, { maxLength: 6 }).map((all) => [...new Set(all)]);
    fc.assert(
      fc.property(
        lines,
        lines,
        fc.constantFrom("\n", "\r\n"),
        fc.constantFrom("", "; f()", " // it", " /* it */", " /* it\n */"),
        (before, after, end, rest) => {
          const text = [
            "import express from 'express'",
            ...before,
            `const app = express()${rest}`,
            ...after.filter((line) => !before.includes(line)),
          ].join(end);
          const mounted = mount("express", text);
          const inserted =
            /(?:^|\r?\n)(?:import \{ (?:createSessions|sessionMiddleware) \}[^\r\n]*|const sessions = createSessions\(\);?|app\.use\(sessionMiddleware\(sessions\)\);?)/g;
          expect(mounted.match(inserted)).toHaveLength(4);
          expect(mounted.replace(inserted, "")).toBe(text);
          expect(mounted.indexOf("createSessions()")).toBeGreaterThan(mounted.indexOf("const app = express()"));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("L7: in code without semicolons, a line that begins with a bracket stays a statement of its own", () => {
    const text =
      "const express = require('express');\nconst app = express();\n(async () => {\n  await a\n  await b\n  c()\n  d()\n})()\n";
    expect(mount("express", text)).toContain("app.use(sessionMiddleware(sessions));\n(async");
  });

  test("L7: edits at any places change nothing between them", () => {
    const places = fc.uniqueArray(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.string({ minLength: 30, maxLength: 40, unit: "binary" }), places, (text, positions) => {
        const at = positions.filter((position) => position <= text.length);
        const edited = applyEdits(
          text,
          at.map((start) => ({ start, end: start, text: "\u0000" })),
        );
        expect(edited.length).toBe(text.length + at.length);
        const removed = at
          .toSorted((a, b) => b - a)
          .reduce((result, position) => {
            const index = position + at.filter((other) => other < position).length;
            expect(edited[index]).toBe("\u0000");
            return result.slice(0, index) + result.slice(index + 1);
          }, edited);
        expect(removed).toBe(text);
      }),
    );
  });
});

describe("the start", () => {
  const start = (manifest: object, files: string[], outDir?: string) =>
    startingPoints(manifest as Record<string, unknown>, (path) => (files.includes(path) ? "" : undefined), outDir)[0];

  test.each([
    [{ scripts: { start: "node ./bin/www" } }, ["bin/www"], "bin/www"],
    [
      { scripts: { start: "NODE_ENV=production node --enable-source-maps dist/server.js" } },
      ["src/server.ts"],
      "src/server.ts",
    ],
    [{ scripts: { start: "node build/main" } }, ["src/main.ts"], "src/main.ts", "./build"],
    [{ scripts: { dev: "tsx watch --env-file=.env src/index.ts" } }, ["src/index.ts"], "src/index.ts"],
    [{ scripts: { dev: "nodemon" }, main: "lib/app" }, ["lib/app.js"], "lib/app.js"],
    [{ scripts: { start: "node ." } }, ["index.js"], "index.js"],
    [{}, ["server.js"], "server.js"],
  ])("L7: of %j", (manifest, files, path, outDir = undefined as string | undefined) => {
    expect(start(manifest, files, outDir)?.path).toBe(path);
  });

  test("L7: leads to the file that makes the app, however it is imported", () => {
    const files: Record<string, string> = {
      "bin/www": "#!/usr/bin/env node\nvar app = require('../app');\n",
      "app.js": "import('./lib/index.js')\nimport { x } from './types'\n",
      "lib/index.ts": "import other = require('../app')\n",
      "types.ts": "export * from './lib'\n",
    };
    expect(reachedFiles("bin/www", (path) => files[path], parse).map(({ path }) => path)).toEqual([
      "bin/www",
      "app.js",
      "lib/index.ts",
      "types.ts",
    ]);
  });
});

describe("tsconfig.json", () => {
  test("L7: gets an option, and its comments stay", () => {
    const text =
      '{\n  // Mine.\n  "compilerOptions": {\n    "target": "es2016", /* old */\n    "lib": ["dom"],\n  },\n}\n';
    expect(withOptions(text, [{ name: "target", value: "es2024" }], parse)).toBe(text.replace("es2016", "es2024"));
    expect(withOptions(text, [{ name: "lib", value: ["es2024", "dom"] }], parse)).toBe(
      text.replace('["dom"]', '["es2024", "dom"]'),
    );
    expect(withOptions(text, [{ name: "x", value: "y" }], parse)).toBe(
      text.replace('Options": {\n', 'Options": {\n    "x": "y",\n'),
    );
    expect(withOptions('{ "compilerOptions": {} }', [{ name: "x", value: "y" }], parse)).toBe(
      '{ "compilerOptions": { "x": "y"} }',
    );
    expect(withOptions('{ "extends": "./base" }', [{ name: "x", value: "y" }], parse)).toBeUndefined();
    expect(optionsIn(text, parse)).toEqual({ target: "es2016", lib: ["dom"] });
    expect(withOptions("{", [{ name: "x", value: "y" }], parse)).toBeUndefined();
  });
});
