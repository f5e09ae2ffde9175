// Packages that the table of docs/recipes names without a page of their own, in a project of which they are the routes.
// Change it when a framework's routes get another form.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { Client } from "./client.ts";
import { recipes } from "./page.ts";
import { followRecipe, type Running, start } from "./project.ts";

/** The project's routes, which leave everything to JavaScript, as packages without types and older examples do. */
export const ROUTES: Record<string, string> = {
  express: `import { createRequire } from "node:module";
import type { Express } from "express";
export function addRoutes(app: Express): void {
  createRequire(import.meta.url)("./packages.mjs").default(app);
}
`,
  fastify: `import type { FastifyInstance } from "fastify";
export async function routes(app: FastifyInstance): Promise<void> {
  const path = "./packages.mjs";
  await (await import(path)).default(app);
}
`,
  koa: `import { createRequire } from "node:module";
import Router from "@koa/router";
export function routes(): Router {
  const router = new Router({ sensitive: true, strict: true });
  createRequire(import.meta.url)("./packages.mjs").default(router);
  return router;
}
`,
  hono: `import { createRequire } from "node:module";
import { Hono } from "hono";
import type { AppEnv } from "./http/body.ts";
export function routes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  createRequire(import.meta.url)("./packages.mjs").default(app);
  return app;
}
`,
};

export interface Use {
  framework: string;
  /** The page of the table's row; without one the package is used as it is. */
  page?: string | undefined;
  code: string;
  variables?: Record<string, string>;
}

export async function startWith({ framework, page, code, variables }: Use): Promise<Running> {
  const files = { "src/routes.ts": ROUTES[framework] ?? "", "src/packages.mjs": code };
  return start(await followRecipe({ page, framework, files }), variables);
}

/** What each of these packages writes to the session without its recipe is refused, by name and with what to write instead. */
export async function expectExplained(use: Use, path: string, key: string): Promise<void> {
  const app = await startWith({ ...use, page: undefined });
  const client = new Client(app.url);
  expect((await client.get(path)).status).toBe(500);
  await app.printed(
    new RegExp(`session\\.${key} was set, but only session\\.data is stored: use session\\.data\\.${key}`),
  );
  expect(client.cookie).toBe("");
}

/** The package's rows in the table. */
export function rowsOf(name: string): string[] {
  const rows = readFileSync(join(recipes, "README.md"), "utf8").split("\n");
  return rows.filter((row) =>
    row
      .split("|")[1]
      ?.split(/[\s,]+/)
      .includes(name),
  );
}

/** The page that the package's row names. */
export function pageOf(name: string): string | undefined {
  const [row] = rowsOf(name);
  if (row === undefined) throw new Error(`${name} has no row in the table`);
  return /\]\(([\w-]+)\.md\)/.exec(row)?.[1];
}
