// The session in error and 404 handlers, in every framework whose types promise it there: never undefined, whatever went wrong.
// Change it when an error handler gets another signature. With node:http alone, error handlers get no session.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assemble } from "./assemble.ts";
import type { HttpResponse } from "./client.ts";
import { Project } from "./project.ts";
import { expectStatus, signedIn, type Target, visitor } from "./suite/visitors.ts";

function shown(session: string): string {
  return `String(${session}.userid) + " " + JSON.stringify(${session}.data)`;
}

/** The first line of the error handler, and code that is put behind it: it reads the session, as a user's own code may. */
const READS: Record<string, [line: string, code: string]> = {
  express: [
    "errorHandler: ErrorRequestHandler = (error, request, response, next) => {",
    `response.set("x-session", ${shown("request.session")});`,
  ],
  fastify: [
    "export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {",
    `reply.header("x-session", ${shown("request.session")});`,
  ],
  hono: [
    "export function onError(error: Error, c: Context): Response {",
    `c.header("x-session", ${shown("c.var.session")});`,
  ],
  koa: ["if (thrown === null || thrown === undefined) return;", `this.set("x-session", ${shown("this.session")});`],
};

describe.each(Object.entries(READS))("%s", (framework, [line, code]) => {
  let project: Project;
  const target: Target = { name: framework, url: () => project.url, persistent: true };

  beforeAll(async () => {
    const folder = await assemble({ framework, backend: "sqlite" }, "error-handlers");
    const file = join(folder, "src", "http", "error-handler.ts");
    const handler = await readFile(file, "utf8");
    expect(handler).toContain(line);
    await writeFile(file, handler.replace(line, `${line}\n  ${code}`));
    project = new Project(folder, { SESSION_STORE_TIMEOUT: "300" });
    await project.start();
  });
  afterAll(() => project?.stop());

  function expectSession(response: HttpResponse, status: number, userid: string | null, data: unknown): void {
    expectStatus(response, status);
    expect(response.headers["x-session"]).toBe(`${userid} ${JSON.stringify(data)}`);
  }

  test("S27: the visitor's session where a handler has thrown, and where nothing is", async () => {
    const client = await signedIn(target, "ann");
    expectStatus(await client.set("theme", "dark"), 200);
    const data = { theme: "dark" };
    const malformed = { body: "{", headers: { "content-type": "application/json" } };
    expectSession(await client.put("/session/data/a", malformed), 400, "ann", data);
    expectSession(await client.put("/session/data/a", { json: {} }), 422, "ann", data);
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      expectSession(await client.send(method, "/nothing"), 404, "ann", data);
    }
  });

  test("S27: an empty session for a visitor without one, and where the request was refused", async () => {
    expectSession(await visitor(target).get("/nothing"), 404, null, {});
    const client = await signedIn(target, "ann");
    const refused = await client.set("a", 1, { headers: { "sec-fetch-site": "cross-site" } });
    expectSession(refused, 403, null, {});
  });

  test("S27, F6: a malformed path gets its response, with a session or past the error handler", async () => {
    const client = await signedIn(target, "ann");
    for (const path of ["/%zz", "/session/data/%zz", "/%FF"]) {
      const response = await client.put(path, { json: { value: 1 } });
      expectStatus(response, 200, 400, 404);
      if (response.headers["x-session"]) expect(response.headers["x-session"]).toMatch(/^(?:ann|null) \{/);
    }
    expectStatus(await client.get("/health"), 200);
  });

  test("S27, F1: a session where the store is down", async () => {
    const client = await signedIn(target, "ann");
    const database = new Database(join(project.folder, "data", "sessions.db"));
    database.exec("BEGIN EXCLUSIVE");
    try {
      const unsaved = await client.set("a", 1);
      expectStatus(unsaved, 503);
      expect(unsaved.headers["x-session"]).toMatch(/^(?:ann|null) \{/);
    } finally {
      database.exec("ROLLBACK");
      database.close();
    }
    expectStatus(await client.set("a", 1), 200);
  });
});
