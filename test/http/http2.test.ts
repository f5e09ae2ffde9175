// HTTP/2, which sends the host as :authority: each framework that can be served by node:http2. Express can't: its requests are node:http's.
// Change it when a framework's main.ts creates its server in another way.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assemble } from "./assemble.ts";
import { parseSetCookie } from "./client.ts";
import { Project } from "./project.ts";

const TIMEOUT_MS = 20_000;

/** What is changed in main.ts, so that it serves HTTP/2 without TLS, as behind a proxy that speaks it. */
const CHANGES: Record<string, [was: string, is: string][]> = {
  fastify: [["Fastify({", "Fastify({\n  http2: true,"]],
  hono: [
    ["createAdaptorServer({", "createAdaptorServer({ createServer,"],
    ["import ", 'import { createServer } from "node:http2";\nimport '],
  ],
  koa: [['from "node:http"', 'from "node:http2"']],
  node: [
    [
      'import { createServer } from "node:http";',
      // The responses of HTTP/2 lack this method of node:http's, which the project uses.
      `import { createServer, Http2ServerResponse } from "node:http2";
      Object.assign(Http2ServerResponse.prototype, {
        setHeaders(headers) {
          for (const [name, value] of headers) this.setHeader(name, value);
        },
      });`,
    ],
  ],
};

describe.each(Object.entries(CHANGES))("%s", (framework, changes) => {
  let project: Project;
  let session: ClientHttp2Session;

  beforeAll(async () => {
    const folder = await assemble({ framework, backend: "memory" }, "http2");
    const main = join(folder, "src", "main.ts");
    let code = await readFile(main, "utf8");
    for (const [was, is] of changes) {
      expect(code, "main.ts creates its server as this test knows it").toContain(was);
      code = code.replace(was, is);
    }
    await writeFile(main, code);
    project = new Project(folder);
    await project.start();
    session = connect(project.url);
  });

  afterAll(async () => {
    session?.destroy();
    // What main.ts does at a stop is for node:http's server.
    await project?.kill();
  });

  async function send(method: string, path: string, headers: OutgoingHttpHeaders, body?: unknown) {
    const stream = session.request({
      ":method": method,
      ":path": path,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    });
    stream.end(body === undefined ? undefined : JSON.stringify(body));
    const [received] = (await once(stream, "response", { signal: AbortSignal.timeout(TIMEOUT_MS) })) as [
      OutgoingHttpHeaders,
    ];
    const content = await text(stream);
    const [cookie = ""] = (received["set-cookie"] ?? []) as string[];
    return { status: received[":status"], content, cookie: cookie === "" ? undefined : parseSetCookie(cookie) };
  }

  test("S17: the own origin is the one of :authority", async () => {
    const { origin } = new URL(project.url);
    const { status, content, cookie } = await send("PUT", "/session/data/a", { origin }, { value: 1 });
    expect(status, content).toBe(200);
    expect(cookie).toMatchObject({ name: "session", value: expect.stringMatching(/^[\w-]{64}$/) });
    const mine = { cookie: `session=${cookie?.value}` };
    for (const foreign of ["https://evil.example", "null", origin.replace(/\d+$/, "1")]) {
      const refused = await send("PUT", "/session/data/a", { ...mine, origin: foreign }, { value: 2 });
      expect(refused.status, foreign).toBe(403);
    }
    const read = await send("GET", "/session", mine);
    expect(JSON.parse(read.content)).toMatchObject({ data: { a: 1 } });
  });

  test("S13, S14: a session is started, renewed and ended over HTTP/2", async () => {
    const { origin } = new URL(project.url);
    const started = await send("PUT", "/session/data/a", { origin }, { value: 1 });
    const guest = { origin, cookie: `session=${started.cookie?.value}` };
    const signedIn = await send("POST", "/login", guest, { userid: "ann", password: "demo" });
    expect(signedIn.status, signedIn.content).toBe(200);
    const mine = { origin, cookie: `session=${signedIn.cookie?.value}` };
    expect((await send("GET", "/session", guest)).status).toBe(404);
    expect(JSON.parse((await send("GET", "/session", mine)).content)).toMatchObject({ userid: "ann", data: { a: 1 } });
    expect((await send("POST", "/logout", mine)).status).toBe(204);
    expect((await send("GET", "/session", mine)).status).toBe(404);
  });
});
