// Responses with caching headers of their own: no shared cache may keep what belongs to one visitor, in every framework.
// Responses without such headers are in suite/cookie.ts.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";

const PUBLIC = '{ "cache-control": "public, max-age=600", vary: "accept-language" }';

/** Routes in each framework's idiom: /write/… writes to the session, /read/… reads it, /chosen asks for a private cache. */
const ROUTES: Record<string, string> = {
  express: `
    app.get(["/write/:way", "/read/:way"], (request, response) => {
      if (request.path.startsWith("/write")) request.session.data.visits = 1;
      else void request.session.userid;
      const file = "style.css";
      const root = { root: "public" };
      if (request.params.way === "headers") return response.set(${PUBLIC}).json({});
      if (request.params.way === "download") return response.download(file, root);
      if (request.params.way === "chosen") response.set("Cache-Control", "private, max-age=60");
      return response.sendFile(file, root);
    });`,
  fastify: `
    app.get("/write/headers", async (request, reply) => {
      request.session.data.visits = 1;
      return reply.headers(${PUBLIC}).send({});
    });
    app.get("/write/response", async (request) => {
      await request.session.signIn("ada");
      return Response.json({}, { headers: ${PUBLIC} });
    });`,
  hono: `
    app.get("/write/headers", (c) => {
      c.var.session.data.visits = 1;
      return c.json({}, 200, ${PUBLIC});
    });
    app.get("/write/response", async (c) => {
      await c.var.session.signIn("ada");
      return Response.json({}, { headers: ${PUBLIC} });
    });`,
  koa: `
    router.get("/write/headers", (ctx) => {
      ctx.session.data.visits = 1;
      ctx.set(${PUBLIC});
      ctx.body = {};
    });`,
  node: `
    router.on("GET", "/write/headers", async ({ response, session }) => {
      session.data.visits = 1;
      response.setHeaders(new Map(Object.entries(${PUBLIC})));
      sendJson(response, {});
    });`,
};

async function started(framework: string): Promise<Project> {
  const folder = await assemble({ framework, backend: "memory" }, "shared-caches");
  const file = join(folder, "src", "routes.ts");
  const code = await readFile(file, "utf8");
  // Before the comment above the sample route.
  const place = /\n( {2}\/\/ Counts)/;
  expect(code).toMatch(place);
  await writeFile(file, code.replace(place, `${ROUTES[framework]}\n$1`));
  const project = new Project(folder);
  await project.start();
  return project;
}

describe.each(Object.keys(ROUTES))("%s", (framework) => {
  let project: Project;
  beforeAll(async () => {
    project = await started(framework);
  });
  afterAll(() => project?.stop());

  const ways = ["headers", "response"].filter(
    (way) => ROUTES[framework]?.includes(`/write/${way}`) || way === "headers",
  );

  test.each(ways)(
    "S4, S23: a response that sets the cookie is private, whatever the handler says: by %s",
    async (way) => {
      const { status, headers } = await fetch(`${project.url}/write/${way}`);
      expect(status).toBe(200);
      expect(headers.getSetCookie()).toHaveLength(1);
      expect(headers.get("cache-control")).toMatch(/^(?:no-store|private)\b/);
      expect(headers.get("cache-control")).not.toMatch(/\bpublic\b|\bs-maxage\b/);
      expect(headers.get("vary")).toMatch(/\bcookie\b/i);
      expect(headers.get("vary"), "what the handler has set stays").toMatch(/\baccept-language\b/i);
    },
  );
});

describe("express: files", () => {
  let project: Project;
  beforeAll(async () => {
    project = await started("express");
  });
  afterAll(() => project?.stop());

  const PATHS = ["/write/send", "/write/download", "/read/send", "/read/download"];

  test.each([...PATHS, "/write/chosen"])(
    "S4, S23: %s: a file brings the cookie along, and varies by it",
    async (path) => {
      const { headers, status } = await fetch(project.url + path);
      expect(status).toBe(200);
      expect(headers.getSetCookie()).toHaveLength(path.startsWith("/write") ? 1 : 0);
      expect(headers.get("vary")).toMatch(/\bcookie\b/i);
    },
  );

  test("S23: a Cache-Control that the handler has set for a file stays", async () => {
    const { headers } = await fetch(`${project.url}/write/chosen`);
    expect(headers.get("cache-control")).toBe("private, max-age=60");
  });

  test.each(PATHS)("S23: %s: a file that depends on the session is kept by no shared cache", async (path) => {
    const { headers } = await fetch(project.url + path);
    expect(headers.get("cache-control")).toMatch(/^(?:no-store|private)\b/);
  });
});
