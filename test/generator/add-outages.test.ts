// What clients of an app that `add` has changed get while its store is down, in each framework, without any error handler of the app's own.
// Change it when an error brings another header along.
import { describe, expect, test } from "vitest";
import { appOf, linkModules } from "./apps.ts";
import { freePort } from "./registry.ts";

const MINUTES = 60_000;

/** Each has POST /visit, which needs the store, and GET /, which doesn't. */
const APPS: Record<string, string> = {
  express: `import express from "express";
const app = express();
app.get("/", (_request, response) => response.send("hello"));
app.post("/visit", (request, response) => {
  request.session.data.visits = 1;
  response.send("counted");
});
app.listen(process.env.PORT);
`,
  fastify: `import fastify from "fastify";
const app = fastify();
app.get("/", () => "hello");
app.post("/visit", async (request) => {
  request.session.data.visits = 1;
  return "counted";
});
app.listen({ port: process.env.PORT });
`,
  hono: `import { serve } from "@hono/node-server";
import { Hono } from "hono";
const app = new Hono();
app.get("/", (c) => c.text("hello"));
app.post("/visit", (c) => {
  c.var.session.data.visits = 1;
  return c.text("counted");
});
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
`,
  koa: `import Koa from "koa";
const app = new Koa();
app.use((ctx) => {
  if (ctx.path === "/visit") ctx.session.data.visits = 1;
  ctx.body = "hello";
});
app.listen(process.env.PORT);
`,
  node: `import { createServer } from "node:http";
const server = createServer((request, response) => {
  if (request.url === "/visit") request.session.data.visits = 1;
  if (request.url === "/throw") throw Object.assign(new Error("The network is down"), { status: 0 });
  response.end("hello");
});
server.listen(process.env.PORT);
`,
};

describe("an app that sessions were added to", { timeout: 2 * MINUTES }, () => {
  for (const [framework, main] of Object.entries(APPS)) {
    test(`F1 L7: while the store is down, ${framework} sends 503 with Retry-After, and serves what needs no store`, async () => {
      const app = appOf({ "package.json": '{ "name": "app", "type": "module" }\n', "app.js": main });
      linkModules(app);
      const { code, stdout, stderr } = await app.add("-f", framework, "-b", "couchdb", "--no-install", "--json");
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout).wired, stdout).toMatchObject({ file: "app.js" });
      const address = `127.0.0.1:${await freePort()}`;
      const url = await app.start(["node", "app.js"], { COUCHDB_URL: `http://admin:secret@${address}` });
      const needy = await fetch(`${url}/visit`, { method: "POST" });
      expect([needy.status, needy.headers.get("retry-after")]).toEqual([503, "5"]);
      // A status that is none of HTTP's, as clients of other servers have them.
      if (framework === "node") expect((await fetch(`${url}/throw`)).status).toBe(500);
      const free = await fetch(url);
      expect([free.status, await free.text()]).toEqual([200, "hello"]);
    });
  }
});
