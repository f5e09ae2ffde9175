// What the app's own error handlers keep of an error, and the session in a 404 handler, in every framework.
// Change EDITS when a framework's routes or its 404 handler look different.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { Project } from "../http/project.ts";

/** A file that every project gets: routes that fail as other packages make them fail. */
const FAIL = `export function fail(kind: string, setHeader: (name: string, value: string) => unknown): never {
  const error = (status: number, more = {}) => Object.assign(new Error("db.internal refused"), { status, ...more });
  setHeader("X-Request-Id", "42");
  if (kind === "gateway") throw error(504, { headers: { "X-Upstream": "b" } });
  if (kind === "busy") throw error(503, { headers: { "Retry-After": "7" } });
  if (kind === "basic") {
    setHeader("WWW-Authenticate", 'Basic realm="shop"');
    throw error(401);
  }
  if (kind === "digest") throw error(401, { headers: { "WWW-Authenticate": "Digest" } });
  if (kind === "half") {
    setHeader("Content-Encoding", "gzip");
    setHeader("ETag", '"1"');
    setHeader("Cache-Control", "public, max-age=600");
  }
  throw new Error("db.internal refused");
}
`;

interface Edit {
  route: string;
  notFound: [file: string, from: string, to: string];
}

const GENERIC = "There is nothing at this address.";
const HANDLER = "src/http/error-handler.ts";

const EDITS: Record<string, Edit> = {
  express: {
    route: `app.get("/fail/:kind", (request, response) => fail(request.params.kind, (name, value) => response.set(name, value)));`,
    notFound: [HANDLER, "notFound: RequestHandler = () =>", "notFound: RequestHandler = ({ session }) =>"],
  },
  fastify: {
    route: `app.get<{ Params: { kind: string } }>("/fail/:kind", async (request, reply) =>
      fail(request.params.kind, (name, value) => reply.header(name, value)));`,
    notFound: [HANDLER, "notFound(): never", "notFound({ session }: FastifyRequest): never"],
  },
  hono: {
    route: `app.get("/fail/:kind", (c) => fail(c.req.param("kind"), (name, value) => c.header(name, value)));`,
    notFound: [
      HANDLER,
      "notFound(c: Context): Response {",
      "notFound(c: Context): Response {\n  const { session } = c.var;",
    ],
  },
  koa: {
    route: `router.get("/fail/:kind", (ctx) => fail(ctx.params.kind ?? "", (name, value) => ctx.set(name, value)));`,
    notFound: [HANDLER, "  await next();\n", "  const { session } = ctx;\n  await next();\n"],
  },
  node: {
    route: `router.on("GET", "/fail/:kind", ({ params, response }) =>
      fail(params.kind ?? "", (name, value) => response.setHeader(name, value)));`,
    notFound: [
      "src/http/router.ts",
      "    const { request, response } = exchange;",
      "    const { request, response, session } = exchange;",
    ],
  },
};

async function edit(folder: string, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(folder, file), "utf8");
  expect(text, file).toContain(from);
  await writeFile(
    join(folder, file),
    text.replace(from, () => to),
  );
}

test("every framework is tested here", () => {
  expect(Object.keys(EDITS).sort()).toEqual(packs("frameworks"));
});

describe.each(Object.entries(EDITS))("%s", (framework, { route, notFound: [file, from, to] }) => {
  let project: Project;

  beforeAll(async () => {
    const folder = await assemble({ framework, backend: "memory" }, "error-handling");
    await writeFile(join(folder, "src", "fail.ts"), FAIL);
    await edit(folder, "src/routes.ts", "import ", 'import { fail } from "./fail.ts";\nimport ');
    await edit(folder, "src/routes.ts", "  // Counts", `  ${route}\n\n  // Counts`);
    await edit(folder, file, from, to);
    await edit(folder, file, `"${GENERIC}"`, '"Nothing here for " + session.userid');
    project = new Project(folder);
    await project.start();
  });
  afterAll(() => project.stop());

  async function failing(kind: string) {
    const response = await fetch(`${project.url}/fail/${kind}`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  test("S12: an error's status and headers are kept, 5xx too, and what was set before; its message stays here", async () => {
    const { status, headers, text } = await failing("gateway");
    expect(status).toBe(504);
    expect(headers.get("x-upstream")).toBe("b");
    expect(headers.get("x-request-id")).toBe("42");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(JSON.parse(text)).toEqual({ error: "Gateway Timeout" });
    // The logger may write after the response has been sent.
    await vi.waitFor(() => expect(project.output).toContain("db.internal refused"), { timeout: 10_000 });
  });

  test("S12: another package's 503 is not worded as the sessions' own, and its Retry-After stays", async () => {
    const { status, headers, text } = await failing("busy");
    expect([status, headers.get("retry-after"), text]).toEqual([503, "7", '{"error":"Service Unavailable"}']);
  });

  test.each([
    ["basic", 'Basic realm="shop"'],
    ["digest", "Digest"],
  ])("S12: 401 asks for %s where that was asked for already", async (kind, scheme) => {
    const { status, headers } = await failing(kind);
    expect([status, headers.get("www-authenticate")]).toEqual([401, scheme]);
  });

  test("S12: what described the handler's own body is not left on the error's", async () => {
    const { status, headers, text } = await failing("half");
    expect(status).toBe(500);
    expect(headers.get("content-encoding")).toBeNull();
    expect(headers.get("etag")).not.toBe('"1"');
    expect(headers.get("cache-control")).toBe("no-store");
    expect(JSON.parse(text)).toEqual({ error: "Something went wrong. The error was logged." });
  });

  test("S27: a 404 handler has the session, whatever the method and the path", async () => {
    const signIn = await fetch(`${project.url}/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ userid: "ada", password: "demo" }),
    });
    const cookie = signIn.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      for (const path of ["/nope", "/nope.css", "/nope/deeper"]) {
        const response = await fetch(project.url + path, { method, headers: { cookie } });
        const found = { status: response.status, ...((await response.json()) as object) };
        expect(found, `${method} ${path}`).toEqual({ status: 404, error: "Nothing here for ada" });
      }
    }
    expect((await fetch(`${project.url}/nope`, { method: "HEAD", headers: { cookie } })).status).toBe(404);
    expect(await (await fetch(`${project.url}/nope`)).json()).toEqual({ error: "Nothing here for null" });
  });
});
