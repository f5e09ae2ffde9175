// Everything that one framework x backend pair must do, as a stranger would find it: outside of the repository, with a real server.
// Change it to hold every generated project to something new.

import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Pair, repository } from "../../scripts/packs.ts";
import { Project } from "../http/project.ts";
import { httpSuite } from "../http/suite.ts";
import { type ServerName, server } from "../servers/server.ts";
import { imports, isUsed, type Manifest, peers } from "./dependencies.ts";
import { command, filesOf, generate, install, place } from "./stranger.ts";
import { unused } from "./unused.ts";

interface Pack {
  sessionApp: { environment?: { name: string }[] };
}

async function json<Content>(...path: string[]): Promise<Content> {
  return JSON.parse(await readFile(join(...path), "utf8")) as Content;
}

/** The variable with which the backend is told where its server is; undefined: it has none. */
async function addressVariable(backend: string): Promise<string | undefined> {
  const { sessionApp } = await json<Pack>(repository, "templates", "backends", backend, "package.json");
  return sessionApp.environment?.find(({ name }) => name.endsWith("_URL"))?.name;
}

/** How the project reaches its server; undefined: the server can't be had on this machine. */
async function serverEnvironment(backend: string): Promise<Record<string, string> | undefined> {
  const fixture = await import(join(repository, "templates", "backends", backend, "conformance.ts"));
  const name = (fixture.default as { server?: ServerName }).server;
  if (!name) return {};
  const [variable, running] = [await addressVariable(backend), await server(name)];
  if (!variable) throw new Error(`templates/backends/${backend} names no variable that ends in _URL`);
  return running && { [variable]: running.url };
}

export async function pairTests(pair: Pair): Promise<void> {
  const name = `${pair.framework}-${pair.backend}`;
  const environment = await serverEnvironment(pair.backend);

  describe.skipIf(!environment)(name, () => {
    let parent: string;
    let folder: string;
    let manifest: Manifest;

    beforeAll(async () => {
      parent = await place();
      folder = join(parent, name);
      const generated = await generate(parent, name, pair);
      expect(generated, generated.output).toMatchObject({ code: 0 });
      manifest = await json(folder, "package.json");
      const installed = await install(folder);
      expect(installed, installed.output).toMatchObject({ code: 0 });
    });

    afterAll(() => rm(parent, { recursive: true, force: true }));

    test("C12: nothing of a template is left in it", async () => {
      for (const file of await filesOf(folder)) {
        expect(file).not.toMatch(/\.hbs$|(^|\/)_/);
        if (/\.(png|ico|lock)$|package-lock\.json$/.test(file)) continue;
        const text = await readFile(join(folder, file), "utf8");
        expect(text, file).not.toMatch(/\{\{|\[object Object\]/);
        if (!file.endsWith(".ts")) expect(text, file).not.toMatch(/\bundefined\b/);
        expect(text.includes(repository), `${file} names a folder of this machine`).toBe(false);
      }
    });

    test("C12: it is formatted, and the linter has no complaint", async () => {
      const config = `--config-path=${join(repository, "biome.json")}`;
      const biome = join(repository, "node_modules", ".bin", "biome");
      const checked = await command(folder, [
        biome,
        "check",
        "--error-on-warnings",
        "--vcs-enabled=false",
        config,
        ".",
      ]);
      expect(checked.code, checked.output).toBe(0);
    });

    test("P2: it declares what it imports, and imports what it declares", async () => {
      const used = await imports(folder);
      const { dependencies = {}, devDependencies = {} } = manifest;
      const all = { ...dependencies, ...devDependencies };
      const besides = await peers(folder, [...used.src]);
      expect([...used.src].filter((name) => !(name in dependencies))).toEqual([]);
      expect([...used.test, ...besides].filter((name) => !(name in all))).toEqual([]);
      const superfluous = Object.keys(dependencies).filter((name) => !used.src.has(name) && !besides.includes(name));
      expect(superfluous).toEqual([]);
      expect(Object.keys(devDependencies).filter((name) => !isUsed(name, manifest, used))).toEqual([]);
    });

    test("P12: nothing in it is unused", async () => {
      expect(await unused(folder)).toEqual([]);
    });

    test("P1: it type-checks without an error", async () => {
      const checked = await command(folder, ["npm", "run", "--silent", "typecheck"]);
      expect(checked, checked.output).toMatchObject({ code: 0, output: "" });
    });

    test("P8: its own tests pass", async () => {
      const tested = await command(folder, ["npm", "test"], environment);
      expect(tested.code, tested.output).toBe(0);
      expect(tested.output).toMatch(/^. fail 0$/m);
      expect(tested.output).toMatch(/^. pass [1-9]/m);
    });

    describe("running", () => {
      let project: Project;

      beforeAll(async () => {
        project = new Project(folder, environment);
        await project.start();
      });

      afterAll(() => project.stop());

      httpSuite({
        name,
        url: () => project.url,
        restart: pair.backend === "memory" ? undefined : () => project.restart(),
        persistent: pair.backend !== "memory",
      });
    });

    test("F4: it ends by itself, in order, when it is asked to", async () => {
      const project = new Project(folder, environment);
      await project.start();
      const idle = await fetch(`${project.url}/health/live`);
      await idle.text();
      await project.stop();
      await expect(once(AbortSignal.timeout(1), "abort").then(() => fetch(project.url))).rejects.toThrow(
        "fetch failed",
      );
    });
  });
}
