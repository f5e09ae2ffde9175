// Sessions over HTTP/2 without TLS, as behind a proxy, in the frameworks that serve it (Express doesn't).
// Add a framework that serves HTTP/2.
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type Http2Server } from "node:http2";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { respondToRawError } from "../../templates/frameworks/fastify/files/src/http/error-handler.ts";
import { sessionPlugin } from "../../templates/frameworks/fastify/files/src/session/adapter.ts";
import {
  sessionMiddleware as honoSessions,
  type SessionEnv,
} from "../../templates/frameworks/hono/files/src/session/adapter.ts";
import { sessionMiddleware as koaSessions } from "../../templates/frameworks/koa/files/src/session/adapter.ts";
import { withSessions } from "../../templates/frameworks/node/files/src/session/adapter.ts";
import { write } from "./adapter.ts";
import { memoryApp } from "./memory.ts";
import type { App } from "./visitor.ts";

function load<T>(framework: string, module: string): T {
  return createRequire(new URL(`../../templates/frameworks/${framework}/package.json`, import.meta.url))(module) as T;
}

const servers: [string, (app: App) => Promise<Http2Server> | Http2Server][] = [
  [
    "fastify",
    async ({ sessions }) => {
      const { fastify } = load<typeof import("fastify")>("fastify", "fastify");
      const server = fastify({ http2: true });
      server.setErrorHandler((error: Error & { status?: number }, _request, reply) =>
        reply.code(error.status ?? 500).send(error.message),
      );
      server.register(sessionPlugin as never, { sessions, respondToRawError } as never);
      server.put("/", async (request) => {
        write(request.session);
        return "hello";
      });
      await server.ready();
      return server.server as unknown as Http2Server;
    },
  ],
  [
    "hono",
    ({ sessions }) => {
      const { Hono } = load<typeof import("hono")>("hono", "hono");
      const { createAdaptorServer } = load<typeof import("@hono/node-server")>("hono", "@hono/node-server");
      const app = new Hono<SessionEnv>().use(honoSessions(sessions)).put("/", (c) => {
        write(c.var.session);
        return c.text("hello");
      });
      app.onError((error, c) => c.text(error.message, ((error as { status?: number }).status ?? 500) as 403));
      return createAdaptorServer({ fetch: app.fetch, createServer: createServer as never }) as unknown as Http2Server;
    },
  ],
  [
    "koa",
    ({ sessions }) => {
      const Koa = load<typeof import("koa")>("koa", "koa");
      const app = new Koa().use(koaSessions(sessions)).use((ctx) => {
        write(ctx.session);
        ctx.body = "hello";
      });
      app.silent = true;
      return createServer(app.callback() as never);
    },
  ],
  [
    "node",
    ({ sessions }) => {
      const listener = withSessions(
        sessions,
        ({ response, session }) => {
          write(session);
          response.end("hello");
        },
        (error, _request, response) => {
          response.statusCode = (error as { status?: number }).status ?? 500;
          response.end((error as Error).message);
        },
      );
      return createServer(listener as never);
    },
  ],
];

interface Http2Reply {
  status: number;
  cookies: string[];
  body: string;
}

async function put(client: ClientHttp2Session, headers: Record<string, string>): Promise<Http2Reply> {
  const stream = client.request({ ":method": "PUT", ":path": "/", ...headers });
  stream.setEncoding("utf8").end();
  const [response] = (await once(stream, "response")) as [Record<string, unknown>];
  let body = "";
  for await (const text of stream) body += text;
  return { status: response[":status"] as number, cookies: (response["set-cookie"] ?? []) as string[], body };
}

describe.each(servers)("%s", (_, create) => {
  test("S17 S4 S12: a request with its own Origin is let in by :authority, and another's isn't", async () => {
    const app = await memoryApp();
    const server = await create(app);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = connect(`http://${authority}`);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const own = await put(client, { origin: `http://${authority}` });
    expect(own).toMatchObject({ status: 200, body: "hello", cookies: [expect.stringMatching(/^session=/)] });
    expect(await app.stored()).toEqual([{ here: 1 }]);
    const foreign = await put(client, { origin: "https://evil.example" });
    expect(foreign).toMatchObject({ status: 403, cookies: [] });
    expect(app.events).toContainEqual({
      type: "crossOrigin",
      method: "PUT",
      path: "/",
      origin: "https://evil.example",
      host: authority,
      message: expect.any(String),
    });
  });
});
