// What Fastify apps do besides replying: responses of the fetch API, reply.raw, middleware on the raw response, late hooks.
// How Fastify is held to what every framework must do is in adapters.test.ts.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import basicAuth from "@fastify/basic-auth";
import middie from "@fastify/middie";
import type { FastifyInstance, FastifyReply } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { errorHandler, respondToRawError } from "../../templates/frameworks/fastify/files/src/http/error-handler.ts";
import { sessionPlugin } from "../../templates/frameworks/fastify/files/src/session/adapter.ts";
import { write } from "./adapter.ts";
import { memoryApp } from "./memory.ts";
import { ask } from "./served.ts";
import type { App } from "./visitor.ts";

/** Fastify as the pack has it. */
const pack = createRequire(new URL("../../templates/frameworks/fastify/package.json", import.meta.url));
const createFastify = pack("fastify") as typeof import("fastify").default;

async function serve(routes: (fastify: FastifyInstance, app: App) => void | Promise<void>) {
  const app = await memoryApp();
  const fastify = createFastify();
  fastify.register(sessionPlugin, { sessions: app.sessions, respondToRawError });
  fastify.register(async (scope) => routes(scope, app));
  onTestFinished(async () => {
    fastify.server.closeAllConnections();
    await fastify.close();
  });
  return { app, url: await fastify.listen({ host: "127.0.0.1", port: 0 }) };
}

const SESSION_COOKIE = /^session=[\w-]{64}$/;

test("S12: the challenge of @fastify/basic-auth reaches the client, and a 401 of the app's own asks for a Bearer token", async () => {
  const { url } = await serve(async (fastify) => {
    fastify.setErrorHandler(errorHandler);
    const validate = async () => {
      throw new Error("Unknown user");
    };
    await fastify.register(basicAuth, { validate, authenticate: { realm: "shop" } });
    fastify.get("/basic", { onRequest: fastify.basicAuth }, async () => "secret");
    fastify.get("/own", async () => {
      throw Object.assign(new Error("Please sign in."), { statusCode: 401 });
    });
  });
  const [basic, own] = [await fetch(`${url}/basic`), await fetch(`${url}/own`)];
  expect([basic.status, own.status]).toEqual([401, 401]);
  expect(basic.headers.get("www-authenticate")).toMatch(/^Basic realm="shop"/);
  expect(own.headers.get("www-authenticate")).toBe('Bearer realm="session"');
});

test("S23: a Response's own headers don't make a response with a token public", async () => {
  const { app, url } = await serve((fastify) => {
    fastify.get("/", async (request) => {
      await request.session.signIn("ada");
      return Response.json({}, { headers: { "cache-control": "public, max-age=600", vary: "Accept" } });
    });
    fastify.get("/read", async (request) => {
      return new Response(String(request.session.exists), { headers: { vary: "Accept-Encoding" } });
    });
  });
  const reply = await ask(app, url);
  expect(reply).toMatchObject({ status: 200, body: "{}", cookie: expect.stringMatching(SESSION_COOKIE) });
  expect(reply.headers["cache-control"]).toBe("private, max-age=600");
  expect(reply.headers.vary).toMatch(/Accept, Cookie/i);
  const read = await ask(app, `${url}/read`, { headers: { cookie: reply.cookie } });
  expect(read.headers.vary).toMatch(/Accept-Encoding, Cookie/i);
  expect(read.headers["cache-control"]).toBe("private");
});

test("S4: a Response's own cookies survive, and so do those of reply.header", async () => {
  const { app, url } = await serve((fastify) => {
    fastify.get("/", async (request, reply) => {
      write(request.session);
      reply.header("set-cookie", "a=1");
      return new Response("", { headers: [["set-cookie", "b=2"]] });
    });
  });
  const { headers } = await ask(app, url);
  const names = headers["set-cookie"]?.map((line) => line.split("=", 1)[0]);
  expect(names).toContain("session");
  expect(names).toContain("b");
});

test.each([
  ["writeHead and end", (raw: import("node:http").ServerResponse) => void raw.writeHead(200).end("hello")],
  ["end", (raw: import("node:http").ServerResponse) => void raw.end("hello")],
  ["a stream", (raw: import("node:http").ServerResponse) => void Readable.from(["hel", "lo"]).pipe(raw)],
])("S12: what a handler sends through reply.raw by %s waits for the save, and sets the cookie", async (_, send) => {
  const { app, url } = await serve((fastify) => {
    fastify.get("/", (request, reply) => {
      write(request.session);
      send(reply.raw);
    });
    fastify.get("/out", async (request, reply) => {
      await request.session.destroy();
      send(reply.raw);
      return reply;
    });
  });
  const reply = await ask(app, url);
  expect(reply).toMatchObject({ body: "hello", stored: [{ here: 1 }], cookie: expect.stringMatching(SESSION_COOKIE) });
  const out = await ask(app, `${url}/out`, { headers: { cookie: reply.cookie } });
  expect(out).toMatchObject({ body: "hello", stored: [] });
  expect(out.headers["set-cookie"]?.[0]).toContain("Max-Age=0");
});

test("S12: if what went through reply.raw can't be saved, the client gets the error", async () => {
  const { app, url } = await serve((fastify) => {
    fastify.get("/", (request, reply) => {
      write(request.session, "x".repeat(70_000));
      reply.raw.writeHead(200, { etag: "1" }).end("hello");
    });
  });
  const reply = await ask(app, url);
  expect(reply).toMatchObject({ status: 413, stored: [], cookie: undefined });
  expect(reply.headers.etag).toBeUndefined();
});

test.each([
  ["a header", (reply: FastifyReply) => reply.redirect("/\u2603")],
  ["a payload", (reply: FastifyReply) => reply.type("text/plain").send({ hello: 1 })],
])("S12: %s that can't be sent, found after the save, is 500 and no unhandled rejection", async (_, send) => {
  const { app, url } = await serve((fastify) => {
    fastify.get("/", async (request, reply) => {
      write(request.session);
      return send(reply);
    });
  });
  expect(await ask(app, url)).toMatchObject({ status: 500, stored: [{ here: 1 }] });
});

test("S4: a cookie that middleware sets on the raw response survives", async () => {
  const { app, url } = await serve(async (fastify) => {
    await fastify.register(middie);
    fastify.use((_request: unknown, response: import("node:http").ServerResponse, next: () => void) => {
      response.setHeader("set-cookie", "other=1");
      next();
    });
    fastify.get("/", async (request) => {
      write(request.session);
      return "hello";
    });
  });
  const { headers } = await ask(app, url);
  expect(headers["set-cookie"]?.map((line) => line.split("=", 1)[0]).sort()).toEqual(["other", "session"]);
});

test("S12: what an onSend hook writes that was registered later is saved", async () => {
  const { app, url } = await serve((fastify) => {
    fastify.addHook("onSend", async (request) => write(request.session, 1, "late"));
    fastify.get("/", async () => "hello");
    fastify.get("/file", async (_request, reply) => reply.send(createReadStream(import.meta.filename)));
  });
  expect(await ask(app, url)).toMatchObject({ body: "hello", stored: [{ late: 1 }] });
  expect(await ask(app, `${url}/file`)).toMatchObject({ status: 200, stored: [{ late: 1 }, { late: 1 }] });
});

test.each([0, 20])("S12: what an onResponse hook writes after %i ms is an event", async (delay) => {
  const { app, url } = await serve((fastify) => {
    fastify.addHook("onResponse", async (request) => {
      if (delay > 0) await new Promise((resume) => setTimeout(resume, delay));
      write(request.session, 1, "late");
    });
    fastify.get("/", async () => "hello");
  });
  await ask(app, url);
  await expect
    .poll(() => app.events)
    .toContainEqual({ type: "warning", message: expect.stringContaining("after the response") });
  expect(await app.stored()).toEqual([]);
});

test("S16: a framework that trusts a proxy which sessions don't is warned of, once", async () => {
  const app = await memoryApp();
  const fastify = createFastify({ trustProxy: true });
  fastify.register(sessionPlugin, { sessions: app.sessions, respondToRawError });
  fastify.get("/", async (request) => request.session.exists);
  for (let count = 0; count < 2; count++) await fastify.inject("/");
  expect(app.events).toEqual([{ type: "warning", message: expect.stringContaining("SESSION_TRUST_PROXY") }]);
});

test("S26: a scope with the plugin beside one without: sessions are only where they were asked for", async () => {
  const app = await memoryApp();
  const fastify = createFastify();
  fastify.register(async (scope) => {
    scope.register(sessionPlugin, { sessions: app.sessions, respondToRawError });
    scope.get("/with", async (request) => typeof request.session);
  });
  fastify.get("/without", async (request) => typeof request.session);
  expect((await fastify.inject("/with")).body).toBe("object");
  expect((await fastify.inject("/without")).body).toBe("undefined");
});

test("S27: in a hook that runs before the plugin's, and where no hook runs, the session is an empty one", async () => {
  const app = await memoryApp();
  const seen: unknown[] = [];
  const fastify = createFastify({
    frameworkErrors: (_error, request, reply) => {
      seen.push(request.session?.exists);
      void (reply as FastifyReply).code(400).send("malformed");
    },
  });
  fastify.addHook("onRequest", async (request) => {
    seen.push(request.session.exists, request.session.userid);
    write(request.session);
  });
  fastify.register(sessionPlugin, { sessions: app.sessions, respondToRawError });
  fastify.get("/", async (request) => request.session.exists);
  expect((await fastify.inject("/")).statusCode).toBe(200);
  expect((await fastify.inject("/%zz")).statusCode).toBe(400);
  expect(seen.slice(0, 2)).toEqual([false, null]);
  expect(app.events).toContainEqual({ type: "warning", message: expect.stringContaining("not saved") });
  expect(await app.stored()).toEqual([]);
});
