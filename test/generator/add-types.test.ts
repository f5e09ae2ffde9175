// The files that `add` writes, type-checked as apps check theirs: strict, and no more than that; for each backend and each framework.
// Change it when apps are compiled in another way.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { type App, appOf, linkModules } from "./apps.ts";
import { repository } from "./sandbox.ts";

const MINUTES = 60_000;
const OPTIONS = { target: "es2024", strict: true, skipLibCheck: true, types: ["node"], noEmit: true };

/** By name: what package.json says, the compiler's options, what an import of a neighbour looks like. */
const FORMS: Record<string, [type: string, options: object, neighbour: string]> = {
  "compiled to CommonJS": ["commonjs", { module: "nodenext" }, "./session/adapter"],
  "compiled to ES modules": ["module", { module: "nodenext" }, "./session/adapter.js"],
  "bundled or run by tsx": ["module", { module: "esnext", moduleResolution: "bundler" }, "./session/adapter.js"],
  "run by Node": ["module", { module: "nodenext", allowImportingTsExtensions: true }, "./session/adapter.ts"],
};

function check(app: App): string {
  try {
    const compiler = join(repository, "node_modules/typescript/bin/tsc");
    return execFileSync(process.execPath, [compiler, "-p", "."], { cwd: app.root, encoding: "utf8" });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

async function added(framework: string, backend: string, [type, options]: (typeof FORMS)[string]): Promise<App> {
  const app = appOf({
    "package.json": JSON.stringify({ name: "app", type, dependencies: { typescript: "*" } }),
    "tsconfig.json": JSON.stringify({ compilerOptions: { ...OPTIONS, ...options }, include: ["src"] }),
    "src/index.ts": "export {};\n",
  });
  linkModules(app);
  const { code, stderr } = await app.add("-f", framework, "-b", backend, "--no-install", "--json");
  expect(code, stderr).toBe(0);
  return app;
}

describe("what add writes", () => {
  test("C12 L7: nothing in it names a file that the app doesn't have, or is left of a template", async () => {
    for (const backend of packs("backends")) {
      const app = appOf({
        "package.json": '{ "dependencies": { "express": "5", "express-session": "1" } }',
        "app.js": "const app = require('express')()\n",
      });
      expect((await app.add("-b", backend, "--no-install")).code).toBe(0);
      const paths = readdirSync(app.root, { recursive: true, encoding: "utf8" });
      const names = new Set(paths.map((path) => basename(path)));
      for (const path of paths.filter((one) => /\.(mts|sql|example)$/.test(one))) {
        const text = app.read(path);
        expect(text, path).not.toMatch(/\{\{|^#?(PORT|HOST|NODE_ENV)=|session-session/m);
        const named = [...text.matchAll(/[\w-]+\.(?:mts|ts|sql)\b/g)].map(([name]) => name);
        expect(
          named.filter((name) => !names.has(name)),
          `${backend}: ${path}`,
        ).toEqual([]);
      }
    }
  });

  test.each(packs("backends"))(
    "L7 P1: %s type-checks in a strict app that is compiled to CommonJS",
    { timeout: 5 * MINUTES },
    async (backend) => {
      const app = await added("express", backend, FORMS["compiled to CommonJS"] as (typeof FORMS)[string]);
      expect(check(app)).toBe("");
    },
  );

  test.each(packs("frameworks"))(
    "L7 P1: %s type-checks in a strict app of each form",
    {
      timeout: 5 * MINUTES,
    },
    async (framework) => {
      for (const [name, form] of Object.entries(FORMS)) {
        const app = await added(framework, "sqlite", form);
        expect(app.read("src/create-sessions.ts"), name).toContain(`from "${form[2].replace("adapter", "sessions")}"`);
        expect(check(app), name).toBe("");
      }
    },
  );
});
