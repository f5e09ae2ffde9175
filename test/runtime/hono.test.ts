// Hono without a server: `app.request()`, as the tests of an app call it, and responses that come from elsewhere; and what
// etag makes of one. Over real HTTP Hono is held to adapters.test.ts, as every framework.
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { expect, test } from "vitest";
import { type SessionEnv, sessionMiddleware } from "../../templates/frameworks/hono/files/src/session/adapter.ts";
import { write } from "./adapter.ts";
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

test("S12: without a server, a handler that says that it has responded by itself is saved all the same", async () => {
  const { app, stored } = await hono();
  app.get("/", (c) => {
    write(c.var.session);
    return RESPONSE_ALREADY_SENT;
  });
  await app.request("/");
  expect(await stored()).toEqual([{ here: 1 }]);
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
