// Hono without a server: `app.request()`, as the tests of an app call it, and responses that come from elsewhere; and beside
// Hono's own middleware. Over real HTTP Hono is held to adapters.test.ts, as every framework.
import type { Server } from "node:http";
import { Readable } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { logger } from "hono/logger";
import { describe, expect, test, vi } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { type SessionEnv, sessionMiddleware } from "../../templates/frameworks/hono/files/src/session/adapter.ts";
import { source, write } from "./adapter.ts";
import { ask, serve } from "./served.ts";
import { open } from "./visitor.ts";

async function hono() {
  const memory = await open("memory");
  if (memory === undefined) throw new Error("the memory store needs no server");
  const { sessions, stored } = memory;
  return { app: new Hono<SessionEnv>().use(sessionMiddleware(sessions)), stored };
}

test("S4, S12: app.request() needs no server: the cookie that it is given opens the session", async () => {
  const { app } = await hono();
  app.post("/", (c) => {
    write(c.var.session);
    return c.text("hello");
  });
  app.get("/", (c) => c.json(c.var.session.data));
  const written = await app.request("/", { method: "POST" });
  const [cookie = ""] = written.headers.getSetCookie();
  expect(cookie).toMatch(/^session=[\w-]{64};/);
  const read = await app.request("/", { headers: { cookie: cookie.split(";", 1).join() } });
  expect(await read.json()).toEqual({ here: 1 });
  expect(read.headers.get("cache-control")).toBe("private");
});

test("S4: a response whose headers can't be changed (`return fetch(…)`) gets the cookie all the same", async () => {
  const { app } = await hono();
  app.get("/", (c) => {
    write(c.var.session);
    const answer = Response.redirect("http://localhost/next", 303);
    expect(() => answer.headers.set("x-a", "1")).toThrow(TypeError);
    return answer;
  });
  const reply = await app.request("/");
  expect(reply.status).toBe(303);
  expect(reply.headers.get("location")).toBe("http://localhost/next");
  expect(reply.headers.getSetCookie()).toHaveLength(1);
});

test("S12: what was written before something was thrown that is no Error is saved", async () => {
  const { app, stored } = await hono();
  app.get("/", (c) => {
    write(c.var.session);
    throw "no Error";
  });
  await expect(app.request("/")).rejects.toBe("no Error");
  expect(await stored()).toEqual([{ here: 1 }]);
});

describe.each<[string, MiddlewareHandler]>([
  ["logger", logger(() => {})],
  ["cors", cors({ origin: "https://example.com", credentials: true })],
  ["etag", etag()],
])("beside %s", (_, other) => {
  describe.each(["before", "behind"])("mounted %s the sessions", (place) => {
    async function serveApp() {
      const memory = await open("memory");
      if (memory === undefined) throw new Error("the memory store needs no server");
      const app = new Hono<SessionEnv>();
      if (place === "before") app.use(other);
      app.use(sessionMiddleware(memory.sessions));
      if (place === "behind") app.use(other);
      app.get("/text", (c) => {
        write(c.var.session);
        return c.text("hello");
      });
      app.get("/pipe", (c) => {
        write(c.var.session);
        if (c.env.outgoing !== undefined) Readable.from(source()).pipe(c.env.outgoing);
        return RESPONSE_ALREADY_SENT;
      });
      app.onError((error, c) => c.text(error.message, 503));
      return { app: memory, url: await serve(createAdaptorServer({ fetch: app.fetch }) as Server) };
    }

    test.each(["/text", "/pipe"])("S12, S23: %s is saved, and sets the cookie", async (path) => {
      const { app, url } = await serveApp();
      const reply = await ask(app, url + path);
      expect(reply).toMatchObject({ status: 200, body: "hello", stored: [{ here: 1 }], cookie: expect.any(String) });
      expect(reply.headers).toMatchObject({ "cache-control": "no-store", vary: expect.stringMatching(/cookie/i) });
    });

    test.each(["/text", "/pipe"])("S12, F1: if %s can't be saved, 503 is all that is sent", async (path) => {
      const { app, url } = await serveApp();
      app.driver.create = () => Promise.reject(new StoreUnavailable("down"));
      const complaints = vi.spyOn(console, "error");
      expect(await ask(app, url + path)).toMatchObject({ status: 503, cookie: undefined, stored: [], complete: true });
      expect(complaints).not.toHaveBeenCalled();
    });
  });
});

test("S4, S12: a response that etag turns into 304 sets the cookie all the same", async () => {
  const memory = await open("memory");
  if (memory === undefined) throw new Error("the memory store needs no server");
  const app = new Hono<SessionEnv>().use(etag(), sessionMiddleware(memory.sessions));
  app.get("/", (c) => {
    write(c.var.session);
    return c.text("hello");
  });
  const url = await serve(createAdaptorServer({ fetch: app.fetch }) as Server);
  const { headers } = await ask(memory, url);
  const again = await ask(memory, url, { headers: { "if-none-match": String(headers.etag) } });
  expect(again).toMatchObject({ status: 304, cookie: expect.any(String) });
});
