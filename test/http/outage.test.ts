// A store that hangs, in every framework: requests that need it get 503 with Retry-After in time, and it recovers afterwards.
// The store is SQLite, locked by another connection. Servers that are killed and cut off: test/faults.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Client } from "./client.ts";
import { Project } from "./project.ts";

const STORE_TIMEOUT_MS = 300;
/** How long the rest of a request may take on a busy machine. */
const OVERHEAD_MS = 2_000;

async function started(folder: string): Promise<{ project: Project; client: Client; database: Database.Database }> {
  const project = new Project(folder, { SESSION_STORE_TIMEOUT: String(STORE_TIMEOUT_MS) });
  await project.start();
  const client = new Client(() => project.url);
  const database = new Database(join(folder, "data", "sessions.db"));
  onTestFinished(async () => {
    client.close();
    database.close();
    await project.stop();
  });
  return { project, client, database };
}

describe.each(packs("frameworks"))("%s", (framework) => {
  test("F1: a store that hangs: 503 with Retry-After within storeTimeout, and 200 when it is back", async () => {
    const { project, client, database } = await started(await assemble({ framework, backend: "sqlite" }, "outage"));
    expect((await client.set("before", 1)).status).toBe(200);
    database.exec("BEGIN EXCLUSIVE");
    for (const send of [
      () => client.set("during", 1),
      () => client.post("/cart", { json: { sku: "tea", quantity: 1 } }),
      () => client.post("/session"),
      () => client.post("/logout"),
      () => client.post("/login", { form: { userid: "ann", password: "demo" } }),
    ]) {
      const from = performance.now();
      const response = await send();
      expect(performance.now() - from).toBeLessThan(STORE_TIMEOUT_MS + OVERHEAD_MS);
      expect(response.status, response.text).toBe(503);
      expect(response.headers["retry-after"]).toMatch(/^[1-9]\d*$/);
      expect(response.headers["cache-control"]).toBe("no-store");
      expect(response.json).toEqual({ error: expect.any(String) });
      expect(response.text).not.toMatch(/sqlite|\.db/i);
      expect(response.setCookies).toEqual([]);
    }
    const page = await client.set("during", 1, { headers: { accept: "text/html" } });
    expect(page).toMatchObject({ status: 503, headers: { "retry-after": expect.any(String) } });
    expect(page.headers["content-type"]).toMatch(/^text\/html/);
    expect((await client.get("/health/live")).status).toBe(200);
    expect((await client.get("/style.css")).status).toBe(200);
    database.exec("ROLLBACK");
    expect((await client.set("after", 1)).json).toEqual({ data: { before: 1, after: 1 } });
    expect(project.output).not.toMatch(/\n\s+at /);
  });
});

test("F1, S12: fastify: a response of the handler's own that can't be saved is 503 with Retry-After and {error}", async () => {
  const folder = await assemble({ framework: "fastify", backend: "sqlite" }, "outage");
  await writeFile(
    join(folder, "src", "example", "handlers.ts"),
    `import type { FastifyPluginAsync } from "fastify";
    export const handlers = (): FastifyPluginAsync => async (app) => {
      app.post("/raw", async (request, reply) => {
        request.session.data.visits = 1;
        reply.hijack();
        reply.raw.writeHead(200, { "content-type": "text/plain" });
        reply.raw.end("hello");
      });
    };\n`,
  );
  const { client, database } = await started(folder);
  database.exec("BEGIN EXCLUSIVE");
  const refused = await client.post("/raw");
  expect(refused).toMatchObject({ status: 503, setCookies: [], json: { error: expect.any(String) } });
  expect(refused.headers).toMatchObject({ "retry-after": expect.any(String), "cache-control": "no-store" });
  database.exec("ROLLBACK");
  expect(await client.post("/raw")).toMatchObject({ status: 200, text: "hello", setCookies: [expect.any(String)] });
});
